//! Flows on categories, collections, tags, types and options: create, update, delete, and assign products.

use atoll_kernel::{
    Fault, Moment, Write,
    data::{Entity, RowError},
    flow,
    flow::Local,
    serde::Serialize,
    serde_json::json,
};
use atoll_product::{
    COLLECTIONS, OptionChanges, OptionInput, PRODUCTS, Product, ProductCategory, ProductCategoryPatch,
    ProductCollection, ProductCollectionPatch, ProductOption, ProductTag, ProductTagPatch, ProductType,
    ProductTypePatch, TAGS, TYPES, create_category, create_collection, create_option, delete_category,
    delete_option, update_category, update_collection, update_option,
};

use crate::sales_channel::LinkIds;

/// Defines the create, update and delete flows of an entity. Events: `….created`, `….updated`, `….deleted`,
/// for each record.
macro_rules! record_flows {
    (
        $module:ident: $Record:ty, from $New:ty, $Patch:ty, event $event:literal;
        $CREATE:ident = $create_name:literal ($created:literal) by $create:expr;
        $UPDATE:ident = $update_name:literal ($updated:literal) by $update:expr;
        $DELETE:ident = $delete_name:literal ($deleted:literal) by $delete:expr;
    ) => {
        mod $module {
            use super::*;

            fn create(flow: &mut Local<'_>, records: Vec<$New>) -> Result<Vec<$Record>, Fault> {
                create_all(flow, records, $create_name, concat!($event, ".created"), $created, $create)
            }

            flow! {
                #[doc = concat!("Makes records. Event: `", $event, ".created`, for each.")]
                pub static $CREATE: Flow<Vec<$New>, Vec<$Record>> =
                    $create_name (create), hooks: &["validate", $created];
            }

            fn update(flow: &mut Local<'_>, (id, patch): (String, $Patch)) -> Result<$Record, Fault> {
                update_one(flow, &id, $update_name, concat!($event, ".updated"), $updated, |tx, at, id| {
                    $update(tx, at, id, patch)
                })
            }

            flow! {
                #[doc = concat!("Changes the record with this id. Event: `", $event, ".updated`.")]
                pub static $UPDATE: Flow<(String, $Patch), $Record> =
                    $update_name (update), hooks: &["validate", $updated];
            }

            fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
                delete_all(flow, &ids, $delete_name, concat!($event, ".deleted"), $deleted, $delete)
            }

            flow! {
                #[doc = concat!("Soft-deletes records. Event: `", $event, ".deleted`, for each.")]
                pub static $DELETE: Flow<Vec<String>, ()> =
                    $delete_name (delete), hooks: &["validate", $deleted];
            }
        }

        pub use $module::{$CREATE, $DELETE, $UPDATE};
    };
}

record_flows! {
    tags: ProductTag, from ProductTag, ProductTagPatch, event "product-tag";
    CREATE_PRODUCT_TAGS = "create-product-tags" ("productTagsCreated") by |tx, at, it| TAGS.create(tx, at, it);
    UPDATE_PRODUCT_TAGS = "update-product-tags" ("productTagsUpdated") by |tx, at, id, it| TAGS.update(tx, at, id, it);
    DELETE_PRODUCT_TAGS = "delete-product-tags" ("productTagsDeleted") by |tx, at, id| TAGS.soft_delete(tx, at, id);
}

record_flows! {
    types: ProductType, from ProductType, ProductTypePatch, event "product-type";
    CREATE_PRODUCT_TYPES = "create-product-types" ("productTypesCreated") by |tx, at, it| TYPES.create(tx, at, it);
    UPDATE_PRODUCT_TYPES = "update-product-types" ("productTypesUpdated") by |tx, at, id, it| TYPES.update(tx, at, id, it);
    DELETE_PRODUCT_TYPES = "delete-product-types" ("productTypesDeleted") by |tx, at, id| TYPES.soft_delete(tx, at, id);
}

record_flows! {
    collections: ProductCollection, from ProductCollection, ProductCollectionPatch, event "product-collection";
    CREATE_COLLECTIONS = "create-collections" ("collectionsCreated") by create_collection;
    UPDATE_COLLECTIONS = "update-collections" ("collectionsUpdated") by update_collection;
    DELETE_COLLECTIONS = "delete-collections" ("collectionsDeleted") by |tx, at, id| COLLECTIONS.soft_delete(tx, at, id);
}

record_flows! {
    categories: ProductCategory, from ProductCategory, ProductCategoryPatch, event "product-category";
    CREATE_PRODUCT_CATEGORIES = "create-product-categories" ("categoriesCreated") by create_category;
    UPDATE_PRODUCT_CATEGORIES = "update-product-categories" ("categoriesUpdated") by update_category;
    DELETE_PRODUCT_CATEGORIES = "delete-product-categories" ("categoriesDeleted") by
        |tx, at, id| delete_category(tx, at, id).map(Some);
}

record_flows! {
    options: ProductOption, from OptionInput, OptionChanges, event "product-option";
    CREATE_PRODUCT_OPTIONS = "create-product-options" ("productOptionsCreated") by create_option;
    UPDATE_PRODUCT_OPTIONS = "update-product-options" ("productOptionsUpdated") by update_option;
    DELETE_PRODUCT_OPTIONS = "delete-product-options" ("productOptionsDeleted") by delete_option;
}

fn create_all<N: Serialize, T: Entity, E: Into<Fault>>(
    flow: &mut Local<'_>,
    records: Vec<N>,
    step: &'static str,
    event: &str,
    hook: &'static str,
    create: impl Fn(&mut dyn Write, &Moment, N) -> Result<T, E>,
) -> Result<Vec<T>, Fault> {
    flow.hook("validate", || json!({ T::DEF.plural: records }))?;
    let created: Vec<T> = flow.step(step, |tx, at| {
        records.into_iter().map(|it| create(tx, at, it).map_err(Into::into)).collect()
    })?;
    for record in &created {
        flow.emit(event, json!({ "id": record.id() }))?;
    }
    flow.hook(hook, || json!({ T::DEF.plural: created }))?;
    Ok(created)
}

fn update_one<T: Entity, E: Into<Fault>>(
    flow: &mut Local<'_>,
    id: &str,
    step: &'static str,
    event: &str,
    hook: &'static str,
    update: impl FnOnce(&mut dyn Write, &Moment, &str) -> Result<T, E>,
) -> Result<T, Fault> {
    flow.hook("validate", || json!({ "id": id }))?;
    let record = flow.step(step, |tx, at| {
        if atoll_kernel::Registry::graph().table(T::DEF.name).has(tx, id)? {
            return update(tx, at, id).map_err(Into::into);
        }
        Err(Fault::not_found(format!("{} with id \"{id}\" not found", T::DEF.words())))
    })?;
    flow.emit(event, json!({ "id": id }))?;
    flow.hook(hook, || json!({ T::DEF.plural: [record] }))?;
    Ok(record)
}

fn delete_all<T: Entity, E: Into<Fault>>(
    flow: &mut Local<'_>,
    ids: &[String],
    step: &'static str,
    event: &str,
    hook: &'static str,
    delete: impl Fn(&mut dyn Write, &Moment, &str) -> Result<Option<T>, E>,
) -> Result<(), Fault> {
    flow.hook("validate", || json!({ "ids": ids }))?;
    let mut deleted = Vec::new();
    flow.step(step, |tx, at| {
        for id in ids {
            deleted.extend(delete(tx, at, id).map_err(Into::into)?.map(|it| it.id().to_string()));
        }
        Ok(())
    })?;
    for id in &deleted {
        flow.emit(event, json!({ "id": id }))?;
    }
    flow.hook(hook, || json!({ "ids": deleted }))
}

flow! {
    /// Adds products to a collection, and removes others. All of them must exist. Event: `product.updated`,
    /// for each.
    pub static LINK_PRODUCTS_TO_COLLECTION: Flow<LinkIds, ()> =
        "batch-link-products-to-collection" (link_to_collection), hooks: &["validate"];
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
        "batch-link-products-to-category" (link_to_category), hooks: &["validate"];
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
    flow.hook("validate", || json!({ "id": ids.id, "add": ids.add, "remove": ids.remove }))?;
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
