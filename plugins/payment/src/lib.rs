//! Payment: who takes the money, what is to be paid, and what was.

mod by_hand;
mod error;
mod service;
mod types;

use atoll_kernel::{Index, Module, Relation, Resolve, Service, WhenGone, module};

pub use by_hand::SYSTEM_DEFAULT;
pub use error::Error;
pub use service::{
    LetGo, authorize, cancel_collection, capturable, capture, check_open, is_enabled, open_payment,
    open_session, refund, refundable, set_amount, set_busy,
};
pub use types::{
    Capture, CollectionStatus, Payment, PaymentCollection, PaymentSession, ProviderRecord, Refund,
    SessionStatus,
};

/// The name of providers in links.
pub const PAYMENT_PROVIDER: &str = "payment_provider";
/// The name of collections in links.
pub const PAYMENT_COLLECTION: &str = "payment_collection";
const PAYMENT: &str = "payment";

/// The payments of a collection.
pub const PAYMENTS_BY_COLLECTION: Index<Payment> =
    Index::on("payment.by_collection", &["payment_collection_id"], |it, keys| {
        keys.add(&[&it.payment_collection_id]);
    });
const PAYMENTS_BY_SESSION: Index<Payment> =
    Index::on("payment.by_session", &["payment_session_id"], |it, keys| keys.add(&[&it.payment_session_id]));

/// The service of payment providers.
pub static PAYMENT_PROVIDERS: Service<ProviderRecord> = Service::new(&[]);
/// The service of collections. [`open_session`] and its like keep the rules of the module.
pub static PAYMENT_COLLECTIONS: Service<PaymentCollection> = Service::new(&[]);
/// The service of payments. [`authorize`] makes them.
pub static PAYMENTS: Service<Payment> = Service::new(&[PAYMENTS_BY_COLLECTION, PAYMENTS_BY_SESSION]);

const PAYMENTS_OF_COLLECTION: Relation = Relation {
    from: PAYMENT_COLLECTION,
    name: "payments",
    to: PAYMENT,
    many: true,
    searched: false,
    absent_if_none: false,
    resolve: Resolve::Back("payment_collection_id"),
    when_gone: WhenGone::Keep,
    sorted_by: None,
};

const PAYMENT_OF_SESSION: Relation = Relation {
    from: "payment_session",
    name: "payment",
    many: false,
    resolve: Resolve::Back("payment_session_id"),
    ..PAYMENTS_OF_COLLECTION
};

const COLLECTION_OF_PAYMENT: Relation = Relation {
    from: PAYMENT,
    name: "payment_collection",
    to: PAYMENT_COLLECTION,
    many: false,
    resolve: Resolve::Field("payment_collection_id"),
    ..PAYMENTS_OF_COLLECTION
};

module! { Module {
    name: "payment",
    summary: "Who takes the money, what is to be paid, and what was",
    services: &[&PAYMENT_PROVIDERS, &PAYMENT_COLLECTIONS, &PAYMENTS],
    relations: &[PAYMENTS_OF_COLLECTION, PAYMENT_OF_SESSION, COLLECTION_OF_PAYMENT],
    seed: Some(service::seed),
    ..Module::EMPTY
} }
