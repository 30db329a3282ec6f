//! The log as the host that leads sees it: each commit is one statement, in one round trip.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use atoll_storage::{AppendError, CommitLog, Entry, encode_changes};
use tokio::{runtime::Handle, sync::Mutex, time::Instant};
use tokio_postgres::{Client, Statement, types::ToSql};

use crate::{
    Database, DatabaseError,
    head::{Head, chain_at},
};

/// Writes an entry if this host still leads, and notifies the others. No row: it does not.
const APPEND: &str = "
    WITH head AS (
        UPDATE atoll_head SET seq = $2 + 1, chain = $3, at_ms = greatest(at_ms, $5), beat = clock_timestamp()
        WHERE epoch = $1 AND seq = $2 RETURNING seq
    ), entry AS (
        INSERT INTO atoll_log SELECT seq, $1, $3, $4 FROM head RETURNING seq
    )
    SELECT pg_notify('atoll_log', seq::text) FROM entry";

/// Between two attempts to reach PostgreSQL again.
const PAUSE: Duration = Duration::from_millis(20);

/// The epoch at which this host leads or has led; zero before.
#[derive(Default)]
pub(crate) struct Epoch {
    number: AtomicI64,
    /// Held while it is raised in PostgreSQL and here, and while the lease is extended by it.
    pub(crate) turn: Mutex<()>,
}

impl Epoch {
    pub(crate) fn get(&self) -> i64 {
        self.number.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, number: i64) {
        self.number.store(number, Ordering::Relaxed);
    }
}

/// The log of a host that leads.
pub(crate) struct Appender {
    database: Database,
    runtime: Handle,
    session: Session,
    epoch: Arc<Epoch>,
    patience: Duration,
}

struct Session {
    client: Client,
    append: Statement,
}

impl Session {
    async fn open(database: &Database) -> Result<Session, DatabaseError> {
        let client = database.connect(Arc::default()).await?;
        let append = client.prepare(APPEND).await?;
        Ok(Session { client, append })
    }
}

/// What became of an attempt.
enum Attempt {
    Written,
    /// The row of the head is another one.
    Fenced,
    /// The statement failed as a whole.
    Failed(DatabaseError),
    /// There was no answer.
    Lost(DatabaseError),
}

impl Appender {
    /// The log at this epoch, which is raised when an answer is lost. `patience` is how long a commit may
    /// wait for PostgreSQL to come back.
    pub(crate) async fn open(
        database: &Database,
        epoch: Arc<Epoch>,
        patience: Duration,
    ) -> Result<Appender, DatabaseError> {
        let session = Session::open(database).await?;
        Ok(Appender { database: database.clone(), runtime: Handle::current(), session, epoch, patience })
    }

    async fn append_within(&mut self, entry: &Entry) -> Result<(), AppendError> {
        let ends_at = Instant::now() + self.patience;
        let mut lost = match self.attempt(entry, ends_at).await {
            Attempt::Written => return Ok(()),
            Attempt::Fenced => return Err(fenced()),
            Attempt::Failed(error) => return Err(AppendError::Refused(error.to_string())),
            Attempt::Lost(error) => error,
        };
        tracing::warn!(error = %lost, position = %entry.position, "PostgreSQL has not answered to a commit");
        while Instant::now() < ends_at {
            match tokio::time::timeout_at(ends_at, self.look_again(entry, ends_at)).await {
                Ok(Ok(Attempt::Written)) => return Ok(()),
                Ok(Ok(Attempt::Fenced)) => return Err(fenced()),
                Ok(Ok(Attempt::Failed(error))) => return Err(AppendError::Refused(error.to_string())),
                Ok(Ok(Attempt::Lost(error)) | Err(error)) => lost = error,
                Err(_) => break,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(AppendError::Unknown(lost.to_string()))
    }

    async fn attempt(&self, entry: &Entry, ends_at: Instant) -> Attempt {
        let before = i64::try_from(entry.position.0).unwrap_or(i64::MAX) - 1;
        let changes = encode_changes(&entry.changes);
        let (epoch, chain) = (self.epoch.get(), entry.chain.0.as_slice());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let parameters: [&(dyn ToSql + Sync); 5] = [&epoch, &before, &chain, &changes, &at_ms];
        let asked = self.session.client.query(&self.session.append, &parameters);
        match tokio::time::timeout_at(ends_at, asked).await {
            Ok(Ok(rows)) => {
                if rows.is_empty() {
                    Attempt::Fenced
                } else {
                    Attempt::Written
                }
            }
            Ok(Err(error)) if is_certain(&error) => Attempt::Failed(error.into()),
            Ok(Err(error)) => Attempt::Lost(error.into()),
            Err(_) => Attempt::Lost(DatabaseError::TimedOut),
        }
    }

    /// Raises the own epoch, so that what is still on its way is refused, then looks whether the entry is
    /// there, and else writes it.
    async fn look_again(&mut self, entry: &Entry, ends_at: Instant) -> Result<Attempt, DatabaseError> {
        self.session = Session::open(&self.database).await?;
        let client = &self.session.client;
        let turn = self.epoch.turn.lock().await;
        let Some(head) = Head::raise(client, self.epoch.get()).await? else {
            // An earlier raise may have been the one without an answer: then nobody else leads.
            let is_there = chain_at(client, entry.position).await? == Some(entry.chain);
            return Ok(if is_there { Attempt::Written } else { Attempt::Fenced });
        };
        self.epoch.set(head.epoch);
        drop(turn);
        if head.chain == entry.chain {
            return Ok(Attempt::Written);
        }
        Ok(self.attempt(entry, ends_at).await)
    }
}

impl CommitLog for Appender {
    fn append(&mut self, entry: &Entry) -> Result<(), AppendError> {
        self.runtime.clone().block_on(self.append_within(entry))
    }
}

fn fenced() -> AppendError {
    AppendError::Refused("another host leads".into())
}

/// Whether the statement failed, and wrote nothing. A server that shuts down may have written it before.
fn is_certain(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|it| it.parsed_severity() == Some(tokio_postgres::error::Severity::Error))
}
