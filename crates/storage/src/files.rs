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
    File::open(folder_of(file))?.sync_all()
}

/// The folder that a file is in, or will be.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name of a file with something behind it: `atoll.redb.new`.
pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
