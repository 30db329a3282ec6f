//! Flows on categories, collections, tags, types and options: create, update, delete, and assign products.

use atoll_kernel::{Fault, data::RowError, flow, flow::Local, serde_json::json};
use atoll_product::{
    COLLECTIONS, OptionChanges, OptionInput, PRODUCTS, Product, ProductCategory, ProductCategoryPatch,
    ProductCollection, ProductCollectionPatch, ProductOption, ProductTag, ProductTagPatch, ProductType,
    ProductTypePatch, TAGS, TYPES, create_category, create_collection, create_option, delete_category,
    delete_option, update_category, update_collection, update_option,
};

use crate::points::{
    CATEGORIES_CREATED, CATEGORIES_DELETED, CATEGORIES_UPDATED, COLLECTIONS_CREATED, COLLECTIONS_DELETED,
    COLLECTIONS_UPDATED, OPTIONS_CREATED, OPTIONS_DELETED, OPTIONS_UPDATED, TAGS_CREATED, TAGS_DELETED,
    TAGS_UPDATED, TYPES_CREATED, TYPES_DELETED, TYPES_UPDATED, VALIDATE_CATEGORIES, VALIDATE_COLLECTIONS,
    VALIDATE_LINKS, VALIDATE_OPTIONS, VALIDATE_TAGS, VALIDATE_TYPES,
};
use crate::records::record_flows;
use crate::sales_channel::LinkIds;

record_flows! {
    tags: ProductTag, from ProductTag, ProductTagPatch, event "product-tag";
    CREATE_PRODUCT_TAGS = "create-product-tags" (VALIDATE_TAGS, TAGS_CREATED) by |tx, at, it| TAGS.create(tx, at, it);
    UPDATE_PRODUCT_TAGS = "update-product-tags" (TAGS_UPDATED) by |tx, at, id, it| TAGS.update(tx, at, id, it);
    DELETE_PRODUCT_TAGS = "delete-product-tags" (TAGS_DELETED) by |tx, at, id| TAGS.soft_delete(tx, at, id);
}

record_flows! {
    types: ProductType, from ProductType, ProductTypePatch, event "product-type";
    CREATE_PRODUCT_TYPES = "create-product-types" (VALIDATE_TYPES, TYPES_CREATED) by |tx, at, it| TYPES.create(tx, at, it);
    UPDATE_PRODUCT_TYPES = "update-product-types" (TYPES_UPDATED) by |tx, at, id, it| TYPES.update(tx, at, id, it);
    DELETE_PRODUCT_TYPES = "delete-product-types" (TYPES_DELETED) by |tx, at, id| TYPES.soft_delete(tx, at, id);
}

record_flows! {
    collections: ProductCollection, from ProductCollection, ProductCollectionPatch, event "product-collection";
    CREATE_COLLECTIONS = "create-collections" (VALIDATE_COLLECTIONS, COLLECTIONS_CREATED) by create_collection;
    UPDATE_COLLECTIONS = "update-collections" (COLLECTIONS_UPDATED) by update_collection;
    DELETE_COLLECTIONS = "delete-collections" (COLLECTIONS_DELETED) by |tx, at, id| COLLECTIONS.soft_delete(tx, at, id);
}

record_flows! {
    categories: ProductCategory, from ProductCategory, ProductCategoryPatch, event "product-category";
    CREATE_PRODUCT_CATEGORIES = "create-product-categories" (VALIDATE_CATEGORIES, CATEGORIES_CREATED) by create_category;
    UPDATE_PRODUCT_CATEGORIES = "update-product-categories" (CATEGORIES_UPDATED) by update_category;
    DELETE_PRODUCT_CATEGORIES = "delete-product-categories" (CATEGORIES_DELETED) by
        |tx, at, id| delete_category(tx, at, id).map(Some);
}

record_flows! {
    options: ProductOption, from OptionInput, OptionChanges, event "product-option";
    CREATE_PRODUCT_OPTIONS = "create-product-options" (VALIDATE_OPTIONS, OPTIONS_CREATED) by create_option;
    UPDATE_PRODUCT_OPTIONS = "update-product-options" (OPTIONS_UPDATED) by update_option;
    DELETE_PRODUCT_OPTIONS = "delete-product-options" (OPTIONS_DELETED) by delete_option;
}

flow! {
    /// Adds products to a collection, and removes others. All of them must exist. Event: `product.updated`,
    /// for each.
    pub static LINK_PRODUCTS_TO_COLLECTION: Flow<LinkIds, ()> =
        "batch-link-products-to-collection" (link_to_collection), hooks: &[&VALIDATE_LINKS];
}

fn link_to_collection(flow: &mut Local<'_>, ids: LinkIds) -> Result<(), Fault> {
    put_products(flow, &ids, |product, is_in| {
        let here = product.collection_id.as_deref() == Some(&*ids.id);
        if is_in != here {
            product.collection_id = is_in.then(|| ids.id.as_str().into());
        }
    })
}

flow! {
    /// Adds products to a category, and removes others. All of them must exist. Event: `product.updated`, for
    /// each.
    pub static LINK_PRODUCTS_TO_CATEGORY: Flow<LinkIds, ()> =
        "batch-link-products-to-category" (link_to_category), hooks: &[&VALIDATE_LINKS];
}

fn link_to_category(flow: &mut Local<'_>, ids: LinkIds) -> Result<(), Fault> {
    put_products(flow, &ids, |product, is_in| {
        product.category_ids.retain(|it| **it != *ids.id);
        if is_in {
            product.category_ids.push(ids.id.as_str().into());
        }
    })
}

fn put_products(flow: &mut Local<'_>, ids: &LinkIds, sort: impl Fn(&mut Product, bool)) -> Result<(), Fault> {
    flow.hook(&VALIDATE_LINKS, || ids.as_input())?;
    let all = || ids.add.iter().map(|it| (it, true)).chain(ids.remove.iter().map(|it| (it, false)));
    flow.step("link-products", |tx, at| {
        all()
            .try_for_each(|(id, is_in)| {
                PRODUCTS.update(tx, at, id, |it: &mut Product| sort(it, is_in)).map(drop)
            })
            .map_err(|error: RowError| error.into())
    })?;
    for (id, _) in all() {
        flow.emit("product.updated", json!({ "id": id }))?;
    }
    Ok(())
}
