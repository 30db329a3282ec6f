//! The records.

use atoll_kernel::{
    Decimal, FieldValue, Metadata, TOTALS, Timestamp, Totals, entity,
    serde_json::{Value, json},
    words,
};

use crate::OrderLineItem;

words! {
    /// Where an order stands.
    pub enum OrderStatus {
        /// Placed.
        #[default]
        Pending = "pending",
        /// Done.
        Completed = "completed",
        /// Not placed yet.
        Draft = "draft",
        /// Put away.
        Archived = "archived",
        /// Called off.
        Canceled = "canceled",
        /// Somebody must do something.
        RequiresAction = "requires_action",
    }
}

words! {
    /// How far its payments have come.
    pub enum PaymentStatus {
        /// Nothing was paid.
        #[default]
        NotPaid = "not_paid",
        /// The buyer was asked to pay.
        Awaiting = "awaiting",
        /// The money was set aside.
        Authorized = "authorized",
        /// Some of it was taken.
        PartiallyCaptured = "partially_captured",
        /// All of it was taken.
        Captured = "captured",
        /// Some of what was taken was given back.
        PartiallyRefunded = "partially_refunded",
        /// All of what was taken was given back.
        Refunded = "refunded",
        /// What was set aside was let go of.
        Canceled = "canceled",
    }
}

words! {
    /// How much of it was sent.
    pub enum FulfillmentStatus {
        /// Nothing.
        #[default]
        NotFulfilled = "not_fulfilled",
        /// Some of it.
        PartiallyFulfilled = "partially_fulfilled",
        /// All of it.
        Fulfilled = "fulfilled",
        /// What was sent was called back.
        Canceled = "canceled",
    }
}

entity! {
    /// What was bought, as it was then.
    pub struct Order = "order" / "orders", "order" {
        /// A number for people, counting up from 1.
        pub display_id: u64,
        /// A number of one's own.
        pub custom_display_id: Option<String>,
        /// Where it stands.
        pub status: OrderStatus,
        /// How often it was changed, from 1.
        pub version: u32 = 1,
        /// The region, by its id.
        pub region_id: Option<String>,
        /// The customer, by its id.
        pub customer_id: Option<String>,
        /// The channel that it was bought in, by its id.
        pub sales_channel_id: Option<String>,
        /// Is it not placed yet?
        pub is_draft_order: bool,
        /// Where to write to.
        pub email: Option<String>,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Digits behind the point of what is paid for it; not known of orders that were paid unrounded.
        pub currency_digits: Option<u32>,
        /// The language that it was bought in.
        pub locale: Option<String>,
        /// Does the buyer want no messages?
        pub no_notification: Option<bool>,
        /// How far its payments have come.
        pub payment_status: PaymentStatus,
        /// How much was paid.
        pub paid_total: Decimal,
        /// How much was given back.
        pub refunded_total: Decimal,
        /// How much of it was sent.
        pub fulfillment_status: FulfillmentStatus,
        /// Free data.
        pub metadata: Metadata,
        /// When it was called off, if it was.
        pub canceled_at: Option<Timestamp>,
        /// What was bought.
        pub items: Vec<OrderLineItem>,
        /// Where to send it.
        pub shipping_address: Option<OrderAddress>,
        /// Whom to bill.
        pub billing_address: Option<OrderAddress>,
    }
    search [display_id, email]
    hidden [currency_digits, paid_total, refunded_total]
    embeds [many items: OrderLineItem, one shipping_address: OrderAddress, one billing_address: OrderAddress]
    computed ORDER_COMPUTED by compute_order
    on_request [order_change]
    patch OrderPatch
}

impl Order {
    /// Was it called off? One that was put away since was so too.
    pub fn is_called_off(&self) -> bool {
        self.status == OrderStatus::Canceled || self.canceled_at.is_some()
    }

    /// Is it done? One that was put away since is so too.
    pub fn is_done(&self) -> bool {
        matches!(self.status, OrderStatus::Completed | OrderStatus::Archived) && !self.is_called_off()
    }
}

/// The sums, what is about to be changed, and lists of modules that are not there: clients count on their being lists.
const MORE: [&str; 4] = ["summary", "order_change", "shipping_methods", "credit_lines"];

const ORDER_COMPUTED: &[&str] = &{
    let mut names = [""; TOTALS.len() + MORE.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = if place < TOTALS.len() { TOTALS[place] } else { MORE[place - TOTALS.len()] };
        place += 1;
    }
    names
};

fn compute_order(order: &Order, visit: &mut dyn FnMut(&'static str, Value)) {
    let totals = Totals::of(order.items.iter().map(|line| (line.unit_price, line.quantity)));
    totals.visit(&mut |name, value| visit(name, json!(value)));
    visit("summary", summary(order, totals.items));
    // No module changes what was ordered yet.
    visit("order_change", Value::Null);
    MORE[2..].iter().for_each(|name| visit(name, json!([])));
}

impl Order {
    /// How much of this total is to be paid, in the digits of its currency; nothing, where the order was called off.
    pub fn due(&self, total: Decimal) -> Decimal {
        match self.currency_digits {
            _ if self.canceled_at.is_some() => Decimal::ZERO,
            Some(n_digits) => total.round(n_digits),
            None => total,
        }
    }
}

/// What was paid of what the order comes to, in the form of the wire.
fn summary(order: &Order, total: Decimal) -> Value {
    let paid = order.paid_total - order.refunded_total;
    let sums = [
        ("paid_total", order.paid_total),
        ("refunded_total", order.refunded_total),
        ("accounting_total", total),
        ("credit_line_total", Decimal::ZERO),
        ("transaction_total", paid),
        ("pending_difference", order.due(total) - paid),
        ("current_order_total", total),
        ("original_order_total", total),
    ];
    let both =
        |(name, sum): (&str, Decimal)| [(name.to_owned(), json!(sum)), (format!("raw_{name}"), sum.raw())];
    Value::Object(sums.into_iter().flat_map(both).collect())
}

entity! {
    /// An address of a buyer.
    pub struct OrderAddress = "order_address" / "order_addresses", "ordaddr" {
        /// The customer, by its id.
        pub customer_id: Option<String>,
        /// The company at the door.
        pub company: Option<String>,
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// Street and number.
        pub address_1: Option<String>,
        /// More of the same.
        pub address_2: Option<String>,
        /// The city.
        pub city: Option<String>,
        /// ISO 3166-1 alpha-2, in lower case.
        pub country_code: Option<String>,
        /// The state or province.
        pub province: Option<String>,
        /// The postal code.
        pub postal_code: Option<String>,
        /// A phone number.
        pub phone: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
}

impl FieldValue for OrderAddress {}
