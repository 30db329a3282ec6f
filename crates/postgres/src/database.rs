//! Connections to PostgreSQL.

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use atoll_storage::StoreError;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An error of PostgreSQL, or of the way to it.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address or a setting of it is wrong.
    #[error("`{0}` is no address of a PostgreSQL database: {1}")]
    Address(String, String),
    /// It was not reached, or it refused.
    #[error("PostgreSQL: {}", told(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// It has not answered in time.
    #[error("PostgreSQL has not answered in time")]
    TimedOut,
    /// The replica.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log no longer reaches back to where the replica ends.
    #[error("this host was away for longer than PostgreSQL keeps the log; its replica is to be made anew")]
    TooOld,
    /// A store is there already.
    #[error("there is a store in this database already: move into an empty one")]
    NotEmpty,
    /// What lies in the tables is not what this program wrote.
    #[error("the tables of Atoll in PostgreSQL are damaged: {0}")]
    Damaged(String),
}

impl DatabaseError {
    /// Whether the replica is of no use any more, or its store has stopped: trying again is in vain.
    pub(crate) fn is_for_good(&self) -> bool {
        match self {
            DatabaseError::Store(StoreError::NotWritten(_) | StoreError::Unknown(_)) => false,
            DatabaseError::Store(_) | DatabaseError::TooOld => true,
            _ => false,
        }
    }
}

/// What the server says, which the error alone does not tell.
fn told(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

/// A database, with what is needed to connect to it.
#[derive(Clone)]
pub struct Database {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Database {
    /// The database at this address, `postgres://user:password@host/name`. With `sslmode=verify-full` the
    /// connection is encrypted, and the certificate and its name are checked against the roots in the file
    /// that `sslrootcert` names (PEM), or else those that the system trusts; `disable`, the default, is for sockets
    /// and networks of one's own. The other modes of PostgreSQL encrypt without knowing for whom, and are
    /// refused.
    pub fn parse(address: &str) -> Result<Database, DatabaseError> {
        let wrong = |why: String| DatabaseError::Address(without_password(address), why);
        let (place, parameters) = address.split_once('?').unwrap_or((address, ""));
        let (mut mode, mut roots, mut others) = ("disable", None, Vec::new());
        for parameter in parameters.split('&').filter(|it| !it.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", it)) => mode = it,
                Some(("sslrootcert", it)) => roots = Some(Path::new(it)),
                _ => others.push(parameter),
            }
        }
        let plain = format!("{place}?{}", others.join("&"));
        let mut config = Config::from_str(&plain).map_err(|error| wrong(error.to_string()))?;
        config.connect_timeout(CONNECT_TIMEOUT).keepalives_idle(CONNECT_TIMEOUT).application_name("atoll");
        let tls = match mode {
            "disable" => None,
            "verify-full" => Some(verifying(roots).map_err(wrong)?),
            _ => return Err(wrong(format!("sslmode is `disable` or `verify-full`, and not `{mode}`"))),
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Database { config, tls })
    }

    /// Connects. Names that are notified on are sent to `notified`; the connection ends with the client.
    pub(crate) async fn connect(&self, notified: Arc<tokio::sync::Notify>) -> Result<Client, DatabaseError> {
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(drive(connection, notified));
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(drive(connection, notified));
                Ok(client)
            }
        }
    }
}

/// TLS that checks certificates against the roots in this file, or those that the system trusts.
fn verifying(file: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    match file {
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        Some(file) => {
            let wrong = |why: String| format!("sslrootcert: `{}`: {why}", file.display());
            let found = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
            for root in found {
                let root = root.map_err(|error| wrong(error.to_string()))?;
                roots.add(root).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("it has no certificate".into()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let client = builder.map_err(|error| error.to_string())?.with_root_certificates(roots);
    Ok(MakeRustlsConnect::new(client.with_no_client_auth()))
}

async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, notified: Arc<tokio::sync::Notify>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let next =
        |it: &mut tokio_postgres::Connection<S, T>, cx: &mut std::task::Context<'_>| it.poll_message(cx);
    while let Some(message) = std::future::poll_fn(|cx| next(&mut connection, cx)).await {
        match message {
            Ok(AsyncMessage::Notification(_)) => notified.notify_one(),
            Ok(_) => {}
            // Whoever waits for an answer gets the error.
            Err(_) => return,
        }
    }
}

/// The address without its password.
fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, rest)), Some((_, place))) => {
            let user = rest.split([':', '@']).next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_no_password() {
        let error = Database::parse("postgres://atoll:secret@host:port/shop").map(drop).expect_err("no port");
        assert!(!error.to_string().contains("secret") && error.to_string().contains("atoll@host"), "{error}");
    }

    #[test]
    fn certificates_are_verified_or_there_are_none() {
        let parse = |parameters: &str| {
            let address = format!("postgres://atoll@localhost/shop?connect_timeout=2{parameters}");
            Database::parse(&address).map(|it| it.tls.is_some()).map_err(|error| error.to_string())
        };
        assert_eq!(parse(""), Ok(false));
        assert_eq!(parse("&sslmode=disable"), Ok(false));
        assert_eq!(parse("&sslmode=verify-full"), Ok(true));
        let refused = parse("&sslmode=require").expect_err("it verifies nothing");
        assert!(refused.contains("not `require`"), "{refused}");
        let refused = parse("&sslmode=verify-full&sslrootcert=/nowhere").expect_err("there is no such file");
        assert!(refused.contains("/nowhere"), "{refused}");
    }
}
