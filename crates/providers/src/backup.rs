//! The contract of backup storages: put, list, delete.

use atoll_kernel::{Ctx, provider_kind};

use crate::{Content, Working};

/// A storage that backups are copied to, away from the machine: a private bucket. It is registered with
/// [`provider!`](atoll_kernel::provider) under an id, which the setting `providers.backup` names. What it
/// stores holds the secrets of the shop, so nobody else may read it.
pub trait BackupStorage: Send + Sync {
    /// Stores a file under this name, and replaces one that has it. It is there when it is whole, and not
    /// before: if the content ends with an error, or the process with a crash, there is no such file.
    fn put(&self, ctx: Ctx, name: String, content: Box<dyn Content>) -> Working<()>;

    /// The names of all files, in any order.
    fn list(&self, ctx: Ctx) -> Working<Vec<String>>;

    /// Deletes a file. One that does not exist is no error.
    fn delete(&self, ctx: Ctx, name: String) -> Working<()>;
}

provider_kind! { dyn BackupStorage as "backup" }
