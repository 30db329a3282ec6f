//! Reads forms: those that browsers encode as a query string, and those with files (`multipart/form-data`).

use atoll_kernel::{
    Fault, FaultKind,
    http::{Head, header, qs},
};
use atoll_pages::{Form, Upload, encoded};
use axum::body::{Body, Bytes, to_bytes};
use multer::{Multipart, parse_boundary};

/// Upper bound of a form without its files: a thousand fields of ordinary length.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// Reads a form. One with files has at most `files_bytes_max` of them, and is kept as it came, too: the API
/// reads it.
pub(crate) async fn read_form(head: &Head, body: Body, files_bytes_max: usize) -> Result<Form, Fault> {
    let content_type = header(head, "content-type").unwrap_or_default();
    let boundary = parse_boundary(content_type).ok();
    let n_files = if boundary.is_some() { files_bytes_max } else { 0 };
    let bytes = to_bytes(body, FORM_BYTES_MAX + n_files).await;
    let bytes = bytes.map_err(|_| Fault::new(FaultKind::TooLarge, "The form is too large"))?;
    match boundary {
        Some(boundary) => {
            let form = Form::of(qs::parse(&texts(bytes.clone(), boundary).await?));
            Ok(form.with_upload(Upload { content_type: content_type.to_owned(), body: bytes }))
        }
        None => Ok(Form::of(qs::parse(&String::from_utf8_lossy(&bytes)))),
    }
}

/// The fields that are no files, as a query string.
async fn texts(form: Bytes, boundary: String) -> Result<String, Fault> {
    let broken = |error| Fault::invalid(format!("The form is not complete: {error}"));
    let mut parts = Multipart::new(Body::from(form).into_data_stream(), boundary);
    let mut texts = String::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        if part.file_name().is_none() {
            let name = encoded(part.name().unwrap_or_default()).to_string();
            let text = part.text().await.map_err(broken)?;
            texts.push_str(&format!("&{name}={}", encoded(&text)));
        }
        if texts.len() > FORM_BYTES_MAX {
            return Err(Fault::new(FaultKind::TooLarge, "The form is too large"));
        }
    }
    Ok(texts)
}
