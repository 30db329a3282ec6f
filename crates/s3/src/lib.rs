//! The file storage `s3`: files in a bucket of an S3 service, such as that of AWS, MinIO or SeaweedFS.

mod error;
mod presign;
mod put;
mod settings;
mod storage;
