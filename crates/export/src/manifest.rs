//! The manifest of an export: what is in it and what is not, and the checksums of its files.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use atoll_kernel::Timestamp;
use atoll_storage::Position;
use serde::{Deserialize, Serialize};

/// The format of exports that this program writes, and the newest that it reads.
pub(crate) const FORMAT: u32 = 1;

/// The name of the manifest in its folder.
const NAME: &str = "manifest.json";

/// Bytes of a manifest: a line of some hundred bytes for each table.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What an export says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the export.
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// The last commit that is in it.
    pub position: Position,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Its files.
    pub files: Vec<ExportedFile>,
    /// What is not in it.
    pub left_out: Vec<LeftOut>,
    /// Remarks for operators: data of modules that are switched off, which is not in it either.
    pub notes: Vec<String>,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFile {
    /// `product.product`: its name without the ending.
    pub name: String,
    /// The version of its records.
    pub record_version: u16,
    /// The number of its lines.
    pub n_lines: u64,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// What is not in an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The name of a table or another space.
    pub name: String,
    /// Why it is not.
    pub why: String,
}

impl ExportedFile {
    /// `product.product.jsonl`.
    pub(crate) fn file_name(&self) -> String {
        format!("{}{SUFFIX}", self.name)
    }
}

/// What names of files with lines end in.
pub(crate) const SUFFIX: &str = ".jsonl";

impl Manifest {
    /// The number of all lines.
    pub fn n_lines(&self) -> u64 {
        self.files.iter().map(|it| it.n_lines).sum()
    }

    /// The size of all files, without the manifest.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|it| it.bytes).sum()
    }

    pub(crate) fn path_in(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// What the export in this folder says of itself. Errors: there is none, or it cannot be read.
    pub fn read(folder: &Path) -> io::Result<Manifest> {
        let mut text = Vec::new();
        File::open(Manifest::path_in(folder))?.take(BYTES_MAX).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}
