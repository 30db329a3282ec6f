//! The file storage `s3` and the backup storage `s3_backup`: files in a bucket of an S3 service, such as that
//! of AWS, MinIO or SeaweedFS.

mod backup;
mod error;
mod presign;
mod put;
mod service;
mod settings;
mod storage;
