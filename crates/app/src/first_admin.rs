//! The first admin: made by whoever has the link that a start on an empty folder prints (bootstrap token).

use std::time::Duration;

use atoll_auth::{PasswordHash, check_password};
use atoll_flows::user::{CREATE_FIRST_USER, NewUser};
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write,
    http::{digest, random_token},
};
use atoll_pages::{Field, Form, Markup, html, problem};
use atoll_user::{FirstAdminLink, USERS};

/// How long the link is good for.
const LIVES: Duration = Duration::from_secs(30 * 60);

/// The token of a link that makes the first admin, once; none if somebody can log in. Each start makes
/// another one, and the last one is good.
pub async fn invite_first_admin(ctx: &Ctx) -> Result<Option<String>, Fault> {
    if !is_due(ctx)? {
        return Ok(None);
    }
    let token = random_token().map_err(Fault::unexpected)?;
    let link = FirstAdminLink { token_digest: digest(&token), expires_at: ctx.now().plus(LIVES) };
    let put = move |tx: &mut dyn Write, _: &Moment| {
        link.put(tx);
        Ok(())
    };
    ctx.write(Actor::System, put).await?;
    Ok(Some(token))
}

/// Is this the token of the link, and is that still good?
pub(crate) fn opens(ctx: &Ctx, token: &str) -> Result<bool, Fault> {
    Ok(FirstAdminLink::opens(&ctx.view(), &digest(token), ctx.now())?)
}

/// Makes the first admin. The link is good for nothing after that.
pub(crate) async fn create(ctx: &Ctx, form: &Form) -> Result<(), Fault> {
    if !opens(ctx, form.text("token"))? {
        return Err(gone());
    }
    let (email, password) = (form.text("email").to_owned(), form.exact("password").to_owned());
    if !email.contains('@') {
        return Err(Fault::invalid("An e-mail address has an @"));
    }
    check_password(&password).map_err(|error| Fault::invalid(error.to_string()))?;
    let hashed = tokio::task::spawn_blocking(move || PasswordHash::new(&password)).await;
    let password = hashed.map_err(Fault::unexpected)?.map_err(Fault::unexpected)?;
    ctx.run(&CREATE_FIRST_USER, Actor::System, NewUser { email, password }).await?;
    Ok(())
}

/// Is there no user yet?
pub(crate) fn is_due(ctx: &Ctx) -> Result<bool, Fault> {
    Ok(USERS.table.count(&ctx.view())? == 0)
}

/// What a link says that is good for nothing.
pub(crate) fn gone() -> Fault {
    Fault::of(
        410,
        "not_allowed",
        "This link was used, or is older than 30 minutes. Start the server again for another.",
    )
}

/// The page of the link.
pub(crate) fn page(root: &str, token: &str, form: &Form, refused: Option<&Fault>) -> Markup {
    html! {
        form method="post" action=(format!("{root}/first-admin")) class="login" {
            h1 { "The first admin" }
            p { "Nobody can log in to this shop yet. Choose how you will." }
            @if let Some(fault) = refused { (problem(&fault.to_string())) }
            input type="hidden" name="token" value=(token);
            (Field::line("email", "email", "E-mail").value(form.text("email")).autocomplete("username").required())
            (Field::line("password", "password", "Password")
                .autocomplete("new-password")
                .required()
                .hint("At least eight characters."))
            p class="buttons" { button { "Create and log in" } }
        }
    }
}
