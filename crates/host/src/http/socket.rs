//! The stream of an HTTP/1 connection: it tells the connection what is read and written, and is closed so
//! that a client which is still sending reads its answer (lingering close).

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use atoll_kernel::limits::FILE_BYTES_CEILING;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::connection::Connection;

/// For how long what a client still sends is read and thrown away after its answer, when nobody wants the
/// rest of its body: it reads the answer meanwhile.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// How many bytes of it: a whole file, if that is what is refused.
const LINGER_BYTES_MAX: usize = FILE_BYTES_CEILING;

/// Bytes of it that are read at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// The stream of an HTTP/1 connection.
pub(super) struct Socket<S> {
    stream: S,
    connection: Arc<Connection>,
    lingering: Option<Lingering>,
}

/// A stream on which nothing more is written.
struct Lingering {
    end: Pin<Box<Sleep>>,
    n_rest: usize,
}

impl<S> Socket<S> {
    pub(super) fn new(stream: S, connection: Arc<Connection>) -> Socket<S> {
        Socket { stream, connection, lingering: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n_before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.connection.has_read(buf.filled().len() - n_before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let n_bytes = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.connection.has_written(n_bytes);
        Poll::Ready(Ok(n_bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let n_bytes = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.connection.has_written(n_bytes);
        Poll::Ready(Ok(n_bytes))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.connection.has_flushed();
        Poll::Ready(Ok(()))
    }

    /// Ends what is written. Of what is unread when a socket is closed, its client learns by a reset, which
    /// may come before the answer: so that is read first.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Socket { stream, connection, lingering } = &mut *self;
        if lingering.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
            if !connection.has_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let begin = || Lingering { end: Box::pin(sleep(LINGER_TIMEOUT)), n_rest: LINGER_BYTES_MAX };
        let Lingering { end, n_rest } = lingering.get_or_insert_with(begin);
        let mut bytes = [MaybeUninit::uninit(); CHUNK_BYTES];
        while *n_rest > 0 && end.as_mut().poll(cx).is_pending() {
            let mut chunk = ReadBuf::uninit(&mut bytes);
            let is_read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut chunk)).is_ok();
            let n_bytes = chunk.filled().len();
            if !is_read || n_bytes == 0 {
                break;
            }
            *n_rest = n_rest.saturating_sub(n_bytes);
        }
        Poll::Ready(Ok(()))
    }
}
