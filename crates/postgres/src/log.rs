//! Reading the log: entries in their order, some at a time.

use std::time::Duration;

use atoll_storage::{Chain, Entry, Position, Store, StoreError, View};
use tokio_postgres::{Client, types::Type};

use crate::{
    DatabaseError,
    database::within,
    head::{Head, Typed, point, seq},
};

/// What followers are notified on.
pub(crate) const CHANNEL: &str = "atoll_log";

/// Bytes of entries that are read at once. A larger entry is read alone.
const CHUNK_BYTES_MAX: i64 = 8 * 1024 * 1024;

/// Entries that are read at once.
const CHUNK_ENTRIES_MAX: i64 = 1_024;

/// How long PostgreSQL may take for a chunk: it is as large as the largest transaction at most, and the
/// network may be slow. This is no matter of the lease.
pub(crate) const CHUNK_TIMEOUT: Duration = Duration::from_secs(120);

/// The next entries of the log after this commit, the first one first; none if there are none. Errors: the
/// log begins later, or goes on from another commit.
pub(crate) async fn entries_after(
    client: &Client,
    position: Position,
    mut chain: Chain,
) -> Result<Vec<Entry>, DatabaseError> {
    let statement = "
        SELECT seq, chain, changes FROM (
            SELECT seq, chain, changes, sum(length(changes)) OVER (ORDER BY seq) AS n_bytes FROM (
                SELECT seq, chain, changes FROM atoll_log WHERE seq > $1 ORDER BY seq LIMIT $2
            ) AS next
        ) AS summed WHERE n_bytes <= $3 OR seq = $1 + 1 ORDER BY seq";
    let behind = seq(position);
    let parameters: &[Typed<'_>] =
        &[(&behind, Type::INT8), (&CHUNK_ENTRIES_MAX, Type::INT8), (&CHUNK_BYTES_MAX, Type::INT8)];
    let rows = within(CHUNK_TIMEOUT, client.query_typed(statement, parameters)).await?;
    let (mut entries, mut next) = (Vec::with_capacity(rows.len()), position.next());
    for row in rows {
        let (position, own) = point(&row)?;
        if position != next {
            return Err(DatabaseError::TooOld);
        }
        let entry = Entry::check(chain, position, own, row.try_get("changes")?);
        entries.push(entry.ok_or(StoreError::Diverged { position })?);
        (chain, next) = (own, position.next());
    }
    Ok(entries)
}

/// The chain of the commit at this position; none if the log does not hold it.
pub(crate) async fn chain_at(client: &Client, at: Position) -> Result<Option<Chain>, DatabaseError> {
    let statement = "SELECT seq, chain FROM atoll_log WHERE seq = $1";
    let row = client.query_typed_opt(statement, &[(&seq(at), Type::INT8)]).await?;
    Ok(row.as_ref().map(point).transpose()?.map(|(_, chain)| chain))
}

/// Applies the log up to this head, or further.
pub(crate) async fn catch_up(client: &Client, store: &Store, head: &Head) -> Result<View, DatabaseError> {
    let mut view = store.view();
    if view.position() > head.position {
        return Err(StoreError::Diverged { position: head.position }.into());
    }
    while view.position() < head.position {
        let entries = entries_after(client, view.position(), view.chain()?).await?;
        if entries.is_empty() {
            return Err(DatabaseError::TooOld);
        }
        view = store.apply(entries).await?;
    }
    if view.position() == head.position && view.chain()? != head.chain {
        return Err(StoreError::Diverged { position: head.position }.into());
    }
    Ok(view)
}
