//! Admin routes of uploaded files: `/admin/uploads`, with the file storages that serve.

use std::{future::Future, pin::Pin, sync::Arc};

use atoll_kernel::{
    Ctx, Fault, Moment,
    http::{Answer, Bytes, Call, IncomingFile, Params, Part, Reply, Type, header_names as header, required},
    limits::{UPLOAD_BYTES_MAX, UPLOADS_IN_FLIGHT_BYTES_MAX},
    routes,
    serde_json::{Value, json},
};
use atoll_providers::{Content, FileStorage, key_of};
use tokio::sync::Semaphore;

routes! {
    /// Shows where an uploaded file is served.
    Get "/admin/uploads/:id" (Admin, ANY) => show: FILE;
    /// Deletes an uploaded file. One that does not exist is no error. Records that hold its URL are not
    /// changed, and caches may still serve it.
    Delete "/admin/uploads/:id" (Admin, ANY) => delete: Answer::Deleted;
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

/// The storages that serve, with the one for new files first.
fn storages(ctx: &Ctx) -> impl Iterator<Item = &'static dyn FileStorage> {
    ctx.providers().of::<dyn FileStorage>().map(|(_, it)| it)
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
    let length = call.head.headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    let n_units = length.unwrap_or(UPLOAD_BYTES_MAX).min(UPLOAD_BYTES_MAX).div_ceil(UNIT_BYTES);
    let budget = ctx.memory::<InFlight>().0.clone();
    let Ok(_budget) = budget.try_acquire_many_owned(u32::try_from(n_units).unwrap_or(u32::MAX)) else {
        return Err(Fault::busy("Too many files are being uploaded; try again soon", BUSY_RETRY_S));
    };
    let storage = storages(&ctx).next();
    let storage =
        storage.ok_or_else(|| Fault::not_allowed("No file storage serves: see `providers.file`"))?;
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
struct Arriving(IncomingFile);

impl Content for Arriving {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        Box::pin(self.0.chunk())
    }
}
