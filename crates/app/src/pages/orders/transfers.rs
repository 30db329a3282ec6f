//! The transfer of an order to another customer: the one that is asked for, or the form that asks.

use atoll_kernel::Fault;
use atoll_pages::{Address, Button, Field, Form, Markup, PageCall, Records, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::history::Change;

/// To whom: the word in the form, and as people read it.
const TO: [(&str, &str); 2] =
    [("account", "A customer with an account, if who has the order agrees"), ("guest", "A guest, at once")];

/// What can be done; nothing where the shop runs without the module of customers.
pub(super) fn shown(call: &PageCall, changes: &[Change]) -> Markup {
    if !call.has("/customers") {
        return html! {};
    }
    let fields = [
        Field::line("email", "email", "E-mail of who gets it").required(),
        Field::choice("to", "Who that is", TO),
        Field::tick("update_email", "The order gets this e-mail address", true),
        Field::text("description", "Why"),
    ];
    let withdraw = "Who was asked can agree no more. Withdraw the transfer?";
    html! {
        section class="card" {
            h2 { "Transfer to another customer" }
            @if changes.iter().any(Change::is_open_transfer) {
                p { "A transfer is asked for: who has the e-mail address of the order was sent a link to agree." }
                (call.button(Button::danger("withdraw", "Withdraw the transfer", withdraw)))
            } @else {
                (call.fold("Transfer", &["transfer"], call.form("transfer", "Transfer", &fields)))
            }
        }
    }
}

/// Asks for a transfer, or does one to a guest.
pub(super) async fn request(call: &PageCall, form: &Form, order: Address) -> Result<(), Fault> {
    let (email, description) = (form.text("email"), form.or_null("description"));
    let transfer = order.then("transfer");
    let (address, body) = match form.text("to") {
        "guest" => (transfer.then("guest"), json!({ "email": email, "description": description })),
        _ => {
            let body = json!({
                "customer_id": account(call, email).await?,
                "description": description,
                "update_order_email": form.is_on("update_email"),
            });
            (transfer, body)
        }
    };
    call.api().post::<Value>(address.with("fields", "id"), &body).await.map(drop)
}

/// Withdraws the transfer that is asked for.
pub(super) async fn withdraw(call: &PageCall, order: Address) -> Result<(), Fault> {
    call.api().post::<Value>(order.then("transfer").then("cancel"), &json!({})).await.map(drop)
}

/// The customer with an account of this e-mail address.
async fn account(call: &PageCall, email: &str) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Account {
        id: String,
    }
    let address = Address::of("/admin/customers")
        .with("fields", "id")
        .with("email", email)
        .with("has_account", true)
        .with("limit", 1);
    let found: Records<Account> = call.api().list(address, "customers").await?;
    let found = found.records.into_iter().next();
    found.map(|it| it.id).ok_or_else(|| Fault::invalid("No customer with an account has this e-mail address"))
}
