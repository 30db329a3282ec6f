//! Store routes of product variants: `/store/product-variants`.

use atoll_kernel::{
    Fault,
    http::{Call, Params, Reply, Resource},
    query::StoreFields,
    routes,
};

use crate::{
    store::catalogue::{IN_CHANNEL, IN_COUNTRY, IN_PROVINCE, IN_REGION, OF_CART, SURROUNDINGS, surroundings},
    tables::{any, date, flag, list},
};

routes! {
    of VARIANT;
    /// Lists the variants that the channels of the key sell now.
    Get "/store/product-variants" (Store, LIST) => index;
    /// Shows a variant that a channel of the key sells now.
    Get "/store/product-variants/:id" (Store, SHOW) => retrieve;
}

static VARIANT: Resource = Resource {
    entity: "product_variant",
    one: "variant",
    many: "variants",
    fields: &[
        "id", "title", "sku", "barcode", "ean", "upc", "allow_backorder", "manage_inventory", "hs_code",
        "origin_country", "mid_code", "material", "weight", "length", "height", "width", "variant_rank",
        "thumbnail", "product_id", "created_at", "updated_at", "metadata", "product.id", "product.type_id",
        "*options", "options.option.id", "images",
    ],
    store_fields: Some(StoreFields {
        whole: &["product", "options", "options.option", "images", "calculated_price", "inventory_quantity"],
        parts: &[],
    }),
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
        flag("allow_backorder"),
        flag("manage_inventory"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        IN_CHANNEL,
        IN_REGION,
        IN_COUNTRY,
        IN_PROVINCE,
        OF_CART,
    ],
    20,
);
const SHOW: Params = Params { own: SURROUNDINGS, limit: None, strict: true };

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let context = surroundings(&mut call, "calculated_price")?;
    VARIANT.plan_in(&call, context).page(&call.view, Vec::new())
}

async fn retrieve(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let context = surroundings(&mut call, "calculated_price")?;
    let hidden = || Fault::not_found(format!("Product variant with id: {id} was not found"));
    VARIANT.plan_in(&call, context).find(&call.view, &id)?.ok_or_else(hidden)
}
