//! Folding: the log is brought into the table of all keys, behind the commits, so that a new host need not
//! begin with the first of them.

use atoll_storage::{Entry, Position};
use tokio_postgres::{Client, Transaction};

use crate::{DatabaseError, head::entries_after};

/// Entries that stay in the log behind those that are folded: a host that was away for less goes on from
/// where it was, and later ones begin anew.
const ENTRIES_KEPT: i64 = 10_000;

/// Folds the next entries. Returns whether there may be more.
pub(crate) async fn fold(client: &mut Client) -> Result<bool, DatabaseError> {
    let entries = entries_after(client, folded(client).await?).await?;
    let is_more = entries.len() > 1;
    let Some((position, _, changes)) = Entry::merge(entries) else { return Ok(false) };
    let position = i64::try_from(position.0).unwrap_or(i64::MAX);
    let tx = client.transaction().await?;
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
    let put = "INSERT INTO atoll_kv SELECT * FROM unnest($1::bytea[], $2::bytea[])
        ON CONFLICT (k) DO UPDATE SET v = excluded.v";
    tx.execute(put, &[&keys, &values]).await?;
    tx.execute("DELETE FROM atoll_kv WHERE k = ANY($1::bytea[])", &[&gone]).await?;
    tx.execute("DELETE FROM atoll_log WHERE seq <= $1::bigint - $2::bigint", &[&position, &ENTRIES_KEPT])
        .await?;
    set_folded(&tx, position).await?;
    tx.commit().await?;
    Ok(is_more)
}

/// The last commit that the table of all keys holds.
pub(crate) async fn folded(client: &Client) -> Result<Position, DatabaseError> {
    let seq: i64 = client.query_one("SELECT seq FROM atoll_fold", &[]).await?.try_get(0)?;
    u64::try_from(seq).map(Position).map_err(|_| DatabaseError::Damaged(format!("folded up to {seq}")))
}

async fn set_folded(tx: &Transaction<'_>, position: i64) -> Result<(), DatabaseError> {
    tx.execute("UPDATE atoll_fold SET seq = $1", &[&position]).await?;
    Ok(())
}
