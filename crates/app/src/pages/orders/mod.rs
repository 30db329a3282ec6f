//! Orders: the list, and what their pages share. `show.rs` is the page of one, `payments.rs`, `owed.rs`,
//! `fulfillments.rs`, `addresses.rs` and `transfers.rs` are its parts with their actions, `history.rs` says
//! what happened when.

use atoll_kernel::{Decimal, Fault, Timestamp};
use atoll_pages::{
    Address, Field, Markup, Page, PageCall, Records, admin_page, html, link, moment, nothing, pager, table,
};
use serde::Deserialize;

use self::states::{FULFILLMENT, PAYMENT, STATUS};
use super::named::{CHANNELS, Named, named, options_or};

mod addresses;
mod fulfillments;
mod history;
mod owed;
mod payments;
mod show;
pub(super) mod states;
mod transfers;

admin_page! {
    "/orders" as "Orders" in Sales 10 => list;
    "/orders/:id" => show::show, show::change;
}

/// An order in the list.
#[derive(Deserialize)]
struct Listed {
    id: String,
    display_id: u64,
    created_at: Timestamp,
    email: Option<String>,
    total: Decimal,
    currency_code: String,
    status: String,
    payment_status: String,
    fulfillment_status: String,
    sales_channel: Option<Named>,
}

const FIELDS: &str = "id,display_id,created_at,email,total,currency_code,sales_channel.id,sales_channel.name";

/// Orders on one page of the list.
const LIST_PAGE: usize = 25;

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/orders")
        .with("fields", FIELDS)
        .with("q", call.query("q"))
        .with("sales_channel_id[]", call.query("channel"))
        .with("status", call.query("status"))
        .with("payment_status", call.query("payment"))
        .with("fulfillment_status", call.query("fulfillment"))
        .with("customer_id", call.query("customer"))
        .with("order", "-created_at")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let orders: Records<Listed> = call.api().list(address, "orders").await?;
    let rows = orders.records.iter().map(|it| row(&call, it));
    let columns = ["Order", "Placed", "E-mail", "Channel", "State", "Payment", "Goods", "Total"];
    let body = html! {
        (search(&call).await?)
        @if orders.records.is_empty() { (nothing("There is no such order.")) }
        @else { (table(&columns, rows)) }
        (pager(&call, &orders))
    };
    Ok(Page::new("Orders", body))
}

fn row(call: &PageCall, order: &Listed) -> Vec<Markup> {
    vec![
        link(call, Address::of("/orders").then(&order.id), format!("#{}", order.display_id)),
        moment(order.created_at),
        html! { (order.email.as_deref().unwrap_or("–")) },
        html! { (order.sales_channel.as_ref().map_or("–", |it| &*it.name)) },
        STATUS.badge(&order.status),
        PAYMENT.badge(&order.payment_status),
        FULFILLMENT.badge(&order.fulfillment_status),
        call.money(order.total, &order.currency_code),
    ]
}

async fn search(call: &PageCall) -> Result<Markup, Fault> {
    let channels = named(call, CHANNELS).await?;
    let fields = [
        Field::line("search", "q", "Number or e-mail").value(call.query("q")),
        Field::choice("channel", "Channel", options_or("any", &channels)).value(call.query("channel")),
        STATUS.choice("status", "State").value(call.query("status")),
        PAYMENT.choice("payment", "Payment").value(call.query("payment")),
        FULFILLMENT.choice("fulfillment", "Goods").value(call.query("fulfillment")),
    ];
    let orders = Address::of("/orders").with("customer", call.query("customer"));
    Ok(call.search(orders, "Search", &fields))
}
