//! The storage engines: redb on disk, memory, and, for tests, one that injects faults, one that counts reads
//! and one that logs commits.

mod counting;
mod faulty;
mod logging;
mod memory;
mod redb;

pub use counting::Counting;
pub use faulty::{Crash, EngineFault, Faulty, Switch};
pub use logging::{Content, Log, Logging};
pub use memory::Memory;
pub use redb::Redb;
