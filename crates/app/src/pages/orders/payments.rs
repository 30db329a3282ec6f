//! The payments of an order: what was captured and paid back, and the forms that do it.

use atoll_kernel::{Decimal, Fault, Timestamp};
use atoll_pages::{Address, Button, Field, Form, Markup, PageCall, badge, facts, hint, html, nothing};
use serde::Deserialize;
use serde_json::{Value, json};

use super::show::Order;
use crate::pages::named::{CHOICES_MAX, Named, REFUND_REASONS, first, options_or, provider_name};

/// A payment of an order.
#[derive(Deserialize)]
pub(super) struct Payment {
    id: String,
    amount: Decimal,
    provider_id: String,
    canceled_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) captures: Vec<Moved>,
    #[serde(default)]
    pub(super) refunds: Vec<Moved>,
}

/// A capture or a refund.
#[derive(Deserialize)]
pub(super) struct Moved {
    pub(super) amount: Decimal,
    pub(super) created_at: Timestamp,
    /// Of a refund.
    note: Option<String>,
    refund_reason: Option<Named>,
}

impl Moved {
    /// Why it was paid back, as far as that was said.
    pub(super) fn why(&self) -> String {
        let reason = self.refund_reason.as_ref().map(|it| &*it.name);
        let parts = [reason, self.note.as_deref()].into_iter().flatten().filter(|it| !it.is_empty());
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl Payment {
    fn captured(&self) -> Decimal {
        self.captures.iter().map(|it| it.amount).sum()
    }

    fn refunded(&self) -> Decimal {
        self.refunds.iter().map(|it| it.amount).sum()
    }

    fn state(&self) -> Markup {
        match (self.canceled_at, self.captured(), self.refunded()) {
            (Some(_), ..) => badge("bad", "Cancelled"),
            (_, captured, _) if captured < self.amount => badge("warn", "Authorised"),
            (_, captured, refunded) if refunded == captured => badge("", "Paid back"),
            (_, _, refunded) if refunded > Decimal::ZERO => badge("", "Paid back in part"),
            _ => badge("good", "Captured"),
        }
    }
}

/// The payments of an order, each with what can be done.
pub(super) async fn shown(call: &PageCall, order: &Order) -> Result<Markup, Fault> {
    let reasons = first(call, REFUND_REASONS, CHOICES_MAX).await?;
    Ok(html! {
        @if order.payments().next().is_none() { (nothing("Nothing was paid.")) }
        @for payment in order.payments() { (one(call, payment, &order.currency_code, &reasons)) }
    })
}

fn one(call: &PageCall, payment: &Payment, currency: &str, reasons: &[Named]) -> Markup {
    let (captured, refunded) = (payment.captured(), payment.refunded());
    let is_canceled = payment.canceled_at.is_some();
    html! {
        h3 { (provider_name(&payment.provider_id)) " " (payment.state()) }
        (facts([
            ("Authorised", call.money(payment.amount, currency)),
            ("Captured", call.money(captured, currency)),
            ("Paid back", call.money(refunded, currency)),
        ]))
        @if !is_canceled && captured < payment.amount {
            @let action = format!("capture {}", payment.id);
            @let amount = amount().value((payment.amount - captured).to_string());
            @let takes = "The buyer is charged this amount. Capture it?";
            (call.form_of(|form| form.field(&amount), &[Button::new(&action, "Capture").asking(takes)]))
        }
        @if refunded < captured { (pay_back(call, payment, captured - refunded, reasons)) }
    }
}

fn amount<'a>() -> Field<'a> {
    Field::number("amount", "Amount").required()
}

/// The form of a refund. Its amount is typed: what is paid back cannot be taken back.
fn pay_back(call: &PageCall, payment: &Payment, at_most: Decimal, reasons: &[Named]) -> Markup {
    let action = format!("refund {}", payment.id);
    let at_most = format!("At most {at_most}.");
    let fields = [
        amount().hint(&at_most),
        Field::choice("reason", "Reason", options_or("–", reasons)),
        Field::text("note", "Note for yourselves"),
    ];
    let form = html! {
        (hint("The buyer gets this amount, and the shop cannot take it back."))
        (call.form(&action, "Pay back", &fields))
    };
    call.fold("Pay back…", &[&action], form)
}

/// Captures a payment.
pub(super) async fn capture(call: &PageCall, form: &Form) -> Result<(), Fault> {
    let address = Address::of("/admin/payments").then(form.of_id()).then("capture");
    call.api().post::<Value>(address, &json!({ "amount": form.number("amount")? })).await.map(drop)
}

/// Pays back.
pub(super) async fn refund(call: &PageCall, form: &Form) -> Result<(), Fault> {
    let address = Address::of("/admin/payments").then(form.of_id()).then("refund");
    let body = json!({
        "amount": form.number("amount")?,
        "refund_reason_id": form.or_null("reason"),
        "note": form.or_null("note"),
    });
    call.api().post::<Value>(address, &body).await.map(drop)
}
