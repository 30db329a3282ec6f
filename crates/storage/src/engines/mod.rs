//! The engines: redb on disk, memory, and the one that fails on purpose.

mod faulty;
mod memory;
mod redb;

pub use faulty::{Crash, Fault, Faulty, Switch};
pub use memory::Memory;
pub use redb::Redb;
