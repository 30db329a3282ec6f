//! The records.

use atoll_kernel::{
    Decimal, FieldValue, Metadata, Timestamp, entity,
    serde_json::{Value, json},
    words,
};

entity! {
    /// Somebody who takes money.
    pub struct ProviderRecord = "payment_provider" / "payment_providers", "pp" {
        /// May it be used? One that is no longer linked in may not.
        pub is_enabled: bool = true,
    }
}

words! {
    /// How far the payments of a collection have come.
    pub enum CollectionStatus {
        /// Nobody was asked to pay.
        #[default]
        NotPaid = "not_paid",
        /// The buyer was asked.
        Awaiting = "awaiting",
        /// The money was set aside.
        Authorized = "authorized",
        /// Some of it was taken.
        PartiallyCaptured = "partially_captured",
        /// All of it was taken.
        Completed = "completed",
        /// It was called off.
        Canceled = "canceled",
    }
}

words! {
    /// How far a session has come.
    pub enum SessionStatus {
        /// The buyer was asked.
        #[default]
        Pending = "pending",
        /// The money was set aside.
        Authorized = "authorized",
    }
}

entity! {
    /// What is to be paid for one cart, and later its order. The session is stored in it.
    pub struct PaymentCollection = "payment_collection" / "payment_collections", "pay_col" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// How much.
        pub amount: Decimal,
        /// How much was set aside, once there is a payment.
        pub authorized_amount: Option<Decimal>,
        /// How much was taken, once there is a payment.
        pub captured_amount: Option<Decimal>,
        /// How much was given back, once there is a payment.
        pub refunded_amount: Option<Decimal>,
        /// When all of it was taken, if it was.
        pub completed_at: Option<Timestamp>,
        /// How far it has come.
        pub status: CollectionStatus,
        /// Free data.
        pub metadata: Metadata,
        /// How the buyer wants to pay: one session at most, since a new one takes the place of the old.
        pub payment_sessions: Vec<PaymentSession>,
    }
    embeds [many payment_sessions: PaymentSession]
    computed [raw_amount, raw_authorized_amount, raw_captured_amount, raw_refunded_amount] by compute_collection
}

fn compute_collection(collection: &PaymentCollection, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("raw_amount", collection.amount.raw());
    visit("raw_authorized_amount", json!(collection.authorized_amount.map(|it| it.raw())));
    visit("raw_captured_amount", json!(collection.captured_amount.map(|it| it.raw())));
    visit("raw_refunded_amount", json!(collection.refunded_amount.map(|it| it.raw())));
}

entity! {
    /// A buyer is about to pay, through one provider.
    pub struct PaymentSession = "payment_session" / "payment_sessions", "payses" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// How much.
        pub amount: Decimal,
        /// The provider, by its id.
        pub provider_id: String,
        /// What the provider answered; the storefront goes on with it.
        pub data: Metadata,
        /// What the storefront says of the buyer.
        pub context: Metadata,
        /// How far it has come.
        pub status: SessionStatus,
        /// When the money was set aside, if it was.
        pub authorized_at: Option<Timestamp>,
        /// The collection.
        pub payment_collection_id: String,
        /// Free data.
        pub metadata: Metadata,
    }
    computed [raw_amount] by compute_session
}

fn compute_session(session: &PaymentSession, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("raw_amount", session.amount.raw());
}

entity! {
    /// Money that was set aside, and what was taken and given back of it.
    pub struct Payment = "payment" / "payments", "pay" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// How much was set aside.
        pub amount: Decimal,
        /// The provider, by its id.
        pub provider_id: String,
        /// What the provider answered last.
        pub data: Metadata,
        /// Free data.
        pub metadata: Metadata,
        /// When all of it was taken, if it was.
        pub captured_at: Option<Timestamp>,
        /// When it was let go of, if it was.
        pub canceled_at: Option<Timestamp>,
        /// The collection.
        pub payment_collection_id: String,
        /// The session that it comes from.
        pub payment_session_id: String,
        /// What was taken.
        pub captures: Vec<Capture>,
        /// What was given back.
        pub refunds: Vec<Refund>,
        /// The key under which the provider set the money aside.
        pub authorized_by: String,
        /// Is the provider being asked for something? Meanwhile nothing else is asked.
        pub is_busy: bool,
    }
    hidden [authorized_by, is_busy]
    embeds [many captures: Capture, many refunds: Refund]
    computed [raw_amount, payment_session] by compute_payment
}

impl Payment {
    /// How much was taken.
    pub fn captured(&self) -> Decimal {
        self.captures.iter().map(|it| it.amount).sum()
    }

    /// How much was given back.
    pub fn refunded(&self) -> Decimal {
        self.refunds.iter().map(|it| it.amount).sum()
    }
}

fn compute_payment(payment: &Payment, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("raw_amount", payment.amount.raw());
    visit("payment_session", json!({ "id": payment.payment_session_id }));
}

entity! {
    /// Money that was taken.
    pub struct Capture = "capture" / "captures", "capt" {
        /// How much.
        pub amount: Decimal,
        /// The payment.
        pub payment_id: String,
        /// Who took it.
        pub created_by: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    computed [raw_amount] by compute_capture
}

fn compute_capture(capture: &Capture, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("raw_amount", capture.amount.raw());
}

entity! {
    /// Money that was given back.
    pub struct Refund = "refund" / "refunds", "ref" {
        /// How much.
        pub amount: Decimal,
        /// Why.
        pub note: Option<String>,
        /// The payment.
        pub payment_id: String,
        /// Who gave it back.
        pub created_by: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    computed [raw_amount] by compute_refund
}

fn compute_refund(refund: &Refund, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("raw_amount", refund.amount.raw());
}

impl FieldValue for PaymentSession {}

impl FieldValue for Capture {}

impl FieldValue for Refund {}
