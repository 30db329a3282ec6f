//! `atoll user`: creates admin users, lists them, and gives one a new password.

use std::ops::ControlFlow;

use atoll_auth::{PasswordHash, find_identity, set_password};
use atoll_flows::user::{CREATE_USERS, NewUser};
use atoll_kernel::{Actor, Ctx, Fault, Moment, Write, data::Direction};
use atoll_storage::Leader;
use atoll_user::{USER, USERS};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::{
    Data, Host,
    cluster::led_by,
    command::{DataArgs, print, writing},
    control::ask_for_users,
};

#[derive(Subcommand)]
pub(crate) enum User {
    /// Creates an admin user.
    Create(Credentials),
    /// Gives an admin user a new password. Whoever is logged in as this user is logged out.
    ResetPassword(Credentials),
    /// Lists the admin users: e-mail address, id, since when, and name.
    List(DataArgs),
}

#[derive(Args)]
pub(crate) struct Credentials {
    /// The e-mail address to log in with.
    #[arg(long, short)]
    email: String,
    /// The password to log in with, of 8 to 1,024 characters.
    #[arg(long, short, env = "ATOLL_USER_PASSWORD", hide_env_values = true)]
    password: String,
    #[command(flatten)]
    data: DataArgs,
}

/// What is done with admin users: by the process that runs on the data folder, or by this one if there is
/// none. Passwords are hashes, in the PHC format.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserWork {
    Create { email: String, password: String },
    ResetPassword { email: String, password: String },
    List,
}

impl User {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let hashed = |password: &str| PasswordHash::new(password).map(|it| it.as_str().to_owned());
        let (work, data) = match self {
            User::Create(Credentials { email, password, data }) => {
                (UserWork::Create { email, password: hashed(&password)? }, data)
            }
            User::ResetPassword(Credentials { email, password, data }) => {
                (UserWork::ResetPassword { email, password: hashed(&password)? }, data)
            }
            User::List(data) => (UserWork::List, data),
        };
        let (data, settings) = data.open(host)?;
        let asked = match &data {
            Data::Folder(folder) => ask_for_users(folder, &work)?,
            _ => None,
        };
        let said = match asked {
            Some(said) => said,
            None => writing(&data, settings, async |app| Ok(work.done(&app.ctx).await?)).await?,
        };
        print(&said)
    }
}

impl UserWork {
    /// Does it. Returns what is to be said of it. Errors: also, another host leads.
    pub(crate) async fn done(self, ctx: &Ctx) -> Result<String, Fault> {
        let leader = ctx.config().hosts.as_ref().map(|it| it.seen().led_by());
        match (self, leader) {
            (UserWork::List, _) => list(ctx),
            (_, Some(Leader::At(url))) => Err(Fault::not_allowed(led_by(&url))),
            (UserWork::Create { email, password }, _) => create(ctx, email, &password).await,
            (UserWork::ResetPassword { email, password }, _) => reset_password(ctx, email, &password).await,
        }
    }
}

async fn create(ctx: &Ctx, email: String, password: &str) -> Result<String, Fault> {
    let user = NewUser { email, password: PasswordHash::of_phc(password)? };
    let (created, _) = ctx.run(&CREATE_USERS, Actor::System, vec![user]).await?;
    Ok(created.iter().map(|it| format!("created user {} ({})\n", it.email, it.id)).collect())
}

async fn reset_password(ctx: &Ctx, email: String, password: &str) -> Result<String, Fault> {
    let said = format!("{email} has a new password\n");
    let password = PasswordHash::of_phc(password)?;
    let set = move |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        let identity = find_identity(tx, &email)?.filter(|it| it.actor(USER).is_some());
        let identity =
            identity.ok_or_else(|| Fault::not_found(format!("no admin user logs in as {email}")))?;
        set_password(tx, at, &identity.id, &password)?;
        Ok(())
    };
    ctx.write(Actor::System, set).await?;
    Ok(said)
}

fn list(ctx: &Ctx) -> Result<String, Fault> {
    let mut lines = String::new();
    USERS.table.scan(&ctx.view(), None, Direction::Ascending, &mut |user| {
        let names = [user.first_name.as_deref(), user.last_name.as_deref()];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let line = format!("{}  {}  {}  {name}", user.email, user.id, user.created_at);
        lines.push_str(line.trim_end());
        lines.push('\n');
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(lines)
}
