//! What happened to an order, the latest first.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{Address, Markup, PageCall, html, moment, table};
use serde::Deserialize;

use super::show::Order;

/// A change of an order: its transfer to another customer.
#[derive(Deserialize)]
struct Change {
    change_type: Option<String>,
    status: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a change did, as people read it.
impl Change {
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

pub(super) async fn history(call: &PageCall, order: &Order) -> Result<Markup, Fault> {
    #[derive(Deserialize)]
    struct Changes {
        order_changes: Vec<Change>,
    }
    let address = Address::of("/admin/orders")
        .then(&order.id)
        .then("changes")
        .with("fields", "id,change_type,status,created_at,updated_at");
    let changes: Changes = call.api().get(address).await?;
    let mut events: Vec<Event> = vec![(order.created_at, html! { "Placed" })];
    events.extend(order.canceled_at.map(|at| (at, html! { "Cancelled" })));
    for payment in order.payments() {
        for it in &payment.captures {
            events.push((it.created_at, html! { "Captured " (call.money(it.amount, &order.currency_code)) }));
        }
        for it in &payment.refunds {
            let note = it.note.as_deref().unwrap_or_default();
            let amount = call.money(it.amount, &order.currency_code);
            let sentence = html! { "Paid back " (amount) @if !note.is_empty() { ": " (note) } };
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
    events.extend(
        changes.order_changes.iter().map(|it| (it.updated_at.max(it.created_at), html! { (it.sentence()) })),
    );
    events.sort_by_key(|it| std::cmp::Reverse(it.0));
    Ok(table(&["What", "When"], events.into_iter().map(|(at, what)| vec![what, moment(at)])))
}
