//! A wire that can be cut: a proxy in front of PostgreSQL which loses a commit or the answer to it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What is lost of the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    /// The statement.
    Before = 1,
    /// The answer.
    After = 2,
}

/// The proxy.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) port: u16,
    next: Arc<AtomicU8>,
    is_held: Arc<AtomicBool>,
}

impl Wire {
    /// In front of the server at this port.
    pub(crate) async fn to(port: u16) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let wire = Wire {
            port: listener.local_addr().expect("an address").port(),
            next: Arc::default(),
            is_held: Arc::default(),
        };
        let (next, is_held) = (wire.next.clone(), wire.is_held.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, port, next.clone(), is_held.clone()));
            }
        });
        wire
    }

    /// Cuts the connection of the next commit.
    pub(crate) fn cut(&self, cut: Cut) {
        self.next.store(cut as u8, Ordering::SeqCst);
    }

    /// Closes all connections that are used, and lets none through until it is let go.
    pub(crate) fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::SeqCst);
    }

    /// Was there a commit since?
    pub(crate) fn is_cut(&self) -> bool {
        self.next.load(Ordering::SeqCst) == 0
    }
}

/// Forwards until an end closes, or a commit is to be cut: one is known by the size of what is sent, which no
/// other statement has once it is prepared.
async fn forward(client: TcpStream, port: u16, next: Arc<AtomicU8>, is_held: Arc<AtomicBool>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let (mut sent, mut answer) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut loses_answer = false;
    loop {
        tokio::select! {
            n = from_client.read(&mut sent) => {
                let n = n.unwrap_or(0);
                let is_commit = sent[..n].windows(MARK.len()).any(|it| it == MARK);
                let cut = if is_commit { next.swap(0, Ordering::SeqCst) } else { 0 };
                if n == 0 || is_held.load(Ordering::SeqCst) || cut == Cut::Before as u8 || to_server.write_all(&sent[..n]).await.is_err() {
                    return;
                }
                loses_answer |= cut == Cut::After as u8;
            }
            n = from_server.read(&mut answer) => {
                let n = n.unwrap_or(0);
                if n == 0 || is_held.load(Ordering::SeqCst) || loses_answer || to_client.write_all(&answer[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What values hold that the tests write.
pub(crate) const MARK: &[u8] = b"a value of the tests";
