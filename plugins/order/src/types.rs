//! The records of orders and their addresses, and their states.

use atoll_checkout::{PromotionUse, TOTALS, Totals, total_field};
use atoll_kernel::{
    Decimal, Metadata, Timestamp,
    data::{ComputedFields, Exact, FieldKind, FieldValue, flattened, joined},
    entity,
    serde::{Serialize, Serializer, ser::SerializeMap},
    words,
};

use crate::{OrderAddress, OrderCreditLine, OrderLineItem, OrderShippingMethod};

words! {
    /// State of an order.
    pub enum OrderStatus {
        /// Placed, and not completed.
        #[default]
        Pending = "pending",
        /// Completed.
        Completed = "completed",
        /// Not placed yet.
        Draft = "draft",
        /// Archived, after completion or cancellation.
        Archived = "archived",
        /// Cancelled.
        Canceled = "canceled",
        /// An admin must act.
        RequiresAction = "requires_action",
    }
}

words! {
    /// State of the payments of an order.
    pub enum PaymentStatus {
        /// Nothing was paid.
        #[default]
        NotPaid = "not_paid",
        /// A payment session is open.
        Awaiting = "awaiting",
        /// The amount was authorised.
        Authorized = "authorized",
        /// Of several payment collections, some were authorised.
        PartiallyAuthorized = "partially_authorized",
        /// Captured in part.
        PartiallyCaptured = "partially_captured",
        /// Captured.
        Captured = "captured",
        /// Refunded in part.
        PartiallyRefunded = "partially_refunded",
        /// Refunded.
        Refunded = "refunded",
        /// The authorisation was cancelled.
        Canceled = "canceled",
        /// The buyer must act. An order is placed after that, so none has it.
        RequiresAction = "requires_action",
    }
}

words! {
    /// State of the fulfilment of an order.
    pub enum FulfillmentStatus {
        /// Nothing.
        #[default]
        NotFulfilled = "not_fulfilled",
        /// Some quantities are fulfilled.
        PartiallyFulfilled = "partially_fulfilled",
        /// All quantities are fulfilled.
        Fulfilled = "fulfilled",
        /// Some quantities were handed to a carrier.
        PartiallyShipped = "partially_shipped",
        /// All quantities that need shipping were handed to a carrier.
        Shipped = "shipped",
        /// Some quantities were delivered.
        PartiallyDelivered = "partially_delivered",
        /// All quantities were delivered.
        Delivered = "delivered",
        /// The fulfilments were cancelled.
        Canceled = "canceled",
    }
}

entity! {
    /// An order, with copies of what was bought.
    pub struct Order = "order" / "orders", "order" {
        /// Ascending number for people, from 1.
        pub display_id: u64,
        /// A display id that the shop chooses.
        pub custom_display_id: Option<String>,
        /// State of the order.
        pub status: OrderStatus,
        /// Version, from 1; incremented by each change.
        pub version: u32 = 1,
        /// The region, by its id.
        pub region_id: Option<String>,
        /// The customer, by its id.
        pub customer_id: Option<String>,
        /// Id of the sales channel.
        pub sales_channel_id: Option<String>,
        /// Is it a draft, not placed yet?
        pub is_draft_order: bool,
        /// E-mail address of the buyer.
        pub email: Option<String>,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Decimal places of its payments; null for older orders, whose payments were not rounded.
        pub currency_digits: Option<u32>,
        /// Language in which it was bought.
        pub locale: Option<String>,
        /// Should the buyer get no notifications?
        pub no_notification: Option<bool>,
        /// State of its payments.
        pub payment_status: PaymentStatus,
        /// Captured amount.
        pub paid_total: Decimal,
        /// Refunded amount.
        pub refunded_total: Decimal,
        /// What was paid, and not given back, before the order had a payment collection: elsewhere, as the
        /// module says that placed it.
        pub paid_elsewhere: Decimal,
        /// State of its fulfilment.
        pub fulfillment_status: FulfillmentStatus,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// When it was cancelled.
        pub canceled_at: Option<Timestamp>,
        /// Lines.
        pub items: Vec<OrderLineItem>,
        /// How the lines are sent.
        pub shipping_methods: Vec<OrderShippingMethod>,
        /// What is paid by credit.
        pub credit_lines: Vec<OrderCreditLine>,
        /// The open change, by its id.
        pub change_id: Option<String>,
        /// The promotions that gave discounts, by their ids.
        pub promotion_ids: Vec<String>,
        /// What was counted of their limits and budgets, to be given back when the order is cancelled.
        pub promotion_uses: Vec<PromotionUse>,
        /// Shipping address.
        pub shipping_address: Option<OrderAddress>,
        /// Billing address.
        pub billing_address: Option<OrderAddress>,
    }
    search [display_id, email]
    hidden [
        currency_digits, paid_total, refunded_total, paid_elsewhere, change_id, promotion_ids,
        promotion_uses,
    ]
    embeds [
        many items: OrderLineItem,
        many shipping_methods: OrderShippingMethod,
        many credit_lines: OrderCreditLine,
        one shipping_address: OrderAddress,
        one billing_address: OrderAddress,
    ]
    computed ORDER_COMPUTED by compute_order as order_field
    on_request ON_REQUEST
    patch OrderPatch
}

impl Order {
    /// Was it cancelled, and perhaps archived since?
    pub fn is_canceled(&self) -> bool {
        self.status == OrderStatus::Canceled || self.canceled_at.is_some()
    }

    /// Has any of it been sent, and not come back? That may be a part of a kit, with no line fulfilled.
    pub fn is_anything_out(&self) -> bool {
        !matches!(self.fulfillment_status, FulfillmentStatus::NotFulfilled | FulfillmentStatus::Canceled)
    }

    /// Was it completed, and perhaps archived since?
    pub fn is_completed(&self) -> bool {
        matches!(self.status, OrderStatus::Completed | OrderStatus::Archived) && !self.is_canceled()
    }
}

const MORE: [&str; 1] = ["summary"];

const ORDER_COMPUTED: &[&str] = joined![flattened::<{ 2 * TOTALS.len() }>(&TOTALS), MORE];

/// What a star does not show: the exact twins of the totals.
const ON_REQUEST: &[&str] = joined![atoll_checkout::RAW_TOTALS];

impl Order {
    /// All totals.
    pub fn totals(&self) -> Totals {
        let credit = self.credit_lines.iter().map(|it| it.amount).sum();
        Totals::of(&self.items, &self.shipping_methods, credit)
    }
}

/// What the computed fields of an order hold.
fn order_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "summary" => (SUMMARY, "The paid and the open part of the total."),
        _ => total_field(name),
    }
}

/// What the summary holds: sums, each with its exact value.
const SUMMARY: FieldKind = FieldKind::Fields {
    names: &flattened::<{ 2 * SUMS.len() }>(&SUMS),
    kinds: &{
        let mut kinds = [FieldKind::Decimal; 2 * SUMS.len()];
        let mut place = 1;
        while place < kinds.len() {
            kinds[place] = Exact::KIND;
            place += 2;
        }
        kinds
    },
};

/// The sums of the summary.
const SUMS: [(&str, &str); 8] = [
    ("paid_total", "raw_paid_total"),
    ("refunded_total", "raw_refunded_total"),
    ("accounting_total", "raw_accounting_total"),
    ("credit_line_total", "raw_credit_line_total"),
    ("transaction_total", "raw_transaction_total"),
    ("pending_difference", "raw_pending_difference"),
    ("current_order_total", "raw_current_order_total"),
    ("original_order_total", "raw_original_order_total"),
];

fn compute_order(order: &Order, shown: &mut ComputedFields<'_>) {
    let totals = order.totals();
    totals.show(shown);
    shown.field("summary", summary(order, &totals));
}

impl Order {
    /// What is to be paid in all, with the digits of the currency; zero if the order was cancelled.
    pub fn due(&self, totals: &Totals) -> Decimal {
        match self.canceled_at {
            Some(_) => Decimal::ZERO,
            None => totals.due(self.currency_digits),
        }
    }

    /// What was paid, and not given back.
    pub fn kept(&self) -> Decimal {
        self.paid_total - self.refunded_total
    }

    /// What is still to be paid; if it is negative, what is owed to the customer.
    pub fn owed(&self) -> Decimal {
        self.due(&self.totals()) - self.kept()
    }

    /// The total before the last change of the order. A credit line is the only change of a total.
    fn total_before(&self, totals: &Totals) -> Decimal {
        let is_last = |it: &&OrderCreditLine| it.version == self.version && it.version > 1;
        totals.total + self.credit_lines.iter().filter(is_last).map(|it| it.amount).sum()
    }
}

/// The paid and the open part of the total, in the form of the wire.
fn summary(order: &Order, totals: &Totals) -> Summary {
    let total = totals.total;
    Summary([
        order.paid_total,
        order.refunded_total,
        total,
        totals.credit_line_total,
        order.kept(),
        order.due(totals) - order.kept(),
        total,
        order.total_before(totals),
    ])
}

/// The summary of an order, in the order of [`SUMS`].
struct Summary([Decimal; SUMS.len()]);

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_map(Some(2 * SUMS.len()))?;
        for ((name, raw), sum) in SUMS.into_iter().zip(self.0) {
            shown.serialize_entry(name, &sum.nearest())?;
            shown.serialize_entry(raw, &sum.raw())?;
        }
        shown.end()
    }
}
