//! The engines: redb on disk, memory, and the one that fails on purpose.

mod faulty;
mod memory;
mod redb;

pub use faulty::{Fault, Faulty};
pub use memory::Memory;
pub use redb::Redb;
