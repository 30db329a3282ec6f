//! The prices of a variant: the computed fields `prices` (all, for admins) and `calculated_price` (the one
//! that applies).

use std::collections::BTreeMap;

use atoll_kernel::{
    Decimal, Read, StoreError, computed,
    data::{Exact, FieldKind, FieldValue, Node},
    query::{Computed, Env, QueryError},
    serde_json::{Value, json},
};
use atoll_links::PRODUCT_VARIANT_PRICE_SET;
use atoll_pricing::{PRICE_SETS, Price, PriceContext, PriceSet, calculate};
use atoll_product::VARIANT;

/// Context key: the currency of prices.
pub const CURRENCY: &str = "currency_code";
/// Context key: the region of prices.
pub const REGION: &str = "region_id";

computed! {
    /// All prices of a variant.
    pub static PRICES = Computed {
        entity: VARIANT,
        name: "prices",
        text: "All prices of the variant.",
        kind: FieldKind::List(&PRICE),
        also_shows: &[],
        sorts: false,
        compute: all_prices,
    };
}

computed! {
    /// The price that applies in the region of the context; null if there is none.
    pub static CALCULATED_PRICE = Computed {
        entity: VARIANT,
        name: "calculated_price",
        text: "The price that applies in the region of the request; null if there is none.",
        kind: FieldKind::OrNull(&CALCULATED),
        also_shows: &[],
        sorts: false,
        compute: calculated_prices,
    };
}

/// A price, as admins are shown it.
const PRICE: FieldKind = FieldKind::Fields {
    names: &[
        "id", "amount", "currency_code", "min_quantity", "max_quantity", "variant_id", "created_at",
        "updated_at", "rules",
    ],
    kinds: &[
        FieldKind::Text,
        FieldKind::Decimal,
        FieldKind::Text,
        NUMBER_OR_NULL,
        NUMBER_OR_NULL,
        FieldKind::Text,
        FieldKind::Time,
        FieldKind::Time,
        FieldKind::Record,
    ],
};

/// The price that applies: the calculated and the original one, which are the same without price lists.
const CALCULATED: FieldKind = FieldKind::Fields {
    names: &[
        "id", "is_calculated_price_price_list", "is_calculated_price_tax_inclusive", "calculated_amount",
        "raw_calculated_amount", "is_original_price_price_list", "is_original_price_tax_inclusive",
        "original_amount", "raw_original_amount", "currency_code", "calculated_price", "original_price",
    ],
    kinds: &[
        FieldKind::Text,
        FieldKind::Bool,
        FieldKind::Bool,
        FieldKind::Decimal,
        Exact::KIND,
        FieldKind::Bool,
        FieldKind::Bool,
        FieldKind::Decimal,
        Exact::KIND,
        FieldKind::Text,
        SOURCE,
        SOURCE,
    ],
};

/// The price, and the price list, that an amount comes from.
const SOURCE: FieldKind = FieldKind::Fields {
    names: &["id", "price_list_id", "price_list_type", "min_quantity", "max_quantity"],
    kinds: &[FieldKind::Text, TEXT_OR_NULL, TEXT_OR_NULL, NUMBER_OR_NULL, NUMBER_OR_NULL],
};
const TEXT_OR_NULL: FieldKind = FieldKind::OrNull(&FieldKind::Text);
const NUMBER_OR_NULL: FieldKind = FieldKind::OrNull(&FieldKind::Decimal);

/// The wire's error for prices without a region.
pub(crate) const NO_REGION: &str = "Missing required pricing context to calculate prices - region_id";

/// The pricing context of a sale.
pub fn price_context(
    currency_code: &str,
    region_id: Option<&str>,
    quantity: Option<Decimal>,
) -> PriceContext {
    let attributes: BTreeMap<String, String> =
        region_id.map(|region| ("region_id".to_owned(), region.to_owned())).into_iter().collect();
    PriceContext { currency_code: currency_code.to_owned(), quantity, attributes }
}

/// The price of a variant that applies in the context; `None` if there is none.
pub fn price_of(
    view: &dyn Read,
    variant: &str,
    context: &PriceContext,
) -> Result<Option<Decimal>, StoreError> {
    let set = set_of(view, variant)?;
    Ok(set.as_ref().and_then(|set| calculate(set, context)).map(|price| price.amount))
}

fn set_of(view: &dyn Read, variant: &str) -> Result<Option<PriceSet>, StoreError> {
    match PRODUCT_VARIANT_PRICE_SET.rights(view, variant)?.first() {
        Some(set) => PRICE_SETS.get(view, set),
        None => Ok(None),
    }
}

fn all_prices(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        // All prices, of every region and customer group, are for admins.
        if env.context.wall().is_some() {
            all.push(None);
            continue;
        }
        let set = set_of(env.view, node.key())?.unwrap_or_default();
        let price = |price: &Price| {
            json!({
                "id": price.id, "amount": price.amount, "currency_code": price.currency_code,
                "min_quantity": price.min_quantity, "max_quantity": price.max_quantity,
                "variant_id": node.key(), "created_at": price.created_at, "updated_at": price.updated_at,
                "rules": price.rules,
            })
        };
        all.push(Some(set.prices.iter().map(price).collect()));
    }
    Ok(all)
}

fn calculated_prices(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let Some(currency) = env.context.one(CURRENCY) else {
        return Err(QueryError::Context(NO_REGION.into()));
    };
    let context = price_context(currency, env.context.one(REGION), None);
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        let set = set_of(env.view, node.key())?;
        let price = set.as_ref().and_then(|set| calculate(set, &context).map(|price| (set, price)));
        all.push(Some(price.map_or(Value::Null, |(set, price)| price_json(set, price))));
    }
    Ok(all)
}

/// The wire has a calculated and an original price. They differ only under price lists, which do not exist
/// yet.
fn price_json(set: &PriceSet, price: &Price) -> Value {
    let raw = json!({ "value": price.amount.to_string(), "precision": 20 });
    let source = json!({
        "id": price.id, "price_list_id": null, "price_list_type": null,
        "min_quantity": price.min_quantity, "max_quantity": price.max_quantity,
    });
    json!({
        "id": set.id, "is_calculated_price_price_list": false, "is_calculated_price_tax_inclusive": false,
        "calculated_amount": price.amount, "raw_calculated_amount": raw, "is_original_price_price_list": false,
        "is_original_price_tax_inclusive": false, "original_amount": price.amount, "raw_original_amount": raw,
        "currency_code": price.currency_code, "calculated_price": source, "original_price": source,
    })
}
