//! The commit log in PostgreSQL, for several hosts with one shop.
//!
//! PostgreSQL holds the truth: a row that says who leads, up to which commit the log goes, and the log. Each
//! host keeps a replica and reads from it. The host that leads runs all transactions and appends their
//! commits by one statement, which writes only if it still leads: a *fence*. The *lease* says when another
//! one may take over; it is for liveness alone.

mod address;
mod append;
mod database;
mod fold;
mod head;
mod latest;
mod log;
mod member;
mod moving;
mod replica;

pub use database::{Database, DatabaseError};
pub use latest::Latest;
pub use member::Member;
pub use moving::{move_in, move_out};
pub use replica::bring_up;
