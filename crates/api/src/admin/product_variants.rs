//! `/admin/product-variants`, and `/admin/products/:id/variants`

use atoll_flows::product::{
    CREATE_PRODUCT_VARIANTS, DELETE_PRODUCT_VARIANTS, NewVariant, UPDATE_PRODUCT_VARIANTS, VariantChanges,
};
use atoll_kernel::{
    Body, Call, Comparison, Condition, Conditions, Fault, Field, Params, Read, Reply, Resource, Type,
    optional, required, routes,
    serde_json::{Value, json},
};
use atoll_product::{PRODUCTS, VARIANTS};

use crate::{
    admin::products::PRODUCT,
    reply::{context, page, perform},
    tables::{METADATA, ONE, any, date, flag, list, number, text},
};

routes! {
    Get "/admin/product-variants" (Admin, LIST) => index;
    Get "/admin/products/:id/variants" (Admin, LIST) => of_product;
    Post "/admin/products/:id/variants" (Admin, ONE, CREATE) => create;
    Get "/admin/products/:id/variants/:variant_id" (Admin, ONE) => retrieve;
    Post "/admin/products/:id/variants/:variant_id" (Admin, ONE, UPDATE) => update;
    Delete "/admin/products/:id/variants/:variant_id" (Admin, ONE) => delete;
}

static VARIANT: Resource = Resource {
    entity: "product_variant",
    one: "variant",
    many: "variants",
    fields: &[
        "id", "title", "sku", "thumbnail", "barcode", "ean", "upc", "allow_backorder", "manage_inventory",
        "hs_code", "origin_country", "mid_code", "material", "weight", "length", "height", "width",
        "metadata", "variant_rank", "product_id", "created_at", "updated_at", "deleted_at", "*options",
        "options.option.id", "prices",
    ],
    offer: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("title"),
        any("sku"),
        any("barcode"),
        any("ean"),
        any("upc"),
        any("product_id"),
        flag("manage_inventory"),
        flag("allow_backorder"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);

/// What a variant has beside its title, options and prices.
pub(crate) const MORE: &[Field] = &[
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
    required("currency_code", Type::Text),
    required("amount", Type::NotNegative),
    number("min_quantity"),
    number("max_quantity"),
    optional("rules", Type::Record),
]);
pub(crate) const PRICES: Type = Type::List(&PRICE);
pub(crate) const INVENTORY_PARTS: Type = Type::List(&INVENTORY_PART);
const INVENTORY_PART: Type =
    Type::Object(&[required("inventory_item_id", Type::Text), required("required_quantity", Type::Positive)]);
const CREATE: Body = &[
    &[
        required("title", Type::Text),
        required("prices", PRICES),
        optional("options", Type::Record),
        optional("inventory_items", INVENTORY_PARTS),
    ],
    MORE,
];
const UPDATE: Body = &[&[optional("title", Type::Text), optional("prices", PRICES)], MORE];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&VARIANT, call, Vec::new())
}

async fn of_product(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let of = Condition { path: vec!["product_id"], comparison: Comparison::In, values: vec![Some(id)] };
    call.params.filters.push(Conditions::One(of));
    page(&VARIANT, call, Vec::new())
}

/// The variant of the path must be one of the product of the path.
fn check(tx: &dyn Read, product: &str, variant: &str) -> Result<(), Fault> {
    match VARIANTS.get(tx, variant)? {
        Some(it) if *it.product_id == *product => Ok(()),
        _ => Err(Fault::not_found(format!("Product variant with id: {variant} was not found"))),
    }
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let (view, id) = (call.app.view(), call.path("variant_id"));
    check(&view, call.path("id"), id)?;
    let found = VARIANT.find(&view, &context(&call), id, call.params.fields.as_deref())?;
    found.ok_or_else(|| Fault::not_found(format!("Product variant with id: {id} was not found")))
}

async fn create(call: Call) -> Result<Reply, Fault> {
    let (id, input) = (call.path("id").to_owned(), NewVariant::from_body(call.body().clone())?);
    perform(&PRODUCT, call, move |flow| {
        flow.run(&CREATE_PRODUCT_VARIANTS, (id.clone(), vec![input.clone()]))?;
        Ok(PRODUCTS.retrieve(flow.tx, &id)?)
    })
    .await
}

async fn update(call: Call) -> Result<Reply, Fault> {
    let (product, id) = (call.path("id").to_owned(), call.path("variant_id").to_owned());
    let changes = VariantChanges::from_body(id, call.body().clone())?;
    perform(&PRODUCT, call, move |flow| {
        check(flow.tx, &product, &changes.id)?;
        flow.run(&UPDATE_PRODUCT_VARIANTS, vec![changes.clone()])?;
        Ok(PRODUCTS.retrieve(flow.tx, &product)?)
    })
    .await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let (product, id) = (call.path("id").to_owned(), call.path("variant_id").to_owned());
    let gone = id.clone();
    let reply = perform(&PRODUCT, call, move |flow| {
        if VARIANTS.table.exists(flow.tx, &id)? {
            check(flow.tx, &product, &id)?;
        }
        flow.run(&DELETE_PRODUCT_VARIANTS, vec![id.clone()])?;
        Ok(PRODUCTS.retrieve(flow.tx, &product)?)
    });
    let shown: Value = serde_json::from_slice(&reply.await?.json).map_err(Fault::unexpected)?;
    Ok(Reply::json(&json!({ "id": gone, "object": "variant", "deleted": true, "parent": shown["product"] })))
}
