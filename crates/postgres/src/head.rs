//! The row that says who leads and how far the log goes, and the tables.

use atoll_storage::{Chain, Changes, Entry, Position, decode_changes};
use std::time::Duration;
use tokio_postgres::{Client, GenericClient, Row};

use crate::DatabaseError;

/// What followers are notified on.
pub(crate) const CHANNEL: &str = "atoll_log";

/// Entries that are read at once.
const ENTRIES_AT_ONCE_MAX: i64 = 256;

/// The tables. The lock keeps two hosts that start at the same time apart.
const TABLES: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(20261128);
    CREATE TABLE IF NOT EXISTS atoll_head(
        one bool PRIMARY KEY CHECK (one), store uuid NOT NULL, epoch bigint NOT NULL, url text NOT NULL,
        seq bigint NOT NULL, chain bytea NOT NULL, at_ms bigint NOT NULL, beat timestamptz NOT NULL);
    CREATE TABLE IF NOT EXISTS atoll_log(
        seq bigint PRIMARY KEY, epoch bigint NOT NULL, chain bytea NOT NULL, changes bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS atoll_kv(k bytea PRIMARY KEY, v bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS atoll_fold(one bool PRIMARY KEY CHECK (one), seq bigint NOT NULL);
    INSERT INTO atoll_fold VALUES (true, 0) ON CONFLICT DO NOTHING;
    INSERT INTO atoll_head VALUES (true, gen_random_uuid(), 0, '', 0, decode(repeat('00', 32), 'hex'), 0,
        '-infinity') ON CONFLICT DO NOTHING;
    COMMIT;";

/// The head of the log.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// Raised by each host that takes over.
    pub(crate) epoch: i64,
    /// Where the host that leads is reached, or has led.
    pub(crate) url: String,
    /// Has it not given the leadership back?
    pub(crate) is_led: bool,
    /// The last commit of the log.
    pub(crate) position: Position,
    /// Its chain.
    pub(crate) chain: Chain,
    /// The time of the last commit, in milliseconds by the clock of the host that made it.
    pub(crate) at_ms: i64,
}

const HEAD: &str = "epoch, url, isfinite(beat) AS is_led, seq, chain, at_ms";

impl Head {
    fn of(row: &Row) -> Result<Head, DatabaseError> {
        Ok(Head {
            epoch: row.try_get("epoch")?,
            url: row.try_get("url")?,
            is_led: row.try_get("is_led")?,
            position: position(row)?,
            chain: chain(row)?,
            at_ms: row.try_get("at_ms")?,
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
        let row = client.query_one(&format!("SELECT {HEAD} FROM atoll_head"), &[]).await?;
        Head::of(&row)
    }

    /// Leads from now on, if the one that led at this epoch has not been heard of for as long as the lease.
    pub(crate) async fn take_over(
        client: &Client,
        url: &str,
        epoch: i64,
        lease: Duration,
    ) -> Result<Option<Head>, DatabaseError> {
        let statement = format!(
            "UPDATE atoll_head SET epoch = epoch + 1, url = $1, beat = clock_timestamp()
             WHERE epoch = $2 AND beat < clock_timestamp() - $3 * interval '1 second' RETURNING {HEAD}"
        );
        let rows = client.query(&statement, &[&url, &epoch, &lease.as_secs_f64()]).await?;
        rows.first().map(Head::of).transpose()
    }

    /// Raises the epoch of the host that leads by itself: what it sent by an earlier connection is refused
    /// from now on. None if another one leads.
    pub(crate) async fn raise(client: &Client, epoch: i64) -> Result<Option<Head>, DatabaseError> {
        let statement = format!(
            "UPDATE atoll_head SET epoch = epoch + 1, beat = clock_timestamp() WHERE epoch = $1 RETURNING {HEAD}"
        );
        let rows = client.query(&statement, &[&epoch]).await?;
        rows.first().map(Head::of).transpose()
    }

    /// Extends the lease. False: another host leads.
    pub(crate) async fn beat(client: &Client, epoch: i64) -> Result<bool, DatabaseError> {
        let statement = "UPDATE atoll_head SET beat = clock_timestamp() WHERE epoch = $1";
        Ok(client.execute(statement, &[&epoch]).await? == 1)
    }

    /// Gives the leadership back, so that another host need not wait for the end of the lease.
    pub(crate) async fn resign(client: &Client, epoch: i64) -> Result<(), DatabaseError> {
        client.execute("UPDATE atoll_head SET beat = '-infinity' WHERE epoch = $1", &[&epoch]).await?;
        Ok(())
    }
}

/// The next entries of the log after this position, the first one first.
pub(crate) async fn entries_after(client: &Client, seen: Position) -> Result<Vec<Entry>, DatabaseError> {
    let statement = "SELECT seq, chain, changes FROM atoll_log WHERE seq > $1 ORDER BY seq LIMIT $2";
    let seen = i64::try_from(seen.0).unwrap_or(i64::MAX);
    let rows = client.query(statement, &[&seen, &ENTRIES_AT_ONCE_MAX]).await?;
    rows.iter()
        .map(|row| {
            let changes: Changes = decode_changes(row.try_get("changes")?)?;
            Ok(Entry { position: position(row)?, chain: chain(row)?, changes })
        })
        .collect()
}

/// The chain of the commit at this position; none if the log does not hold it.
pub(crate) async fn chain_at(client: &Client, at: Position) -> Result<Option<Chain>, DatabaseError> {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    let rows = client.query("SELECT chain FROM atoll_log WHERE seq = $1", &[&at]).await?;
    rows.first().map(chain).transpose()
}

fn position(row: &Row) -> Result<Position, DatabaseError> {
    let number: i64 = row.try_get("seq")?;
    u64::try_from(number).map(Position).map_err(|_| DatabaseError::Damaged(format!("a commit {number}")))
}

fn chain(row: &Row) -> Result<Chain, DatabaseError> {
    let bytes: &[u8] = row.try_get("chain")?;
    let chain = bytes.try_into().map(Chain);
    chain.map_err(|_| DatabaseError::Damaged(format!("a chain of {} bytes", bytes.len())))
}
