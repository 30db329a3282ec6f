//! `atoll serve`

use std::{io::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use atoll_background::{Pace, start};
use atoll_host::{App, Assembly, Data, DemoKey, Secrets, load_demo, registry};
use atoll_kernel::{Clock, Flags, router};
use atoll_user::PasswordHash;
use clap::{Args, ValueEnum};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

/// How long a stop waits for requests, subscribers and jobs that have begun. A client that never ends its request
/// must not keep the process; everything that was acknowledged is on disk by then.
const DRAIN_MAX: Duration = Duration::from_secs(30);

/// The admin of the demo, where none is named.
const DEMO_ADMIN: (&str, &str) = ("admin@atoll.test", "atoll-demo");

#[derive(Args)]
pub(crate) struct Serve {
    /// The data folder, or `:memory:`. The default is `atoll-data`, and memory for the demo.
    #[arg(long, env = "ATOLL_DATA")]
    data: Option<String>,
    /// The address to serve on.
    #[arg(long, env = "ATOLL_LISTEN", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Signs the tokens of users. Without it one is made, and kept in the data folder.
    #[arg(long, env = "ATOLL_JWT_SECRET", hide_env_values = true)]
    jwt_secret: Option<String>,
    /// Signs session cookies. Without it one is made, and kept in the data folder.
    #[arg(long, env = "ATOLL_COOKIE_SECRET", hide_env_values = true)]
    cookie_secret: Option<String>,
    /// The first admin user, where there is none.
    #[arg(long, env = "ATOLL_ADMIN_EMAIL", requires = "admin_password")]
    admin_email: Option<String>,
    /// The password of the first admin user.
    #[arg(long, env = "ATOLL_ADMIN_PASSWORD", hide_env_values = true, requires = "admin_email")]
    admin_password: Option<String>,
    /// Serve a catalogue to try things with.
    #[arg(long)]
    demo: bool,
    /// What this process does: answer requests (`server`), what goes on beside them (`worker`), or both.
    #[arg(long, env = "ATOLL_ROLE", value_enum, default_value_t = Role::Shared)]
    role: Role,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Answers requests, delivers events, runs jobs.
    Shared,
    /// Answers requests; events and jobs wait.
    Server,
    /// Delivers events, runs jobs, and answers `GET /health` alone.
    Worker,
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let data = match (&self.data, self.demo) {
            (Some(data), _) => Data::from(data.as_str()),
            (None, true) => Data::Memory,
            (None, false) => Data::from("atoll-data"),
        };
        let secrets = Secrets::find(&data, self.jwt_secret.clone(), self.cookie_secret.clone())?;
        let admin = self.admin();
        let hashed = match &admin {
            Some((email, password)) => Some((email.clone(), PasswordHash::new(password)?)),
            None => None,
        };
        // Before anything is opened: a port that is taken must not start a recovery.
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("failed to listen on {}", self.listen))?;
        let base = format!("http://{}", listener.local_addr()?);
        let store = data.open(&registry()?.spaces())?;
        let assembly = Assembly {
            store,
            secrets,
            clock: Clock::System,
            admin: hashed,
            flags: Flags::default(),
            probe: None,
        };
        let app = assembly.start().await?;
        if self.demo {
            let keys = load_demo(&app.ctx).await?;
            // Where there were users before, the demo's is not one of them.
            print_demo(&base, admin.as_ref().filter(|_| app.first_run.user), &keys)?;
        }
        tracing::info!(%base, ?data, first_run = ?app.first_run, "serving");
        serve(app, listener, self.role).await
    }

    fn admin(&self) -> Option<(String, String)> {
        match (&self.admin_email, &self.admin_password) {
            (Some(email), Some(password)) => Some((email.clone(), password.clone())),
            _ if self.demo => Some((DEMO_ADMIN.0.into(), DEMO_ADMIN.1.into())),
            _ => None,
        }
    }
}

/// Serves until it is told to stop; then answers what has begun, and writes what is waiting.
async fn serve(app: App, listener: TcpListener, role: Role) -> anyhow::Result<()> {
    let store = app.ctx.store().clone();
    // Beside the requests: a run may call a service that does not answer for a while.
    let recovering = app.ctx.clone();
    tokio::spawn(async move {
        match recovering.recover().await {
            Ok(0) => {}
            Ok(n_runs) => tracing::info!(n_runs, "went on with what the last process left open"),
            Err(error) => tracing::error!(%error, "what the last process left open was not found"),
        }
    });
    let background = match role {
        Role::Shared | Role::Worker => Some(start(&app.ctx, Pace::default()).await?),
        Role::Server => None,
    };
    let router = match role {
        Role::Shared | Role::Server => app.router,
        Role::Worker => router(app.ctx.clone(), &[]),
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let draining = Arc::new(Notify::new());
    let begun = draining.clone();
    let told = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop; answering what has begun");
        begun.notify_one();
    };
    let too_long = async move {
        draining.notified().await;
        tokio::time::sleep(DRAIN_MAX).await;
    };
    let served = async {
        axum::serve(listener, router).with_graceful_shutdown(told).await?;
        if let Some(background) = background {
            background.stop().await;
        }
        std::io::Result::Ok(())
    };
    tokio::select! {
        done = served => {
            done?;
            store.close();
            tracing::info!("stopped; the last commit is on disk");
            Ok(())
        }
        () = too_long => {
            store.close();
            bail!("some requests, subscribers or jobs were still going on after {} s; they were cut", DRAIN_MAX.as_secs())
        }
        error = store.stopped() => bail!("{error}"),
    }
}

fn print_demo(base: &str, admin: Option<&(String, String)>, keys: &[DemoKey]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nAtoll demo at {base}")?;
    if let Some((email, password)) = admin {
        writeln!(out, "\nadmin login: {email} / {password}")?;
        writeln!(
            out,
            "  curl -s {base}/auth/user/emailpass -H 'content-type: application/json' \\\n    \
             -d '{{\"email\":\"{email}\",\"password\":\"{password}\"}}'"
        )?;
    }
    writeln!(out, "\npublishable keys, one per sales channel:")?;
    for DemoKey { channel, is_disabled, token } in keys {
        let note = if *is_disabled { " (disabled: it sells nothing)" } else { "" };
        writeln!(out, "\n{channel}{note}\n  {token}")?;
        writeln!(
            out,
            "  curl -s '{base}/store/products?limit=3&fields=id,title' \\\n    -H 'x-publishable-api-key: {token}'"
        )?;
    }
    writeln!(out)?;
    out.flush()?;
    Ok(())
}
