//! File uploads: reads `multipart/form-data` while it arrives, one file after the other, within limits of
//! count and size.

use std::{
    error::Error,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use atoll_values::limits::{FILES_PER_UPLOAD_MAX, UPLOAD_HEAD_BYTES_MAX};
use axum::{body::Body, http::header};
use bytes::Bytes;
use futures_core::Stream;
use http_body::Body as _;
use http_body_util::{LengthLimitError, Limited};
use multer::{Field, Multipart, parse_boundary};

use crate::{Fault, FaultKind, Head};

/// The body of a request with files, until its handler reads it. Clones share it.
#[derive(Clone)]
pub(crate) struct Unread {
    body: Arc<Mutex<Option<Limited<Body>>>>,
    field: &'static str,
}

impl Unread {
    pub(crate) fn new(body: Body, n_bytes_max: usize, field: &'static str) -> Unread {
        Unread { body: Arc::new(Mutex::new(Some(Limited::new(body, n_bytes_max)))), field }
    }

    /// The files of the form. Errors: 400 if the body is none.
    pub(crate) fn files(&self, head: &Head, bytes_max: usize) -> Result<Files, Fault> {
        let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let boundary = parse_boundary(content_type.unwrap_or_default()).map_err(|_| {
            Fault::invalid("The body must be `multipart/form-data`, and the content type name its boundary")
        })?;
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        let body = body.ok_or_else(|| Fault::unexpected("the files of a request were read before"))?;
        let n_undelivered = Arc::new(AtomicUsize::new(0));
        let chunks = Chunks { body, n_undelivered: n_undelivered.clone(), is_paused: false };
        let form = Multipart::new(chunks, boundary);
        Ok(Files { form, field: self.field, bytes_max, n_files: 0, n_fields: 0, n_undelivered })
    }
}

/// The files of an upload, in the order in which they arrive.
pub struct Files {
    form: Multipart<'static>,
    field: &'static str,
    bytes_max: usize,
    n_files: usize,
    n_fields: usize,
    n_undelivered: Arc<AtomicUsize>,
}

impl Files {
    /// The next file; what was not read of the one before is skipped, and so are fields without a file.
    /// Errors: 400 for a file under another name, for too many files or fields, and for a body that is broken
    /// or ends early; 413 if the body is too large.
    pub async fn next(&mut self) -> Result<Option<IncomingFile>, Fault> {
        loop {
            let Some(part) = self.form.next_field().await.map_err(refused)? else { return Ok(None) };
            self.n_undelivered.store(0, Ordering::Relaxed);
            let n_parts = if part.file_name().is_some() { &mut self.n_files } else { &mut self.n_fields };
            *n_parts += 1;
            if *n_parts > FILES_PER_UPLOAD_MAX {
                return Err(Fault::invalid(format!("An upload has at most {FILES_PER_UPLOAD_MAX} files")));
            }
            let Some(name) = part.file_name().map(str::to_owned) else { continue };
            if part.name() != Some(self.field) {
                let (wrong, field) = (part.name().unwrap_or_default(), self.field);
                return Err(Fault::invalid(format!(
                    "Unexpected field `{wrong}`: files are sent as `{field}`"
                )));
            }
            let n_undelivered = self.n_undelivered.clone();
            return Ok(Some(IncomingFile { name, part, bytes_left: self.bytes_max, n_undelivered }));
        }
    }
}

/// A file of an upload, which is still arriving.
pub struct IncomingFile {
    /// Its name, as the client wrote it: any text.
    pub name: String,
    part: Field<'static>,
    bytes_left: usize,
    n_undelivered: Arc<AtomicUsize>,
}

impl IncomingFile {
    /// The next bytes; none at the end. Errors: 413 if the file is too large; those of [`Files::next`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        let chunk = self.part.chunk().await.map_err(refused)?;
        self.n_undelivered.store(0, Ordering::Relaxed);
        let n_bytes = chunk.as_ref().map_or(0, Bytes::len);
        match self.bytes_left.checked_sub(n_bytes) {
            Some(left) => self.bytes_left = left,
            None => {
                let fault = Fault::new(FaultKind::TooLarge, "A file of the upload is too large");
                return Err(fault.at_limit("file_bytes_max"));
            }
        }
        Ok(chunk)
    }
}

/// The chunks of a body, for the parser. Of what is ready it would buffer everything at once, so after each
/// chunk there is a pause, in which it hands on what it has.
struct Chunks {
    body: Limited<Body>,
    /// Bytes that the parser got since it last handed something on. If they are many, it is searching: for a
    /// boundary, or for the end of a head.
    n_undelivered: Arc<AtomicUsize>,
    is_paused: bool,
}

impl Stream for Chunks {
    type Item = Result<Bytes, Box<dyn Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.is_paused) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.n_undelivered.load(Ordering::Relaxed) > UPLOAD_HEAD_BYTES_MAX {
            return Poll::Ready(Some(Err("the head of a part is too long, or none begins".into())));
        }
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                // Trailers say nothing that matters here.
                Some(Ok(frame)) => {
                    if let Ok(chunk) = frame.into_data() {
                        self.is_paused = true;
                        self.n_undelivered.fetch_add(chunk.len(), Ordering::Relaxed);
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                }
            }
        }
    }
}

fn refused(error: multer::Error) -> Fault {
    match error {
        multer::Error::StreamReadFailed(error) if error.is::<LengthLimitError>() => {
            Fault::new(FaultKind::TooLarge, "request entity too large").at_limit("upload_bytes_max")
        }
        error => Fault::invalid(format!("The upload is not a complete form: {error}")),
    }
}
