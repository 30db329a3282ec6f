//! The records of price lists and their prices.

use std::collections::BTreeMap;

use atoll_kernel::{
    Decimal, Id, Metadata, Timestamp,
    data::{ComputedFields, Exact},
    entity, words,
};

use crate::{PriceContext, RuleRows, Rules, types::compute_amounts};

words! {
    /// What the prices of a list do to the other prices.
    pub enum PriceListType {
        /// They lower them: the lower price applies, and the other one is shown as the original.
        #[default]
        Sale = "sale",
        /// They replace them, also if they are higher.
        Override = "override",
    }
}

words! {
    /// Does a price list apply?
    pub enum PriceListStatus {
        /// It is being written.
        #[default]
        Draft = "draft",
        /// It applies within its window.
        Active = "active",
    }
}

entity! {
    /// Prices that apply for a time, to some customers, regions or sales channels.
    pub struct PriceList = "price_list" / "price_lists", "plist" {
        /// Display name.
        pub title: String,
        /// Description.
        pub description: String,
        /// Does it apply?
        pub status: PriceListStatus,
        /// What its prices do to the others.
        pub r#type: PriceListType,
        /// From when it applies, inclusive; null is unlimited.
        pub starts_at: Option<Timestamp>,
        /// Until when it applies, exclusive; null is unlimited.
        pub ends_at: Option<Timestamp>,
        /// To what it applies: by attribute, the values of which the sale must have one.
        pub rules: BTreeMap<String, Vec<String>>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [title, description]
    computed [
        /// How many attributes it has rules on.
        rules_count: usize,
    ] by compute_list
    patch PriceListPatch
}

entity! {
    /// A price of a price list, for the price set of a variant.
    pub struct ListPrice = "list_price" / "list_prices", "price" {
        /// Display name.
        pub title: Option<String>,
        /// ISO 4217, in lower case.
        pub currency_code: String,
        /// Price of one, in units of the currency.
        pub amount: Decimal,
        /// Minimum quantity, inclusive.
        pub min_quantity: Option<Decimal>,
        /// Maximum quantity, inclusive.
        pub max_quantity: Option<Decimal>,
        /// Attributes that the sale must have, besides those of the list.
        pub rules: Rules,
        /// The price set.
        pub price_set_id: String,
        /// The price list.
        pub price_list_id: Id<PriceList>,
    }
    hidden [rules]
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

fn compute_list(list: &PriceList, shown: &mut ComputedFields<'_>) {
    shown.field("rules_count", list.rules.len());
}

fn compute_price(price: &ListPrice, shown: &mut ComputedFields<'_>) {
    compute_amounts(price.amount, price.min_quantity, price.max_quantity, &price.rules, shown);
    shown.field("price_rules", price.rules.rows(&price.id, price.created_at, price.updated_at));
}

impl PriceList {
    /// Does it apply to this sale, at its time? The time is looked at last, so that it matters only to the
    /// lists that it decides on.
    pub fn applies(&self, context: &PriceContext) -> bool {
        let fits = |(attribute, wanted): (&String, &Vec<String>)| {
            context.values(attribute).iter().any(|it| wanted.contains(it))
        };
        self.status == PriceListStatus::Active
            && self.rules.iter().all(fits)
            && self.starts_at.is_none_or(|it| context.at.has_reached(it))
            && !self.ends_at.is_some_and(|it| context.at.has_reached(it))
    }
}
