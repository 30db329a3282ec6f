//! From a data folder to an application.

use anyhow::bail;
use atoll_api_key::{ApiKeyKind, NewToken};
use atoll_flows::{FirstRun, first_run};
use atoll_kernel::{Actor, Clock, Config, Ctx, Registry, router};
use atoll_user::PasswordHash;

use crate::{Data, Secrets};

/// A running application.
pub struct App {
    /// What handlers are handed.
    pub ctx: Ctx,
    /// What answers requests.
    pub router: axum::Router,
    /// What its start made.
    pub first_run: FirstRun,
}

/// What is linked in; an error names everything that does not fit together.
pub fn registry() -> anyhow::Result<&'static Registry> {
    match Registry::linked() {
        Ok(registry) => Ok(registry),
        Err(problems) => {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!("what is linked in does not fit together:\n- {}", texts.join("\n- "))
        }
    }
}

/// Opens the data, and makes what a new database needs. `admin` is the first user, where there is none.
pub async fn assemble(
    data: &Data,
    secrets: Secrets,
    clock: Clock,
    admin: Option<(String, PasswordHash)>,
) -> anyhow::Result<App> {
    let registry = registry()?;
    let store = data.open(&registry.spaces())?;
    let config = Config { jwt_secret: secrets.jwt, cookie_secret: secrets.cookie };
    let ctx = Ctx::new(store, registry, clock, config, atoll_api::gate);
    let token = NewToken::random(ApiKeyKind::Publishable)?;
    let run = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        first_run(tx, at, registry, &token, admin.as_ref())
    };
    let (first_run, _) = ctx.write(Actor::System, run).await?;
    let router = router(ctx.clone(), &registry.routes);
    Ok(App { ctx, router, first_run })
}
