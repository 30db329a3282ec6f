//! A wire that can be cut and stopped: a proxy in front of PostgreSQL which loses a commit, or the answer to
//! it, or brings it late.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What values hold that the tests write: by it a commit is known, which no other statement has once it is
/// prepared.
pub(crate) const MARK: &[u8] = b"a value of the tests";

/// What becomes of the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    /// The statement is lost.
    Before = 1,
    /// The answer is lost.
    After = 2,
    /// The connection is lost, and the statement arrives when another connection sends a commit: its host has
    /// looked whether this one is there.
    Late = 3,
}

/// What the wire does with all connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Passes,
    /// Nothing passes, and nothing is closed.
    Stopped,
    /// All connections are closed.
    Closed,
}

/// The proxy. Clones share it.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    server: u16,
    next: AtomicU8,
    late: Mutex<Option<Late>>,
    state: watch::Sender<State>,
    /// Reads from clients that were seen, and connections that were closed.
    n_sent: watch::Sender<usize>,
    n_closed: AtomicUsize,
}

/// A commit that is still on its way.
struct Late {
    sent: Vec<u8>,
    from_server: OwnedReadHalf,
    to_server: OwnedWriteHalf,
}

impl Wire {
    /// In front of the server at this port.
    pub(crate) async fn to(server: u16) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let inner = Arc::new(Inner {
            server,
            next: AtomicU8::new(0),
            late: Mutex::default(),
            state: watch::Sender::new(State::Passes),
            n_sent: watch::Sender::new(0),
            n_closed: AtomicUsize::new(0),
        });
        let wire = Wire { port, inner: inner.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(inner.clone().forward(client));
            }
        });
        wire
    }

    /// Cuts the connection of the next commit.
    pub(crate) fn cut(&self, cut: Cut) {
        self.inner.next.store(cut as u8, Ordering::SeqCst);
    }

    /// Was there a commit since?
    pub(crate) fn is_cut(&self) -> bool {
        self.inner.next.load(Ordering::SeqCst) == 0
    }

    /// Lets nothing through, and closes nothing.
    pub(crate) fn stop(&self) {
        self.inner.state.send_replace(State::Stopped);
    }

    /// Closes all connections, and each new one.
    pub(crate) fn close(&self) {
        self.inner.state.send_replace(State::Closed);
    }

    /// Lets all through again.
    pub(crate) fn pass(&self) {
        self.inner.state.send_replace(State::Passes);
    }

    /// How many connections were closed.
    pub(crate) fn n_closed(&self) -> usize {
        self.inner.n_closed.load(Ordering::SeqCst)
    }

    /// How often clients have sent something, to wait for the next time.
    pub(crate) fn sent(&self) -> watch::Receiver<usize> {
        self.inner.n_sent.subscribe()
    }
}

impl Inner {
    /// Forwards until an end closes, or a commit is cut.
    async fn forward(self: Arc<Self>, client: TcpStream) {
        let mut state = self.state.subscribe();
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)).await else { return };
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let (mut sent, mut answer) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        let mut loses_answer = false;
        loop {
            let now = *state.borrow_and_update();
            if now == State::Closed {
                self.n_closed.fetch_add(1, Ordering::SeqCst);
                return;
            }
            tokio::select! {
                Ok(()) = state.changed() => {}
                n = from_client.read(&mut sent) => {
                    let Ok(n @ 1..) = n else { return };
                    self.n_sent.send_modify(|it| *it += 1);
                    if state.wait_for(|it| *it != State::Stopped).await.is_err() {
                        return;
                    }
                    let is_commit = sent[..n].windows(MARK.len()).any(|it| it == MARK);
                    let cut = if is_commit { self.next.swap(0, Ordering::SeqCst) } else { 0 };
                    if cut == Cut::Late as u8 {
                        let late = Late { sent: sent[..n].to_vec(), from_server, to_server };
                        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = Some(late);
                        return;
                    }
                    if is_commit {
                        self.deliver_late(&mut answer).await;
                    }
                    if cut == Cut::Before as u8 || to_server.write_all(&sent[..n]).await.is_err() {
                        return;
                    }
                    loses_answer |= cut == Cut::After as u8;
                }
                n = from_server.read(&mut answer) => {
                    let Ok(n @ 1..) = n else { return };
                    if state.wait_for(|it| *it != State::Stopped).await.is_err() || loses_answer {
                        return;
                    }
                    if to_client.write_all(&answer[..n]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Brings the commit that is late to the server, and waits for its answer.
    async fn deliver_late(&self, answer: &mut [u8]) {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut late) = late {
            late.to_server.write_all(&late.sent).await.expect("it is open");
            assert_ne!(late.from_server.read(answer).await.expect("an answer"), 0, "it is open");
        }
    }
}
