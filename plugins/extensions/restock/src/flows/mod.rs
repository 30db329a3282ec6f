//! Flows: each process is one transaction, with points at which hooks of other crates may join.

mod expire;
mod subscribe;
mod tell;
mod unsubscribe;

pub use expire::EXPIRE_RESTOCK_SUBSCRIPTIONS;
pub use subscribe::{SUBSCRIBE_TO_RESTOCK, Subscribe};
pub use tell::TELL_RESTOCK;
pub(crate) use tell::waiting;
pub use unsubscribe::UNSUBSCRIBE_FROM_RESTOCK;
