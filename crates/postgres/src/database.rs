//! Connections to PostgreSQL.

use std::{str::FromStr, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore};
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
    Store(#[from] atoll_storage::StoreError),
    /// What lies in the tables is not what this program wrote.
    #[error("the tables of Atoll in PostgreSQL are damaged: {0}")]
    Damaged(String),
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
    /// The database at this address, `postgres://user@host/name`. With `sslmode=require` or `verify-full` the
    /// connection is encrypted, and the certificate and its name are checked against the roots that the
    /// system trusts; `disable` is for sockets and networks of one's own, and the default.
    pub fn parse(address: &str) -> Result<Database, DatabaseError> {
        // PostgreSQL's own client tells apart whether the certificate is checked; here it always is.
        let plain = address.replace("sslmode=verify-full", "sslmode=require");
        let wrong = |why: String| DatabaseError::Address(without_password(address), why);
        let mut config = Config::from_str(&plain).map_err(|error| wrong(error.to_string()))?;
        config.connect_timeout(CONNECT_TIMEOUT).keepalives_idle(CONNECT_TIMEOUT).application_name("atoll");
        let is_encrypted = plain.contains("sslmode=require");
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        let tls = is_encrypted.then(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let client = builder.expect("its versions are supported").with_root_certificates(roots);
            MakeRustlsConnect::new(client.with_no_client_auth())
        });
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
        assert!(Database::parse("postgres://atoll@localhost/shop?sslmode=verify-full").is_ok());
    }
}
