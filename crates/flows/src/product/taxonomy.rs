//! Flows on categories, collections, tags, types and options: create, update, delete, and assign products.

use atoll_kernel::{
    Fault, Moment, Write,
    data::{Entity, FieldValue, RowError},
    flow,
    flow::{HookPoint, Local},
    serde::Serialize,
    serde_json::json,
};
use atoll_product::{
    COLLECTIONS, OptionChanges, OptionInput, PRODUCTS, Product, ProductCategory, ProductCategoryPatch,
    ProductCollection, ProductCollectionPatch, ProductOption, ProductTag, ProductTagPatch, ProductType,
    ProductTypePatch, TAGS, TYPES, create_category, create_collection, create_option, delete_category,
    delete_option, update_category, update_collection, update_option,
};

use crate::points::{
    CATEGORIES_CREATED, CATEGORIES_DELETED, CATEGORIES_UPDATED, COLLECTIONS_CREATED, COLLECTIONS_DELETED,
    COLLECTIONS_UPDATED, Ids, OPTIONS_CREATED, OPTIONS_DELETED, OPTIONS_UPDATED, OfId, Records, TAGS_CREATED,
    TAGS_DELETED, TAGS_UPDATED, TYPES_CREATED, TYPES_DELETED, TYPES_UPDATED, VALIDATE_CATEGORIES,
    VALIDATE_COLLECTIONS, VALIDATE_ID, VALIDATE_IDS, VALIDATE_LINKS, VALIDATE_OPTIONS, VALIDATE_TAGS,
    VALIDATE_TYPES,
};
use crate::sales_channel::LinkIds;

/// Defines the create, update and delete flows of an entity. Events: `….created`, `….updated`, `….deleted`,
/// for each record.
macro_rules! record_flows {
    (
        $module:ident: $Record:ty, from $New:ty, $Patch:ty, event $event:literal;
        $CREATE:ident = $create_name:literal ($VALIDATE:ident, $CREATED:ident) by $create:expr;
        $UPDATE:ident = $update_name:literal ($UPDATED:ident) by $update:expr;
        $DELETE:ident = $delete_name:literal ($DELETED:ident) by $delete:expr;
    ) => {
        mod $module {
            use super::*;

            fn create(flow: &mut Local<'_>, records: Vec<$New>) -> Result<Vec<$Record>, Fault> {
                create_all(
                    flow,
                    records,
                    $create_name,
                    concat!($event, ".created"),
                    (&$VALIDATE, &$CREATED),
                    $create,
                )
            }

            flow! {
                #[doc = concat!("Makes records. Event: `", $event, ".created`, for each.")]
                pub static $CREATE: Flow<Vec<$New>, Vec<$Record>> =
                    $create_name (create), hooks: &[&$VALIDATE, &$CREATED];
            }

            fn update(flow: &mut Local<'_>, (id, patch): (String, $Patch)) -> Result<$Record, Fault> {
                update_one(flow, &id, $update_name, concat!($event, ".updated"), &$UPDATED, |tx, at, id| {
                    $update(tx, at, id, patch)
                })
            }

            flow! {
                #[doc = concat!("Changes the record with this id. Event: `", $event, ".updated`.")]
                pub static $UPDATE: Flow<(String, $Patch), $Record> =
                    $update_name (update), hooks: &[&VALIDATE_ID, &$UPDATED];
            }

            fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
                delete_all(flow, &ids, $delete_name, concat!($event, ".deleted"), &$DELETED, $delete)
            }

            flow! {
                #[doc = concat!("Soft-deletes records. Event: `", $event, ".deleted`, for each.")]
                pub static $DELETE: Flow<Vec<String>, ()> =
                    $delete_name (delete), hooks: &[&VALIDATE_IDS, &$DELETED];
            }
        }

        pub use $module::{$CREATE, $DELETE, $UPDATE};
    };
}

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

fn create_all<N: FieldValue + Serialize + Clone + Send, T: Entity + FieldValue, E: Into<Fault>>(
    flow: &mut Local<'_>,
    records: Vec<N>,
    step: &'static str,
    event: &str,
    (validate, created_point): (&'static HookPoint<Records<T, N>>, &'static HookPoint<Records<T>>),
    create: impl Fn(&mut dyn Write, &Moment, N) -> Result<T, E>,
) -> Result<Vec<T>, Fault> {
    flow.hook(validate, || Records::of(&records))?;
    let created: Vec<T> = flow.step(step, |tx, at| {
        records.into_iter().map(|it| create(tx, at, it).map_err(Into::into)).collect()
    })?;
    for record in &created {
        flow.emit(event, json!({ "id": record.id() }))?;
    }
    flow.hook(created_point, || Records::of(&created))?;
    Ok(created)
}

fn update_one<T: Entity + FieldValue, E: Into<Fault>>(
    flow: &mut Local<'_>,
    id: &str,
    step: &'static str,
    event: &str,
    hook: &'static HookPoint<Records<T>>,
    update: impl FnOnce(&mut dyn Write, &Moment, &str) -> Result<T, E>,
) -> Result<T, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(id))?;
    let record = flow.step(step, |tx, at| {
        if atoll_kernel::Registry::graph().table(T::DEF.name).has(tx, id)? {
            return update(tx, at, id).map_err(Into::into);
        }
        Err(Fault::not_found(format!("{} with id \"{id}\" not found", T::DEF.words())))
    })?;
    flow.emit(event, json!({ "id": id }))?;
    flow.hook(hook, || Records::one(&record))?;
    Ok(record)
}

fn delete_all<T: Entity, E: Into<Fault>>(
    flow: &mut Local<'_>,
    ids: &[String],
    step: &'static str,
    event: &str,
    hook: &'static HookPoint<Ids>,
    delete: impl Fn(&mut dyn Write, &Moment, &str) -> Result<Option<T>, E>,
) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(ids))?;
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
    flow.hook(hook, || Ids::of(&deleted))?;
    Ok(())
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
