//! The replica of a host that joins: what it has, if that fits the log, or a new one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use atoll_storage::{
    Changes, Engine as _, Entry, Position, StoreError, View,
    engines::Redb,
    files::{folder_of, put_in_place, with_suffix},
    marked,
};
use tokio_postgres::{Client, types::Type};

use crate::{
    Database, DatabaseError,
    database::{ANSWER_TIMEOUT, within},
    fold::{LOADING, folded},
    head::{Head, Typed},
    log::{CHUNK_TIMEOUT, entries_after},
};

/// Bytes of keys and values that are copied at once; the last value may go beyond.
const COPIED_BYTES_MAX: i64 = 4 * 1024 * 1024;

/// Keys that are copied at once.
const COPIED_KEYS_MAX: i64 = 16_384;

/// Replicas that are kept because PostgreSQL has lost what they hold; older ones are removed.
const ASIDE_MAX: usize = 3;

/// How a replica stands to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// The log goes on where it ends.
    Fits,
    /// The log does not reach back to where it ends, or it is empty.
    TooOld,
    /// It holds commits that are not in the log.
    Diverged,
    /// It is of a shop, and there is none in the tables.
    Stranger,
}

/// Opens the replica in this file; where there is none, or the log does not go on from it, a new one is made
/// of what PostgreSQL holds. One that holds commits which the log has lost is kept beside it, with an alarm.
pub async fn bring_up(database: &Database, file: &Path, cache_bytes: usize) -> Result<Redb, DatabaseError> {
    let client = match database.connect(Arc::default()).await {
        Ok(client) => client,
        Err(error) if file.exists() => {
            tracing::warn!(%error, "PostgreSQL does not answer: reads are of what the replica has");
            return Ok(Redb::open_with(file, cache_bytes)?);
        }
        Err(error) => return Err(error),
    };
    within(ANSWER_TIMEOUT, database.prepare(&client)).await?;
    if file.exists() {
        let engine = Redb::open_with(file, cache_bytes)?;
        let view = View::look(&engine, &[])?;
        match fit(&client, &view).await? {
            Fit::Fits => return Ok(engine),
            Fit::TooOld => {
                tracing::info!(position = %view.position(), "the log begins later; the replica is loaded anew")
            }
            Fit::Diverged => set_aside(file, view.position())?,
            Fit::Stranger => return Err(DatabaseError::Empty(file.to_owned())),
        }
    }
    load(client, file, cache_bytes).await?;
    Ok(Redb::open_with(file, cache_bytes)?)
}

async fn fit(client: &Client, view: &View) -> Result<Fit, DatabaseError> {
    let (position, chain) = (view.position(), view.chain()?);
    let head = within(ANSWER_TIMEOUT, Head::read(client)).await?;
    Ok(if (position, chain) == (head.position, head.chain) {
        Fit::Fits
    } else if (position, chain) == Default::default() {
        Fit::TooOld
    } else if (head.epoch, head.position, head.chain) == Default::default() {
        Fit::Stranger
    } else if position >= head.position {
        Fit::Diverged
    } else {
        match entries_after(client, position, chain).await {
            Ok(next) if !next.is_empty() => Fit::Fits,
            Ok(_) | Err(DatabaseError::TooOld) => Fit::TooOld,
            Err(DatabaseError::Store(StoreError::Diverged { .. })) => Fit::Diverged,
            Err(error) => return Err(error),
        }
    })
}

/// Keeps the file of a replica that holds what the log does not.
fn set_aside(file: &Path, position: Position) -> Result<(), DatabaseError> {
    let failed = |error: std::io::Error| engine(file, &error);
    let mut earlier = aside(file).map_err(failed)?;
    earlier.sort();
    for (_, file) in earlier.iter().rev().skip(ASIDE_MAX - 1) {
        fs::remove_file(file).map_err(failed)?;
    }
    let kept = with_suffix(file, &format!(".diverged-{position}"));
    fs::rename(file, &kept).map_err(failed)?;
    tracing::error!(
        %position,
        kept = %kept.display(),
        "PostgreSQL has lost commits that this host holds: it failed over without them, or was restored"
    );
    Ok(())
}

/// The replicas that were set aside, each with when it was last written.
fn aside(file: &Path) -> std::io::Result<Vec<(std::time::SystemTime, PathBuf)>> {
    let begin = with_suffix(file, ".diverged-").display().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder_of(file))? {
        let entry = entry?;
        if folder_of(file).join(entry.file_name()).display().to_string().starts_with(&begin) {
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    Ok(found)
}

/// Makes the file of what PostgreSQL holds, up to the last commit at the end of the copy. While it does, the
/// log is not trimmed, so that it reaches back to where this begins, however long it takes.
pub(crate) async fn load(client: Client, file: &Path, cache_bytes: usize) -> Result<Position, DatabaseError> {
    let part = with_suffix(file, ".part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(engine(&part, &error)),
        _ => {}
    }
    let mut redb = Redb::open_with(&part, cache_bytes)?;
    // Until the session ends.
    let loading = client.execute_typed("SELECT pg_advisory_lock_shared($1)", &[(&LOADING, Type::INT8)]);
    within(CHUNK_TIMEOUT, loading).await?;
    copy_keys(&client, &mut redb).await?;
    let position = replay(&client, &mut redb).await?;
    redb.flush()?;
    drop(redb);
    put_in_place(&part, file).map_err(|error| engine(file, &error))?;
    Ok(position)
}

/// Copies the table of all keys by short statements, each of which sees what is folded by then, and marks the
/// copy as at the commit that was folded before the first of them. One transaction for all would keep the old
/// versions of the head, of which there is one for each commit, and commits would get slower until its end.
///
/// Such a copy is of no moment. [Replayed](replay) from its mark to a commit behind all that it has seen, it
/// is: entries hold whole values and deletions, so each key that one of them changes has the value of the
/// last that does, whatever was copied, and each other one had the same value at all these moments.
async fn copy_keys(client: &Client, redb: &mut Redb) -> Result<(), DatabaseError> {
    let (position, chain) = folded(client).await?;
    let statement = "
        SELECT k, v FROM (
            SELECT k, v, sum(length(k) + length(v)) OVER (ORDER BY k) AS n_bytes FROM (
                SELECT k, v FROM atoll_kv WHERE k >= $1 ORDER BY k LIMIT $2
            ) AS next
        ) AS summed WHERE n_bytes - length(k) - length(v) < $3 ORDER BY k";
    let mut from = Vec::new();
    loop {
        let parameters: &[Typed<'_>] =
            &[(&from, Type::BYTEA), (&COPIED_KEYS_MAX, Type::INT8), (&COPIED_BYTES_MAX, Type::INT8)];
        let rows = within(CHUNK_TIMEOUT, client.query_typed(statement, parameters)).await?;
        let mut copied = Changes::new();
        for row in &rows {
            copied.insert(row.try_get(0)?, Some(row.try_get(1)?));
        }
        let Some((last, _)) = copied.last_key_value() else { break };
        // The first key that there can be behind it.
        from = [last.as_slice(), &[0]].concat();
        redb.apply(&copied)?;
    }
    Ok(redb.apply(&marked(position, chain))?)
}

/// Applies the log to a copy, up to the commit that is the last one now. Those that come meanwhile are left
/// to the host, which follows.
async fn replay(client: &Client, redb: &mut Redb) -> Result<Position, DatabaseError> {
    let head = within(ANSWER_TIMEOUT, Head::read(client)).await?;
    loop {
        let view = View::look(redb, &[])?;
        let (position, chain) = (view.position(), view.chain()?);
        if (position, chain) == (head.position, head.chain) {
            return Ok(position);
        }
        if position >= head.position {
            return Err(StoreError::Diverged { position }.into());
        }
        let entries = entries_after(client, position, chain).await?;
        redb.apply(&Entry::merge(&entries)?.ok_or(DatabaseError::TooOld)?)?;
    }
}

fn engine(file: &Path, error: &std::io::Error) -> DatabaseError {
    StoreError::Engine(format!("`{}`: {error}", file.display())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_replicas_are_kept_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("replica.redb");
        for n in 1..=5 {
            fs::write(&file, n.to_string()).expect("a file");
            let made_at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(n);
            fs::File::options()
                .write(true)
                .open(&file)
                .and_then(|it| it.set_modified(made_at))
                .expect("a time");
            set_aside(&file, Position(10 - n)).expect("it is set aside");
        }
        let mut kept: Vec<_> = aside(&file).expect("a folder").into_iter().map(|(_, file)| file).collect();
        kept.sort();
        let newest = ["5", "6", "7"].map(|it| with_suffix(&file, &format!(".diverged-{it}")));
        assert_eq!(kept, newest, "the last that were set aside");
    }
}
