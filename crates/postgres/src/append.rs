//! The log as the host that leads sees it: each commit is one statement, in one round trip.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use atoll_storage::{AppendError, CommitLog, Entry};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout_at},
};
use tokio_postgres::{
    Client, Statement,
    error::{Severity, SqlState},
    types::ToSql,
};

use crate::{
    Database, DatabaseError,
    head::{Head, seq},
    log::chain_at,
};

/// Writes an entry if this host still leads, and the log ends with the commit before it, and notifies the
/// others. No row: it is not so.
const APPEND: &str = "
    WITH head AS (
        UPDATE atoll_head SET seq = $2 + 1, chain = $4, at_ms = greatest(at_ms, $6), beat = clock_timestamp()
        WHERE epoch = $1 AND seq = $2 AND chain = $3 RETURNING seq
    ), entry AS (
        INSERT INTO atoll_log SELECT seq, $4, $5 FROM head RETURNING seq
    )
    SELECT pg_notify('atoll_log', seq::text) FROM entry";

/// Between two attempts to reach PostgreSQL again.
const PAUSE: Duration = Duration::from_millis(20);

/// The slowest network that large commits are meant for: they have this much more time than the lease.
const SLOWEST_BYTES_PER_S: u64 = 1024 * 1024;

/// The log of a host that leads.
pub(crate) struct Appender {
    database: Database,
    runtime: Handle,
    session: Session,
    term: String,
    epoch: i64,
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

impl Appender {
    /// The log in this term, at this epoch, which is raised when an answer is lost. `patience` is how long a
    /// small commit may wait for PostgreSQL to come back.
    pub(crate) async fn open(
        database: &Database,
        term: String,
        epoch: i64,
        patience: Duration,
    ) -> Result<Appender, DatabaseError> {
        let session = Session::open(database).await?;
        Ok(Appender {
            database: database.clone(),
            runtime: Handle::current(),
            session,
            term,
            epoch,
            patience,
        })
    }

    async fn append_in_time(&mut self, entry: &Entry) -> Result<(), AppendError> {
        let more = Duration::from_secs(entry.bytes.len() as u64 / SLOWEST_BYTES_PER_S);
        let ends_at = Instant::now() + self.patience + more;
        let mut done = self.write(entry, ends_at).await;
        while let Err(AppendError::Unknown(lost)) = &done
            && Instant::now() < ends_at
        {
            tracing::warn!(error = %lost, position = %entry.position, "PostgreSQL has not answered to a commit");
            let looked = timeout_at(ends_at, self.look_again(entry, ends_at)).await;
            done = match looked {
                Ok(Ok(done)) => done,
                Ok(Err(error)) => Err(unknown(error)),
                Err(_) => break,
            };
            if matches!(done, Err(AppendError::Unknown(_))) {
                sleep(PAUSE).await;
            }
        }
        done
    }

    async fn write(&self, entry: &Entry, ends_at: Instant) -> Result<(), AppendError> {
        let before = seq(entry.position) - 1;
        let (before_chain, chain) = (entry.before.0.as_slice(), entry.chain.0.as_slice());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let parameters: [&(dyn ToSql + Sync); 6] =
            [&self.epoch, &before, &before_chain, &chain, &entry.bytes, &at_ms];
        let asked = self.session.client.query_opt(&self.session.append, &parameters);
        match timeout_at(ends_at, asked).await {
            Ok(Ok(Some(_))) => Ok(()),
            Ok(Ok(None)) => Err(fenced()),
            Ok(Err(error)) if is_certain(&error) => {
                Err(AppendError::Failed(DatabaseError::from(error).to_string()))
            }
            Ok(Err(error)) => Err(unknown(error.into())),
            Err(_) => Err(unknown(DatabaseError::TimedOut)),
        }
    }

    /// Raises the own epoch, so that what is still on its way is refused, then looks whether the entry is
    /// there, and else writes it.
    async fn look_again(
        &mut self,
        entry: &Entry,
        ends_at: Instant,
    ) -> Result<Result<(), AppendError>, DatabaseError> {
        self.session = Session::open(&self.database).await?;
        let client = &self.session.client;
        let Some(head) = Head::raise(client, &self.term).await? else {
            // Another host leads. That the entry can be seen is no promise that it stays: PostgreSQL may not
            // have heard of its standby. A log that begins later may have held it.
            let is_before = Head::read(client).await?.position < entry.position;
            let at = chain_at(client, entry.position).await?;
            let is_fenced = at.map_or(is_before, |it| it != entry.chain);
            let shown = || AppendError::Unknown("another host leads, and the log may show the commit".into());
            return Ok(Err(if is_fenced { fenced() } else { shown() }));
        };
        self.epoch = head.epoch;
        // The raise was a write behind the entry, and has been answered.
        Ok(match (head.position, head.chain) {
            it if it == (entry.position, entry.chain) => Ok(()),
            (position, chain) if position.next() == entry.position && chain == entry.before => {
                self.write(entry, ends_at).await
            }
            _ => Err(AppendError::Refused("the log has lost commits of this host".into())),
        })
    }
}

impl CommitLog for Appender {
    fn append(&mut self, entry: &Entry) -> Result<(), AppendError> {
        self.runtime.clone().block_on(self.append_in_time(entry))
    }
}

fn fenced() -> AppendError {
    AppendError::Refused("another host leads, or the log goes on from another commit".into())
}

fn unknown(error: DatabaseError) -> AppendError {
    AppendError::Unknown(error.to_string())
}

/// Whether the statement failed, and wrote nothing. A server that shuts down, or says that it does not know,
/// may have written it.
fn is_certain(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|it| {
        let is_of_connection = it.code().code().starts_with("08");
        let is_unknown = *it.code() == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN;
        it.parsed_severity() == Some(Severity::Error) && !is_of_connection && !is_unknown
    })
}
