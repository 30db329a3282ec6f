//! Folding: the log is brought into the table of all keys, behind the commits, so that a new host need not
//! begin with the first of them. It is a matter of its own: where it fails, the log grows, and nothing else.

use std::{sync::Arc, time::Duration};

use atoll_storage::{Chain, Entry, Position, Store};
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tokio_postgres::{Client, types::Type};

use crate::{
    Database, DatabaseError,
    database::{ANSWER_TIMEOUT, within},
    head::{Typed, point, seq},
    log::entries_after,
};

/// Bytes that stay in the log behind those that are folded: a host that was away for less goes on from where
/// it was, and later ones begin anew.
pub(crate) const LOG_BYTES_KEPT: u64 = 256 * 1024 * 1024;

/// The log is trimmed when this part of what is kept was folded since the last time: finding its end reads
/// the log.
const TRIM_PART: u64 = 4;

/// How long commits are gathered before they are folded, and how long it rests after it has failed.
const PAUSE: Duration = Duration::from_millis(500);

/// How long PostgreSQL may take to fold a chunk, or to trim.
const FOLD_TIMEOUT: Duration = Duration::from_secs(120);

/// Held, shared, by hosts that load the table of all keys: until they have caught up, the log is not trimmed.
pub(crate) const LOADING: i64 = 20_261_129;

/// Folds what is committed here, until it is dropped.
pub(crate) fn folding(database: &Database, store: &Store, n_kept: u64) -> JoinSet<()> {
    let (database, mut commits) = (database.clone(), store.commits());
    let mut task = JoinSet::new();
    task.spawn(async move {
        while let Err(error) = fold_all(&database, &mut commits, n_kept).await {
            tracing::warn!(%error, "the log is not folded, and grows");
            sleep(PAUSE).await;
        }
    });
    task
}

/// Folds what is committed, until there are no more commits.
async fn fold_all(
    database: &Database,
    commits: &mut watch::Receiver<Position>,
    n_kept: u64,
) -> Result<(), DatabaseError> {
    let client = database.connect(Arc::default()).await?;
    let trim_at = n_kept / TRIM_PART;
    let mut n_untrimmed = trim_at;
    loop {
        let goal = *commits.borrow_and_update();
        loop {
            let (position, chain) = folded(&client).await?;
            if position >= goal {
                break;
            }
            n_untrimmed += within(FOLD_TIMEOUT, fold(&client, position, chain)).await?;
            if n_untrimmed >= trim_at {
                within(FOLD_TIMEOUT, trim(&client, n_kept)).await?;
                n_untrimmed = 0;
            }
        }
        if commits.changed().await.is_err() {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
}

/// Folds the next entries after this commit, if it is still the last one that is folded. Returns their bytes.
/// It is one statement, so that a host which stops in it leaves no transaction open.
async fn fold(client: &Client, position: Position, chain: Chain) -> Result<u64, DatabaseError> {
    let entries = entries_after(client, position, chain).await?;
    let Some((last, changes)) = entries.last().zip(Entry::merge(&entries)?) else {
        return Err(DatabaseError::TooOld);
    };
    let (mut keys, mut values, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in changes {
        match value {
            Some(value) => {
                keys.push(key);
                values.push(value);
            }
            None => gone.push(key),
        }
    }
    let statement = "
        WITH fold AS (
            UPDATE atoll_fold SET seq = $3, chain = $4 WHERE seq = $1 AND chain = $2 RETURNING seq
        ), gone AS (
            DELETE FROM atoll_kv WHERE k = ANY($7::bytea[]) AND EXISTS (SELECT FROM fold)
        )
        INSERT INTO atoll_kv SELECT k, v FROM fold, unnest($5::bytea[], $6::bytea[]) AS put(k, v)
        ON CONFLICT (k) DO UPDATE SET v = excluded.v";
    let (from, from_chain) = (seq(position), chain.0.as_slice());
    let (to, to_chain) = (seq(last.position), last.chain.0.as_slice());
    let parameters: &[Typed<'_>] = &[
        (&from, Type::INT8),
        (&from_chain, Type::BYTEA),
        (&to, Type::INT8),
        (&to_chain, Type::BYTEA),
        (&keys, Type::BYTEA_ARRAY),
        (&values, Type::BYTEA_ARRAY),
        (&gone, Type::BYTEA_ARRAY),
    ];
    client.execute_typed(statement, parameters).await?;
    Ok(entries.iter().map(|it| it.bytes.len() as u64).sum())
}

/// Removes what is folded from the log, but for the last bytes of it, unless a host is loading.
async fn trim(client: &Client, n_kept: u64) -> Result<(), DatabaseError> {
    let statement = "
        WITH free AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($1) AS is_free), kept AS (
            SELECT min(seq) AS first FROM (
                SELECT seq, sum(length(changes)) OVER (ORDER BY seq DESC) AS n_bytes FROM atoll_log
            ) AS summed WHERE n_bytes <= $2
        )
        DELETE FROM atoll_log USING free, kept, atoll_fold
        WHERE is_free AND atoll_log.seq <= atoll_fold.seq
            AND atoll_log.seq < coalesce(kept.first, atoll_fold.seq)";
    let n_kept = i64::try_from(n_kept).unwrap_or(i64::MAX);
    client.execute_typed(statement, &[(&LOADING, Type::INT8), (&n_kept, Type::INT8)]).await?;
    Ok(())
}

/// The last commit that the table of all keys holds.
pub(crate) async fn folded(client: &Client) -> Result<(Position, Chain), DatabaseError> {
    let asked = client.query_typed_one("SELECT seq, chain FROM atoll_fold", &[]);
    point(&within(ANSWER_TIMEOUT, asked).await?)
}
