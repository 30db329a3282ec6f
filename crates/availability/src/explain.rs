//! The explanation of a decision for admins: each reason with the record, field and value behind it.

use atoll_inventory::level_at;
use atoll_kernel::{
    Decimal, Read, StoreError, Timestamp,
    serde_json::{Value, json},
    storefront::Reason,
};
use atoll_links::{PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_PRICE_SET, SALES_CHANNEL_EXCLUDED_VARIANT};
use atoll_pricing::PriceContext;

use crate::{
    Shelf,
    shelf::{Article, Decision, components},
};

/// Is this quantity of a variant sellable in a channel at a time?
pub struct Question<'a> {
    /// The id of the channel.
    pub channel: &'a str,
    /// The id of the variant.
    pub variant: &'a str,
    /// The quantity, in pieces.
    pub quantity: Decimal,
    /// The time of the sale.
    pub at: Timestamp,
    /// The currency and region of the price; `None` if no price is required.
    pub price: Option<&'a PriceContext>,
}

/// Decides the question, and returns the decision with its evidence as JSON.
pub fn explain(view: &dyn Read, question: &Question<'_>) -> Result<Value, StoreError> {
    let &Question { channel, variant, quantity, at, price } = question;
    let article = Article::read(view, variant)?;
    let mut shelf = Shelf::open(view, channel, at)?;
    let Decision { verdict, price: amount, changes_at } =
        shelf.decide_at(at, article.as_ref(), quantity, price)?;
    let product = article.as_ref().map(|it| &*it.product.id);
    let case = Case { view, shelf: &shelf, channel, product: product.unwrap_or_default(), variant, price };
    let reasons: Vec<_> = verdict.reasons.iter().map(|it| case.describe(it)).collect::<Result<_, _>>()?;
    Ok(json!({
        "sales_channel_id": channel,
        "variant_id": variant,
        "product_id": product,
        "quantity": quantity,
        "at": at,
        "sellable": verdict.sellable,
        "available_quantity": verdict.available,
        "price": amount,
        "reasons": reasons,
        "changes_at": changes_at,
        "inventory": article.as_ref().map(|it| inventory(view, &shelf, it)).transpose()?,
    }))
}

/// What a reason is explained from.
pub(crate) struct Case<'a> {
    pub(crate) view: &'a dyn Read,
    pub(crate) shelf: &'a Shelf<'a>,
    pub(crate) channel: &'a str,
    /// Empty if there is none.
    pub(crate) product: &'a str,
    pub(crate) variant: &'a str,
    pub(crate) price: Option<&'a PriceContext>,
}

impl Case<'_> {
    /// The reason as JSON: its code, in words, and with the record, the field and the value behind it.
    pub(crate) fn describe(&self, reason: &Reason) -> Result<Value, StoreError> {
        let Case { view, shelf, channel, product, variant, price } = *self;
        let of_channel = |field, value| ("sales_channel", channel.to_owned(), field, value);
        let of_variant = |field, value| ("product_variant", variant.to_owned(), field, value);
        let of_window = |field, value| -> Result<_, StoreError> {
            let row = PRODUCT_SALES_CHANNEL.row(view, product, channel)?.unwrap_or_default();
            Ok(("product_sales_channel", row.id, field, value))
        };
        let (entity, id, field, value) = match reason {
            Reason::NoChannel => of_channel("id", Value::Null),
            Reason::ChannelDisabled => of_channel("is_disabled", Value::Bool(true)),
            Reason::NoVariant => of_variant("id", Value::Null),
            Reason::NotPublished { status } => ("product", product.to_owned(), "status", json!(status)),
            Reason::NotInChannel => {
                let channels = PRODUCT_SALES_CHANNEL.rights(view, product)?;
                ("product", product.to_owned(), "sales_channels", json!(channels))
            }
            Reason::NotYet { from } => of_window("available_from", json!(from))?,
            Reason::NoLonger { until } => of_window("available_until", json!(until))?,
            Reason::VariantExcluded => {
                let row = SALES_CHANNEL_EXCLUDED_VARIANT.row(view, channel, variant)?.unwrap_or_default();
                ("sales_channel_excluded_variant", row.id, "variant_id", json!(variant))
            }
            Reason::NoPrice => {
                let set = PRODUCT_VARIANT_PRICE_SET.rights(view, variant)?.into_iter().next();
                let asked =
                    price.map(|it| json!({ "currency_code": it.currency_code, "rules": it.attributes }));
                ("price_set", set.unwrap_or_default(), "prices", asked.unwrap_or_default())
            }
            Reason::NoInventoryItem => of_variant("inventory_items", json!([])),
            Reason::NoLocation => {
                let locations: Vec<&str> = shelf.locations().iter().map(|it| it.id.as_str()).collect();
                of_channel("stock_locations", json!(locations))
            }
            Reason::NotEnough { available } => of_variant("available_quantity", json!(available)),
        };
        Ok(json!({
            "code": reason.code(), "message": reason.to_string(), "entity": entity, "id": id, "field": field,
            "value": value,
        }))
    }
}

/// The inventory items of the variant and their levels at the locations of the channel, as JSON.
fn inventory(view: &dyn Read, shelf: &Shelf<'_>, article: &Article) -> Result<Value, StoreError> {
    let mut items = Vec::new();
    for component in components(view, &article.variant.id)? {
        let mut levels = Vec::new();
        for location in shelf.locations() {
            let level = level_at(view, &component.item, &location.id)?;
            let safety_stock = match &level {
                Some(level) => shelf.safety_stock(level, location)?,
                None => location.safety_stock,
            };
            levels.push(json!({
                "location_id": location.id, "priority": location.priority, "safety_stock": safety_stock,
                "stocked_quantity": level.as_ref().map(|it| it.stocked_quantity),
                "reserved_quantity": level.as_ref().map(|it| it.reserved_quantity),
            }));
        }
        items.push(json!({
            "inventory_item_id": component.item, "required_quantity": component.required, "location_levels": levels,
        }));
    }
    Ok(Value::Array(items))
}
