//! The records of price sets, prices and price preferences.

use atoll_kernel::{
    Decimal,
    data::{ComputedFields, Exact},
    entity,
};

use crate::{RuleRows, Rules};

entity! {
    /// The prices of one variant, or of one shipping option, other than those of price lists.
    pub struct PriceSet = "price_set" / "price_sets", "pset" {
        /// The prices.
        pub prices: Vec<Price>,
    }
    embeds [many prices: Price]
}

entity! {
    /// A price, and the conditions under which it applies.
    pub struct Price = "price" / "prices", "price" {
        /// Display name.
        pub title: Option<String>,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Price of one, in units of the currency (19.99 is nineteen euros and ninety-nine cents).
        pub amount: Decimal,
        /// Minimum quantity, inclusive.
        pub min_quantity: Option<Decimal>,
        /// Maximum quantity, inclusive.
        pub max_quantity: Option<Decimal>,
        /// Attributes that the context must have: `region_id` → `reg_…`.
        pub rules: Rules,
    }
    computed [
        /// The exact amount.
        raw_amount: Exact,
        /// The exact minimum quantity.
        raw_min_quantity: Option<Exact>,
        /// The exact maximum quantity.
        raw_max_quantity: Option<Exact>,
        /// How many rules it has.
        rules_count: usize,
        /// Its rules, as rows.
        price_rules: RuleRows,
    ] by compute_price
    on_request [price_rules]
}

entity! {
    /// Whether prices in a currency, or those for a region, include tax.
    pub struct PricePreference = "price_preference" / "price_preferences", "prpref" {
        /// `currency_code` or `region_id`.
        pub attribute: String,
        /// The currency or the region.
        pub value: Option<String>,
        /// Do these prices include tax?
        pub is_tax_inclusive: bool,
    }
    search [attribute, value]
    patch PricePreferencePatch
}

fn compute_price(price: &Price, shown: &mut ComputedFields<'_>) {
    compute_amounts(price.amount, price.min_quantity, price.max_quantity, &price.rules, shown);
    shown.field("price_rules", price.rules.rows(&price.id, price.created_at, price.updated_at));
}

/// The exact numbers of a price, and the number of its rules.
pub(crate) fn compute_amounts(
    amount: Decimal,
    min_quantity: Option<Decimal>,
    max_quantity: Option<Decimal>,
    rules: &Rules,
    shown: &mut ComputedFields<'_>,
) {
    shown.field("raw_amount", amount.raw());
    shown.field("raw_min_quantity", min_quantity.map(|it| it.raw()));
    shown.field("raw_max_quantity", max_quantity.map(|it| it.raw()));
    shown.field("rules_count", rules.len());
}
