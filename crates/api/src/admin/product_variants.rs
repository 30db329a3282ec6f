//! Admin routes of product variants: `/admin/product-variants`, `/admin/products/:id/variants`.

use atoll_flows::product::{
    BATCH_VARIANT_IMAGES, CREATE_PRODUCT_VARIANTS, DELETE_PRODUCT_VARIANTS, LINK_INVENTORY_ITEMS,
    UPDATE_PRODUCT_VARIANTS, VariantImages, VariantItem, VariantItemChanges, check_variant, unknown_items,
};
use atoll_flows::sales_channel::LinkIds;
use atoll_kernel::{
    Fault,
    flow::Local,
    http::{Answer, Body, Call, Deleted, Field, Params, Part, Reply, Resource, Type, optional, required},
    routes,
    serde_json::{Number, Value, json},
};
use atoll_product::{PRODUCTS, VARIANTS};

use crate::{
    admin::{
        products::PRODUCT,
        variant_body::{CREATE, CREATE_ONE, UPDATE, UPDATE_ONE, new_variant, variant_changes},
    },
    body::{Batch, take_id},
    reply::{link_ids, once, page, perform, perform_batch, perform_in, remove_from},
    tables::{BATCH_DELETE, IDS, LINK, ONE, any, batch_create, batch_update, date, flag, list, nested},
};

routes! {
    of VARIANT;
    /// Lists the variants of all products.
    Get "/admin/product-variants" (Admin, LIST) => index;
    /// Lists the variants of a product.
    Get "/admin/products/:id/variants" (Admin, LIST) => of_product;
    /// Creates a variant of a product. Two variants of one product cannot have the same option values.
    Post "/admin/products/:id/variants" (Admin, ONE, CREATE) => create: Answer::One(&PRODUCT);
    /// Creates, updates and deletes variants of a product, all or none.
    Post "/admin/products/:id/variants/batch" (Admin, ONE, BATCH) => batch: Answer::Batch(&VARIANT);
    /// Sets which inventory items several variants of a product consist of, all or none.
    Post "/admin/products/:id/variants/inventory-items/batch" (Admin, ONE, PARTS_BATCH) => batch_parts: PARTS_DONE;
    /// Shows a variant of a product.
    Get "/admin/products/:id/variants/:variant_id" (Admin, ONE) => retrieve;
    /// Updates a variant of a product. Fields that are absent stay as they are.
    Post "/admin/products/:id/variants/:variant_id" (Admin, ONE, UPDATE) => update: Answer::One(&PRODUCT);
    /// Deletes a variant of a product, with the inventory items that nothing else needs.
    Delete "/admin/products/:id/variants/:variant_id" (Admin, ONE) => delete: Answer::DeletedFrom(&PRODUCT);
    /// Assigns images of the product to a variant, and takes others away.
    Post "/admin/products/:id/variants/:variant_id/images/batch" (Admin, ONE, LINK) => batch_images: ADDED;
    /// Assigns an image of a product to variants, and takes it away from others.
    Post "/admin/products/:id/images/:image_id/variants/batch" (Admin, ONE, LINK) => batch_variants_of_image: ADDED;
    /// Adds an inventory item to a variant. A variant with several items is a kit.
    Post "/admin/products/:id/variants/:variant_id/inventory-items" (Admin, ONE, PART) => add_part;
    /// Sets how many of an inventory item a variant needs.
    Post "/admin/products/:id/variants/:variant_id/inventory-items/:item_id" (Admin, ONE, QUANTITY) => change_part;
    /// Removes an inventory item from a variant.
    Delete "/admin/products/:id/variants/:variant_id/inventory-items/:item_id" (Admin, ONE) => remove_part: PART_REMOVED;
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
    store_fields: None,
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
        nested("product", &[any("id"), any("title"), any("handle"), any("status")]),
        nested("inventory", &[any("id"), any("sku")]),
        flag("manage_inventory"),
        flag("allow_backorder"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);

const BATCH: Body = &[&[
    batch_create(Type::List(&Type::Strict(CREATE_ONE))),
    batch_update(Type::List(&Type::Strict(UPDATE_ONE))),
    BATCH_DELETE,
]];
const QUANTITY: Body = &[&[NEEDED]];
const VARIANT_ID: Field = required("variant_id", Type::Text).about("The variant.");
const ITEM_ID: Field = required("inventory_item_id", Type::Text).about("The inventory item.");
const NEEDED: Field =
    required("required_quantity", Type::Positive).about("How many of it a unit of the variant needs.");
const OF_VARIANT: &[Field] = &[VARIANT_ID, ITEM_ID];
const SET_PART: Type = Type::Strict(&[OF_VARIANT, &[NEEDED]]);
const PARTS_BATCH: Body = &[&[
    optional("create", Type::List(&SET_PART)).about("Links to set."),
    optional("update", Type::List(&SET_PART)).about("Links to set, as in `create`."),
    optional("delete", Type::List(&Type::Strict(&[OF_VARIANT]))).about("Links to remove."),
]];
const PART: Body = &[&[NEEDED, ITEM_ID]];

const ADDED: Answer = Answer::Object(&[
    Part::value("added", IDS, "The ids of `add`."),
    Part::value("removed", IDS, "The ids of `remove`."),
]);
const OF_PRODUCT: Field =
    required("product", Type::Object(&[VARIANT_ID])).about("The variant's end of the link.");
const OF_INVENTORY: Field =
    required("inventory", Type::Object(&[ITEM_ID])).about("The inventory item's end of the link.");
const PART_LINKS: Type = Type::List(&Type::Object(&[
    OF_PRODUCT,
    OF_INVENTORY,
    optional("data", Type::Object(&[NEEDED])).about("What is stored with the link."),
]));
const PARTS_DONE: Answer = Answer::Object(&[
    Part::value("created", PART_LINKS, "The links of `create`."),
    Part::value("updated", PART_LINKS, "The links of `update`."),
    Part::value("deleted", PART_LINKS, "The links of `delete`."),
]);
const PART_REMOVED: Answer = Answer::Object(&[
    Part::value("id", Type::Object(&[OF_PRODUCT, OF_INVENTORY]), "Both ends of the link."),
    Part::value("object", Type::Words(&["variant-inventory-item-link"]), "The kind of what was removed."),
    Part::value("deleted", Type::Bool, "Always true."),
    Part::One("parent", &VARIANT),
]);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&VARIANT, &call, Vec::new())
}

async fn of_product(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    call.params.narrow("product_id", vec![id]);
    page(&VARIANT, &call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let id = call.path("variant_id");
    check_variant(&call.view, call.path("id"), id)?;
    let found = VARIANT.plan(&call).find(&call.view, id)?;
    found.ok_or_else(|| Fault::not_found(format!("Product variant with id: {id} was not found")))
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let (id, input) = (call.path("id").to_owned(), new_variant(call.read()?)?);
    perform(&PRODUCT, call, move |flow| {
        flow.run(&CREATE_PRODUCT_VARIANTS, (id.clone(), vec![input]))?;
        Ok(PRODUCTS.retrieve(flow.tx, &id)?)
    })
    .await
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let (product, id) = (call.path("id").to_owned(), call.path("variant_id").to_owned());
    let changes = variant_changes(id, call.read()?)?;
    perform_in(&PRODUCT, &VARIANT, call, move |flow| {
        check_variant(flow.tx, &product, &changes.id)?;
        flow.run(&UPDATE_PRODUCT_VARIANTS, vec![changes])?;
        Ok(PRODUCTS.retrieve(flow.tx, &product)?)
    })
    .await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let (product, id) = (call.path("id").to_owned(), call.path("variant_id").to_owned());
    let gone = Deleted::new(id.as_str(), "variant");
    remove_from(&PRODUCT, call, gone, move |flow| {
        if VARIANTS.table.exists(flow.tx, &id)? {
            check_variant(flow.tx, &product, &id)?;
        }
        flow.run(&DELETE_PRODUCT_VARIANTS, vec![id])?;
        Ok(PRODUCTS.retrieve(flow.tx, &product)?)
    })
    .await
}

/// Creates, updates and deletes variants of a product in one transaction.
async fn batch(mut call: Call) -> Result<Reply, Fault> {
    let product = call.path("id").to_owned();
    let Batch { create, update, delete: gone } = call.read()?;
    let create = create.into_iter().map(new_variant).collect::<Result<Vec<_>, _>>()?;
    let change = |mut fields| variant_changes(take_id(&mut fields)?, fields);
    let update = update.into_iter().map(change).collect::<Result<Vec<_>, Fault>>()?;
    let gone_ids = gone.clone();
    let body = move |flow: &mut Local<'_>| {
        update.iter().try_for_each(|it| check_variant(flow.tx, &product, &it.id))?;
        let created = flow.run(&CREATE_PRODUCT_VARIANTS, (product.clone(), create))?;
        let updated = flow.run(&UPDATE_PRODUCT_VARIANTS, update)?;
        for id in &gone_ids {
            if VARIANTS.table.exists(flow.tx, id)? {
                check_variant(flow.tx, &product, id)?;
            }
        }
        flow.run(&DELETE_PRODUCT_VARIANTS, gone_ids)?;
        Ok((created, updated))
    };
    perform_batch(&VARIANT, &VARIANTS, call, "variant", gone, body).await
}

/// Sets which images of the product belong to a variant.
async fn batch_images(call: Call) -> Result<Reply, Fault> {
    let variant = call.path("variant_id").to_owned();
    batch_pairs(call, move |image| (image, variant.clone())).await
}

/// Sets to which variants an image of the product belongs.
async fn batch_variants_of_image(call: Call) -> Result<Reply, Fault> {
    let image = call.path("image_id").to_owned();
    batch_pairs(call, move |variant| (image.clone(), variant)).await
}

async fn batch_pairs(
    call: Call,
    pair: impl Fn(String) -> (String, String) + Send + 'static,
) -> Result<Reply, Fault> {
    let LinkIds { id, add, remove } = link_ids(&call);
    let answer = json!({ "added": add, "removed": remove });
    let pairs = |ids: Vec<String>| ids.into_iter().map(&pair).collect();
    let input = VariantImages { product_id: id, add: pairs(add), remove: pairs(remove) };
    let body = move |flow: &mut Local<'_>| flow.run(&BATCH_VARIANT_IMAGES, input).map(drop);
    once(call, body).await?;
    Ok(Reply::json(&answer))
}

async fn add_part(call: Call) -> Result<Reply, Fault> {
    let item = call.body()["inventory_item_id"].as_str().unwrap_or_default().to_owned();
    set_part(call, item).await
}

async fn change_part(call: Call) -> Result<Reply, Fault> {
    let item = call.path("item_id").to_owned();
    set_part(call, item).await
}

/// Sets the quantity of an inventory item that a variant needs.
async fn set_part(call: Call, inventory_item_id: String) -> Result<Reply, Fault> {
    let (product_id, id) = (call.path("id").to_owned(), call.path("variant_id").to_owned());
    let required_quantity = quantity(call.body())?;
    let part = VariantItem { variant_id: id.clone(), inventory_item_id, required_quantity };
    let changes = VariantItemChanges { product_id, link: vec![part], unlink: Vec::new() };
    perform(&VARIANT, call, move |flow| {
        flow.run(&LINK_INVENTORY_ITEMS, changes)?;
        Ok(VARIANTS.retrieve(flow.tx, &id)?)
    })
    .await
}

/// The quantity of a part, as the number that was sent: `1.0` stays `1.0`.
fn quantity(part: &Value) -> Result<Number, Fault> {
    match &part["required_quantity"] {
        Value::Number(number) => Ok(number.clone()),
        _ => Err(Fault::invalid("Invalid request: Field 'required_quantity' is required")),
    }
}

/// Sets the inventory items of several variants of a product in one transaction.
async fn batch_parts(call: Call) -> Result<Reply, Fault> {
    let product_id = call.path("id").to_owned();
    let parts = |name: &str| call.body().get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (created, updated, deleted) = (parts("create"), parts("update"), parts("delete"));
    let told = |part: &Value| {
        let mut link = json!({
            "product": { "variant_id": part["variant_id"] },
            "inventory": { "inventory_item_id": part["inventory_item_id"] },
        });
        if let Some(quantity) = part.get("required_quantity") {
            link["data"] = json!({ "required_quantity": quantity });
        }
        link
    };
    let links = |parts: &[Value]| parts.iter().map(told).collect::<Vec<_>>();
    let answer = json!({
        "created": links(&created), "updated": links(&updated), "deleted": links(&deleted),
    });
    let ends = |part: &Value| {
        let text = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
        (text("variant_id"), text("inventory_item_id"))
    };
    let part = |part: &Value| {
        let (variant_id, inventory_item_id) = ends(part);
        Ok(VariantItem { variant_id, inventory_item_id, required_quantity: quantity(part)? })
    };
    let link = created.iter().chain(&updated).map(part).collect::<Result<Vec<_>, Fault>>()?;
    let changes = VariantItemChanges { product_id, link, unlink: deleted.iter().map(ends).collect() };
    let body = move |flow: &mut Local<'_>| {
        let items: Vec<String> = changes.link.iter().map(|it| it.inventory_item_id.clone()).collect();
        unknown_items(flow.tx, &items)?.map_or(Ok(()), Err)?;
        flow.run(&LINK_INVENTORY_ITEMS, changes)
    };
    once(call, body).await?;
    Ok(Reply::json(&answer))
}

async fn remove_part(call: Call) -> Result<Reply, Fault> {
    let (id, item) = (call.path("variant_id").to_owned(), call.path("item_id").to_owned());
    let link = json!({ "product": { "variant_id": id }, "inventory": { "inventory_item_id": item } });
    let gone = Deleted::new(link, "variant-inventory-item-link");
    let product_id = call.path("id").to_owned();
    let changes = VariantItemChanges { product_id, link: Vec::new(), unlink: vec![(id.clone(), item)] };
    remove_from(&VARIANT, call, gone, move |flow| {
        flow.run(&LINK_INVENTORY_ITEMS, changes)?;
        Ok(VARIANTS.retrieve(flow.tx, &id)?)
    })
    .await
}
