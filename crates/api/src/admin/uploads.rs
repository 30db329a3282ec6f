//! Admin routes of uploaded files: `/admin/uploads`, with the file storages that serve; presigned uploads.

use std::{future::Future, pin::Pin, sync::Arc};

use atoll_kernel::{
    Ctx, Decimal, Fault, FaultKind, Moment,
    http::{
        Answer, Body, Bytes, Call, IncomingFile, Params, Part, Reply, Type, header_names as header, optional,
        required,
    },
    led,
    limits::{FILE_NAME_CHARS_MAX, UPLOAD_BYTES_MAX, UPLOADS_IN_FLIGHT_BYTES_MAX},
    routes,
    serde_json::{Value, json},
};
use atoll_providers::{Content, DirectUpload, FileStorage, direct_type, extension_of, key_of};
use serde::Deserialize;
use tokio::sync::Semaphore;

// A storage may be a folder of the host that leads.
led! { "/admin/uploads" }

routes! {
    /// Shows where an uploaded file is served.
    Get "/admin/uploads/:id" (Admin, ANY) => show: FILE;
    /// Deletes an uploaded file. One that does not exist is no error. Records that hold its URL are not
    /// changed, and caches may still serve it.
    Delete "/admin/uploads/:id" (Admin, ANY) => delete: Answer::Deleted;
    /// Presigns an upload. A file is then sent by `PUT` to an address of the storage, which takes it for 15
    /// minutes, with this media type and of this size. If the storage takes no files itself, or none of this
    /// type, the address is `/admin/uploads`, for a form.
    Post "/admin/uploads/presigned-urls" (Admin, ANY, PRESIGN) => presign: PRESIGNED;
}

routes! {
    files "files";
    /// Uploads files, each under the name `files`. All of them are stored, or none. What is stored of the
    /// name is its extension; a file is shown by browsers if it is an image by extension and content, and
    /// otherwise downloaded.
    Post "/admin/uploads" (Admin, ANY, up_to UPLOAD_BYTES_MAX) => upload: FILES;
}

/// As on the wire, `fields` is accepted and has no effect: a file has two.
const ANY: Params = Params { own: &[], limit: None, strict: false };

const SHOWN: Type = Type::Object(&[
    required("id", Type::Text).about("The id of the file."),
    required("url", Type::Text).about("Where it is served, to everyone who knows the address."),
]);

const FILE: Answer = Answer::Object(&[Part::value("file", SHOWN, "The file.")]);

const FILES: Answer =
    Answer::Object(&[Part::value("files", Type::List(&SHOWN), "The files, in the order of the form.")]);

const PRESIGN: Body = &[&[
    required("originalname", Type::Text).about("The name of the file. Its extension is kept."),
    required("mime_type", Type::Text).about("The media type."),
    required("size", Type::NotNegative).about("The size in bytes, at most `file_bytes_max`."),
    optional("access", Type::Words(&["public", "private"])).about("Files are public: `private` is refused."),
]];

const PRESIGNED: Answer = Answer::Object(&[
    Part::value("url", Type::Text, "Where to send the file: an address for `PUT`, or `/admin/uploads`."),
    Part::value(
        "filename",
        Type::Text,
        "The id that the file has then; one that is sent as a form has another.",
    ),
    Part::value("originalname", Type::Text, "The name of the file."),
    Part::value("mime_type", Type::Text, "The media type."),
    Part::value("extension", Type::Text, "The extension of the name; empty if it has none."),
    Part::value("size", Type::Number, "The size in bytes."),
]);

/// The storages that serve, with the one for new files first.
fn storages(ctx: &Ctx) -> impl Iterator<Item = &'static dyn FileStorage> {
    ctx.providers().of::<dyn FileStorage>().map(|(_, it)| it)
}

/// The storage for new files.
fn for_new_files(ctx: &Ctx) -> Result<&'static dyn FileStorage, Fault> {
    storages(ctx).next().ok_or_else(|| Fault::not_allowed("No file storage serves: see `providers.file`"))
}

fn shown(id: &str, url: &str) -> Value {
    json!({ "id": id, "url": url })
}

async fn show(call: Call) -> Result<Reply, Fault> {
    let (ctx, id) = (call.app.clone(), call.path("id").to_owned());
    drop(call);
    for storage in storages(&ctx) {
        if let Some(url) = storage.url(ctx.clone(), id.clone()).await? {
            return Ok(Reply::json(&json!({ "file": shown(&id, &url) })));
        }
    }
    Err(Fault::not_found(format!("File with id: {id} was not found")))
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let (ctx, id) = (call.app.clone(), call.path("id").to_owned());
    drop(call);
    for storage in storages(&ctx) {
        storage.delete(ctx.clone(), id.clone()).await?;
    }
    Ok(Reply::json(&json!({ "id": id, "object": "file", "deleted": true })))
}

/// A file that is to be sent.
#[derive(Deserialize)]
struct Announced {
    originalname: String,
    mime_type: String,
    size: Decimal,
    access: Option<String>,
}

async fn presign(mut call: Call) -> Result<Reply, Fault> {
    let Announced { originalname, mime_type, size, access } = call.read()?;
    let ctx = call.app.clone();
    let at = Moment::new(ctx.now(), call.pass.actor.clone());
    drop(call);
    if access.as_deref() == Some("private") {
        return Err(Fault::not_allowed("Files are public: there is no storage for private ones"));
    }
    if originalname.chars().count() > FILE_NAME_CHARS_MAX {
        return Err(Fault::invalid(format!("A name has at most {FILE_NAME_CHARS_MAX} characters")));
    }
    let bytes_max = ctx.config().files.bytes_max;
    if size > Decimal::from(bytes_max as i64) {
        return Err(Fault::new(FaultKind::TooLarge, "The file is too large").at_limit("file_bytes_max"));
    }
    let n_bytes = size.to_i64().and_then(|it| u64::try_from(it).ok());
    let n_bytes = n_bytes.ok_or_else(|| Fault::invalid("A size is a whole number of bytes"))?;
    let key = key_of(&originalname, &at);
    let storage = for_new_files(&ctx)?;
    let url = match direct_type(&key, &mime_type) {
        Some(media_type) => {
            storage.presign(ctx.clone(), key.clone(), DirectUpload { media_type, n_bytes }).await?
        }
        None => None,
    };
    let answer = json!({
        "url": url.as_deref().unwrap_or("/admin/uploads"),
        "filename": key,
        "extension": extension_of(&originalname).unwrap_or_default(),
        "originalname": originalname,
        "mime_type": mime_type,
        "size": n_bytes,
    });
    Ok(Reply::json(&answer))
}

/// The budget for uploads that are arriving, in units of 1 kB.
struct InFlight(Arc<Semaphore>);

const UNIT_BYTES: usize = 1024;

impl Default for InFlight {
    fn default() -> Self {
        InFlight(Arc::new(Semaphore::new(UPLOADS_IN_FLIGHT_BYTES_MAX / UNIT_BYTES)))
    }
}

/// `Retry-After` of uploads beyond the budget, in seconds.
const BUSY_RETRY_S: u64 = 10;

async fn upload(call: Call) -> Result<Reply, Fault> {
    let ctx = call.app.clone();
    let length =
        call.head().headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    let n_units = length.unwrap_or(UPLOAD_BYTES_MAX).min(UPLOAD_BYTES_MAX).div_ceil(UNIT_BYTES);
    let budget = ctx.memory::<InFlight>().0.clone();
    let Ok(_budget) = budget.try_acquire_many_owned(u32::try_from(n_units).unwrap_or(u32::MAX)) else {
        let fault = Fault::busy("Too many files are being uploaded; try again soon", BUSY_RETRY_S);
        return Err(fault.at_limit("uploads_in_flight_bytes_max"));
    };
    let storage = for_new_files(&ctx)?;
    let mut files = call.files(ctx.config().files.bytes_max)?;
    let at = Moment::new(ctx.now(), call.pass.actor.clone());
    // What the call holds keeps space in the store, and an upload takes its time.
    drop(call);
    let mut stored = Vec::new();
    let ending = loop {
        match files.next().await {
            Ok(None) => break Ok(()),
            Ok(Some(file)) => {
                let key = key_of(&file.name, &at);
                match storage.put(ctx.clone(), key.clone(), Box::new(Arriving(file))).await {
                    Ok(url) => stored.push((key, url)),
                    Err(error) => break Err(error),
                }
            }
            Err(error) => break Err(error),
        }
    };
    if let Err(error) = ending {
        for (key, _) in stored {
            // If it cannot be deleted, it takes space, and nobody knows its address.
            if let Err(error) = storage.delete(ctx.clone(), key.clone()).await {
                tracing::warn!(%key, %error, "a file of a failed upload was not deleted");
            }
        }
        return Err(error);
    }
    if stored.is_empty() {
        return Err(Fault::invalid("No files were uploaded"));
    }
    let files: Vec<Value> = stored.iter().map(|(key, url)| shown(key, url)).collect();
    Ok(Reply::json(&json!({ "files": files })))
}

/// A file of a form, for a storage.
pub(super) struct Arriving(pub(super) IncomingFile);

impl Content for Arriving {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        Box::pin(self.0.chunk())
    }
}
