//! The storage engines: redb on disk, memory, and, for tests, one that injects faults and one that counts
//! reads.

mod counting;
mod faulty;
mod memory;
mod redb;

pub use counting::Counting;
pub use faulty::{Crash, EngineFault, Faulty, Switch};
pub use memory::Memory;
pub use redb::Redb;
