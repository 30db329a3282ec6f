//! The records of carts: cart, line item, address.

use atoll_checkout::{EMPTY_FIELD, LINE_TOTALS, TOTALS, Totals, part_of_total, total_field};
use atoll_kernel::{
    Decimal, Metadata, Timestamp,
    data::{Exact, FieldKind, FieldValue, flattened, joined},
    entity,
    serde_json::{Value, json},
};

entity! {
    /// A shopping cart. Its lines and addresses are stored in it: a cart is read and written as a whole,
    /// under one key.
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
        /// Shipping address.
        pub shipping_address: Option<CartAddress>,
        /// Billing address.
        pub billing_address: Option<CartAddress>,
    }
    search [email]
    embeds [many items: LineItem, one shipping_address: CartAddress, one billing_address: CartAddress]
    computed CART_COMPUTED by compute_cart as cart_field
    patch CartPatch
}

/// Relations of modules that do not exist yet, shown as empty lists, which storefronts expect.
const ABSENT: [&str; 3] = ["shipping_methods", "promotions", "credit_lines"];

/// Ids of the addresses, or null.
const ADDRESS_IDS: [&str; 2] = ["shipping_address_id", "billing_address_id"];

const CART_COMPUTED: &[&str] = joined![TOTALS, ABSENT, ADDRESS_IDS];

impl Cart {
    /// The sum of the totals of the lines.
    pub fn total(&self) -> Decimal {
        self.totals().items
    }

    fn totals(&self) -> Totals {
        Totals::of(self.items.iter().map(|line| (line.unit_price, line.quantity)))
    }
}

/// What the computed fields of a cart hold.
fn cart_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "shipping_address_id" => (FieldKind::Text, "The id of the shipping address, if there is one."),
        "billing_address_id" => (FieldKind::Text, "The id of the billing address, if there is one."),
        _ if ABSENT.contains(&name) => EMPTY_FIELD,
        _ => total_field(name),
    }
}

fn compute_cart(cart: &Cart, visit: &mut dyn FnMut(&'static str, Value)) {
    cart.totals().visit(&mut |name, value| visit(name, json!(value)));
    ABSENT.into_iter().for_each(|name| visit(name, json!([])));
    for (name, address) in ADDRESS_IDS.into_iter().zip([&cart.shipping_address, &cart.billing_address]) {
        if let Some(address) = address {
            visit(name, json!(address.id));
        }
    }
}

entity! {
    /// A line of a cart: a variant, with a copy of its details at the time when it was added.
    pub struct LineItem = "cart_line_item" / "cart_line_items", "cali" {
        /// The title of the product.
        pub title: String,
        /// The title of the variant.
        pub subtitle: Option<String>,
        /// URL of a thumbnail image.
        pub thumbnail: Option<String>,
        /// Number of units.
        pub quantity: Decimal,
        /// The variant, by its id.
        pub variant_id: Option<String>,
        /// The product, by its id.
        pub product_id: Option<String>,
        /// The title of the product.
        pub product_title: Option<String>,
        /// The description of the product.
        pub product_description: Option<String>,
        /// The subtitle of the product.
        pub product_subtitle: Option<String>,
        /// The type of the product.
        pub product_type: Option<String>,
        /// The type of the product, by its id.
        pub product_type_id: Option<String>,
        /// The title of the product's collection.
        pub product_collection: Option<String>,
        /// The handle of the product.
        pub product_handle: Option<String>,
        /// The SKU of the variant.
        pub variant_sku: Option<String>,
        /// The barcode of the variant.
        pub variant_barcode: Option<String>,
        /// The title of the variant.
        pub variant_title: Option<String>,
        /// Is it a gift card?
        pub is_giftcard: bool,
        /// Does it need shipping?
        pub requires_shipping: bool = true,
        /// May it be discounted?
        pub is_discountable: bool = true,
        /// Does the price include tax?
        pub is_tax_inclusive: bool,
        /// Was the price set manually?
        pub is_custom_price: bool,
        /// Price of one, in units of the cart's currency.
        pub unit_price: Decimal,
        /// The former price of one, shown as crossed out.
        pub compare_at_unit_price: Option<Decimal>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The cart.
        pub cart_id: String,
    }
    computed LINE_COMPUTED by compute_line as line_field
    on_request ON_REQUEST
}

impl LineItem {
    /// Unit price times quantity.
    pub fn total(&self) -> Decimal {
        self.unit_price * self.quantity
    }
}

/// The totals, each with its `raw_…` field. A star selects them only together with the totals of the cart.
const LINE_SUMS: [&str; 2 * LINE_TOTALS.len()] = flattened(&LINE_TOTALS);

/// The `raw_…` fields of its own amounts, and empty lists of modules that do not exist yet.
const LINE_MORE: [&str; 5] =
    ["tax_lines", "adjustments", "raw_unit_price", "raw_compare_at_unit_price", "variant_option_values"];

const LINE_COMPUTED: &[&str] = joined![LINE_SUMS, LINE_MORE];
const ON_REQUEST: &[&str] = &LINE_SUMS;

/// What the computed fields of a line hold.
fn line_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "tax_lines" | "adjustments" => EMPTY_FIELD,
        "raw_compare_at_unit_price" => (<Option<Exact>>::KIND, ""),
        "variant_option_values" => (FieldKind::OrNull(&FieldKind::Record), "Always null."),
        _ => total_field(name),
    }
}

fn compute_line(line: &LineItem, visit: &mut dyn FnMut(&'static str, Value)) {
    for (name, raw) in LINE_TOTALS {
        let part = part_of_total(name, line.total());
        visit(name, json!(part));
        visit(raw, part.raw());
    }
    visit("tax_lines", json!([]));
    visit("adjustments", json!([]));
    visit("raw_unit_price", line.unit_price.raw());
    visit("raw_compare_at_unit_price", json!(line.compare_at_unit_price.map(|it| it.raw())));
    visit("variant_option_values", Value::Null);
}

entity! {
    /// An address of a cart.
    pub struct CartAddress = "cart_address" / "cart_addresses", "caaddr" {
        /// The customer, by its id.
        pub customer_id: Option<String>,
        /// Company name.
        pub company: Option<String>,
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// Street and number.
        pub address_1: Option<String>,
        /// Second line of the street address.
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
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
}
