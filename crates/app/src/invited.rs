//! Accepting an invite: whoever has its link chooses a password, and is an admin from then on.

use atoll_kernel::{Ctx, Fault, FaultKind};
use atoll_pages::{Address, Api, Field, Form, Markup, html, problem};
use serde::Deserialize;
use serde_json::{Value, json};

/// The page below the root to which the link of an invite leads.
pub(crate) const PAGE: &str = "/invite";

/// The e-mail address that the token of an invite is for; none if the token is no good any more.
pub(crate) fn invited(ctx: &Ctx, token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        email: String,
    }
    ctx.read_mailed::<Claims>("invite", token).map(|it| it.email)
}

/// What a link says that is good for nothing.
pub(crate) fn gone() -> Fault {
    Fault::of(
        410,
        "not_allowed",
        "This invite was accepted or taken back, or is older than a day. Ask for another.",
    )
}

/// Makes a user of the identity with the e-mail address and the password of the form, which is registered if
/// it is not there yet.
pub(crate) async fn accept(api: &Api, form: &Form) -> Result<(), Fault> {
    let credentials = json!({ "email": form.text("email"), "password": form.exact("password") });
    let api = api.clone().with_token(&identity(api, &credentials).await?);
    let address = Address::of("/admin/invites/accept").with("token", form.text("token"));
    let names = json!({ "first_name": form.or_null("first_name"), "last_name": form.or_null("last_name") });
    let accepted = api.post::<Value>(address, &names).await;
    accepted.map(drop).map_err(|fault| if fault.kind() == FaultKind::Unauthorized { gone() } else { fault })
}

/// A token of the identity with these credentials. Who has bought here is one already.
async fn identity(api: &Api, credentials: &Value) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Answer {
        token: String,
    }
    let refused = match api.post::<Answer>("/auth/user/emailpass/register", credentials).await {
        Ok(Answer { token }) => return Ok(token),
        Err(refused) => refused,
    };
    let known = api.post::<Answer>("/auth/user/emailpass", credentials).await;
    known.map(|it| it.token).map_err(|_| refused)
}

/// The page of the link.
pub(crate) fn page(root: &str, email: &str, form: &Form, refused: Option<&Fault>) -> Markup {
    html! {
        form method="post" action=(format!("{root}{PAGE}")) class="login" {
            h1 { "Welcome" }
            p { "You are invited to run this shop. Choose how you will log in." }
            @if let Some(fault) = refused { (problem(&fault.to_string())) }
            input type="hidden" name="token" value=(form.text("token"));
            (Field::line("email", "email", "E-mail").value(email).autocomplete("username").required())
            (Field::text("first_name", "First name").value(form.text("first_name")).autocomplete("given-name"))
            (Field::text("last_name", "Last name").value(form.text("last_name")).autocomplete("family-name"))
            (Field::line("password", "password", "Password")
                .autocomplete("new-password")
                .required()
                .hint("At least eight characters. If you buy here with this address: the password that you have."))
            p class="buttons" { button { "Accept and log in" } }
        }
    }
}
