//! The row that says who leads and how far the log goes, and the tables.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atoll_storage::{Chain, Position};
use tokio_postgres::{
    Client, GenericClient, Row,
    types::{ToSql, Type},
};

use crate::{DatabaseError, log::CHANNEL};

/// The tables. The lock keeps two hosts that start at the same time apart; each commit rewrites the row of
/// the head, which stays in its page.
const TABLES: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(20261128);
    CREATE TABLE IF NOT EXISTS atoll_head(
        one bool PRIMARY KEY CHECK (one), epoch bigint NOT NULL, term uuid, url text NOT NULL,
        seq bigint NOT NULL, chain bytea NOT NULL, at_ms bigint NOT NULL, beat timestamptz NOT NULL,
        lease interval NOT NULL)
        WITH (fillfactor = 10);
    CREATE TABLE IF NOT EXISTS atoll_log(seq bigint PRIMARY KEY, chain bytea NOT NULL, changes bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS atoll_kv(k bytea PRIMARY KEY, v bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS atoll_fold(
        one bool PRIMARY KEY CHECK (one), seq bigint NOT NULL, chain bytea NOT NULL);
    INSERT INTO atoll_fold VALUES (true, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    INSERT INTO atoll_head VALUES (true, 0, NULL, '', 0, decode(repeat('00', 32), 'hex'), 0, '-infinity', '0')
        ON CONFLICT DO NOTHING;
    COMMIT;";

/// The head of the log.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// Raised by each host that takes over, and by one that leads on after an answer was lost.
    pub(crate) epoch: i64,
    /// The term of who leads or has led last. After PostgreSQL has lost commits, a number may be given out
    /// again; a term is not.
    pub(crate) term: Option<String>,
    /// Where the host that leads is reached, or has led.
    pub(crate) url: String,
    /// Has it been heard of within its lease?
    pub(crate) is_led: bool,
    /// Its last sign, which is another one each time.
    pub(crate) beat: String,
    /// The last commit of the log.
    pub(crate) position: Position,
    /// Its chain.
    pub(crate) chain: Chain,
    /// The last commit that the table of all keys holds.
    pub(crate) folded: Position,
    /// By how much the clock of this host is ahead of that of PostgreSQL, about.
    pub(crate) is_ahead_by: Duration,
}

const HEAD: &str = "epoch, term::text AS term, url, seq, chain, (SELECT seq FROM atoll_fold) AS folded,
    beat::text AS beat, beat BETWEEN clock_timestamp() - lease AND clock_timestamp() + lease AS is_led,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms";

/// A parameter with its type: so a statement need not be prepared, and takes one round trip.
pub(crate) type Typed<'a> = (&'a (dyn ToSql + Sync), Type);

impl Head {
    fn of(row: &Row) -> Result<Head, DatabaseError> {
        let (position, chain) = point(row)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let its_now = Duration::from_millis(u64::try_from(row.try_get::<_, i64>("now_ms")?).unwrap_or(0));
        Ok(Head {
            epoch: row.try_get("epoch")?,
            term: row.try_get("term")?,
            url: row.try_get("url")?,
            is_led: row.try_get("is_led")?,
            beat: row.try_get("beat")?,
            position,
            chain,
            folded: Position(u64::try_from(row.try_get::<_, i64>("folded")?).unwrap_or(0)),
            is_ahead_by: now.saturating_sub(its_now),
        })
    }

    /// Makes the tables, if they are not there. A role that may not make any finds them.
    pub(crate) async fn make(client: &Client) -> Result<(), DatabaseError> {
        let found = client.query_one("SELECT to_regclass('atoll_fold') IS NOT NULL", &[]).await?;
        if !found.try_get(0)? {
            client.batch_execute(TABLES).await?;
        }
        Ok(())
    }

    /// The head as it is.
    pub(crate) async fn read(client: &impl GenericClient) -> Result<Head, DatabaseError> {
        Head::of(&client.query_typed_one(&format!("SELECT {HEAD} FROM atoll_head"), &[]).await?)
    }

    /// Leads from now on, if the one that led at this epoch has not been heard of for as long as its lease.
    /// So it is, too, when its last sign is later than it can be: then it is of the clock of another server.
    /// The lease of this host is for others to wait for.
    pub(crate) async fn take_over(
        client: &Client,
        url: &str,
        epoch: i64,
        lease: Duration,
    ) -> Result<Option<Head>, DatabaseError> {
        let set = "epoch = epoch + 1, term = gen_random_uuid(), url = $1, beat = clock_timestamp(),
            lease = $3 * interval '1 second'";
        let is_silent = "beat NOT BETWEEN clock_timestamp() - lease AND clock_timestamp() + lease";
        let lease_s = lease.as_secs_f64();
        let parameters: &[Typed<'_>] = &[(&url, Type::TEXT), (&epoch, Type::INT8), (&lease_s, Type::FLOAT8)];
        Head::update(client, set, &format!("epoch = $2 AND {is_silent}"), parameters).await
    }

    /// Raises the epoch of this term: what the host has sent by an earlier connection is refused from now on.
    /// None if another one leads.
    pub(crate) async fn raise(client: &Client, term: &str) -> Result<Option<Head>, DatabaseError> {
        let set = "epoch = epoch + 1, beat = clock_timestamp()";
        Head::of_term(client, term, set).await
    }

    /// Extends the lease. None if another host leads.
    pub(crate) async fn beat(client: &Client, term: &str) -> Result<Option<Head>, DatabaseError> {
        Head::of_term(client, term, "beat = clock_timestamp()").await
    }

    /// Gives the leadership back, and notifies the others, so that none need wait for the end of the lease.
    pub(crate) async fn resign(client: &Client, term: &str) -> Result<(), DatabaseError> {
        Head::of_term(client, term, "beat = '-infinity'").await?;
        Ok(client.batch_execute(&format!("NOTIFY {CHANNEL}")).await?)
    }

    /// Updates it, if it is of this term.
    async fn of_term(client: &Client, term: &str, set: &str) -> Result<Option<Head>, DatabaseError> {
        Head::update(client, set, "term = $1::uuid", &[(&term, Type::TEXT)]).await
    }

    async fn update(
        client: &Client,
        set: &str,
        condition: &str,
        parameters: &[Typed<'_>],
    ) -> Result<Option<Head>, DatabaseError> {
        let statement = format!("UPDATE atoll_head SET {set} WHERE {condition} RETURNING {HEAD}");
        client.query_typed_opt(&statement, parameters).await?.as_ref().map(Head::of).transpose()
    }
}

/// The commit in the columns `seq` and `chain`.
pub(crate) fn point(row: &Row) -> Result<(Position, Chain), DatabaseError> {
    let (number, chain): (i64, &[u8]) = (row.try_get("seq")?, row.try_get("chain")?);
    let position = u64::try_from(number).map(Position).ok();
    let found = position.zip(chain.try_into().ok().map(Chain));
    found.ok_or_else(|| {
        DatabaseError::Damaged(format!("a commit {number} with a chain of {} bytes", chain.len()))
    })
}

/// A position as PostgreSQL has it.
pub(crate) fn seq(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}
