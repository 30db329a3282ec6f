//! Sends requests from one host of a shop to another, over HTTP or HTTPS: the head exactly as it is, the body
//! and the answer as they arrive.

use std::{sync::Arc, time::Duration};

use atoll_kernel::{
    http::{PeerError, Working, with_causes},
    limits::PEER_IDLE_TIMEOUT,
};
use axum::{
    body::Body,
    extract::Request,
    http::{Uri, uri::PathAndQuery},
    response::Response,
};
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use tower::{BoxError, timeout::Timeout, util::BoxCloneSyncService};

/// How long a connection to another host may take, with its handshake: it is near, or it is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// After so long without a packet a host is asked whether it is still there, and again each
/// [`KEEPALIVE_PAUSE`].
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(5);

/// How often it is asked until it counts as gone.
const KEEPALIVES_MAX: u32 = 3;

/// How long a host may take nothing of what is sent to it, such as an upload.
const UNTAKEN_MAX: Duration = Duration::from_secs(30);

/// Idle connections to a host that are kept: as many requests as are forwarded at a time, as a rule.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// Opens connections, within [`CONNECT_TIMEOUT`].
type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<tokio::net::TcpStream>>, BoxError>;

/// Sends requests to other hosts. Clones share the connections.
#[derive(Clone, Debug)]
pub struct PeerClient(Client<Connector, Body>);

impl Default for PeerClient {
    /// A client that verifies hosts at `https://` by the certificates that the system trusts.
    fn default() -> PeerClient {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        PeerClient::new(PEER_IDLE_TIMEOUT, roots)
    }
}

impl PeerClient {
    /// A client that uses no connection again which was idle for longer, and verifies hosts by these
    /// certificates.
    fn new(idle: Duration, roots: RootCertStore) -> PeerClient {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE_PAUSE));
        tcp.set_keepalive_retries(Some(KEEPALIVES_MAX));
        tcp.set_tcp_user_timeout(Some(UNTAKEN_MAX));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(roots))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let connector = BoxCloneSyncService::new(Timeout::new(connector, CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(idle)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_timer(TokioTimer::new())
            .build(connector);
        PeerClient(client)
    }

    /// Sends a request to the host at this URL, of which the request has the path.
    pub fn send(&self, url: &str, request: Request) -> Working<Result<Response, PeerError>> {
        let (mut head, body) = request.into_parts();
        let sent = at(url, head.uri.path_and_query()).map(|uri| {
            head.uri = uri;
            self.0.request(Request::from_parts(head, body))
        });
        Box::pin(async move {
            // Its errors tell no address, and so none of what clients say in theirs.
            match sent.map_err(PeerError::NotSent)?.await {
                Ok(answer) => Ok(answer.map(Body::new)),
                Err(error) if error.is_connect() => Err(PeerError::NotSent(with_causes(&error))),
                Err(error) => Err(PeerError::NoAnswer(with_causes(&error))),
            }
        })
    }
}

fn tls(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    config.expect("ring has them").with_root_certificates(roots).with_no_client_auth()
}

/// The address at this host. The path is not written anew: it is signed as it came.
fn at(url: &str, path: Option<&PathAndQuery>) -> Result<Uri, String> {
    let mut parts = url.parse::<Uri>().map_err(|error| format!("`{url}`: {error}"))?.into_parts();
    parts.path_and_query = Some(path.cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).map_err(|error| format!("`{url}`: {error}"))
}

#[cfg(test)]
mod tests;
