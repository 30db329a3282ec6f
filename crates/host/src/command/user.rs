//! `atoll user`: creates admin users.

use std::io::Write as _;

use atoll_auth::PasswordHash;
use atoll_flows::user::{CREATE_USERS, NewUser};
use atoll_kernel::Actor;
use clap::{Args, Subcommand};

use crate::{Assembly, Host, command::DataArgs};

#[derive(Subcommand)]
pub(crate) enum User {
    /// Creates an admin user.
    Create(Create),
}

#[derive(Args)]
pub(crate) struct Create {
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
        let User::Create(Create { email, password, data }) = self;
        let password = PasswordHash::new(&password)?;
        let (data, settings) = data.open(host)?;
        let app = Assembly::open(&data, settings)?.start().await?;
        let users = vec![NewUser { email, password }];
        let (created, _) = app.ctx.run(&CREATE_USERS, Actor::System, users).await?;
        app.ctx.store().close();
        for user in created {
            writeln!(std::io::stdout(), "created user {} ({})", user.email, user.id)?;
        }
        Ok(())
    }
}
