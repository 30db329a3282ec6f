//! `atoll user`: creates admin users, lists them, and gives one a new password.

use std::ops::ControlFlow;

use atoll_auth::{PasswordHash, find_identity, set_password};
use atoll_flows::user::{CREATE_USERS, NewUser};
use atoll_kernel::{Actor, Fault, Moment, Write, data::Direction};
use atoll_user::{USER, USERS};
use clap::{Args, Subcommand};

use crate::{
    Application, Host,
    command::{DataArgs, print, writing},
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

impl User {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        match self {
            User::Create(Credentials { email, password, data }) => {
                let user = NewUser { email, password: PasswordHash::new(&password)? };
                opened(data, host, async |app| create(app, user).await).await
            }
            User::ResetPassword(Credentials { email, password, data }) => {
                let password = PasswordHash::new(&password)?;
                opened(data, host, async |app| reset_password(app, email, password).await).await
            }
            User::List(data) => opened(data, host, async |app| list(app)).await,
        }
    }
}

async fn opened(
    data: DataArgs,
    host: &Host,
    work: impl AsyncFnOnce(&Application) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (data, settings) = data.open(host)?;
    writing(&data, settings, work).await
}

async fn create(app: &Application, user: NewUser) -> anyhow::Result<()> {
    let (created, _) = app.ctx.run(&CREATE_USERS, Actor::System, vec![user]).await?;
    created.iter().try_for_each(|it| print(&format!("created user {} ({})\n", it.email, it.id)))
}

async fn reset_password(app: &Application, email: String, password: PasswordHash) -> anyhow::Result<()> {
    let said = format!("{email} has a new password\n");
    let set = move |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        let identity = find_identity(tx, &email)?.filter(|it| it.actor(USER).is_some());
        let identity =
            identity.ok_or_else(|| Fault::not_found(format!("no admin user logs in as {email}")))?;
        set_password(tx, at, &identity.id, &password)?;
        Ok(())
    };
    app.ctx.write(Actor::System, set).await?;
    print(&said)
}

fn list(app: &Application) -> anyhow::Result<()> {
    let mut lines = String::new();
    USERS.table.scan(&app.ctx.view(), None, Direction::Ascending, &mut |user| {
        let names = [user.first_name.as_deref(), user.last_name.as_deref()];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let line = format!("{}  {}  {}  {name}", user.email, user.id, user.created_at);
        lines.push_str(line.trim_end());
        lines.push('\n');
        Ok(ControlFlow::Continue(()))
    })?;
    print(&lines)
}
