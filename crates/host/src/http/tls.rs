//! TLS (rustls): the certificate and its key, loaded again when their files change, the handshake, and the
//! choice between HTTP/2 and HTTP/1.1 (ALPN).

use std::{
    fmt,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use axum::Router;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::watch};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{connection::Connection, http1, http2};

/// Between two looks at the files.
const RELOAD_PAUSE: Duration = Duration::from_secs(10);

/// Bytes of one of the files: more than a chain of a dozen certificates.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// The first byte of a TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 22;

/// What a client is told that speaks HTTP where TLS is spoken.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
    This port speaks TLS: use https.\n";

/// The protocols that are offered (ALPN), the best one first.
const PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];
const HTTP2: &[u8] = b"h2";

/// A certificate and its key, from their files. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    cert: PathBuf,
    key: PathBuf,
    /// What was read last, whether it could be used or not.
    read: Mutex<Pair>,
    current: RwLock<Arc<ServerConfig>>,
}

/// What is in the two files.
type Pair = [Vec<u8>; 2];

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.0.cert.display(), self.0.key.display())
    }
}

impl Tls {
    /// Loads the certificate, with those that lead to its issuer behind it, and its key, both as PEM. The
    /// error names the file.
    pub fn load(cert: &Path, key: &Path) -> Result<Tls, String> {
        let read = [pem(cert)?, pem(key)?];
        let current = RwLock::new(Arc::new(config(cert, key, &read)?));
        let (cert, key) = (cert.to_owned(), key.to_owned());
        Ok(Tls(Arc::new(Shared { cert, key, read: Mutex::new(read), current })))
    }

    /// Loads the files again, if they have changed; new connections get what is in them. Returns whether they
    /// have. After an error what was loaded before is used on.
    pub fn reload(&self) -> Result<bool, String> {
        let Shared { cert, key, read, current } = &*self.0;
        let pair = [pem(cert)?, pem(key)?];
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == pair {
            return Ok(false);
        }
        let config = config(cert, key, &pair);
        *read = pair;
        *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config?);
        Ok(true)
    }

    /// Looks at the files now and then, for ever. The log has each reason once.
    pub(crate) async fn keep_loaded(self) {
        let mut said = String::new();
        loop {
            tokio::time::sleep(RELOAD_PAUSE).await;
            let tls = self.clone();
            let Ok(reloaded) = tokio::task::spawn_blocking(move || tls.reload()).await else { return };
            match reloaded {
                Ok(false) => {}
                Ok(true) => {
                    said.clear();
                    tracing::info!(certificate = %self.0.cert.display(), "loaded the new certificate");
                }
                Err(error) if error == said => {}
                Err(error) => {
                    tracing::error!(%error, "the new certificate cannot be used; the last one is used on");
                    said = error;
                }
            }
        }
    }

    /// Shakes hands, and answers the requests of the connection.
    pub(super) async fn answer(
        self,
        stream: TcpStream,
        connection: Arc<Connection>,
        router: Router,
        mut drain: watch::Receiver<bool>,
    ) {
        connection.shake_hands();
        connection.all.limit_handshakes();
        let stream = tokio::select! {
            stream = self.shake_hands(stream) => stream,
            () = connection.until_cut() => return,
            () = async { drop(drain.wait_for(|it| *it).await) } => return,
        };
        let Some(stream) = stream else { return };
        connection.has_shaken_hands();
        match stream.get_ref().1.alpn_protocol() {
            Some(HTTP2) => http2::answer(stream, connection, router, drain).await,
            _ => http1::answer(stream, connection, router, drain).await,
        }
    }

    /// The stream after the handshake; none if the client breaks it off, or does not speak TLS.
    async fn shake_hands(&self, mut stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let mut first = [0];
        stream.peek(&mut first).await.ok().filter(|n| *n == 1)?;
        if first[0] != HANDSHAKE {
            // Of what is unread when a socket is closed, the client learns by a reset, before the answer.
            let _ = stream.try_read(&mut [0; 4096]);
            let _ = stream.write_all(PLAIN).await;
            let _ = stream.shutdown().await;
            return None;
        }
        let config = self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        TlsAcceptor::from(config).accept(stream).await.ok()
    }
}

/// The content of a file.
fn pem(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|it| it.take(PEM_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(n) if n as u64 <= PEM_BYTES_MAX => Ok(bytes),
        Ok(_) => Err(format!("{} has more than {PEM_BYTES_MAX} bytes", path.display())),
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    }
}

fn config(cert: &Path, key: &Path, [chain, secret]: &Pair) -> Result<ServerConfig, String> {
    let (cert, key) = (cert.display(), key.display());
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| format!("{cert} is no certificate: {error}"))?;
    if chain.is_empty() {
        return Err(format!("{cert} holds no certificate (PEM)"));
    }
    let secret = PrivateKeyDer::from_pem_slice(secret);
    let secret = secret.map_err(|error| format!("{key} is no private key (PEM): {error}"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| format!("{cert} and {key} do not fit together: {error}"))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}
