//! What an order owes: the payments that were asked for, and credit that lets it owe less.

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{Address, Button, Field, Form, Markup, PageCall, badge, hint, html};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::show::{Collection, Order};

/// A credit line of an order.
#[derive(Deserialize)]
pub(super) struct Credit {
    amount: Decimal,
    metadata: Option<Map<String, Value>>,
}

impl Credit {
    /// Why it was given, if these pages were told.
    fn note(&self) -> &str {
        self.metadata.as_ref().and_then(|it| it.get(NOTE)?.as_str()).unwrap_or_default()
    }
}

/// Where these pages keep why credit was given, in the metadata of the line.
const NOTE: &str = "note";

/// What was asked for and is not paid, credit, and the forms of both.
pub(super) fn shown(call: &PageCall, order: &Order) -> Markup {
    let currency = &order.currency_code;
    let asked: Decimal = order.payment_collections.iter().map(Collection::open).sum();
    let owed = order.summary.pending_difference;
    let paid = "Was it paid outside of the shop? That cannot be taken back.";
    html! {
        @for it in order.payment_collections.iter().filter(|it| it.is_unpaid()) {
            h3 { "Asked for " (call.money(it.amount, currency)) " " (badge("warn", "Not paid")) }
            @let [mark, forget] = ["paid", "forget"].map(|action| format!("{action} {}", it.id));
            @let amount = format!("{} {}", it.amount, currency.to_uppercase());
            div class="buttons" {
                (call.button(Button::new(&mark, "Mark as paid").asking(paid).of(&amount)))
                (call.button(Button::new(&forget, "Ask no more").quiet().of(&amount)))
            }
        }
        @for it in &order.credit_lines {
            p { "Credit of " (call.money(it.amount, currency)) @if !it.note().is_empty() { ": " (it.note()) } }
        }
        @if order.is_open() && owed > asked { (collect(call, owed - asked)) }
        @if order.is_open() && !owed.is_zero() { (credit(call, owed)) }
    }
}

fn collect(call: &PageCall, at_most: Decimal) -> Markup {
    let fields = [
        Field::number("amount", "Amount").value(at_most.to_string()).required(),
        Field::tick("paid", "It was paid outside of the shop", false),
    ];
    call.fold("Ask for a payment, or record one", &["collect"], call.form("collect", "Save", &fields))
}

fn credit(call: &PageCall, owed: Decimal) -> Markup {
    let fields = [
        Field::number("amount", "Amount").value(owed.to_string()).required(),
        Field::text("note", "Why").required(),
    ];
    let form = html! {
        (hint("So much less is to be paid. A negative amount takes back what the shop owes. Credit cannot be \
               taken back."))
        (call.form("credit", "Give credit", &fields))
    };
    call.fold("Give credit…", &["credit"], form)
}

/// Asks for a payment; if it was paid already, it is recorded as that.
pub(super) async fn ask(call: &PageCall, form: &Form) -> Result<(), Fault> {
    let body = json!({ "order_id": call.path("id"), "amount": form.number("amount")? });
    let address = Address::of("/admin/payment-collections").with("fields", "id");
    let answer: Value = call.api().post(address, &body).await?;
    let id = answer["payment_collection"]["id"].as_str().unwrap_or_default();
    let marked = if form.is_on("paid") { mark_paid(call, id).await } else { Ok(()) };
    if marked.is_err() {
        // The form is refused, and what it has asked for is not left behind.
        forget(call, id).await?;
    }
    marked
}

/// Records that what was asked for was paid outside of the shop.
pub(super) async fn mark_paid(call: &PageCall, collection: &str) -> Result<(), Fault> {
    let address = Address::of("/admin/payment-collections").then(collection).then("mark-as-paid");
    call.api().post::<Value>(address, &json!({ "order_id": call.path("id") })).await.map(drop)
}

/// Asks no more for a payment.
pub(super) async fn forget(call: &PageCall, collection: &str) -> Result<(), Fault> {
    call.api().delete(Address::of("/admin/payment-collections").then(collection)).await
}

/// Gives credit, in the name of who does.
pub(super) async fn give(call: &PageCall, form: &Form, order: Address) -> Result<(), Fault> {
    let body = json!({
        "amount": form.number("amount")?,
        "reference": "user",
        "reference_id": call.person().id,
        "metadata": { NOTE: form.text("note") },
    });
    call.api().post::<Value>(order.then("credit-lines").with("fields", "id"), &body).await.map(drop)
}
