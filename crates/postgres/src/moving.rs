//! Moving a store of one host into PostgreSQL, and out of it again.

use std::{path::Path, sync::Arc};

use atoll_storage::{Chain, Changes, Direction, Engine, Position, Raw, Scan, Span, StoreError, View};
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_postgres::Transaction;

use crate::{
    Database, DatabaseError,
    head::{Head, seq},
    replica::load,
};

/// Bytes of keys and values that are sent at once.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Keys with their values.
type Batch = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Copies all that the engine holds into the tables, which must be empty, in one transaction. The file of the
/// engine is a replica of them from then on: the chain of commits begins with the digest of what was moved,
/// so that no other store is taken for this one. Does nothing if that was done before. Errors: there is
/// another store.
pub async fn move_in(database: &Database, engine: &mut impl Engine) -> Result<Position, DatabaseError> {
    let position = View::look(engine, &[])?.position();
    let raw = engine.snapshot()?;
    let digest = spawn_blocking({
        let raw = raw.clone();
        move || Chain::of_content(&*raw)
    });
    let seed = digest.await.map_err(ended)??;
    let mut client = database.join(Arc::default()).await?;
    let tx = client.transaction().await?;
    tx.execute("SELECT FROM atoll_head FOR UPDATE", &[]).await?;
    let head = Head::read(&tx).await?;
    if (head.position, head.chain) != (position, seed) {
        let is_unused = (head.epoch, head.position, head.chain) == Default::default();
        if !is_unused {
            return Err(if head.is_led { DatabaseError::IsLed } else { DatabaseError::NotEmpty });
        }
        copy(&tx, raw, seed).await?;
        let (seq, chain) = (seq(position), seed.0.as_slice());
        tx.execute("UPDATE atoll_head SET seq = $1, chain = $2", &[&seq, &chain]).await?;
        tx.execute("UPDATE atoll_fold SET seq = $1, chain = $2", &[&seq, &chain]).await?;
        tx.commit().await?;
    }
    engine.commit(&Changes::from([seed.entry()]))?;
    Ok(position)
}

/// Makes a file of all that PostgreSQL holds, up to the last commit. Errors: a host leads, whose further
/// commits would not be in it.
pub async fn move_out(
    database: &Database,
    file: &Path,
    cache_bytes: usize,
) -> Result<Position, DatabaseError> {
    let client = database.join(Arc::default()).await?;
    if Head::read(&client).await?.is_led {
        return Err(DatabaseError::IsLed);
    }
    load(client, file, cache_bytes).await
}

fn ended(error: tokio::task::JoinError) -> DatabaseError {
    StoreError::Engine(error.to_string()).into()
}

/// Copies all keys with their values, but for the chain, which is this one.
async fn copy(tx: &Transaction<'_>, raw: Arc<dyn Raw>, seed: Chain) -> Result<(), DatabaseError> {
    let (send, mut batches) = mpsc::channel::<Batch>(1);
    let reading = spawn_blocking(move || {
        let (chain_key, chain_value) = seed.entry();
        let mut batch: Batch = (vec![chain_key.clone()], vec![chain_value.unwrap_or_default()]);
        let mut n_bytes = 0;
        let mut visit = |key: &[u8], value: &[u8]| {
            if key == chain_key {
                return Ok(Scan::Continue(()));
            }
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
        Ok::<_, StoreError>(())
    });
    let insert = tx.prepare("INSERT INTO atoll_kv SELECT * FROM unnest($1::bytea[], $2::bytea[])").await?;
    while let Some((keys, values)) = batches.recv().await {
        tx.execute(&insert, &[&keys, &values]).await?;
    }
    reading.await.map_err(ended)??;
    Ok(())
}
