//! The records of payments: providers, collections, sessions and former ones, payments, captures, refunds and
//! their reasons.

use atoll_kernel::{
    Decimal, Metadata, Timestamp,
    data::{ComputedFields, Exact},
    entity,
    serde::{Deserialize, Serialize},
    serde_json::{Map, Value, json},
    stored, words,
};

entity! {
    /// A payment provider.
    pub struct ProviderRecord = "payment_provider" / "payment_providers", "pp" {
        /// Does it serve? By configuration, of those that are linked in.
        pub is_enabled: bool = true,
    }
}

words! {
    /// State of a payment collection.
    pub enum CollectionStatus {
        /// There is no session.
        #[default]
        NotPaid = "not_paid",
        /// A session is open.
        Awaiting = "awaiting",
        /// The amount was authorised.
        Authorized = "authorized",
        /// Captured in part.
        PartiallyCaptured = "partially_captured",
        /// Captured.
        Completed = "completed",
        /// Cancelled.
        Canceled = "canceled",
    }
}

words! {
    /// State of a payment session.
    pub enum SessionStatus {
        /// The buyer has not paid yet.
        #[default]
        Pending = "pending",
        /// The amount was authorised.
        Authorized = "authorized",
    }
}

entity! {
    /// The amount to be paid for one cart, and later its order. The session is stored in it.
    pub struct PaymentCollection = "payment_collection" / "payment_collections", "pay_col" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Amount or quantity.
        pub amount: Decimal,
        /// Authorised amount, once there is a payment.
        pub authorized_amount: Option<Decimal>,
        /// Captured amount, once there is a payment.
        pub captured_amount: Option<Decimal>,
        /// Refunded amount, once there is a payment.
        pub refunded_amount: Option<Decimal>,
        /// When all of it was captured.
        pub completed_at: Option<Timestamp>,
        /// State of the collection.
        pub status: CollectionStatus,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// At most one session: a new one replaces the earlier one.
        pub payment_sessions: Vec<PaymentSession>,
    }
    embeds [many payment_sessions: PaymentSession]
    computed [
        raw_amount: Exact,
        raw_authorized_amount: Option<Exact>,
        raw_captured_amount: Option<Exact>,
        raw_refunded_amount: Option<Exact>,
    ] by compute_collection
}

impl PaymentCollection {
    /// What is still to be captured of it; nothing once it was cancelled.
    pub fn open(&self) -> Decimal {
        match self.status {
            CollectionStatus::Canceled => Decimal::ZERO,
            _ => self.amount - self.captured_amount.unwrap_or_default(),
        }
    }
}

fn compute_collection(collection: &PaymentCollection, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", collection.amount.raw());
    shown.field("raw_authorized_amount", collection.authorized_amount.map(|it| it.raw()));
    shown.field("raw_captured_amount", collection.captured_amount.map(|it| it.raw()));
    shown.field("raw_refunded_amount", collection.refunded_amount.map(|it| it.raw()));
}

entity! {
    /// A payment session: an attempt to pay through one provider.
    pub struct PaymentSession = "payment_session" / "payment_sessions", "payses" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Amount or quantity.
        pub amount: Decimal,
        /// The provider, by its id.
        pub provider_id: String,
        /// Answer of the provider, with which the storefront continues.
        pub data: Metadata,
        /// Data about the buyer from the storefront, passed to the provider.
        pub context: Metadata,
        /// State of the session.
        pub status: SessionStatus,
        /// When the amount was authorised.
        pub authorized_at: Option<Timestamp>,
        /// The collection.
        pub payment_collection_id: String,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Is its provider one of manual payments, which never tells of money by itself?
        pub is_manual: bool,
    }
    hidden [is_manual]
    computed [raw_amount: Exact] by compute_session
}

fn compute_session(session: &PaymentSession, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", session.amount.raw());
}

entity! {
    /// A payment session that its collection has lost, under the id of the session: it was replaced or
    /// closed, or its amount is no longer due. Its provider may still tell that the buyer has paid it.
    pub struct FormerSession = "former_payment_session" / "former_payment_sessions", "forpayses" {
        /// The session, without what the provider is not asked with again.
        pub session: PaymentSession,
        /// The collection that has lost it.
        pub payment_collection_id: String,
        /// What was captured of it and given back.
        pub returned: Decimal,
        /// How often something was given back.
        pub n_returns: u32,
    }
    hidden [session, returned, n_returns]
}

entity! {
    /// An authorised amount, with its captures and refunds.
    pub struct Payment = "payment" / "payments", "pay" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Authorised amount.
        pub amount: Decimal,
        /// The provider, by its id.
        pub provider_id: String,
        /// The last answer of the provider.
        pub data: Metadata,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// When all of it was captured.
        pub captured_at: Option<Timestamp>,
        /// When the authorisation was cancelled.
        pub canceled_at: Option<Timestamp>,
        /// The collection.
        pub payment_collection_id: String,
        /// The session that it comes from.
        pub payment_session_id: String,
        /// Captures.
        pub captures: Vec<Capture>,
        /// Refunds.
        pub refunds: Vec<Refund>,
        /// Idempotency key of the authorisation.
        pub authorized_by: String,
        /// Is a request to the provider in flight? Other requests are refused meanwhile.
        pub is_busy: bool,
        /// What the provider was asked for and has not answered. It may have been done, so that it is asked
        /// for again before anything else is.
        pub unanswered: Option<Asked>,
    }
    hidden [authorized_by, is_busy, unanswered]
    embeds [many captures: Capture, many refunds: Refund]
    computed [
        raw_amount: Exact,
        /// The id of the session that was authorised.
        payment_session: Map<String, Value>,
    ] by compute_payment
}

stored! {
    /// A capture or a refund that a provider is asked for.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(crate = "::atoll_kernel::serde")]
    pub struct Asked {
        /// Is it a refund? Otherwise it is a capture.
        pub is_refund: bool,
        /// How much.
        pub amount: Decimal,
    }
}

impl Asked {
    /// A capture of this amount.
    pub fn capture(amount: Decimal) -> Asked {
        Asked { is_refund: false, amount }
    }

    /// A refund of this amount.
    pub fn refund(amount: Decimal) -> Asked {
        Asked { is_refund: true, amount }
    }
}

impl Payment {
    /// The captured amount.
    pub fn captured(&self) -> Decimal {
        self.captures.iter().map(|it| it.amount).sum()
    }

    /// The refunded amount.
    pub fn refunded(&self) -> Decimal {
        self.refunds.iter().map(|it| it.amount).sum()
    }
}

fn compute_payment(payment: &Payment, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", payment.amount.raw());
    shown.field("payment_session", json!({ "id": payment.payment_session_id }));
}

entity! {
    /// A capture of an authorised amount.
    pub struct Capture = "capture" / "captures", "capt" {
        /// Amount or quantity.
        pub amount: Decimal,
        /// The payment.
        pub payment_id: String,
        /// Id of the actor.
        pub created_by: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    computed [raw_amount: Exact] by compute_capture
}

fn compute_capture(capture: &Capture, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", capture.amount.raw());
}

entity! {
    /// A refund of a captured amount.
    pub struct Refund = "refund" / "refunds", "ref" {
        /// Amount or quantity.
        pub amount: Decimal,
        /// Why, by the id of a reason.
        pub refund_reason_id: Option<String>,
        /// Why, in words, for admins.
        pub note: Option<String>,
        /// The payment.
        pub payment_id: String,
        /// Id of the actor.
        pub created_by: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    computed [raw_amount: Exact] by compute_refund
}

fn compute_refund(refund: &Refund, shown: &mut ComputedFields<'_>) {
    shown.field("raw_amount", refund.amount.raw());
}

entity! {
    /// Why money is given back: a choice for admins.
    pub struct RefundReason = "refund_reason" / "refund_reasons", "refr" {
        /// Shown to admins.
        pub label: String,
        /// What other programs know it by; no two reasons have the same.
        pub code: String,
        /// Text for admins.
        pub description: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [label, code, description]
    patch RefundReasonPatch
}
