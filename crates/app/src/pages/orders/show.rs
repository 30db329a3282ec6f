//! The page of an order.

use atoll_kernel::{Decimal, Fault, Timestamp};
use atoll_pages::{
    Address, Button, Done, Form, Markup, Next, Page, PageCall, PageOf, facts, html, link, moment, table,
    widgets,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    addresses,
    fulfillments::{self, Fulfillment},
    history::{changes, history},
    owed::{self, Credit},
    payments::{self, Payment},
    states::{FULFILLMENT, PAYMENT, STATUS},
    transfers,
};
use crate::pages::{
    named::{LOCATIONS, Named, named},
    postal::Postal,
};

/// An order, as its page shows it.
#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) display_id: u64,
    pub(super) created_at: Timestamp,
    pub(super) canceled_at: Option<Timestamp>,
    status: String,
    payment_status: String,
    fulfillment_status: String,
    pub(super) email: Option<String>,
    pub(super) currency_code: String,
    sales_channel: Option<Named>,
    region: Option<Named>,
    customer: Option<Customer>,
    pub(super) shipping_address: Option<Postal>,
    pub(super) billing_address: Option<Postal>,
    pub(super) items: Vec<Line>,
    shipping_methods: Vec<Method>,
    pub(super) payment_collections: Vec<Collection>,
    #[serde(default)]
    pub(super) credit_lines: Vec<Credit>,
    /// None where the shop runs without the module of fulfilments.
    fulfillments: Option<Vec<Fulfillment>>,
    item_subtotal: Decimal,
    discount_total: Decimal,
    credit_line_total: Decimal,
    shipping_subtotal: Decimal,
    tax_total: Decimal,
    total: Decimal,
    pub(super) summary: Summary,
}

#[derive(Deserialize)]
struct Customer {
    id: String,
    email: Option<String>,
}

/// A line of an order.
#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) id: String,
    title: String,
    subtitle: Option<String>,
    variant_sku: Option<String>,
    product_id: Option<String>,
    quantity: Decimal,
    unit_price: Decimal,
    total: Decimal,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    fulfilled_quantity: Decimal,
    shipped_quantity: Decimal,
    delivered_quantity: Decimal,
}

#[derive(Deserialize)]
struct Method {
    name: String,
}

#[derive(Deserialize)]
pub(super) struct Collection {
    pub(super) id: String,
    pub(super) amount: Decimal,
    captured_amount: Option<Decimal>,
    status: String,
    #[serde(default)]
    payments: Vec<Payment>,
}

impl Collection {
    /// Was it asked for, and nothing of it paid?
    pub(super) fn is_unpaid(&self) -> bool {
        self.status == "not_paid"
    }

    /// What it still asks for.
    pub(super) fn open(&self) -> Decimal {
        match &*self.status {
            "canceled" => Decimal::ZERO,
            _ => self.amount - self.captured_amount.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Summary {
    paid_total: Decimal,
    refunded_total: Decimal,
    /// What is still to be paid; if it is negative, what is owed to the customer.
    pub(super) pending_difference: Decimal,
}

const FIELDS: &str = "id,display_id,created_at,canceled_at,email,currency_code,sales_channel.id,\
     sales_channel.name,region.id,region.name,customer.id,customer.email,*shipping_address,*billing_address,\
     items.id,items.title,items.subtitle,items.variant_sku,items.product_id,items.quantity,items.unit_price,\
     items.total,items.detail.fulfilled_quantity,items.detail.shipped_quantity,\
     items.detail.delivered_quantity,shipping_methods.name,credit_lines.amount,\
     credit_lines.metadata,payment_collections.id,payment_collections.amount,\
     payment_collections.captured_amount,payment_collections.status,payment_collections.payments.amount,\
     payment_collections.payments.provider_id,payment_collections.payments.canceled_at,\
     *payment_collections.payments.captures,*payment_collections.payments.refunds,\
     payment_collections.payments.refunds.refund_reason.id,\
     payment_collections.payments.refunds.refund_reason.label,\
     *fulfillments.items,*fulfillments.labels,item_subtotal,discount_total,credit_line_total,shipping_subtotal,\
     tax_total,total,summary";

impl Line {
    /// The title, with that of the variant.
    pub(super) fn name(&self) -> String {
        let subtitle = self.subtitle.iter().map(String::as_str);
        std::iter::once(&*self.title).chain(subtitle).collect::<Vec<_>>().join(" · ")
    }

    /// How many are still to be packed.
    pub(super) fn open(&self) -> Decimal {
        self.quantity - self.detail.fulfilled_quantity
    }
}

impl Order {
    pub(super) fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payment_collections.iter().flat_map(|it| &it.payments)
    }

    pub(super) fn fulfillments(&self) -> &[Fulfillment] {
        self.fulfillments.as_deref().unwrap_or_default()
    }

    /// May it still change?
    pub(super) fn is_open(&self) -> bool {
        matches!(&*self.status, "pending" | "requires_action")
    }
}

async fn order(call: &PageCall) -> Result<Order, Fault> {
    let address = Address::of("/admin/orders").then(call.path("id")).with("fields", FIELDS);
    call.api().one(address, "order").await
}

pub(super) async fn show(call: PageCall) -> Result<Page, Fault> {
    let order = order(&call).await?;
    let locations = named(&call, LOCATIONS).await?;
    let changes = changes(&call, &order).await?;
    let body = html! {
        section class="card" { (head(&call, &order)) }
        section class="card" { h2 { "Lines" } (lines(&call, &order)) (totals(&call, &order)) }
        section class="card" {
            h2 { "Payments" }
            (payments::shown(&call, &order).await?)
            (owed::shown(&call, &order))
        }
        @if order.fulfillments.is_some() {
            section class="card" { h2 { "Goods" } (fulfillments::shown(&call, &order, &locations)) }
        }
        section class="card" { h2 { "Addresses" } (addresses::shown(&call, &order)) }
        (transfers::shown(&call, &changes))
        section class="card" { h2 { "What happened" } (history(&call, &order, &changes)) }
        (widgets(&call, PageOf::Order, &order.id).await)
    };
    Ok(Page::new(format!("Order #{}", order.display_id), body).below("/orders", "Orders"))
}

fn head(call: &PageCall, order: &Order) -> Markup {
    let named = |at: &str, it: &Option<Named>| match it {
        Some(it) => link(call, Address::of(at).then(&it.id), &it.name),
        None => html! { "–" },
    };
    let email = order.email.as_deref().unwrap_or("–");
    let stops = "Its goods are free again, and what was paid is paid back. Cancel the order?";
    let sends =
        "All goods that are not packed yet leave the stock, as if they were sent. Complete the order?";
    let buries = "It cannot be taken out of the archive. Archive the order?";
    html! {
        (facts([
            ("State", STATUS.badge(&order.status)),
            ("Payment", PAYMENT.badge(&order.payment_status)),
            ("Goods", FULFILLMENT.badge(&order.fulfillment_status)),
            ("Placed", moment(order.created_at)),
            ("Channel", named("/channels", &order.sales_channel)),
            ("Region", named("/regions", &order.region)),
            ("Customer", match &order.customer {
                Some(it) => {
                    link(call, Address::of("/customers").then(&it.id), it.email.as_deref().unwrap_or(email))
                }
                None => html! { (email) },
            }),
        ]))
        div class="buttons" {
            @if order.is_open() {
                (call.button(Button::new("complete", "Complete").asking(sends)))
                (call.button(Button::danger("cancel", "Cancel the order", stops)))
            } @else if order.status != "archived" { (call.button(Button::new("archive", "Archive").asking(buries))) }
        }
    }
}

fn lines(call: &PageCall, order: &Order) -> Markup {
    let rows = order.items.iter().map(|it| {
        let Detail { fulfilled_quantity, shipped_quantity, delivered_quantity } = &it.detail;
        let name = match &it.product_id {
            Some(product) => link(call, Address::of("/products").then(product), it.name()),
            None => html! { (it.name()) },
        };
        vec![
            html! { (name) @if let Some(sku) = &it.variant_sku { " " code { (sku) } } },
            call.money(it.unit_price, &order.currency_code),
            html! { (it.quantity) },
            html! { (fulfilled_quantity) " / " (shipped_quantity) " / " (delivered_quantity) },
            call.money(it.total, &order.currency_code),
        ]
    });
    table(&["What", "Price", "Quantity", "Packed / shipped / delivered", "Total"], rows)
}

fn totals(call: &PageCall, order: &Order) -> Markup {
    let money = |it: Decimal| call.money(it, &order.currency_code);
    let methods: Vec<_> = order.shipping_methods.iter().map(|it| &*it.name).collect();
    facts([
        ("Goods without tax", money(order.item_subtotal)),
        (
            "Shipping without tax",
            html! { (money(order.shipping_subtotal)) @if !methods.is_empty() { " " (methods.join(", ")) } },
        ),
        ("Discounts", money(order.discount_total)),
        ("Taxes", money(order.tax_total)),
        ("Credit", money(order.credit_line_total)),
        ("Total", html! { strong { (money(order.total)) } }),
        ("Paid", money(order.summary.paid_total)),
        ("Paid back", money(order.summary.refunded_total)),
        ("Still open", money(order.summary.pending_difference)),
    ])
}

pub(super) async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let address = Address::of("/admin/orders").then(call.path("id"));
    match form.action() {
        action @ ("complete" | "cancel" | "archive") => {
            call.api().post::<Value>(address.then(action), &json!({})).await?;
        }
        "capture" => payments::capture(&call, &form).await?,
        "refund" => payments::refund(&call, &form).await?,
        "email" | "address" => addresses::correct(&call, &form, address).await?,
        "collect" => owed::ask(&call, &form).await?,
        "paid" => owed::mark_paid(&call, form.of_id()).await?,
        "forget" => owed::forget(&call, form.of_id()).await?,
        "credit" => owed::give(&call, &form, address).await?,
        "transfer" => transfers::request(&call, &form, address).await?,
        "withdraw" => transfers::withdraw(&call, address).await?,
        "pack" => fulfillments::pack(&call, &form, address).await?,
        "ship" => fulfillments::ship(&call, &form).await?,
        "deliver" => fulfillments::deliver(&call, &form, address).await?,
        "take-back" => fulfillments::take_back(&call, &form, address).await?,
        _ => return Err(Fault::invalid("There is no such button")),
    }
    Ok(Next::to(Address::of("/orders").then(call.path("id")), Done::Done))
}
