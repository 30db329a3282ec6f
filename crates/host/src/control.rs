//! The control socket of a running process, in its data folder: `atoll backup` asks it for a backup.
//!
//! A client sends one request as a line of JSON, and gets replies as lines of JSON: progress, then the
//! result. It is a file of the data folder with mode 0600: whoever may open it could read the data, too.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use atoll_background::{BackingUp, BackupFile};
use atoll_kernel::{Ctx, serde_json};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

/// The name of the socket in the data folder.
const SOCKET: &str = "atoll.sock";

/// Clients at a time. A backup is made for one; the others are told so.
const CLIENTS_MAX: usize = 8;

/// Bytes of a request: longer than the longest path.
const REQUEST_BYTES_MAX: u64 = 16 * 1024;

/// How long a client may take for its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two replies that say how far a backup has come.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// What a client asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// A backup to this folder or new file, by an absolute path.
    Backup { to: PathBuf },
}

/// What it is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// How far it is: keys that were copied, of how many.
    Progress { n_copied: u64, n_keys: u64 },
    /// It is done: the file.
    Done { file: PathBuf, made: BackupFile },
    /// Why it was not done.
    Failed { why: String },
}

/// The path of the socket of a data folder.
pub(crate) fn socket_in(folder: &Path) -> PathBuf {
    folder.join(SOCKET)
}

/// The socket of this process. It is removed on drop.
pub(crate) struct ControlSocket {
    path: PathBuf,
    serving: JoinHandle<()>,
}

impl ControlSocket {
    /// Listens in this data folder, which this process has opened: a socket that is there was left by one
    /// that was killed, and is replaced.
    pub(crate) fn listen(ctx: Ctx, folder: &Path) -> io::Result<ControlSocket> {
        let path = socket_in(folder);
        // It has its name when its mode is right, and not before.
        let new = folder.join(format!("{SOCKET}.new"));
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
        fs::rename(&new, &path)?;
        Ok(ControlSocket { path, serving: tokio::spawn(serve(ctx, listener)) })
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.serving.abort();
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "the control socket is not removed");
        }
    }
}

async fn serve(ctx: Ctx, listener: UnixListener) {
    let permits = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((client, _)) => {
                let ctx = ctx.clone();
                tokio::spawn(async move {
                    // A client that has gone is told nothing.
                    let _ = answer(&ctx, client).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::error!(%error, "a client of the control socket was not accepted");
                tokio::time::sleep(PROGRESS_EVERY).await;
            }
        }
    }
}

async fn answer(ctx: &Ctx, client: UnixStream) -> io::Result<()> {
    let (from, mut to) = client.into_split();
    let mut from = BufReader::new(from.take(REQUEST_BYTES_MAX));
    let mut line = String::new();
    timeout(REQUEST_TIMEOUT, from.read_line(&mut line)).await??;
    let reply = match serde_json::from_str(&line) {
        Ok(Request::Backup { to: file }) => match back_up(ctx, file, &mut from, &mut to).await? {
            Some(reply) => reply,
            None => return Ok(()),
        },
        Err(error) => Reply::Failed { why: format!("the request is not understood: {error}") },
    };
    send(&mut to, &reply).await
}

/// Makes a backup, and says how far it has come. `None`: the client has gone, and the backup was stopped.
async fn back_up(
    ctx: &Ctx,
    file: PathBuf,
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
) -> io::Result<Option<Reply>> {
    let failed =
        |error: &(dyn std::error::Error + 'static)| Reply::Failed { why: atoll_background::why(error) };
    if !file.is_absolute() {
        return Ok(Some(Reply::Failed { why: format!("`{}` is no absolute path", file.display()) }));
    }
    let backing_up = match BackingUp::begin(ctx) {
        Ok(backing_up) => backing_up,
        Err(error) => return Ok(Some(failed(&error))),
    };
    let progress = backing_up.progress().clone();
    let mut working = std::pin::pin!(backing_up.run(file, None));
    let mut ticks = interval(PROGRESS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rest = [0; 64];
    loop {
        tokio::select! {
            done = &mut working => {
                return Ok(Some(match done {
                    Ok((file, made)) => Reply::Done { file, made },
                    Err(error) => failed(&error),
                }));
            }
            _ = ticks.tick() => {
                let reply = Reply::Progress { n_copied: progress.n_copied(), n_keys: progress.n_keys() };
                send(to, &reply).await?;
            }
            read = from.read(&mut rest) => {
                if read? == 0 {
                    return Ok(None);
                }
            }
        }
    }
}

async fn send(to: &mut (impl tokio::io::AsyncWrite + Unpin), reply: &Reply) -> io::Result<()> {
    let line = serde_json::to_string(reply).map_err(io::Error::other)? + "\n";
    to.write_all(line.as_bytes()).await
}
