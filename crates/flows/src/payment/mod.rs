//! Flows on payments: collections, sessions, capture, refund and its reasons, cancellation.

mod collect;
mod create_collection;
mod create_session;
mod due;
mod move_money;
mod progress;
mod reasons;
mod release;
mod return_paid;
mod webhook;

pub use collect::{
    CREATE_ORDER_PAYMENT_COLLECTION, DELETE_ORDER_PAYMENT_COLLECTION, MARK_PAYMENT_COLLECTION_AS_PAID,
    MarkPaid, NewCollection,
};
pub use create_collection::CREATE_PAYMENT_COLLECTION;
pub(crate) use create_collection::refresh;
pub(crate) use create_session::check_provider;
pub use create_session::{CREATE_PAYMENT_SESSIONS, NewSession, SessionInput};
pub(crate) use due::{check_digits, due};
pub(crate) use move_money::record_capture;
pub use move_money::{CAPTURE_PAYMENT, MoveMoney, REFUND_PAYMENT};
pub(crate) use progress::{PaymentProgress, collections_of, event_of, tell_order, tell_orders};
pub use reasons::{CREATE_REFUND_REASONS, DELETE_REFUND_REASONS, UPDATE_REFUND_REASONS};
pub(crate) use release::release;
pub(crate) use return_paid::let_go_session;
pub use return_paid::{PaidInVain, RETURN_PAYMENT};
pub use webhook::receive_notice;
