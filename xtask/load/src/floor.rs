//! The floor: what the same answers cost if they are served from memory by the same axum and hyper, and what
//! the same writes cost if redb writes them alone.

use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Response, header},
    routing::get,
};
use bytes::Bytes;
use redb::{Database, TableDefinition};
use tokio::{net::TcpListener, runtime};

use crate::{
    FLOOR,
    measure::Figures,
    server::{Server, thread_cpu},
};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("atoll");
/// Bytes of a key; those of the host have about as many.
const KEY_BYTES: usize = 40;
/// Where the floor has its only answer.
pub(crate) const PATH: &str = "/answer";

/// Starts a process that answers with these bytes.
pub(crate) fn start(folder: &Path, answer: &[u8]) -> anyhow::Result<Server> {
    fs::create_dir_all(folder)?;
    let file = folder.join("floor.json");
    fs::write(&file, answer)?;
    let mut command = Command::new(env::current_exe()?);
    command.arg(FLOOR).arg(file);
    Server::wait_for(command)
}

/// Serves the content of a file until the process is ended.
pub(crate) fn serve(file: &Path) -> anyhow::Result<()> {
    let answer = Bytes::from(fs::read(file)?);
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("base=http://{}", listener.local_addr()?);
        let handler = move || {
            let answer = answer.clone();
            async move {
                let mut response = Response::new(Body::from(answer));
                let json = HeaderValue::from_static("application/json; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
        };
        axum::serve(listener, Router::new().route(PATH, get(handler))).await?;
        Ok(())
    })
}

/// What a request has written on average.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) keys: f64,
    /// Of keys and values.
    pub(crate) bytes: f64,
    /// Requests per commit.
    pub(crate) batch: f64,
}

/// Writes as many keys of as many bytes in batches of the same size into an empty database, in this thread;
/// one batch at least.
pub(crate) fn write(folder: &Path, written: Written, window: Duration) -> anyhow::Result<Figures> {
    fs::create_dir_all(folder)?;
    let folder = tempfile::tempdir_in(folder)?;
    let database = Database::create(folder.path().join("floor.redb"))?;
    let bytes_each = (written.bytes / written.keys.max(1.0)) as usize;
    let value = vec![b'x'; bytes_each.saturating_sub(KEY_BYTES)];
    let (begun, cpu) = (Instant::now(), thread_cpu()?);
    let (mut n_requests, mut n_keys, mut latencies) = (0.0, 0_u64, Vec::new());
    loop {
        let started = Instant::now();
        let tx = database.begin_write()?;
        {
            let mut table = tx.open_table(TABLE)?;
            n_requests += written.batch;
            while (n_keys as f64) < n_requests * written.keys {
                n_keys += 1;
                table.insert(key(n_keys).as_slice(), value.as_slice())?;
            }
        }
        tx.commit()?;
        latencies.push(started.elapsed());
        if begun.elapsed() >= window {
            break;
        }
    }
    let took = begun.elapsed();
    let cpu = thread_cpu()?.saturating_sub(cpu);
    let mut figures = Figures::of(latencies, took);
    figures.per_s = n_requests / took.as_secs_f64();
    figures.cpu_us = Some(cpu.as_secs_f64() * 1e6 / n_requests);
    Ok(figures)
}

/// Keys in no order, as those of records and of their indexes are.
fn key(n: u64) -> Vec<u8> {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    mixed.iter().copied().cycle().take(KEY_BYTES).collect()
}

/// Inserts so many keys of so many bytes in one transaction; how long that takes.
pub(crate) fn insert_at_once(folder: &Path, n_keys: u64, n_bytes: u64) -> anyhow::Result<Duration> {
    let bytes = n_bytes as f64;
    let written = Written { keys: n_keys as f64, bytes, batch: 1.0 };
    let figures = write(folder, written, Duration::ZERO)?;
    Ok(Duration::from_secs_f64(figures.p50_ms / 1e3))
}
