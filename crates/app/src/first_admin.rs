//! The first admin: made by whoever has the link that a start on an empty folder prints (bootstrap token).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use atoll_auth::{PasswordHash, check_password};
use atoll_flows::user::{CREATE_FIRST_USER, NewUser};
use atoll_kernel::{
    Actor, Ctx, Fault, Timestamp,
    http::{digest, random_token},
};
use atoll_pages::{Field, Form, Markup, html, problem};
use atoll_user::USERS;

/// How long the link is good for.
const LIVES: Duration = Duration::from_secs(30 * 60);

/// The link that makes the first admin, once.
#[derive(Clone, Default)]
pub struct FirstAdmin(Arc<Mutex<Option<Link>>>);

struct Link {
    digest: String,
    until: Timestamp,
}

impl FirstAdmin {
    /// The token of a link, if nobody can log in yet. Only its digest is kept, in memory: each start makes
    /// another one.
    pub fn invite(&self, ctx: &Ctx) -> Result<Option<String>, Fault> {
        if !is_due(ctx)? {
            return Ok(None);
        }
        let token = random_token().map_err(Fault::unexpected)?;
        let until = ctx.now().plus(LIVES);
        *self.link() = Some(Link { digest: digest(&token), until });
        Ok(Some(token))
    }

    /// Is this the token of the link, and is that still good?
    pub(crate) fn opens(&self, token: &str, now: Timestamp) -> bool {
        self.link().as_ref().is_some_and(|it| it.digest == digest(token) && now < it.until)
    }

    /// Makes the first admin. The link is good for nothing after that.
    pub(crate) async fn create(&self, ctx: &Ctx, form: &Form) -> Result<(), Fault> {
        if !self.opens(form.text("token"), ctx.now()) {
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
        *self.link() = None;
        Ok(())
    }

    fn link(&self) -> MutexGuard<'_, Option<Link>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
