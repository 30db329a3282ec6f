//! The control socket of a running process, in its data folder: `atoll backup` asks it for a backup,
//! `atoll export-shop` for an export, and `atoll user` for what it does.
//!
//! A client sends one request as a line of JSON, and gets replies as lines of JSON: progress, then the
//! result. It is a file of the data folder with mode 0600: whoever may open it could read the data, too.

use std::{
    fs,
    future::Future,
    io::{self, BufRead as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use atoll_background::{BackingUp, Exporting, why};
use atoll_kernel::{Ctx, serde_json};
use atoll_storage::{Position, Progress};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Take},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Semaphore,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::command::UserWork;

/// The name of the socket in the data folder.
const SOCKET: &str = "atoll.sock";

/// Clients at a time. A backup or export is made for one; the others are told so.
const CLIENTS_MAX: usize = 8;

/// Bytes of a request: the longest path, or an e-mail address and the hash of a password, are shorter.
const REQUEST_BYTES_MAX: u64 = 16 * 1024;

/// How long a client may take for its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two replies that say how far it has come.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// What a client asks for.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// A backup to this folder or new file, by an absolute path.
    Backup { to: PathBuf },
    /// An export to this new folder, or into this folder, by an absolute path.
    Export { to: PathBuf },
    /// Work on admin users.
    Users(UserWork),
}

/// What it is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// How far it is: keys or lines that were written, of how many.
    Progress { n_done: u64, n_all: u64 },
    /// It is made.
    Done(Done),
    /// It is done, and this is to be said of it.
    Said { text: String },
    /// Why it was not done.
    Failed { why: String },
}

/// What was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    /// The file or folder.
    pub(crate) path: PathBuf,
    /// Its size.
    pub(crate) bytes: u64,
    /// The last commit that is in it.
    pub(crate) position: Position,
}

/// How connecting fails where no process listens: there is none, or it was killed and has left its socket, or
/// the path of its folder is too long for one.
const NO_PROCESS: [io::ErrorKind; 3] =
    [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused, io::ErrorKind::InvalidInput];

/// Has the process that runs on this data folder make a backup or an export: it alone can read the data, and
/// writes with its own rights. The bar shows how far it is. `None`: there is no such process.
pub(crate) fn ask(folder: &Path, request: &Request, bar: &ProgressBar) -> anyhow::Result<Option<Done>> {
    let what = if matches!(request, Request::Backup { .. }) { "backup" } else { "export" };
    match last_reply(folder, request, bar)? {
        None => Ok(None),
        Some(Reply::Done(done)) => Ok(Some(done)),
        Some(Reply::Failed { why }) => bail!("the running process made no {what}: {why}"),
        Some(reply) => bail!("the running process is of another version: it says {reply:?}"),
    }
}

/// Has the process that runs on this data folder do it. Returns what is to be said of it; `None`: there is no
/// such process.
pub(crate) fn ask_for_users(folder: &Path, work: &UserWork) -> anyhow::Result<Option<String>> {
    match last_reply(folder, &Request::Users(work.clone()), &ProgressBar::hidden())? {
        None => Ok(None),
        Some(Reply::Said { text }) => Ok(Some(text)),
        Some(Reply::Failed { why }) => bail!("{why}"),
        Some(reply) => bail!("the running process is of another version: it says {reply:?}"),
    }
}

fn last_reply(folder: &Path, request: &Request, bar: &ProgressBar) -> anyhow::Result<Option<Reply>> {
    let mut process = match net::UnixStream::connect(socket_in(folder)) {
        Ok(process) => process,
        Err(error) if NO_PROCESS.contains(&error.kind()) => return Ok(None),
        Err(error) => return Err(error).context("failed to ask the running process"),
    };
    process.write_all((serde_json::to_string(request)? + "\n").as_bytes())?;
    for line in io::BufReader::new(process).lines() {
        match serde_json::from_str(&line?)? {
            Reply::Progress { n_done, n_all } => {
                bar.set_length(n_all);
                bar.set_position(n_done);
            }
            reply => return Ok(Some(reply)),
        }
    }
    bail!("the process ended before this was done");
}

/// The path of the socket of a data folder.
fn socket_in(folder: &Path) -> PathBuf {
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
    let (from, to) = client.into_split();
    let mut client = Client { from: BufReader::new(from.take(REQUEST_BYTES_MAX)), to };
    let mut line = String::new();
    timeout(REQUEST_TIMEOUT, client.from.read_line(&mut line)).await??;
    match serde_json::from_str(&line) {
        Ok(Request::Backup { to: path } | Request::Export { to: path }) if !path.is_absolute() => {
            client.refuse(format!("`{}` is no absolute path", path.display())).await
        }
        Ok(Request::Backup { to: path }) => client.back_up(ctx, path).await,
        Ok(Request::Export { to: path }) => client.export(ctx, path).await,
        Ok(Request::Users(work)) => match work.done(ctx).await {
            Ok(text) => client.send(&Reply::Said { text }).await,
            Err(error) => client.refuse(error.to_string()).await,
        },
        Err(error) => client.refuse(format!("the request is not understood: {error}")).await,
    }
}

/// A client whose request was read.
struct Client {
    from: BufReader<Take<OwnedReadHalf>>,
    to: OwnedWriteHalf,
}

impl Client {
    async fn back_up(&mut self, ctx: &Ctx, path: PathBuf) -> io::Result<()> {
        let backing_up = match BackingUp::begin(ctx) {
            Ok(backing_up) => backing_up,
            Err(error) => return self.refuse(why(&error)).await,
        };
        let progress = backing_up.progress().clone();
        let working = async {
            let (path, made) = backing_up.run(path, None).await.map_err(|error| why(&error))?;
            Ok(Done { path, bytes: made.bytes, position: made.position })
        };
        self.follow(working, &progress).await
    }

    async fn export(&mut self, ctx: &Ctx, path: PathBuf) -> io::Result<()> {
        let exporting = match Exporting::begin(ctx, &path) {
            Ok(exporting) => exporting,
            Err(error) => return self.refuse(why(&error)).await,
        };
        let progress = exporting.progress().clone();
        let working = async {
            let (path, made) = exporting.run().await.map_err(|error| why(&error))?;
            Ok(Done { path, bytes: made.bytes, position: made.position })
        };
        self.follow(working, &progress).await
    }

    /// Works, says how far it has come, and what came of it. When the client goes away, the work is stopped.
    async fn follow(
        &mut self,
        working: impl Future<Output = Result<Done, String>>,
        progress: &Progress,
    ) -> io::Result<()> {
        let mut working = std::pin::pin!(working);
        let mut ticks = interval(PROGRESS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rest = [0; 64];
        loop {
            tokio::select! {
                done = &mut working => {
                    return match done {
                        Ok(done) => self.send(&Reply::Done(done)).await,
                        Err(why) => self.refuse(why).await,
                    };
                }
                _ = ticks.tick() => {
                    let (n_done, n_all) = (progress.n_done(), progress.n_all());
                    self.send(&Reply::Progress { n_done, n_all }).await?;
                }
                read = self.from.read(&mut rest) => {
                    if read? == 0 {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn refuse(&mut self, why: String) -> io::Result<()> {
        self.send(&Reply::Failed { why }).await
    }

    async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        let line = serde_json::to_string(reply).map_err(io::Error::other)? + "\n";
        self.to.write_all(line.as_bytes()).await
    }
}
