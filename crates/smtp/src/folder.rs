//! A folder instead of a mail server: each e-mail becomes a file that mail programs open.

use std::path::Path;

use atoll_kernel::{Fault, http::digest};
use lettre::Message;
use tokio::fs;

/// Digits of the key of an e-mail that are in the name of its file.
const KEY_DIGITS: usize = 12;

/// Writes an e-mail. One that is sent again replaces the file of the first time.
pub(crate) async fn write(folder: &Path, template: &str, key: &str, message: &Message) -> Result<(), Fault> {
    let file = folder.join(format!("{template}-{}.eml", &digest(key)[..KEY_DIGITS]));
    let failed =
        |error: std::io::Error| Fault::invalid(format!("`{}` cannot be written: {error}", file.display()));
    fs::create_dir_all(folder).await.map_err(failed)?;
    fs::write(&file, message.formatted()).await.map_err(failed)
}
