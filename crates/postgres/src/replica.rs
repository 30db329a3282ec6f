//! The replica of a host that joins: what it has, if that fits the log, or a new one.

use std::{
    fs,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
};

use atoll_storage::{Changes, Engine as _, Position, View, engines::Redb, files::with_suffix};
use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, IsolationLevel};

use crate::{
    Database, DatabaseError,
    fold::folded,
    head::{Head, chain_at},
};

/// Bytes of keys and values that are written at once.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// How a replica stands to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// The log goes on where it ends.
    Fits,
    /// The log does not reach back to where it ends.
    TooOld,
    /// It holds commits that are not in the log.
    Diverged,
}

/// Opens the replica in this file; where there is none, or the log does not go on from it, a new one is made
/// of what PostgreSQL holds. One that holds commits which the log has lost is kept beside it, with an alarm.
pub async fn bring_up(database: &Database, file: &Path, cache_bytes: usize) -> Result<Redb, DatabaseError> {
    let mut client = match database.connect(Arc::default()).await {
        Ok(client) => client,
        Err(error) if file.exists() => {
            tracing::warn!(%error, "PostgreSQL does not answer: reads are of what the replica has");
            return Ok(Redb::open_with(file, cache_bytes)?);
        }
        Err(error) => return Err(error),
    };
    Head::make(&client).await?;
    if file.exists() {
        let engine = Redb::open_with(file, cache_bytes)?;
        let view = View::look(&engine, &[])?;
        match fit(&client, &view).await? {
            Fit::Fits => return Ok(engine),
            Fit::TooOld => {
                tracing::info!(position = %view.position(), "the log begins later; the replica is loaded anew")
            }
            Fit::Diverged => set_aside(file, view.position())?,
        }
    }
    load(&mut client, file, cache_bytes).await?;
    Ok(Redb::open_with(file, cache_bytes)?)
}

async fn fit(client: &Client, view: &View) -> Result<Fit, DatabaseError> {
    let (position, chain) = (view.position(), view.chain()?);
    let head = Head::read(client).await?;
    let in_log =
        if position == head.position { Some(head.chain) } else { chain_at(client, position).await? };
    Ok(match in_log {
        Some(found) if found == chain => Fit::Fits,
        Some(_) => Fit::Diverged,
        None if position > head.position => Fit::Diverged,
        None if position == Position(0) && folded(client).await? == position => Fit::Fits,
        None => Fit::TooOld,
    })
}

/// Keeps the file of a replica that holds what the log does not.
fn set_aside(file: &Path, position: Position) -> Result<(), DatabaseError> {
    let kept: PathBuf = with_suffix(file, &format!(".diverged-{position}"));
    fs::rename(file, &kept).map_err(|error| engine(file, &error))?;
    tracing::error!(
        %position,
        kept = %kept.display(),
        "PostgreSQL has lost commits that this host holds: it failed over without them, or was restored"
    );
    Ok(())
}

/// Makes the file of what PostgreSQL holds, from one snapshot.
async fn load(client: &mut Client, file: &Path, cache_bytes: usize) -> Result<(), DatabaseError> {
    let part = with_suffix(file, ".part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(engine(&part, &error)),
        _ => {}
    }
    let mut redb = Redb::open_with(&part, cache_bytes)?;
    let tx = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let tx = tx.start().await?;
    {
        let no_parameters: [&str; 0] = [];
        let mut rows = pin!(tx.query_raw("SELECT k, v FROM atoll_kv ORDER BY k", no_parameters).await?);
        let (mut batch, mut n_bytes) = (Changes::new(), 0);
        while let Some(row) = rows.try_next().await? {
            let (key, value): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            n_bytes += key.len() + value.len();
            batch.insert(key, Some(value));
            if n_bytes >= BATCH_BYTES {
                redb.apply(&std::mem::take(&mut batch))?;
                n_bytes = 0;
            }
        }
        redb.commit(&batch)?;
    }
    drop(redb);
    fs::rename(&part, file).map_err(|error| engine(file, &error))
}

fn engine(file: &Path, error: &std::io::Error) -> DatabaseError {
    atoll_storage::StoreError::Engine(format!("`{}`: {error}", file.display())).into()
}
