//! Admin routes of products: `/admin/products`.

use atoll_flows::product::{CREATE_PRODUCTS, DELETE_PRODUCTS, UPDATE_PRODUCTS};
use atoll_kernel::{
    Fault,
    flow::Local,
    http::{Answer, Body, Call, Param, ParamKind, Params, Reply, Resource, Type},
    routes,
};
use atoll_product::{PRODUCTS, ProductStatus};

use crate::{
    admin::product_body::{CREATE, CREATE_ONE, UPDATE, UPDATE_ONE, new_product, product_changes},
    body::{Batch, take_id},
    reply::{find, only, page, perform, perform_batch, remove_by},
    tables::{BATCH_DELETE, ONE, any, batch_create, batch_update, date, flag, lenient_list, nested},
};

routes! {
    of PRODUCT;
    /// Lists the products.
    Get "/admin/products" (Admin, LIST) => index;
    /// Creates a product, with its options, variants, prices and sales channels. No channel shows it until it
    /// is linked to one and published.
    Post "/admin/products" (Admin, ONE, CREATE) => create;
    /// Creates, updates and deletes products, all or none.
    Post "/admin/products/batch" (Admin, ONE, BATCH) => batch: Answer::Batch(&PRODUCT);
    /// Shows a product, with its variants, options and images.
    Get "/admin/products/:id" (Admin, ONE) => retrieve;
    /// Updates a product. Fields that are absent stay as they are; lists, such as `variants` and `images`,
    /// are replaced.
    Post "/admin/products/:id" (Admin, ONE, UPDATE) => update;
    /// Deletes a product, with its variants. One whose stock is reserved is refused.
    Delete "/admin/products/:id" (Admin, ONE) => delete;
}

pub(crate) static PRODUCT: Resource = Resource {
    entity: "product",
    one: "product",
    many: "products",
    fields: &[
        "id", "title", "subtitle", "status", "external_id", "description", "handle", "is_giftcard",
        "discountable", "thumbnail", "collection_id", "type_id", "weight", "length", "height", "width",
        "hs_code", "origin_country", "mid_code", "material", "created_at", "updated_at", "deleted_at",
        "metadata", "*type", "*collection", "*options", "*options.values", "*tags", "*images", "*variants",
        "variants.prices", "variants.images", "*variants.options", "*variants.options.option",
        "*sales_channels",
    ],
    store_fields: None,
    renamed: &[
        ("tag_id", "tag_ids"),
        ("category_id", "category_ids"),
        ("sales_channel_id", "sales_channels.id"),
    ],
};

pub(super) const LIST: Params = lenient_list(
    &[
        any("id"),
        any("title"),
        any("handle"),
        any("external_id"),
        flag("is_giftcard"),
        any("category_id"),
        any("collection_id"),
        any("tag_id"),
        any("type_id"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        any("sales_channel_id"),
        Param::new("status", ParamKind::Words(ProductStatus::WORDS)),
        nested("variants", &[any("id"), any("title"), any("sku"), any("barcode"), any("ean"), any("upc")]),
        nested("sales_channels", &[any("id"), any("name")]),
        nested("collection", &[any("id"), any("title"), any("handle")]),
        nested("type", &[any("id"), any("value")]),
        nested("tags", &[any("id"), any("value")]),
        nested("categories", &[any("id"), any("name"), any("handle")]),
        nested("options", &[any("id"), any("title")]),
    ],
    50,
);

const BATCH: Body = &[&[
    batch_create(Type::List(&Type::Strict(CREATE_ONE))),
    batch_update(Type::List(&Type::Strict(UPDATE_ONE))),
    BATCH_DELETE,
]];
async fn index(call: Call) -> Result<Reply, Fault> {
    page(&PRODUCT, &call, Vec::new())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let input = new_product(call.read()?)?;
    perform(&PRODUCT, call, move |flow| only(flow.run(&CREATE_PRODUCTS, vec![input])?)).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&PRODUCT, &call, |_| "Product not found".into())
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let input = (call.path("id").to_owned(), product_changes(call.read()?)?);
    perform(&PRODUCT, call, move |flow| flow.run(&UPDATE_PRODUCTS, input)).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "product", &DELETE_PRODUCTS).await
}

/// Creates, updates and deletes products in one transaction.
async fn batch(mut call: Call) -> Result<Reply, Fault> {
    let Batch { create, update, delete: gone } = call.read()?;
    let create = create.into_iter().map(new_product).collect::<Result<Vec<_>, _>>()?;
    let change = |mut fields| Ok((take_id(&mut fields)?, product_changes(fields)?));
    let update = update.into_iter().map(change).collect::<Result<Vec<_>, Fault>>()?;
    let gone_ids = gone.clone();
    let body = move |flow: &mut Local<'_>| {
        let mut unknown = Vec::new();
        for (id, _) in &update {
            if !PRODUCTS.table.exists(flow.tx, id)? {
                unknown.push(id.as_str());
            }
        }
        if !unknown.is_empty() {
            let text = unknown.join(", ");
            return Err(Fault::not_found(format!("Unable to update the products with ids: {text}")));
        }
        let created = flow.run(&CREATE_PRODUCTS, create)?;
        let updated = update.into_iter().map(|it| flow.run(&UPDATE_PRODUCTS, it));
        let updated = updated.collect::<Result<Vec<_>, _>>()?;
        flow.run(&DELETE_PRODUCTS, gone_ids)?;
        Ok((created, updated))
    };
    perform_batch(&PRODUCT, &PRODUCTS, call, "product", gone, body).await
}
