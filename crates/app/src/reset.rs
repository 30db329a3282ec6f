//! Choosing a new password: where an admin who has forgotten it is led by the link of an e-mail.

use atoll_kernel::{Ctx, Fault, FaultKind};
use atoll_pages::{Address, Api, Field, Form, Markup, html, problem};
use serde::Deserialize;
use serde_json::{Value, json};

/// The page below the root to which the link leads.
pub(crate) const PAGE: &str = "/reset-password";

/// The e-mail address that a token is for; none if it is of no admin, or too old. Whether it was used shows
/// when it is.
pub(crate) fn asked(ctx: &Ctx, token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        entity_id: String,
        actor_type: String,
    }
    let claims = ctx.read_mailed::<Claims>("auth.password_reset", token)?;
    Some(claims.entity_id).filter(|_| claims.actor_type == "user")
}

/// What a link says that is good for nothing.
pub(crate) fn gone() -> Fault {
    Fault::of(410, "not_allowed", "This link was used, or is older than 15 minutes. Ask for another.")
}

/// Sets the password of the form.
pub(crate) async fn set(api: &Api, form: &Form) -> Result<(), Fault> {
    let address = Address::of("/auth/user/emailpass/update").with("token", form.text("token"));
    let set = api.post::<Value>(address, &json!({ "password": form.exact("password") })).await;
    set.map(drop).map_err(|fault| if fault.kind() == FaultKind::Unauthorized { gone() } else { fault })
}

/// The page of the link.
pub(crate) fn page(root: &str, email: &str, form: &Form, refused: Option<&Fault>) -> Markup {
    html! {
        form method="post" action=(format!("{root}{PAGE}")) class="login" {
            h1 { "New password" }
            @if let Some(fault) = refused { (problem(&fault.to_string())) }
            input type="hidden" name="token" value=(form.text("token"));
            (Field::line("email", "email", "E-mail").value(email).autocomplete("username").required())
            (Field::line("password", "password", "Password")
                .autocomplete("new-password")
                .required()
                .hint("At least eight characters."))
            p class="buttons" { button { "Save and log in" } }
        }
    }
}
