//! What happened to an order, the latest first.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{Address, Markup, PageCall, html, moment, table};
use serde::Deserialize;

use super::show::Order;

/// A change of an order: its transfer to another customer.
#[derive(Deserialize)]
pub(super) struct Change {
    change_type: Option<String>,
    status: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Change {
    /// Is it a transfer that nobody has agreed to yet?
    pub(super) fn is_open_transfer(&self) -> bool {
        self.change_type.as_deref() == Some("transfer") && matches!(&*self.status, "pending" | "requested")
    }

    /// What it did, as people read it.
    fn sentence(&self) -> String {
        let what = match self.change_type.as_deref() {
            Some("transfer") => "Transfer to another customer",
            _ => "Change",
        };
        let state = match &*self.status {
            "confirmed" => "done",
            "declined" => "declined",
            "canceled" => "withdrawn",
            _ => "asked for",
        };
        format!("{what}: {state}")
    }
}

/// A moment, and what happened.
type Event = (Timestamp, Markup);

/// The changes of an order.
pub(super) async fn changes(call: &PageCall, order: &Order) -> Result<Vec<Change>, Fault> {
    let address = Address::of("/admin/orders")
        .then(&order.id)
        .then("changes")
        .with("fields", "id,change_type,status,created_at,updated_at");
    call.api().one(address, "order_changes").await
}

pub(super) fn history(call: &PageCall, order: &Order, changes: &[Change]) -> Markup {
    let mut events: Vec<Event> = vec![(order.created_at, html! { "Placed" })];
    events.extend(order.canceled_at.map(|at| (at, html! { "Cancelled" })));
    for payment in order.payments() {
        for it in &payment.captures {
            events.push((it.created_at, html! { "Captured " (call.money(it.amount, &order.currency_code)) }));
        }
        for it in &payment.refunds {
            let (amount, why) = (call.money(it.amount, &order.currency_code), it.why());
            let sentence = html! { "Paid back " (amount) @if !why.is_empty() { ": " (why) } };
            events.push((it.created_at, sentence));
        }
    }
    for (index, it) in order.fulfillments().iter().enumerate() {
        let steps = [
            (Some(it.created_at), "packed"),
            (it.shipped_at, "shipped"),
            (it.delivered_at, "delivered"),
            (it.canceled_at, "unpacked"),
        ];
        for (at, step) in steps {
            events.extend(at.map(|at| (at, html! { "Parcel " (index + 1) " " (step) })));
        }
    }
    events.extend(changes.iter().map(|it| (it.updated_at.max(it.created_at), html! { (it.sentence()) })));
    events.sort_by_key(|it| std::cmp::Reverse(it.0));
    table(&["What", "When"], events.into_iter().map(|(at, what)| vec![what, moment(at)]))
}
