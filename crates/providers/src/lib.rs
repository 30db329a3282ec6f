//! The contracts of providers that are no part of a checkout: file storage, backups, notifications, webhooks.
//! Types for modules and providers; no records.

mod backup;
mod file;
mod notification;
mod reach;
mod webhook;

use std::{future::Future, pin::Pin};

use atoll_kernel::Fault;

pub use backup::BackupStorage;
pub use file::{
    Content, DirectUpload, FileStorage, ID_PREFIX, direct_type, extension_of, image_type, is_key, key_of,
    origin_of,
};
pub use notification::{EMAIL, Notification, NotificationProvider};
pub use reach::Reach;
pub use webhook::{OutgoingWebhook, WebhookAnswer, WebhookSender};

/// The future of a call to a provider.
pub type Working<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;
