//! The prices of shipping options: the computed field `prices` (all), and the one that applies to a cart.

use atoll_cart::Cart;
use atoll_fulfillment::{SHIPPING_OPTION, ShippingOption, ShippingPriceType};
use atoll_kernel::{
    Read, StoreError, computed,
    data::{Exact, FieldKind, FieldValue, Node},
    part_of,
    query::{Computed, Env, QueryError},
    serde_json::{Value, json},
};
use atoll_links::SHIPPING_OPTION_PRICE_SET;
use atoll_pricing::{ITEM_TOTAL, Price, PriceContext, PriceSet, RuleRows, SALES_CHANNEL_ID};

use super::Shipment;
use crate::{CalculatedPrice, Prices, price_context, prices::linked_set};

part_of! { "fulfillment" }

/// The sale in which the price of a shipping option is selected for a cart: its currency, region and channel,
/// and the total of its items.
pub fn option_context(cart: &Cart, shipment: &Shipment) -> PriceContext {
    let at = shipment.seller.at().clone();
    price_context(&cart.currency_code, cart.region_id.as_deref(), None, at)
        .with(SALES_CHANNEL_ID, cart.sales_channel_id.as_deref())
        .with(ITEM_TOTAL, Some(&cart.totals().item_total.to_string()))
}

/// The price of a flat option that applies to a cart; `None` if there is none.
pub fn option_price(
    prices: &mut Prices<'_>,
    view: &dyn Read,
    option: &ShippingOption,
    context: &PriceContext,
) -> Result<Option<CalculatedPrice>, StoreError> {
    if option.price_type != ShippingPriceType::Flat {
        return Ok(None);
    }
    let set = price_set_of(view, &option.id)?;
    set.map_or(Ok(None), |set| prices.of_set(&set, context))
}

/// Has the option a price, in any currency?
pub(super) fn has_price(view: &dyn Read, option: &ShippingOption) -> Result<bool, StoreError> {
    Ok(price_set_of(view, &option.id)?.is_some_and(|it| !it.prices.is_empty()))
}

/// All prices of an option, as the wire shows them.
pub fn option_prices(view: &dyn Read, option: &ShippingOption) -> Result<Value, StoreError> {
    let set = price_set_of(view, &option.id)?.unwrap_or_default();
    Ok(set.prices.iter().map(|it| price_json(&set, it)).collect())
}

computed! {
    /// All prices of a shipping option.
    pub static OPTION_PRICES = Computed {
        entity: SHIPPING_OPTION,
        name: "prices",
        text: "All prices of the shipping option.",
        kind: FieldKind::List(&PRICE),
        also_shows: &[],
        sorts: false,
        compute: all_prices,
    };
}

/// A price, as the wire has it where it is shown as a record.
const PRICE: FieldKind = FieldKind::Fields {
    names: &[
        "id", "title", "currency_code", "rules_count", "price_set_id", "price_list_id", "price_list",
        "raw_amount", "raw_min_quantity", "raw_max_quantity", "created_at", "updated_at", "deleted_at",
        "price_rules", "amount", "min_quantity", "max_quantity",
    ],
    kinds: &[
        FieldKind::Text,
        FieldKind::OrNull(&FieldKind::Text),
        FieldKind::Text,
        FieldKind::Whole(32),
        FieldKind::Text,
        FieldKind::OrNull(&FieldKind::Text),
        FieldKind::OrNull(&FieldKind::Record),
        Exact::KIND,
        FieldKind::OrNull(&Exact::KIND),
        FieldKind::OrNull(&Exact::KIND),
        FieldKind::Time,
        FieldKind::Time,
        FieldKind::OrNull(&FieldKind::Time),
        RuleRows::KIND,
        FieldKind::Decimal,
        FieldKind::OrNull(&FieldKind::Decimal),
        FieldKind::OrNull(&FieldKind::Decimal),
    ],
};

fn all_prices(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        let set = price_set_of(env.view, node.key())?.unwrap_or_default();
        all.push(Some(set.prices.iter().map(|it| price_json(&set, it)).collect()));
    }
    Ok(all)
}

/// The price set of a shipping option; `None` for one whose provider calculates its prices.
fn price_set_of(view: &dyn Read, option: &str) -> Result<Option<PriceSet>, StoreError> {
    linked_set(&SHIPPING_OPTION_PRICE_SET, view, option)
}

fn price_json(set: &PriceSet, price: &Price) -> Value {
    json!({
        "id": price.id, "title": price.title, "currency_code": price.currency_code,
        "rules_count": price.rules.len(), "price_set_id": set.id, "price_list_id": null, "price_list": null,
        "raw_amount": price.amount.raw(), "raw_min_quantity": price.min_quantity.map(|it| it.raw()),
        "raw_max_quantity": price.max_quantity.map(|it| it.raw()), "created_at": price.created_at,
        "updated_at": price.updated_at, "deleted_at": null, "amount": price.amount,
        "price_rules": price.rules.rows(&price.id, price.created_at, price.updated_at),
        "min_quantity": price.min_quantity, "max_quantity": price.max_quantity,
    })
}
