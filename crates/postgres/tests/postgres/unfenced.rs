//! The control of the fence: a way to PostgreSQL on which the statement of a commit loses it.

use tokio::{
    io::{self, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

/// The fence in the statement of a commit.
const FENCE: &[u8] = b"WHERE epoch = $1 AND seq = $2";

/// What is there in its place: any later leader is taken for this one.
const NO_FENCE: &[u8; FENCE.len()] = b"WHERE epoch>= $1 AND seq>= $2";

/// In front of the server at this port. Returns its own one.
pub(crate) async fn unfenced(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let own = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            let ((from_client, mut to_client), (mut from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(forward(from_client, to_server));
            tokio::spawn(async move { io::copy(&mut from_server, &mut to_client).await });
        }
    });
    own
}

/// Statements are prepared once a connection, by a message that arrives as a whole.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut sent = vec![0; 1 << 16];
    loop {
        let n = from.read(&mut sent).await?;
        if n == 0 {
            return Ok(());
        }
        if let Some(at) = sent[..n].windows(FENCE.len()).position(|it| it == FENCE) {
            sent[at..at + FENCE.len()].copy_from_slice(NO_FENCE);
        }
        to.write_all(&sent[..n]).await?;
    }
}
