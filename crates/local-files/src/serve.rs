//! The public route of local files: images for browsers to show, everything else to be downloaded.

use std::{io, sync::Arc};

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Reply, header_names as header},
    led,
    limits::{FILE_BYTES_CEILING, FILES_READ_BYTES_MAX},
    routes,
};
use atoll_providers::image_type;
use tokio::{fs::File, io::AsyncReadExt as _, sync::Semaphore};

use crate::storage::path_of;

led! { if missing "/static" }

routes! {
    /// Serves an uploaded file. Images are shown (JPEG, PNG, GIF, WebP, AVIF); everything else is sent as an
    /// attachment of the type `application/octet-stream`, so that nothing in it runs as a script of this
    /// origin.
    Get "/static/:file" (Public, ANY) => serve: Answer::File;
}

/// Parameters are ignored: they are how pages make browsers load a picture again.
const ANY: Params = Params { own: &[], limit: None, strict: false };

/// A file never changes: another upload has another key. A year is the longest that caches keep anything.
const CACHED: &str = "public, max-age=31536000, immutable";

/// Nothing that a file holds may load or run anything, even where a browser shows it as a page.
const POLICY: &str = "default-src 'none'; sandbox";

/// The budget for files that are being read, in units of 1 kB.
struct BeingRead(Arc<Semaphore>);

const UNIT_BYTES: usize = 1024;

impl Default for BeingRead {
    fn default() -> Self {
        BeingRead(Arc::new(Semaphore::new(FILES_READ_BYTES_MAX / UNIT_BYTES)))
    }
}

async fn serve(call: Call) -> Result<Reply, Fault> {
    let (ctx, key) = (call.app.clone(), call.path("file").to_owned());
    // A disk may take its time.
    drop(call);
    let unknown = || Fault::not_found(format!("File with id: {key} was not found"));
    let path = path_of(&ctx, &key).ok_or_else(unknown)?;
    let file = match File::open(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown()),
        it => it.map_err(Fault::unexpected)?,
    };
    let known = file.metadata().await.map_err(Fault::unexpected)?;
    if !known.is_file() {
        return Err(unknown());
    }
    let n_bytes = usize::try_from(known.len()).ok().filter(|it| *it <= FILE_BYTES_CEILING);
    let too_large = || Fault::unexpected(format!("`{key}` is larger than any file that is stored here"));
    let n_bytes = n_bytes.ok_or_else(too_large)?;
    // What was read counts for the buffers of its connection. Before that, it waits for its turn.
    let budget = ctx.memory::<BeingRead>().0.clone();
    let n_units = u32::try_from(n_bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
    let _turn = budget.acquire_many_owned(n_units).await.map_err(Fault::unexpected)?;
    let mut content = Vec::with_capacity(n_bytes);
    file.take(known.len()).read_to_end(&mut content).await.map_err(Fault::unexpected)?;
    let image = image_type(&key, &content);
    let reply = Reply::raw(content)
        .with_header(header::CACHE_CONTROL, CACHED)
        .with_header(header::CONTENT_SECURITY_POLICY, POLICY)
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with_header(header::CONTENT_TYPE, image.unwrap_or("application/octet-stream"));
    Ok(match image {
        Some(_) => reply,
        None => reply.with_header(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{key}\"")),
    })
}
