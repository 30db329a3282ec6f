//! Reads forms: those that browsers encode as a query string, and those with files (`multipart/form-data`),
//! of which the files are handed on to the API while they arrive.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use atoll_kernel::{
    Fault, FaultKind,
    http::{Head, header, header_names, qs},
};
use atoll_pages::{Form, Upload, encoded};
use axum::body::{Body, BodyDataStream, Bytes, to_bytes};
use futures_core::Stream;
use multer::{Multipart, parse_boundary};

/// Upper bound of a form without its files: a thousand fields of ordinary length.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// Reads a form. Of one with files, what stands before the first of them; the API reads it from its
/// beginning.
pub(crate) async fn read_form(head: &Head, body: Body) -> Result<Form, Fault> {
    let content_type = header(head, "content-type").unwrap_or_default();
    let Ok(boundary) = parse_boundary(content_type) else {
        let bytes = to_bytes(body, FORM_BYTES_MAX).await.map_err(|_| too_large())?;
        return Ok(Form::of(qs::parse(&String::from_utf8_lossy(&bytes))));
    };
    let mut arriving = Arriving { read: VecDeque::new(), rest: body.into_data_stream() };
    let texts = arriving.texts(&boundary).await?;
    let length = head.headers.get(header_names::CONTENT_LENGTH).cloned();
    let upload = Upload::new(content_type, length, Body::from_stream(arriving));
    Ok(Form::of(qs::parse(&texts)).with_upload(upload))
}

fn too_large() -> Fault {
    Fault::new(FaultKind::TooLarge, "The form is too large")
}

/// A form that is arriving; as a stream, it is the whole form from its beginning.
struct Arriving {
    /// What was read of it, as it has arrived: the server counts these bytes until they are dropped.
    read: VecDeque<Bytes>,
    rest: BodyDataStream,
}

impl Arriving {
    /// The fields before the first file, as a query string. Reads no more than it must, and tries again when
    /// it has twice as much.
    async fn texts(&mut self, boundary: &str) -> Result<String, Fault> {
        let broken = |error: &dyn std::error::Error| Fault::invalid(format!("The form is broken: {error}"));
        let (mut n_read, mut enough) = (0, 1);
        loop {
            let chunk = poll_fn(|cx| Pin::new(&mut self.rest).poll_next(cx)).await;
            let is_whole = chunk.is_none();
            if let Some(chunk) = chunk {
                let chunk = chunk.map_err(|error| broken(&error))?;
                n_read += chunk.len();
                self.read.push_back(chunk);
            }
            if n_read < enough && !is_whole {
                continue;
            }
            let beginning = Arriving { read: self.read.clone(), rest: Body::empty().into_data_stream() };
            match texts(beginning, boundary).await {
                Ok(texts) => return Ok(texts),
                Err(error) if is_whole => return Err(broken(&error)),
                Err(_) if n_read > FORM_BYTES_MAX => return Err(too_large()),
                Err(_) => enough = (2 * n_read).min(FORM_BYTES_MAX + 1),
            }
        }
    }
}

impl Stream for Arriving {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.read.pop_front() {
            Some(read) => Poll::Ready(Some(Ok(read))),
            None => Pin::new(&mut self.rest).poll_next(cx),
        }
    }
}

/// The fields before the first file, as a query string. Error: the form is broken, or ends before.
async fn texts(form: Arriving, boundary: &str) -> Result<String, multer::Error> {
    let mut parts = Multipart::new(form, boundary);
    let mut texts = String::new();
    while let Some(part) = parts.next_field().await? {
        if part.file_name().is_some() {
            break;
        }
        let name = encoded(part.name().unwrap_or_default()).to_string();
        texts.push_str(&format!("&{name}={}", encoded(&part.text().await?)));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    const CHUNK_BYTES: usize = 16 * 1024;

    /// A form that begins with a field and a file, or with a field that does not end, in chunks of which it
    /// counts those in memory.
    struct Chunks {
        begin: Option<&'static str>,
        in_memory: Arc<AtomicUsize>,
        n_taken: Arc<AtomicUsize>,
    }

    struct Counted(Vec<u8>, Arc<AtomicUsize>);

    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::Relaxed);
        }
    }

    impl Stream for Chunks {
        type Item = Result<Bytes, axum::Error>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let bytes =
                self.begin.take().map_or_else(|| vec![b'x'; CHUNK_BYTES], |it| it.as_bytes().to_vec());
            self.in_memory.fetch_add(1, Ordering::Relaxed);
            self.n_taken.fetch_add(1, Ordering::Relaxed);
            Poll::Ready(Some(Ok(Bytes::from_owner(Counted(bytes, self.in_memory.clone())))))
        }
    }

    fn chunks(begin: &'static str) -> (Arriving, Arc<AtomicUsize>, Arc<AtomicUsize>) {
        let (in_memory, n_taken) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let chunks = Chunks { begin: Some(begin), in_memory: in_memory.clone(), n_taken: n_taken.clone() };
        let rest = Body::from_stream(chunks).into_data_stream();
        (Arriving { read: VecDeque::new(), rest }, in_memory, n_taken)
    }

    #[tokio::test]
    async fn what_has_arrived_of_a_form_is_held_as_it_came() {
        let form = "--b\r\ncontent-disposition: form-data; name=\"do\"\r\n\r\nadd\r\n\
                    --b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.png\"\r\n\r\n";
        let (mut arriving, in_memory, n_taken) = chunks(form);
        assert_eq!(arriving.texts("b").await.expect("a form"), "&do=add");
        let counts = || [&in_memory, &n_taken].map(|it| it.load(Ordering::Relaxed));
        assert_eq!(counts(), [1, 1]);
        drop(arriving);
        assert_eq!(counts(), [0, 1]);
    }

    #[tokio::test]
    async fn a_form_is_refused_as_soon_as_it_is_too_large() {
        let form = "--b\r\ncontent-disposition: form-data; name=\"email\"\r\n\r\n";
        let (mut arriving, in_memory, n_taken) = chunks(form);
        let refused = arriving.texts("b").await.expect_err("too much");
        assert_eq!(refused.kind(), FaultKind::TooLarge);
        let n_chunks = n_taken.load(Ordering::Relaxed);
        assert_eq!(in_memory.load(Ordering::Relaxed), n_chunks, "all of it is counted");
        assert_eq!(n_chunks, FORM_BYTES_MAX / CHUNK_BYTES + 1);
    }
}
