//! Price sets: prices by currency, quantity range and rules; price lists (sales and overrides); whether
//! prices include tax (price preferences).

mod error;
pub mod list;
mod rules;
mod select;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    module,
};

pub use error::Error;
pub use list::{LIST_PRICES, ListPrice, PRICE_LISTS, PriceList, PriceListStatus, PriceListType};
pub use rules::{PriceRule, RuleOperator, RuleRows, RuleValue, Rules};
pub use select::{Offer, PriceContext, Selected, select};
pub use service::{
    TaxInclusion, check_terms, create_preference, forget_preference, prefer, update_preference,
};
pub use types::{Price, PricePreference, PricePreferencePatch, PriceSet};

/// Entity name in links.
pub const PRICE_SET: &str = "price_set";

/// Attribute of price preferences: the currency of a price.
pub const CURRENCY_CODE: &str = "currency_code";
/// Attribute of rules and of price preferences: the region of a sale.
pub const REGION_ID: &str = "region_id";
/// Attribute of rules: the sales channel of a sale.
pub const SALES_CHANNEL_ID: &str = "sales_channel_id";
/// Attribute of rules: the groups of the customer.
pub const CUSTOMER_GROUPS: &str = "customer.groups.id";
/// Attribute of rules on shipping prices: the total of the items of a cart.
pub const ITEM_TOTAL: &str = "item_total";

const BY_ATTRIBUTE: Index<PricePreference> =
    Index::unique("price_preference.by_attribute", &["attribute", "value"], |it, keys| {
        keys.add(&[&it.attribute, it.value.as_deref().unwrap_or_default()]);
    });

/// The prices of one variant or shipping option each, linked from outside of this module.
pub static PRICE_SETS: Service<PriceSet> = Service::new(&[]);

/// Whether prices include tax, one per currency and region.
pub static PRICE_PREFERENCES: Service<PricePreference> = Service::new(&[BY_ATTRIBUTE]);

module! { Module {
    name: "pricing",
    summary: "Prices by currency, quantity and rules",
    services: &[&PRICE_SETS, &PRICE_PREFERENCES],
    ..Module::EMPTY
} }
