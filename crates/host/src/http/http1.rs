//! HTTP/1.1 on one connection: one request after the other.

use std::{convert::Infallible, sync::Arc};

use atoll_kernel::limits;
use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

use super::{connection::Connection, respond, socket::Socket, until_drained};

/// Answers the requests of one connection, until it ends, is cut, or is idle while the server drains.
pub(super) async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: Arc<Connection>,
    router: Router,
    drain: watch::Receiver<bool>,
) {
    let state = connection.clone();
    let service = service_fn(move |request| {
        let answered = respond(router.clone(), state.clone(), request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let socket = TokioIo::new(Socket::new(stream, connection.clone()));
    let served = http1::Builder::new()
        // The sweeper applies the time-outs.
        .header_read_timeout(None)
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .max_header_size(limits::HEAD_BYTES_MAX)
        .serve_connection(socket, service);
    until_drained(served, |it| it.graceful_shutdown(), &connection, drain).await;
}
