//! A mail server of the tests: keeps what it is sent, with and without TLS. It refuses recipients that begin
//! with `gone` for good, does not take those with `busy` the first time, and says nothing to those with
//! `slow`.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// What a client has said, line by line, in the order of all connections.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<String>>>);

impl Sink {
    /// Starts a server on a free port. `encrypts`: from the first byte on, after `STARTTLS`, or never.
    pub(crate) async fn start(encrypts: &'static str) -> (Sink, u16) {
        let sink = Sink::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (all, acceptor) = (sink.clone(), acceptor());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (all, acceptor) = (all.clone(), acceptor.clone());
                tokio::spawn(async move {
                    if encrypts == "tls" {
                        if let Ok(socket) = acceptor.accept(socket).await {
                            all.serve(socket, true, false).await;
                        }
                    } else if let Some(socket) = all.serve(socket, true, encrypts == "starttls").await
                        && let Ok(socket) = acceptor.accept(socket).await
                    {
                        all.serve(socket, false, false).await;
                    }
                });
            }
        });
        (sink, port)
    }

    /// The lines so far that begin with this.
    pub(crate) fn lines(&self, begin: &str) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|it| it.starts_with(begin)).cloned().collect()
    }

    /// Serves one connection, until it ends or, then it is returned, is to be encrypted.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        socket: S,
        greets: bool,
        can_tls: bool,
    ) -> Option<S> {
        let mut socket = BufReader::new(socket);
        if greets {
            socket.write_all(b"220 sink\r\n").await.ok()?;
        }
        let mut in_data = false;
        loop {
            let mut line = String::new();
            if socket.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            let n_before = self.lines(&line).len();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                _ if in_data && line == "." => {
                    in_data = false;
                    "250 taken"
                }
                _ if in_data => continue,
                "EHLO" if can_tls => "250-sink\r\n250 STARTTLS",
                "EHLO" => "250-sink\r\n250 AUTH PLAIN",
                "STARTTLS" => {
                    socket.write_all(b"220 go\r\n").await.ok()?;
                    return Some(socket.into_inner());
                }
                "AUTH" => "235 welcome",
                "RCPT" if line.contains("<gone") => "550 no such mailbox",
                "RCPT" if line.contains("<busy") && n_before == 0 => "451 later",
                "RCPT" if line.contains("<slow") => continue,
                "DATA" => {
                    in_data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            socket.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
    }
}

/// TLS with the certificate beside this file.
fn acceptor() -> TlsAcceptor {
    let certificate =
        CertificateDer::from_pem_slice(include_bytes!("certificate.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    TlsAcceptor::from(Arc::new(config))
}
