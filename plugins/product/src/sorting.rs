//! What products are sorted by: collections, and a tree of categories.

use atoll_kernel::{Moment, Patch, Read, RowError, StoreError, Write};

use crate::{
    BY_PARENT, CATEGORIES, COLLECTIONS, Error, ProductCategory, ProductCategoryPatch, ProductCollection,
    handle::handle_of,
};

/// Makes a collection. Its handle comes from its title, unless it brings one.
pub fn create_collection(
    tx: &mut dyn Write,
    at: &Moment,
    mut collection: ProductCollection,
) -> Result<ProductCollection, RowError> {
    if collection.handle.is_empty() {
        collection.handle = handle_of(&collection.title);
    }
    COLLECTIONS.create(tx, at, collection)
}

/// Makes a category below its parent, if it names one. Its handle comes from its name, unless it brings one.
pub fn create_category(
    tx: &mut dyn Write,
    at: &Moment,
    mut category: ProductCategory,
) -> Result<ProductCategory, Error> {
    if category.handle.is_empty() {
        category.handle = handle_of(&category.name);
    }
    category.id = if category.id.is_empty() { at.id() } else { category.id };
    category.mpath = path_of(tx, &category)?;
    if category.rank == 0 {
        category.rank = n_siblings(tx, category.parent_category_id.as_deref())?;
    }
    Ok(CATEGORIES.create(tx, at, category)?)
}

/// Changes a category. A new parent may not be below it.
pub fn update_category(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: ProductCategoryPatch,
) -> Result<ProductCategory, Error> {
    let before = CATEGORIES.retrieve(tx, id)?;
    let mut after = before.clone();
    patch.apply(&mut after);
    after.mpath = path_of(tx, &after)?;
    if after.mpath.split('.').filter(|it| *it == id).count() > 1 {
        return Err(Error::OwnParent(id.to_owned()));
    }
    let moved = after.mpath != before.mpath;
    let after = CATEGORIES.update(tx, at, id, move |it: &mut ProductCategory| *it = after)?;
    if moved {
        rename_children(tx, at, &after)?;
    }
    Ok(after)
}

/// Soft-deletes a category that nothing is below.
pub fn delete_category(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<ProductCategory, Error> {
    let category = CATEGORIES.get(tx, id)?.ok_or_else(|| Error::NoCategory(id.to_owned()))?;
    if CATEGORIES.table.ids_by(tx, &BY_PARENT, &[id])?.is_empty() {
        CATEGORIES.soft_delete(tx, at, id)?;
        return Ok(category);
    }
    Err(Error::HasChildren(id.to_owned()))
}

/// The ids from the root to a category, joined by dots.
fn path_of(tx: &dyn Read, category: &ProductCategory) -> Result<String, Error> {
    match &category.parent_category_id {
        None => Ok(category.id.to_string()),
        Some(parent) => match CATEGORIES.get(tx, parent)? {
            Some(parent) => Ok(format!("{}.{}", parent.mpath, category.id)),
            None => Err(Error::NoReference { label: "ProductCategory", id: parent.to_string() }),
        },
    }
}

fn rename_children(tx: &mut dyn Write, at: &Moment, parent: &ProductCategory) -> Result<(), Error> {
    for id in CATEGORIES.table.ids_by(tx, &BY_PARENT, &[&parent.id])? {
        let mpath = format!("{}.{id}", parent.mpath);
        let child = CATEGORIES.update(tx, at, &id, |it: &mut ProductCategory| it.mpath = mpath)?;
        rename_children(tx, at, &child)?;
    }
    Ok(())
}

/// How many siblings a category below this parent would have: its place behind them.
fn n_siblings(tx: &dyn Read, parent: Option<&str>) -> Result<u32, StoreError> {
    let siblings = match parent {
        Some(parent) => CATEGORIES.table.ids_by(tx, &BY_PARENT, &[parent])?.len(),
        None => CATEGORIES.table.list_all(tx)?.iter().filter(|it| it.parent_category_id.is_none()).count(),
    };
    Ok(u32::try_from(siblings).unwrap_or(u32::MAX))
}
