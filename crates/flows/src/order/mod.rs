//! Orders: how they begin, and how they are called off.

mod cancel;
mod create;

pub use cancel::CANCEL_ORDER;
pub use create::CREATE_ORDERS;
