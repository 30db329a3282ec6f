//! Files that are there complete or not at all: written under another name, and renamed; for their owner
//! alone.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Creates a new file that its owner alone can read (mode 0600). Errors: it exists.
pub fn create_private(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Gives a complete file its final name, and replaces one that has it. Content and name are on the disk when
/// this returns.
pub fn put_in_place(new: &Path, file: &Path) -> io::Result<()> {
    File::open(new)?.sync_all()?;
    fs::rename(new, file)?;
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The name of a file with something behind it: `atoll.redb.new`.
pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
