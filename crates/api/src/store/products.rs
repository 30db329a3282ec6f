//! Store routes of products: `/store/products`.

use atoll_kernel::{
    Fault,
    http::{Call, Params, Reply, Resource},
    query::StoreFields,
    routes,
};

use crate::{
    store::catalogue::{IN_CHANNEL, IN_COUNTRY, IN_PROVINCE, IN_REGION, OF_CART, SURROUNDINGS, surroundings},
    tables::{any, date, flag, list, nested},
};

routes! {
    of PRODUCT;
    /// Lists the products that the channels of the key show now. Prices come with a region, or with the one
    /// of a cart; `inventory_quantity` is that of the channels.
    Get "/store/products" (Store, LIST) => index;
    /// Shows a product that a channel of the key shows now.
    Get "/store/products/:id" (Store, SHOW) => retrieve;
}

static PRODUCT: Resource = Resource {
    entity: "product",
    one: "product",
    many: "products",
    fields: &[
        "id", "title", "subtitle", "description", "handle", "is_giftcard", "discountable", "thumbnail",
        "collection_id", "type_id", "weight", "length", "height", "width", "hs_code", "origin_country",
        "mid_code", "material", "created_at", "updated_at", "*type", "*collection", "*options",
        "*options.values", "*tags", "*images", "*variants", "*variants.options", "*variants.options.option",
    ],
    store_fields: Some(StoreFields {
        whole: &[
            "type", "collection", "options", "options.values", "tags", "images", "categories", "variants",
            "variants.images", "variants.options", "variants.options.option", "variants.calculated_price",
            "variants.inventory_quantity",
        ],
        parts: &[],
    }),
    renamed: &[
        ("tag_id", "tag_ids"),
        ("category_id", "categories.id"),
        ("option_value_id", "variants.option_value_ids"),
    ],
};

const LIST: Params = list(
    &[
        any("id"),
        any("title"),
        any("handle"),
        flag("is_giftcard"),
        any("category_id"),
        any("collection_id"),
        any("tag_id"),
        any("type_id"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        IN_CHANNEL,
        IN_REGION,
        IN_COUNTRY,
        IN_PROVINCE,
        OF_CART,
        any("option_value_id"),
        nested(
            "variants",
            &[
                any("id"),
                any("sku"),
                any("barcode"),
                any("ean"),
                any("upc"),
                nested("options", &[any("value"), any("option_id")]),
            ],
        ),
    ],
    50,
);
const SHOW: Params = Params { own: SURROUNDINGS, limit: None, strict: true };

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let context = surroundings(&mut call, "variants.calculated_price")?;
    PRODUCT.plan_in(&call, context).page(&call.view, Vec::new())
}

async fn retrieve(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let context = surroundings(&mut call, "variants.calculated_price")?;
    // On the wire every product shows its categories.
    call.params.fields.add("categories.is_internal");
    let hidden = || Fault::not_found(format!("Product with id: {id} was not found"));
    PRODUCT.plan_in(&call, context).find(&call.view, &id)?.ok_or_else(hidden)
}
