//! The controls: a way to PostgreSQL on which a statement loses what makes it safe.

use tokio::{
    io::{self, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

/// A part of a statement, and what is there in its place. Both are equally long.
pub(crate) struct Change(&'static str, &'static str);

/// The fence of a commit: any later leader is taken for the one that sends it.
pub(crate) const WITHOUT_FENCE: Change =
    Change("WHERE epoch = $1 AND seq = $2", "WHERE epoch>= $1 AND seq>= $2");

/// The raise of the own epoch, before a host looks whether a commit is there.
pub(crate) const WITHOUT_RAISE: Change = Change("epoch = epoch + 1, beat =", "epoch = epoch + 0, beat =");

/// In front of the server at this port. Returns its own one.
pub(crate) async fn altered(port: u16, change: &'static Change) -> u16 {
    assert_eq!(change.0.len(), change.1.len());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let own = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            let ((from_client, mut to_client), (mut from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(forward(from_client, to_server, change));
            tokio::spawn(async move { io::copy(&mut from_server, &mut to_client).await });
        }
    });
    own
}

/// A statement is in one message, which arrives as a whole.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, change: &Change) -> io::Result<()> {
    let mut sent = vec![0; 1 << 16];
    loop {
        let n = from.read(&mut sent).await?;
        if n == 0 {
            return Ok(());
        }
        let (safe, altered) = (change.0.as_bytes(), change.1.as_bytes());
        if let Some(at) = sent[..n].windows(safe.len()).position(|it| it == safe) {
            sent[at..at + safe.len()].copy_from_slice(altered);
        }
        to.write_all(&sent[..n]).await?;
    }
}
