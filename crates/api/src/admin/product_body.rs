//! Request bodies of products: their schemas, and their deserialisation into the input of flows.

use atoll_flows::product::{IdRef, NewProduct, OptionLink, ProductChanges};
use atoll_kernel::{
    Fault,
    http::{Body, Field, Type, optional, required},
    serde_json::Value,
};
use atoll_product::{Product, ProductPatch, ProductStatus};

use crate::{
    admin::variant_body::{self, new_variant},
    body::{Fields, default_nulls, read, take, take_ids},
    tables::{ADDITIONAL_DATA, METADATA, number, text},
};

const REF: Type = Type::Object(&[required("id", Type::Text)]);
const STATUS: Field = optional("status", Type::Words(ProductStatus::WORDS));

/// The body of a new product.
pub(crate) const CREATE: Body = &[NEW, MORE, &[ADDITIONAL_DATA]];
/// A new product in a batch.
pub(crate) const CREATE_ONE: Body = &[NEW, MORE];
const NEW: &[Field] = &[
    required("title", Type::Text),
    text("handle"),
    STATUS.or_null(),
    optional("options", Type::List(&Type::OneOf(&[Type::Strict(OPTION_REF), Type::Object(NEW_OPTION)])))
        .about("The options: new ones, or those of other products by their ids."),
    optional("variants", Type::List(&Type::Strict(variant_body::CREATE_ONE)))
        .about("The variants, each with another combination of values of the options."),
];
/// The body of an update of a product.
pub(crate) const UPDATE: Body = &[CHANGES, MORE, &[ADDITIONAL_DATA]];
const CHANGES: &[Field] = &[
    optional("title", Type::Text),
    text("handle"),
    STATUS,
    optional("option_ids", Type::List(&Type::Text)),
    optional(
        "options",
        Type::Removed(
            "The 'options' property was removed in version 2.16.0. Please remove it from your request payload.",
        ),
    ),
];
const MORE: &[Field] = &[
    text("subtitle"),
    text("description"),
    text("thumbnail"),
    text("external_id"),
    text("type_id"),
    text("collection_id"),
    text("shipping_profile_id"),
    optional("is_giftcard", Type::BoolText),
    optional("discountable", Type::BoolText),
    optional("images", Type::List(&Type::Object(&[required("url", Type::Text), optional("id", Type::Text)]))),
    optional("categories", Type::List(&REF)).about("The categories, by their ids."),
    optional("tags", Type::List(&REF)).about("The tags, by their ids."),
    optional("sales_channels", Type::List(&REF)).about("The sales channels that list it, by their ids."),
    number("weight"),
    number("length"),
    number("height"),
    number("width"),
    text("hs_code"),
    text("mid_code"),
    text("origin_country"),
    text("material"),
    METADATA,
];
/// An update of a product in a batch.
pub(crate) const UPDATE_ONE: Body = &[&[required("id", Type::Text)], CHANGES, MORE];

/// The fields of a new option.
pub(crate) const NEW_OPTION: &[Field] = &[
    required("title", Type::Text).about("The title of the option."),
    required("values", Type::List(&Type::Text)).about("The values, in their order."),
    RANKS,
    EXCLUSIVE,
    METADATA,
];
/// A reference to an existing option.
pub(crate) const OPTION_REF: Body = &[&[required("id", Type::Text).about("The id of the option.")]];
pub(crate) const RANKS: Field =
    optional("ranks", Type::Record).about("The rank of each value, by its text: `{\"S\": 1}`.");
pub(crate) const EXCLUSIVE: Field =
    optional("is_exclusive", Type::Bool).about("Whether it is of one product, which no other shares.");

/// Deserialises a new product.
pub(crate) fn new_product(mut fields: Fields) -> Result<NewProduct, Fault> {
    default_nulls(&mut fields);
    let named: Vec<OptionLink> = take(&mut fields, "options")?.unwrap_or_default();
    let variants: Vec<Fields> = take(&mut fields, "variants")?.unwrap_or_default();
    let variants = variants.into_iter().map(new_variant).collect::<Result<_, Fault>>()?;
    let (tags, categories) = (take_ids(&mut fields, "tags")?, take_ids(&mut fields, "categories")?);
    let sales_channels = take_ids(&mut fields, "sales_channels")?.unwrap_or_default();
    let mut product: Product = read(fields)?;
    product.tag_ids = tags.unwrap_or_default();
    product.category_ids = categories.unwrap_or_default();
    let mut options = Vec::new();
    for option in named {
        match option {
            OptionLink::Id(id) | OptionLink::Ref(IdRef { id }) => product.option_ids.push(id.into()),
            OptionLink::New(option) => options.push(option),
        }
    }
    Ok(NewProduct { product, options, variants, sales_channels })
}

/// Deserialises an update of a product.
pub(crate) fn product_changes(mut fields: Fields) -> Result<ProductChanges, Fault> {
    // Null means that the handle stays.
    if fields.get("handle").is_some_and(Value::is_null) {
        fields.remove("handle");
    }
    let (tags, categories) = (take_ids(&mut fields, "tags")?, take_ids(&mut fields, "categories")?);
    let sales_channels = take_ids(&mut fields, "sales_channels")?;
    let mut patch: ProductPatch = read(fields)?;
    (patch.tag_ids, patch.category_ids) = (tags, categories);
    Ok(ProductChanges { patch, sales_channels })
}
