//! A folder instead of a mail server: each e-mail becomes a file that mail programs open.

use std::{fs, io::Write as _, path::Path};

use atoll_kernel::{Fault, http::digest};
use lettre::Message;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

/// Digits of the key of an e-mail that are in the name of its file.
const KEY_DIGITS: usize = 12;

/// Writes an e-mail. One that is sent again replaces the file of the first time. The file is there whole or
/// not at all, and for its owner alone: it may hold a token.
pub(crate) async fn write(folder: &Path, template: &str, key: &str, message: &Message) -> Result<(), Fault> {
    let file = folder.join(format!("{template}-{}.eml", &digest(key)[..KEY_DIGITS]));
    let (folder, path, bytes) = (folder.to_owned(), file.clone(), message.formatted());
    let write = move || {
        fs::create_dir_all(&folder)?;
        // Its mode is 0600.
        let mut new = NamedTempFile::new_in(&folder)?;
        new.write_all(&bytes)?;
        new.persist(&path).map(drop).map_err(|it| it.error)
    };
    let failed = |error| Fault::invalid(format!("`{}` cannot be written: {error}", file.display()));
    spawn_blocking(write).await.map_err(Fault::unexpected)?.map_err(failed)
}
