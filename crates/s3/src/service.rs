//! A bucket of a service, and the client that asks for it.

use std::time::Duration;

use atoll_kernel::{Fault, registry::Secret};
use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};

use crate::settings::{Address, BucketName};

/// How long connecting to the service may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Retries of a request that the service did not answer, or answered with 429 or 5xx; with exponential
/// backoff and jitter.
pub(crate) const RETRIES_MAX: u32 = 3;

/// No retry begins later than this after the first attempt, where a client of ours is waiting.
pub(crate) const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest pause between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// A bucket, as settings name it, and how it is asked.
pub(crate) struct Service<'a> {
    pub(crate) bucket: &'a BucketName,
    pub(crate) region: &'a str,
    /// The address; by default that of AWS in the region.
    pub(crate) endpoint: Option<&'a Address>,
    pub(crate) access_key_id: &'a Secret,
    pub(crate) secret_access_key: &'a Secret,
    pub(crate) timeout_s: u64,
    /// No retry begins later than this after the first attempt.
    pub(crate) retry_timeout: Duration,
}

impl Service<'_> {
    /// The address of the service.
    pub(crate) fn address(&self) -> String {
        let aws = || format!("https://s3.{}.amazonaws.com", self.region);
        self.endpoint.map_or_else(aws, |it| it.0.clone())
    }

    /// Do both name one bucket?
    pub(crate) fn is_same_bucket(&self, other: &Service<'_>) -> bool {
        (&self.bucket.0, self.address()) == (&other.bucket.0, other.address())
    }

    /// A client of the bucket.
    pub(crate) fn client(&self) -> Result<AmazonS3, Fault> {
        // The client takes the provider of the process. An error says that there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = self.address();
        let client = ClientOptions::new()
            .with_allow_http(endpoint.starts_with("http://"))
            .with_timeout(Duration::from_secs(self.timeout_s))
            .with_connect_timeout(CONNECT_TIMEOUT);
        let retry = RetryConfig {
            max_retries: RETRIES_MAX as usize,
            retry_timeout: self.retry_timeout,
            backoff: BackoffConfig { max_backoff: BACKOFF_MAX, ..BackoffConfig::default() },
        };
        AmazonS3Builder::new()
            .with_bucket_name(&self.bucket.0)
            .with_region(self.region)
            .with_endpoint(endpoint)
            .with_access_key_id(&self.access_key_id.0)
            .with_secret_access_key(&self.secret_access_key.0)
            // Not every service has the deletion of many objects by one request.
            .with_disable_bulk_delete(true)
            .with_client_options(client)
            .with_retry(retry)
            .build()
            .map_err(Fault::unexpected)
    }
}
