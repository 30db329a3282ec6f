//! The backup storage `s3_backup`: backups in a bucket that is not that of public files.

use std::time::Duration;

use atoll_kernel::{Ctx, Fault, provider, registry::Secret, settings};
use atoll_providers::{BackupStorage, Content, Working, is_key};
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, aws::AmazonS3, path::Path};

use crate::{
    error::refused,
    put::{PRIVATE, put},
    service::{RETRIES_MAX, Service},
    settings::{Address, BucketName, Prefix, S3Settings},
};

settings! {
    /// The bucket that backups are copied to. Nobody but the owner of its key may read it.
    pub(crate) struct S3BackupSettings = "s3_backup" {
        /// The name of the bucket: another one than that of public files.
        pub(crate) bucket: BucketName;
        /// The region.
        pub(crate) region: String = "us-east-1";
        /// The address of the service; by default that of AWS in the region.
        pub(crate) endpoint: Option<Address>;
        /// What the keys of all backups begin with, such as `shop/backups`.
        pub(crate) prefix: Prefix = "";
        /// The access key.
        pub(crate) access_key_id: Secret;
        /// Its secret.
        pub(crate) secret_access_key: Secret;
        /// Seconds after which one request to the service is given up; it is made up to four times.
        pub(crate) timeout_s: u64 = 60, 1..=300;
    }
}

struct S3Backup;

provider! { dyn BackupStorage: "s3_backup" => S3Backup }

impl BackupStorage for S3Backup {
    fn put(&self, ctx: Ctx, name: String, content: Box<dyn Content>) -> Working<()> {
        Box::pin(async move {
            let (store, path) = (client(&ctx)?, path(&ctx, &name)?);
            put(&store, &path, &name, &PRIVATE, content).await
        })
    }

    fn list(&self, ctx: Ctx) -> Working<Vec<String>> {
        Box::pin(async move {
            let Prefix(prefix) = &ctx.settings_of::<S3BackupSettings>()?.prefix;
            let folder = (!prefix.is_empty()).then(|| Path::from(prefix.as_str()));
            let listed = client(&ctx)?.list_with_delimiter(folder.as_ref()).await.map_err(refused)?;
            let names = listed.objects.iter().filter_map(|it| it.location.filename());
            Ok(names.map(str::to_owned).collect())
        })
    }

    fn delete(&self, ctx: Ctx, name: String) -> Working<()> {
        Box::pin(async move {
            match client(&ctx)?.delete(&path(&ctx, &name)?).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(refused(error)),
            }
        })
    }
}

/// The client. Backups are rare, so it is made for each. Errors: the bucket is that of public files.
fn client(ctx: &Ctx) -> Result<AmazonS3, Fault> {
    let settings = ctx.settings_of::<S3BackupSettings>()?;
    let service = settings.service();
    if ctx.settings_of::<S3Settings>().is_ok_and(|it| it.service().is_same_bucket(&service)) {
        return Err(Fault::not_allowed(
            "`s3_backup.bucket` is the bucket of public files: everybody could read the secrets in a backup",
        ));
    }
    service.client()
}

impl S3BackupSettings {
    fn service(&self) -> Service<'_> {
        Service {
            bucket: &self.bucket,
            region: &self.region,
            endpoint: self.endpoint.as_ref(),
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            timeout_s: self.timeout_s,
            // Each attempt may take its time: nobody is waiting.
            retry_timeout: Duration::from_secs(self.timeout_s) * (RETRIES_MAX + 1),
        }
    }
}

fn path(ctx: &Ctx, name: &str) -> Result<Path, Fault> {
    let prefix = &ctx.settings_of::<S3BackupSettings>()?.prefix;
    match is_key(name) {
        true => Ok(Path::from(prefix.of(name))),
        false => Err(Fault::invalid(format!("`{name}` is no name of a backup"))),
    }
}
