//! The storage of public files: what the contract asks of it.

use std::{
    future::Future,
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use atoll_kernel::{Ctx, Fault, http::Bytes, provider, registry::Secret};
use atoll_providers::{Content, DirectUpload, FileStorage, Working, is_key, origin_of};
use object_store::{Error, ObjectStoreExt as _, aws::AmazonS3, path::Path};

use crate::{
    error::refused,
    presign::Signer,
    put::{PUBLIC, put},
    settings::S3Settings,
};

struct S3;

provider! { dyn FileStorage: "s3" => S3 }

impl FileStorage for S3 {
    fn put(&self, ctx: Ctx, key: String, content: Box<dyn Content>) -> Working<String> {
        Box::pin(async move {
            let bucket = Bucket::of(&ctx)?;
            let path = bucket.path(&key).ok_or_else(|| no_key(&key))?;
            put(&bucket.store, &path, &key, &PUBLIC, content).await?;
            Ok(bucket.settings.url_of(path.as_ref()))
        })
    }

    fn url(&self, ctx: Ctx, key: String) -> Working<Option<String>> {
        Box::pin(async move {
            let bucket = Bucket::of(&ctx)?;
            let Some(path) = bucket.path(&key) else { return Ok(None) };
            match bucket.store.head(&path).await {
                Ok(_) => Ok(Some(bucket.settings.url_of(path.as_ref()))),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(refused(error)),
            }
        })
    }

    fn read(&self, ctx: Ctx, key: String) -> Working<Option<Box<dyn Content>>> {
        Box::pin(async move {
            let bucket = Bucket::of(&ctx)?;
            let Some(path) = bucket.path(&key) else { return Ok(None) };
            match bucket.store.head(&path).await {
                Ok(known) => {
                    Ok(Some(Box::new(Stored { bucket, path, left: 0..known.size }) as Box<dyn Content>))
                }
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(refused(error)),
            }
        })
    }

    fn delete(&self, ctx: Ctx, key: String) -> Working<()> {
        Box::pin(async move {
            let bucket = Bucket::of(&ctx)?;
            let Some(path) = bucket.path(&key) else { return Ok(()) };
            match bucket.store.delete(&path).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(refused(error)),
            }
        })
    }

    /// Media type and size are signed, so that the service refuses what differs.
    fn presign(&self, ctx: Ctx, key: String, upload: DirectUpload) -> Working<Option<String>> {
        Box::pin(async move {
            let bucket = Bucket::of(&ctx)?;
            let path = bucket.path(&key).ok_or_else(|| no_key(&key))?;
            let Secret(access_key_id) = &bucket.settings.access_key_id;
            let Secret(secret_access_key) = &bucket.settings.secret_access_key;
            let signer = Signer { access_key_id, secret_access_key, region: &bucket.settings.region };
            let url = bucket.settings.object_url(path.as_ref()).parse().map_err(Fault::unexpected)?;
            // The service compares it with its own clock, so it is that of the machine.
            let at = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
            Ok(Some(signer.put(&url, upload, &at)))
        })
    }

    fn origin(&self, ctx: &Ctx) -> Option<String> {
        ctx.settings_of::<S3Settings>().ok().map(|it| origin_of(&it.url_of("")))
    }
}

/// Bytes of a file that are asked for at once.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// A file of the bucket, as content.
struct Stored {
    bucket: Arc<Bucket>,
    path: Path,
    left: Range<u64>,
}

impl Content for Stored {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        Box::pin(async {
            if self.left.is_empty() {
                return Ok(None);
            }
            let end = self.left.end.min(self.left.start + CHUNK_BYTES);
            let chunk =
                self.bucket.store.get_range(&self.path, self.left.start..end).await.map_err(refused)?;
            self.left.start = end;
            Ok(Some(chunk))
        })
    }
}

fn no_key(key: &str) -> Fault {
    Fault::invalid(format!("`{key}` is no key of a file"))
}

/// The bucket, and its client.
struct Bucket {
    settings: S3Settings,
    store: AmazonS3,
}

impl Bucket {
    /// The bucket of the settings. Its client is made when it is first asked.
    fn of(ctx: &Ctx) -> Result<Arc<Bucket>, Fault> {
        let made = ctx.memory::<Mutex<Option<Arc<Bucket>>>>();
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = &*made {
            return Ok(bucket.clone());
        }
        let bucket = Arc::new(Bucket::new(ctx.settings_of::<S3Settings>()?.clone())?);
        Ok(made.insert(bucket).clone())
    }

    fn new(settings: S3Settings) -> Result<Bucket, Fault> {
        let store = settings.service().client()?;
        Ok(Bucket { settings, store })
    }

    /// The path of a file; none if the key is none.
    fn path(&self, key: &str) -> Option<Path> {
        is_key(key).then(|| Path::from(self.settings.object(key)))
    }
}
