//! Connections to PostgreSQL.

use std::{path::PathBuf, sync::Arc, time::Duration};

use atoll_storage::StoreError;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::head::Head;

/// How long PostgreSQL may take to let a host in, and to answer the small questions of one that starts: a
/// server may accept connections and say nothing. It is enough for one of several servers that is gone.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// An error of PostgreSQL, or of the way to it.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address or a setting of it is wrong.
    #[error("`{0}` is no address of a PostgreSQL database: {1}")]
    Address(String, String),
    /// It was not reached, or it refused.
    #[error("PostgreSQL: {}", told(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// It has not answered in time.
    #[error("PostgreSQL has not answered in time")]
    TimedOut,
    /// The replica.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log no longer reaches back to where the replica ends.
    #[error("this host was away for longer than PostgreSQL keeps the log; its replica is to be made anew")]
    TooOld,
    /// A crash of PostgreSQL would lose commits that it has acknowledged.
    #[error(
        "`synchronous_commit` is off in PostgreSQL, by which it loses what it has acknowledged when it crashes: \
         set it to `on` for this role or database, or put `synchronous_commit=off` into the address to take that"
    )]
    LosesCommits,
    /// A host leads, so that the store cannot be moved.
    #[error("a host leads, or has a moment ago: stop all hosts first")]
    IsLed,
    /// The replica of this host is of a shop, and the database holds none.
    #[error(
        "this database holds no shop, and `{}` does: is `store` the right database, and has it been restored? \
         To begin with an empty shop, remove that file", .0.display()
    )]
    Empty(PathBuf),
    /// A store is there already.
    #[error("there is a store in this database already: move into an empty one")]
    NotEmpty,
    /// What lies in the tables is not what this program wrote.
    #[error("the tables of Atoll in PostgreSQL are damaged: {0}")]
    Damaged(String),
}

impl DatabaseError {
    /// Whether the replica is of no use any more, or its store has stopped: trying again is in vain.
    pub(crate) fn is_for_good(&self) -> bool {
        match self {
            DatabaseError::Store(StoreError::NotWritten(_) | StoreError::Unknown(_)) => false,
            DatabaseError::Store(_) | DatabaseError::TooOld => true,
            _ => false,
        }
    }
}

/// What the server says, which the error alone does not tell.
fn told(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

/// A database, with what is needed to connect to it.
#[derive(Clone)]
pub struct Database {
    pub(crate) config: Config,
    pub(crate) tls: Option<MakeRustlsConnect>,
    /// May it lose commits that it has acknowledged?
    pub(crate) may_lose: bool,
}

impl Database {
    /// Connects as a host among others, and [prepares](Database::prepare).
    pub(crate) async fn join(&self, notified: Arc<Notify>) -> Result<Client, DatabaseError> {
        let client = self.connect(notified).await?;
        self.prepare(&client).await?;
        Ok(client)
    }

    /// Makes the tables, if they are not there. Errors: it may lose commits.
    pub(crate) async fn prepare(&self, client: &Client) -> Result<(), DatabaseError> {
        let settings = "SELECT current_setting('synchronous_commit'),
            current_setting('synchronous_standby_names') <> ''";
        let settings = client.query_typed_one(settings, &[]).await?;
        match settings.try_get(0)? {
            "off" if !self.may_lose => return Err(DatabaseError::LosesCommits),
            "local" if settings.try_get(1)? => tracing::warn!(
                "`synchronous_commit` is `local` in PostgreSQL, which waits for no standby: a failover loses \
                 what it has acknowledged"
            ),
            _ => {}
        }
        Head::make(client).await
    }

    /// Connects. Names that are notified on are sent to `notified`; the connection ends with the client.
    pub(crate) async fn connect(&self, notified: Arc<Notify>) -> Result<Client, DatabaseError> {
        within(ANSWER_TIMEOUT, self.try_to_connect(notified)).await
    }

    async fn try_to_connect(&self, notified: Arc<Notify>) -> Result<Client, tokio_postgres::Error> {
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(drive(connection, notified));
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(drive(connection, notified));
                Ok(client)
            }
        }
    }
}

/// Waits for PostgreSQL for so long.
pub(crate) async fn within<T, E>(
    patience: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, DatabaseError>
where
    DatabaseError: From<E>,
{
    Ok(tokio::time::timeout(patience, asked).await.map_err(|_| DatabaseError::TimedOut)??)
}

async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, notified: Arc<Notify>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let next =
        |it: &mut tokio_postgres::Connection<S, T>, cx: &mut std::task::Context<'_>| it.poll_message(cx);
    while let Some(message) = std::future::poll_fn(|cx| next(&mut connection, cx)).await {
        match message {
            Ok(AsyncMessage::Notification(_)) => notified.notify_one(),
            Ok(_) => {}
            // Whoever waits for an answer gets the error.
            Err(_) => return,
        }
    }
}
