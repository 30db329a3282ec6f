//! The address of a database: what it says, and TLS.

use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio_postgres::{
    Config,
    config::{SslMode, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Database, DatabaseError};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A peer that does not answer so many probes, one each five seconds, is gone.
const PROBES: u32 = 3;

/// What PostgreSQL does by itself about sessions whose host is gone or stuck: it ends their transactions, so
/// that none holds a row for long, and waits for the locks of strangers no longer than this.
const SESSION: &str = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s \
    -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";

impl Database {
    /// The database at this address, `postgres://user:password@host/name`. With `sslmode=verify-full` the
    /// connection is encrypted, and the certificate and its name are checked against the roots in the file
    /// that `sslrootcert` names (PEM), or else those that the system trusts; `disable`, the default, is for
    /// sockets and networks of one's own. The other modes of PostgreSQL encrypt without knowing for whom, and
    /// are refused. Of several hosts, the one that takes writes is used. `synchronous_commit=off` says that
    /// commits may be lost.
    pub fn parse(address: &str) -> Result<Database, DatabaseError> {
        let wrong = |why: String| DatabaseError::Address(without_password(address), why);
        let is_url = ["postgres://", "postgresql://"].iter().any(|it| address.starts_with(it));
        if !is_url {
            return Err(wrong("it begins with `postgres://`".into()));
        }
        let (place, parameters) = address.split_once('?').unwrap_or((address, ""));
        let (mut mode, mut roots, mut may_lose, mut others) = ("disable", None, false, Vec::new());
        for parameter in parameters.split('&').filter(|it| !it.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", it)) => mode = it,
                Some(("sslrootcert", it)) => roots = Some(path(it).map_err(wrong)?),
                Some(("synchronous_commit", "off")) => may_lose = true,
                _ => others.push(parameter),
            }
        }
        let plain = format!("{place}?{}", others.join("&"));
        let mut config = Config::from_str(&plain).map_err(|error| wrong(error.to_string()))?;
        let of_address = config.get_options().unwrap_or_default();
        let lossy = if may_lose { "-c synchronous_commit=off" } else { "" };
        let options = [SESSION, lossy, of_address].join(" ");
        config
            .options(options.trim())
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(CONNECT_TIMEOUT)
            .keepalives_interval(CONNECT_TIMEOUT)
            .keepalives_retries(PROBES)
            // What a standby says may be older than what was acknowledged.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .application_name("atoll");
        let tls = match mode {
            "disable" => None,
            "verify-full" => Some(verifying(roots.as_deref()).map_err(wrong)?),
            _ => return Err(wrong(format!("sslmode is `disable` or `verify-full`, and not `{mode}`"))),
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Database { config, tls, may_lose })
    }
}

/// A path in a parameter, where `%20` is a space.
fn path(parameter: &str) -> Result<PathBuf, String> {
    let decoded = percent_encoding::percent_decode_str(parameter).decode_utf8();
    decoded.map(|it| PathBuf::from(&*it)).map_err(|error| format!("sslrootcert: {error}"))
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

/// The address without its password, which may be in its parameters, too.
fn without_password(address: &str) -> String {
    let place = address.split('?').next().unwrap_or_default();
    match (place.split_once("://"), place.rsplit_once('@')) {
        (Some((scheme, rest)), Some((_, place))) => {
            let user = rest.split([':', '@']).next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        // A password with a `?` has lost what follows.
        (Some((scheme, rest)), None) => format!("{scheme}://{}", rest.split(':').next().unwrap_or_default()),
        (None, _) => "…".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_no_password() {
        let error = Database::parse("postgres://atoll:secret@host:port/shop").map(drop).expect_err("no port");
        assert!(!error.to_string().contains("secret") && error.to_string().contains("atoll@host"), "{error}");
        let others = [
            "host=localhost password=secret",
            "postgres://atoll@host:port/shop?password=secret",
            "postgres://atoll:secret?@host:port/shop",
            "secret",
        ];
        for address in others {
            let error = Database::parse(address).map(drop).expect_err("it is no address");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
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
        let refused =
            parse("&sslmode=verify-full&sslrootcert=/no%20where").expect_err("there is no such file");
        assert!(refused.contains("/no where"), "{refused}");
    }
}
