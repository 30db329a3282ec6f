//! The record of a cart, and its computed fields.

use atoll_checkout::{Charged, TOTALS, Totals, total_field};
use atoll_kernel::{
    Decimal, Metadata, Timestamp,
    data::{ComputedFields, FieldKind, flattened, joined},
    entity,
};

use crate::{CartAddress, CreditLine, LineItem, ShippingMethod};

entity! {
    /// A shopping cart. Its lines, shipping methods and addresses are stored in it: a cart is read and
    /// written as a whole, under one key.
    pub struct Cart = "cart" / "carts", "cart" {
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// E-mail address of the buyer.
        pub email: Option<String>,
        /// Language in which it is shown.
        pub locale: Option<String>,
        /// The region, by its id.
        pub region_id: Option<String>,
        /// Id of the sales channel. A cart accepts only what its channel sells.
        pub sales_channel_id: Option<String>,
        /// Id of the customer, if known.
        pub customer_id: Option<String>,
        /// When it became an order. It is never changed afterwards.
        pub completed_at: Option<Timestamp>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Lines, in the order in which they were added.
        pub items: Vec<LineItem>,
        /// How the lines are sent: at most one method of each shipping profile.
        pub shipping_methods: Vec<ShippingMethod>,
        /// What is paid by credit.
        pub credit_lines: Vec<CreditLine>,
        /// Shipping address.
        pub shipping_address: Option<CartAddress>,
        /// Billing address.
        pub billing_address: Option<CartAddress>,
        /// Did the buyer ask for taxes, in a region that does not calculate them by itself?
        pub taxes_asked: bool,
        /// Fingerprint of what a provider outside of the process was asked for the tax lines.
        pub taxed_as: Option<String>,
        /// Must a provider be asked before the cart can be completed: for its taxes, or the price of a
        /// shipping method? Until then its totals are not those that it will have.
        pub is_stale: bool,
        /// The codes of promotions that the buyer has given, and that may not apply.
        pub promo_codes: Vec<String>,
        /// The promotions that apply, by their ids.
        pub promotion_ids: Vec<String>,
    }
    search [email]
    hidden [taxes_asked, taxed_as, promo_codes, promotion_ids]
    embeds [
        many items: LineItem,
        many shipping_methods: ShippingMethod,
        many credit_lines: CreditLine,
        one shipping_address: CartAddress,
        one billing_address: CartAddress,
    ]
    computed CART_COMPUTED by compute_cart as cart_field
    on_request RAW_TOTALS
    patch CartPatch
}

/// Ids of the addresses, or null.
const ADDRESS_IDS: [&str; 2] = ["shipping_address_id", "billing_address_id"];

/// The totals, and their exact twins, which are shown only if a request names them.
const SUMS: [&str; 2 * TOTALS.len()] = flattened(&TOTALS);
const RAW_TOTALS: &[&str] = &atoll_checkout::RAW_TOTALS;

const CART_COMPUTED: &[&str] = joined![SUMS, ADDRESS_IDS];

impl Cart {
    /// All totals.
    pub fn totals(&self) -> Totals {
        let credit = self.credit_lines.iter().map(|it| it.amount).sum();
        Totals::of(&self.items, &self.shipping_methods, credit)
    }

    /// What is to be paid.
    pub fn total(&self) -> Decimal {
        self.totals().total
    }

    /// The prices of items and shipping, before discounts and taxes.
    pub(crate) fn listed_total(&self) -> Decimal {
        let items = self.items.iter().map(Charged::amount);
        items.chain(self.shipping_methods.iter().map(Charged::amount)).sum()
    }
}

/// What the computed fields of a cart hold.
fn cart_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "shipping_address_id" => (FieldKind::Text, "The id of the shipping address, if there is one."),
        "billing_address_id" => (FieldKind::Text, "The id of the billing address, if there is one."),
        _ => total_field(name),
    }
}

fn compute_cart(cart: &Cart, shown: &mut ComputedFields<'_>) {
    cart.totals().show(shown);
    for (name, address) in ADDRESS_IDS.into_iter().zip([&cart.shipping_address, &cart.billing_address]) {
        if let Some(address) = address {
            shown.field(name, &address.id);
        }
    }
}
