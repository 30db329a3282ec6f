//! The storage itself: the client of the service, and what the contract asks of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use atoll_kernel::{Ctx, Fault, provider, registry::Secret};
use atoll_providers::{Content, DirectUpload, FileStorage, Working, is_key, origin_of};
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStoreExt as _, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};

use crate::{error::refused, presign::Signer, put::put, settings::S3Settings};

/// How long connecting to the service may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Retries of a request that the service did not answer, or answered with 429 or 5xx; with exponential
/// backoff and jitter.
const RETRIES_MAX: usize = 3;

/// No retry begins later than this after the first attempt: a client of ours is waiting.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest pause between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

struct S3;

provider! { dyn FileStorage: "s3" => S3 }

impl FileStorage for S3 {
    fn put(&self, ctx: Ctx, key: String, content: Box<dyn Content>) -> Working<String> {
        Box::pin(async move {
            let bucket = Bucket::of(&ctx)?;
            let path = bucket.path(&key).ok_or_else(|| no_key(&key))?;
            put(&bucket.store, &path, &key, content).await?;
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
        // The client takes the provider of the process. An error says that there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (Secret(id), Secret(secret)) = (&settings.access_key_id, &settings.secret_access_key);
        let endpoint = settings.endpoint();
        let client = ClientOptions::new()
            .with_allow_http(endpoint.starts_with("http://"))
            .with_timeout(Duration::from_secs(settings.timeout_s))
            .with_connect_timeout(CONNECT_TIMEOUT);
        let retry = RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_TIMEOUT,
            backoff: BackoffConfig { max_backoff: BACKOFF_MAX, ..BackoffConfig::default() },
        };
        let store = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket.0)
            .with_region(&settings.region)
            .with_endpoint(endpoint)
            .with_access_key_id(id)
            .with_secret_access_key(secret)
            // Not every service has the deletion of many objects by one request.
            .with_disable_bulk_delete(true)
            .with_client_options(client)
            .with_retry(retry)
            .build()
            .map_err(Fault::unexpected)?;
        Ok(Bucket { settings, store })
    }

    /// The path of a file; none if the key is none.
    fn path(&self, key: &str) -> Option<Path> {
        is_key(key).then(|| Path::from(self.settings.object(key)))
    }
}
