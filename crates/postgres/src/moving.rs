//! Moving a store of one host into PostgreSQL, and out of it again.

use std::{path::Path, sync::Arc, time::Duration};

use atoll_storage::{Direction, Engine, Position, Raw, Scan, Span, Store, StoreOptions, View};
use tokio::sync::mpsc;
use tokio_postgres::Transaction;

use crate::{Database, DatabaseError, bring_up, head::Head, member::catch_up};

/// Bytes of keys and values that are sent at once.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How long PostgreSQL may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keys with their values.
type Batch = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Copies all that the engine holds into the tables, which must be empty, in one transaction. The file of the
/// engine is a replica of them from then on. Does nothing if that was done before.
pub async fn move_in(database: &Database, engine: &impl Engine) -> Result<Position, DatabaseError> {
    let view = View::look(engine, &[])?;
    let (position, chain) = (view.position(), view.chain()?);
    let mut client = database.connect(Arc::default()).await?;
    Head::make(&client).await?;
    let tx = client.transaction().await?;
    tx.execute("SELECT FROM atoll_head FOR UPDATE", &[]).await?;
    let head = Head::read(&tx).await?;
    if head.position == position && head.chain == chain {
        return Ok(position);
    }
    if head.position != Position(0) || head.epoch != 0 {
        return Err(DatabaseError::NotEmpty);
    }
    copy(&tx, engine.snapshot()?).await?;
    let seq = i64::try_from(position.0).unwrap_or(i64::MAX);
    tx.execute("UPDATE atoll_head SET seq = $1, chain = $2", &[&seq, &chain.0.as_slice()]).await?;
    tx.execute("UPDATE atoll_fold SET seq = $1", &[&seq]).await?;
    tx.commit().await?;
    Ok(position)
}

/// Makes a file of all that PostgreSQL holds, up to the last commit.
pub async fn move_out(
    database: &Database,
    file: &Path,
    cache_bytes: usize,
) -> Result<Position, DatabaseError> {
    let client = database.connect(Arc::default()).await?;
    let replica = bring_up(database, file, cache_bytes).await?;
    let store = Store::open_replica(replica, &[], StoreOptions::default())?;
    let head = Head::read(&client).await?;
    let done = catch_up(&client, &store, &head, PATIENCE).await;
    store.close();
    done.map(|()| store.view().position())
}

async fn copy(tx: &Transaction<'_>, raw: Arc<dyn Raw>) -> Result<(), DatabaseError> {
    let (send, mut batches) = mpsc::channel::<Batch>(1);
    let reading = tokio::task::spawn_blocking(move || {
        let mut batch = Batch::default();
        let mut n_bytes = 0;
        let mut visit = |key: &[u8], value: &[u8]| {
            batch.0.push(key.to_vec());
            batch.1.push(value.to_vec());
            n_bytes += key.len() + value.len();
            if n_bytes >= BATCH_BYTES {
                n_bytes = 0;
                // Nobody takes it any more: the transaction has failed.
                if send.blocking_send(std::mem::take(&mut batch)).is_err() {
                    return Ok(Scan::Break(()));
                }
            }
            Ok(Scan::Continue(()))
        };
        raw.scan(&Span::prefix(&[]), Direction::Ascending, &mut visit, &mut |_, _| Ok(()))?;
        drop(send.blocking_send(batch));
        Ok::<_, atoll_storage::StoreError>(())
    });
    let insert = tx.prepare("INSERT INTO atoll_kv SELECT * FROM unnest($1::bytea[], $2::bytea[])").await?;
    while let Some((keys, values)) = batches.recv().await {
        tx.execute(&insert, &[&keys, &values]).await?;
    }
    reading.await.map_err(|error| DatabaseError::Damaged(error.to_string()))??;
    Ok(())
}
