//! Reads forms: those that browsers encode as a query string, and those with files (`multipart/form-data`),
//! of which the files are handed on to the API while they arrive.

use std::{
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
    let mut arriving = Arriving { read: None, rest: body.into_data_stream() };
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
    /// What was read of it.
    read: Option<Bytes>,
    rest: BodyDataStream,
}

impl Arriving {
    /// The fields before the first file, as a query string. Reads no more than it must, and tries again when
    /// it has twice as much.
    async fn texts(&mut self, boundary: &str) -> Result<String, Fault> {
        let broken = |error: &dyn std::error::Error| Fault::invalid(format!("The form is broken: {error}"));
        let (mut read, mut enough) = (Vec::new(), 1);
        loop {
            let chunk = poll_fn(|cx| Pin::new(&mut self.rest).poll_next(cx)).await;
            let is_whole = chunk.is_none();
            if let Some(chunk) = chunk {
                read.extend_from_slice(&chunk.map_err(|error| broken(&error))?);
            }
            if read.len() < enough && !is_whole {
                continue;
            }
            let beginning = Bytes::copy_from_slice(&read);
            match texts(beginning.clone(), boundary).await {
                Ok(texts) => {
                    self.read = Some(beginning);
                    return Ok(texts);
                }
                Err(error) if is_whole => return Err(broken(&error)),
                Err(_) if read.len() > FORM_BYTES_MAX => return Err(too_large()),
                Err(_) => enough = 2 * read.len(),
            }
        }
    }
}

impl Stream for Arriving {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(read))),
            None => Pin::new(&mut self.rest).poll_next(cx),
        }
    }
}

/// The fields before the first file, as a query string. Error: the form is broken, or ends before.
async fn texts(form: Bytes, boundary: &str) -> Result<String, multer::Error> {
    let mut parts = Multipart::new(Body::from(form).into_data_stream(), boundary);
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
