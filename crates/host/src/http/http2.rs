//! HTTP/2 on one connection: requests at the same time (streams), each with a state of its own.
//!
//! hyper bounds what a client can do with frames: requests that are reset before they are answered (rapid
//! reset), continuations of heads, and settings.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use atoll_kernel::limits;
use axum::{
    Router,
    body::{Bytes, HttpBody},
};
use http_body::{Frame, SizeHint};
use hyper::{
    Request,
    body::Incoming,
    header::{HOST, HeaderValue},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

use super::{
    connection::{AnswerBody, Connection, PROGRESS_BYTES_MIN},
    connections::Listed,
    respond, until_drained,
};

/// Answers the requests of one connection, until it ends, is cut, or is idle while the server drains.
pub(super) async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Arc<Connection>,
    router: Router,
    drain: watch::Receiver<bool>,
) {
    let of = connection.clone();
    let service = service_fn(move |request| {
        let stream = Arc::new(Stream::new(of.clone()));
        let answered = respond(router.clone(), stream.listed.connection.clone(), with_host(request));
        async move { Ok::<_, Infallible>(answered.await.map(|body| Pieces::new(body, stream))) }
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(limits::STREAMS_MAX)
        .max_header_list_size(limits::HEAD_BYTES_MAX as u32)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(PROGRESS_BYTES_MIN)
        .serve_connection(TokioIo::new(stream), service);
    until_drained(served, |it| it.graceful_shutdown(), &connection, drain).await;
}

/// The request with the name of the host in the header in which HTTP/1.1 has it, for everybody who reads it
/// there. If the client sends both, they are compared like the two of HTTP/1.1.
fn with_host(mut request: Request<Incoming>) -> Request<Incoming> {
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    request
}

/// A request of the connection, until the last byte of its answer was handed to the socket.
struct Stream {
    listed: Listed,
    of: Arc<Connection>,
}

impl Stream {
    fn new(of: Arc<Connection>) -> Stream {
        Stream { listed: of.all.list(Connection::request_of(&of)), of }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.of.end_request();
    }
}

/// The body of an answer in pieces, of which hyper takes the next one when the client has room for it: so a
/// client that reads slowly is seen, also beside others of its requests that it reads fast.
struct Pieces {
    body: AnswerBody,
    /// What is left of the chunk that was taken last.
    rest: Bytes,
    stream: Arc<Stream>,
}

impl Pieces {
    fn new(body: AnswerBody, stream: Arc<Stream>) -> Pieces {
        Pieces { body, rest: Bytes::new(), stream }
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => self.rest = bytes,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let n_bytes = self.rest.len().min(PROGRESS_BYTES_MIN);
        let bytes = self.rest.split_to(n_bytes);
        self.stream.listed.connection.has_written(n_bytes);
        let piece = Piece { bytes, _stream: self.stream.clone() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, n_rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + n_rest);
        }
        hint.set_lower(hint.lower() + n_rest);
        hint
    }
}

/// Bytes that are sent. Their request is not done before they are.
struct Piece {
    bytes: Bytes,
    _stream: Arc<Stream>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
