//! Request bodies of product variants: their schemas, and their deserialisation into the input of flows.

use atoll_flows::product::{NewVariant, VariantChanges};
use atoll_kernel::{
    Fault,
    http::{Body, Field, Type, optional, required},
};

use crate::{
    body::{Fields, default_nulls, read, take},
    tables::{ADDITIONAL_DATA, METADATA, number, text},
};

/// Optional fields of a variant.
const MORE: &[Field] = &[
    text("sku"),
    text("ean"),
    text("upc"),
    text("barcode"),
    text("hs_code"),
    text("mid_code"),
    text("origin_country"),
    text("material"),
    text("thumbnail"),
    optional("allow_backorder", Type::BoolText),
    optional("manage_inventory", Type::BoolText),
    optional("variant_rank", Type::NotNegative),
    number("weight"),
    number("length"),
    number("height"),
    number("width"),
    METADATA,
];
const PRICE: Type = Type::Object(&[
    required("currency_code", Type::Text).about("ISO 4217."),
    required("amount", Type::NotNegative).about("The price of one, in units of the currency."),
    number("min_quantity").about("The least quantity of a line to which it applies."),
    number("max_quantity").about("The largest quantity of a line to which it applies."),
    optional("rules", Type::Record).about("Where it applies, by attribute: `{\"region_id\": \"reg_…\"}`."),
]);
const PRICES: Type = Type::List(&PRICE);
const INVENTORY_PARTS: Type = Type::List(&INVENTORY_PART);
const INVENTORY_PART: Type = Type::Object(&[
    required("inventory_item_id", Type::Text).about("The inventory item."),
    required("required_quantity", Type::Positive).about("How many of it a unit of the variant needs."),
]);
/// A complete list of prices; an existing price may be given by its id alone.
const NEW_PRICES: Type = Type::List(&Type::Object(&[
    optional("id", Type::Text).about("The id of a price that the variant has."),
    optional("currency_code", Type::Text).about("ISO 4217."),
    optional("amount", Type::NotNegative).about("The price of one, in units of the currency."),
    number("min_quantity").about("The least quantity of a line to which it applies."),
    number("max_quantity").about("The largest quantity of a line to which it applies."),
    optional("rules", Type::Record).about("Where it applies, by attribute: `{\"region_id\": \"reg_…\"}`."),
]));
const NEW: &[Field] = &[
    required("title", Type::Text),
    required("prices", PRICES).about("All prices of the variant."),
    optional("options", Type::Record).about("The value of each option, by the title of the option: `{\"Size\": \"S\"}`."),
    optional("inventory_items", INVENTORY_PARTS).about("The inventory items of the variant; several make a kit. One is created if none is given and the stock is managed."),
];
/// The body of a new variant.
pub(crate) const CREATE: Body = &[NEW, MORE, &[ADDITIONAL_DATA]];
/// A new variant in a batch, or of a new product.
pub(crate) const CREATE_ONE: Body = &[NEW, MORE];
const CHANGES: &[Field] = &[
    optional("title", Type::Text),
    optional("prices", NEW_PRICES).about("All prices that the variant is to have; others are deleted."),
    optional("options", Type::Record)
        .about("The value of each option, by the title of the option: `{\"Size\": \"S\"}`."),
];
/// The body of an update of a variant.
pub(crate) const UPDATE: Body = &[&[optional("id", Type::Text)], CHANGES, MORE, &[ADDITIONAL_DATA]];
/// An update of a variant in a batch.
pub(crate) const UPDATE_ONE: Body = &[&[required("id", Type::Text)], CHANGES, MORE];

/// Deserialises a new variant.
pub(crate) fn new_variant(mut fields: Fields) -> Result<NewVariant, Fault> {
    default_nulls(&mut fields);
    let options = take(&mut fields, "options")?.unwrap_or_default();
    let prices = take(&mut fields, "prices")?.unwrap_or_default();
    let inventory_items = take(&mut fields, "inventory_items")?.unwrap_or_default();
    Ok(NewVariant { variant: read(fields)?, options, prices, inventory_items })
}

/// Deserialises an update of the variant with this id.
pub(crate) fn variant_changes(id: String, mut fields: Fields) -> Result<VariantChanges, Fault> {
    let options = take(&mut fields, "options")?.unwrap_or_default();
    let prices = take(&mut fields, "prices")?;
    Ok(VariantChanges { id, patch: read(fields)?, options, prices })
}
