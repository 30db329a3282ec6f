//! The export of the whole shop: a folder of JSON lines, a file for each table and link, and its import into
//! a new store, byte-equal on a second export.
//!
//! Which files there are and what a line holds is in the kernel ([`atoll_kernel::export`]); here is what is
//! read and written: the folder, its manifest, checksums, and what is wrong with a damaged one.

mod import;
mod lines;
mod manifest;
mod references;
mod write;

pub use import::{ImportError, PROBLEMS_MAX, Problem, import};
pub use manifest::{ExportedFile, LeftOut, Manifest};
pub use write::{ExportError, Room, export, remove_half};
