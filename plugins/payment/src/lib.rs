//! Payments: providers, payment collections with their session, captures, refunds and their reasons.

mod error;
mod former;
mod manual;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    module,
    query::{Relation, Resolve, Visibility},
};

pub use error::Error;
pub use former::{close_session, delete_with_sessions, note_returned};
pub use manual::SYSTEM_DEFAULT;
pub use service::{
    MOVES_MAX, Reversal, authorize, cancel_collection, capturable, capture, check_captured, check_data,
    check_new_session, check_note, check_payable, check_reason, delete_collection, delete_reason,
    forget_asked, is_enabled, note_asked, open_payment, open_session, pay_by_hand, refund, refundable,
    set_amount, set_free,
};
pub use types::{
    Asked, Capture, CollectionStatus, FormerSession, Payment, PaymentCollection, PaymentSession,
    ProviderRecord, Refund, RefundReason, RefundReasonPatch, SessionStatus,
};

/// Entity name of providers in links.
pub const PAYMENT_PROVIDER: &str = "payment_provider";
/// Entity name of collections in links.
pub const PAYMENT_COLLECTION: &str = "payment_collection";
const PAYMENT: &str = "payment";

/// The payments of a collection.
pub const PAYMENTS_BY_COLLECTION: Index<Payment> =
    Index::on("payment.by_collection", &["payment_collection_id"], |it, keys| {
        keys.add(&[&it.payment_collection_id]);
    });
/// The payment of a session.
pub const PAYMENTS_BY_SESSION: Index<Payment> =
    Index::on("payment.by_session", &["payment_session_id"], |it, keys| keys.add(&[&it.payment_session_id]));

/// The collection of a session.
pub const COLLECTIONS_BY_SESSION: Index<PaymentCollection> =
    Index::on("payment_collection.by_session", &[], |it, keys| {
        it.payment_sessions.iter().for_each(|session| keys.add(&[&session.id]));
    });

pub(crate) const FORMER_BY_COLLECTION: Index<FormerSession> =
    Index::on("former_payment_session.by_collection", &["payment_collection_id"], |it, keys| {
        keys.add(&[&it.payment_collection_id]);
    });

const REASON_BY_CODE: Index<RefundReason> =
    Index::unique("refund_reason.by_code", &["code"], |it, keys| keys.add(&[&it.code]));

/// Records of the linked providers, written at every start.
pub static PAYMENT_PROVIDERS: Service<ProviderRecord> = Service::new(&[]).visible(Visibility::Everyone);
/// Write through [`set_amount`], [`open_session`] and the others, which keep the sums.
pub static PAYMENT_COLLECTIONS: Service<PaymentCollection> =
    Service::new(&[COLLECTIONS_BY_SESSION]).visible(Visibility::With(&["cart", "order"]));
/// What was a session of a collection. Written by the functions that replace or close one.
pub static FORMER_SESSIONS: Service<FormerSession> = Service::new(&[FORMER_BY_COLLECTION]);
/// Created by [`authorize`].
pub static PAYMENTS: Service<Payment> = Service::new(&[PAYMENTS_BY_COLLECTION, PAYMENTS_BY_SESSION])
    .visible(Visibility::With(&["payment_collection"]));
/// Reasons of refunds. Deleted by [`delete_reason`].
pub static REFUND_REASONS: Service<RefundReason> = Service::new(&[REASON_BY_CODE]);

module! { Module {
    name: "payment",
    summary: "Payment providers, collections, sessions, captures and refunds",
    services: &[&PAYMENT_PROVIDERS, &PAYMENT_COLLECTIONS, &FORMER_SESSIONS, &PAYMENTS, &REFUND_REASONS],
    relations: &[
        Relation::many(PAYMENT_COLLECTION, "payments", PAYMENT, Resolve::Back("payment_collection_id")),
        Relation {
            reveals: true,
            ..Relation::one("payment_session", "payment", PAYMENT, Resolve::Back("payment_session_id"))
        },
        Relation::one(
            PAYMENT,
            "payment_collection",
            PAYMENT_COLLECTION,
            Resolve::Field("payment_collection_id"),
        ),
        // A refund keeps the id of a reason that was deleted.
        Relation::one("refund", "refund_reason", "refund_reason", Resolve::Field("refund_reason_id")),
    ],
    seed: Some(service::seed),
    ..Module::EMPTY
} }
