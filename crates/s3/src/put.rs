//! Uploading: a small file by one request, a larger one in parts (multipart upload), which the service joins
//! at the end. Until then there is no object.

use atoll_kernel::{Fault, http::Bytes};
use atoll_providers::{Content, image_type};
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt as _, PutMultipartOptions,
    PutOptions, PutPayload, path::Path,
};

use crate::error::refused;

/// How files of a kind are stored.
pub(crate) struct Manner {
    /// Bytes of a part, at least; the last one may be smaller. A part is held in memory, for its checksum and
    /// its retries, and a file has at most 10,000 of them.
    part_bytes: usize,
    /// What the service serves a file with, by its key and its beginning.
    attributes: fn(&str, &[Bytes]) -> Attributes,
}

/// Files for everybody. Their parts are the smallest that S3 accepts: many are uploaded at a time.
pub(crate) const PUBLIC: Manner = Manner { part_bytes: 5 * 1024 * 1024, attributes: attributes_of };

/// Files for nobody but their owner: up to 160 GB, one at a time. A part arrives within the time-out of a
/// request at 2.3 Mbit/s.
pub(crate) const PRIVATE: Manner =
    Manner { part_bytes: 16 * 1024 * 1024, attributes: |_, _| Attributes::new() };

/// How long browsers and CDNs keep a file: it never changes, and another upload has another key.
const CACHED: &str = "public, max-age=31536000, immutable";

/// Uploads a file. After an error there is no object, unless the service does not answer at all.
pub(crate) async fn put(
    store: &impl ObjectStore,
    path: &Path,
    key: &str,
    manner: &Manner,
    mut content: Box<dyn Content>,
) -> Result<(), Fault> {
    let first = part(&mut *content, manner.part_bytes).await?;
    let attributes = (manner.attributes)(key, &first.chunks);
    if first.is_last {
        let options = PutOptions { attributes, ..PutOptions::default() };
        return match store.put_opts(path, first.payload(), options).await {
            Ok(_) => Ok(()),
            Err(error) => {
                // It may have been stored, and the answer was lost.
                give_up(key, store.delete(path).await);
                Err(refused(error))
            }
        };
    }
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let mut upload = store.put_multipart_opts(path, options).await.map_err(refused)?;
    match put_parts(&mut *upload, first, &mut *content, manner.part_bytes).await {
        Ok(()) => Ok(()),
        Err(fault) => {
            give_up(key, upload.abort().await);
            give_up(key, store.delete(path).await);
            Err(fault)
        }
    }
}

async fn put_parts(
    upload: &mut dyn MultipartUpload,
    first: Part,
    content: &mut dyn Content,
    part_bytes: usize,
) -> Result<(), Fault> {
    let mut next = first;
    loop {
        let is_last = next.is_last;
        if !next.chunks.is_empty() {
            upload.put_part(next.payload()).await.map_err(refused)?;
        }
        if is_last {
            break;
        }
        next = part(content, part_bytes).await?;
    }
    upload.complete().await.map_err(refused)?;
    Ok(())
}

/// Logs that what is left of a failed upload was not removed.
fn give_up(key: &str, removed: object_store::Result<()>) {
    match removed {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => tracing::warn!(key, %error, "what is left of a failed upload was not removed"),
    }
}

/// A part of a file.
struct Part {
    chunks: Vec<Bytes>,
    is_last: bool,
}

impl Part {
    fn payload(self) -> PutPayload {
        self.chunks.into_iter().collect()
    }
}

/// The next part of the content. It is the last one if the content ends in it.
async fn part(content: &mut dyn Content, part_bytes: usize) -> Result<Part, Fault> {
    let (mut chunks, mut n_bytes) = (Vec::new(), 0);
    while n_bytes < part_bytes {
        match content.chunk().await? {
            Some(chunk) => {
                n_bytes += chunk.len();
                chunks.push(chunk);
            }
            None => return Ok(Part { chunks, is_last: true }),
        }
    }
    Ok(Part { chunks, is_last: false })
}

/// Bytes by which a type of image is recognised, at most.
const MAGIC_BYTES: usize = 16;

/// The type of what browsers are to download. It is what S3 itself says of an object without a type;
/// SeaweedFS takes `application/octet-stream` for none, and guesses one by the extension: `text/html`.
const DOWNLOAD: &str = "binary/octet-stream";

/// What the service serves a file with. Anything but an image is an attachment, so that nothing in it runs as
/// a script of the bucket's origin.
fn attributes_of(key: &str, first: &[Bytes]) -> Attributes {
    let head: Vec<u8> = first.iter().flatten().copied().take(MAGIC_BYTES).collect();
    let image = image_type(key, &head);
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, image.unwrap_or(DOWNLOAD).into());
    attributes.insert(Attribute::CacheControl, CACHED.into());
    if image.is_none() {
        let attachment = format!("attachment; filename=\"{key}\"");
        attributes.insert(Attribute::ContentDisposition, attachment.into());
    }
    attributes
}
