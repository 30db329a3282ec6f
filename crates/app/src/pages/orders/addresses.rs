//! The addresses of an order and its e-mail address, with the forms that correct them.

use atoll_kernel::Fault;
use atoll_pages::{Address, Button, Field, Form, Markup, PageCall, html};
use serde_json::{Value, json};

use super::show::Order;
use crate::pages::postal::Postal;

/// The addresses, each with its form.
pub(super) fn shown(call: &PageCall, order: &Order) -> Markup {
    let email =
        Field::line("email", "email", "E-mail").value(order.email.as_deref().unwrap_or_default()).required();
    html! {
        div class="pairs" {
            (one(call, "shipping_address", "Sent to", order.shipping_address.as_ref()))
            (one(call, "billing_address", "Billed to", order.billing_address.as_ref()))
        }
        (call.fold("Change the e-mail address", &["email"], call.form("email", "Save e-mail address", &[email])))
    }
}

fn one(call: &PageCall, field: &str, title: &str, address: Option<&Postal>) -> Markup {
    let action = format!("address {field}");
    let none = Postal::default();
    html! {
        div {
            h3 { (title) }
            @if let Some(it) = address { (it.shown()) } @else { p { "–" } }
            (call.fold("Change", &[&action], call.form_of(
                |form| address.unwrap_or(&none).fields(form, Postal::FIELDS),
                &[Button::new(&action, "Save address")],
            )))
        }
    }
}

/// Corrects the address that the form is of.
pub(super) async fn correct(call: &PageCall, form: &Form, order: Address) -> Result<(), Fault> {
    let body = match form.action() {
        "email" => json!({ "email": form.text("email") }),
        _ => json!({ form.of_id(): Postal::typed(form, Postal::FIELDS) }),
    };
    call.api().post::<Value>(order.with("fields", "id"), &body).await.map(drop)
}
