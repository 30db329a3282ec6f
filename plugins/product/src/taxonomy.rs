//! Taxonomy of products: collections, and a tree of categories with ranks.

use atoll_kernel::{
    Moment, Read, StoreError, Write,
    data::{Patch, RowError},
    limits::{CATEGORIES_MOVED_MAX, CATEGORY_DEPTH_MAX},
};

use crate::{
    BY_PARENT, CATEGORIES, COLLECTIONS, Error, ProductCategory, ProductCategoryPatch, ProductCollection,
    ProductCollectionPatch, ROOTS, handle::handle_for,
};

/// Creates a collection. By default its handle is generated from its title.
pub fn create_collection(
    tx: &mut dyn Write,
    at: &Moment,
    mut collection: ProductCollection,
) -> Result<ProductCollection, RowError> {
    collection.handle = handle_for::<ProductCollection>(at, &collection.handle, &collection.title);
    COLLECTIONS.create(tx, at, collection)
}

/// Changes a collection. An empty handle is generated from its title.
pub fn update_collection(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: ProductCollectionPatch,
) -> Result<ProductCollection, RowError> {
    COLLECTIONS.update(tx, at, id, |it: &mut ProductCollection| {
        patch.apply(it);
        it.handle = handle_for::<ProductCollection>(at, &it.handle, &it.title);
    })
}

/// Creates a category below its parent, if any. By default its handle is generated from its name; it is
/// inserted at its rank, and the ranks of its siblings are shifted.
pub fn create_category(
    tx: &mut dyn Write,
    at: &Moment,
    mut category: ProductCategory,
) -> Result<ProductCategory, Error> {
    category.handle = handle_for::<ProductCategory>(at, &category.handle, &category.name);
    category.id = if category.id.is_empty() { at.id() } else { category.id };
    category.mpath = path_of(tx, &category)?;
    check_depth(&category.mpath)?;
    let siblings = siblings_of(tx, &category)?;
    category.rank = make_room(tx, at, &siblings, category.rank)?;
    Ok(CATEGORIES.create(tx, at, category)?)
}

/// Changes a category. A new parent must not be below it; under a new parent it comes last, unless a rank is
/// given.
pub fn update_category(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: ProductCategoryPatch,
) -> Result<ProductCategory, Error> {
    let before = CATEGORIES.retrieve(tx, id)?;
    let (mut after, rank) = (before.clone(), patch.rank);
    patch.apply(&mut after);
    after.handle = handle_for::<ProductCategory>(at, &after.handle, &after.name);
    after.mpath = path_of(tx, &after)?;
    if after.mpath.split('.').filter(|it| *it == id).count() > 1 {
        return Err(Error::OwnParent(id.to_owned()));
    }
    let moved = after.parent_category_id != before.parent_category_id;
    if moved {
        close_gap(tx, at, &before)?;
        after.rank = rank.unwrap_or(u32::MAX);
    }
    if moved || rank.is_some() {
        let siblings = siblings_of(tx, &after)?;
        after.rank = make_room(tx, at, &siblings, after.rank)?;
    }
    let after = CATEGORIES.update(tx, at, id, move |it: &mut ProductCategory| *it = after)?;
    if after.mpath != before.mpath {
        check_depth(&after.mpath)?;
        rename_below(tx, at, &after)?;
    }
    Ok(after)
}

/// Soft-deletes a category without children; the ranks of its siblings are shifted.
pub fn delete_category(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<ProductCategory, Error> {
    let category = CATEGORIES.get(tx, id)?.ok_or_else(|| Error::NoCategory(id.to_owned()))?;
    if CATEGORIES.table.ids_by(tx, &BY_PARENT, &[id])?.is_empty() {
        CATEGORIES.soft_delete(tx, at, id)?;
        close_gap(tx, at, &category)?;
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

/// Error if a category of this path has too many above it.
fn check_depth(mpath: &str) -> Result<(), Error> {
    if mpath.split('.').count() > CATEGORY_DEPTH_MAX { Err(Error::TooDeep) } else { Ok(()) }
}

/// Changes the paths of all categories below one that was moved. No recursion: what is stored may be deeper
/// than it may be today.
fn rename_below(tx: &mut dyn Write, at: &Moment, moved: &ProductCategory) -> Result<(), Error> {
    let (mut parents, mut n_renamed) = (vec![(moved.id.to_string(), moved.mpath.clone())], 0);
    while let Some((parent, path)) = parents.pop() {
        for id in CATEGORIES.table.ids_by(tx, &BY_PARENT, &[&parent])? {
            n_renamed += 1;
            if n_renamed > CATEGORIES_MOVED_MAX {
                return Err(Error::TooManyBelow);
            }
            let mpath = format!("{path}.{id}");
            check_depth(&mpath)?;
            CATEGORIES.update(tx, at, &id, |it: &mut ProductCategory| it.mpath.clone_from(&mpath))?;
            parents.push((id, mpath));
        }
    }
    Ok(())
}

/// The siblings of a category, by rank.
fn siblings_of(tx: &dyn Read, category: &ProductCategory) -> Result<Vec<ProductCategory>, StoreError> {
    let mut siblings = match category.parent_category_id.as_deref() {
        Some(parent) => CATEGORIES.table.list_by(tx, &BY_PARENT, &[parent])?,
        None => CATEGORIES.table.list_by(tx, &ROOTS, &["true"])?,
    };
    siblings.retain(|it| it.id != category.id);
    // The sort is stable: among equal ranks the older one comes first.
    siblings.sort_by_key(|it| it.rank);
    Ok(siblings)
}

/// Shifts the ranks of siblings so that `rank` is free, or the last one if there are fewer; returns the free
/// rank.
fn make_room(tx: &mut dyn Write, at: &Moment, siblings: &[ProductCategory], rank: u32) -> Result<u32, Error> {
    let rank = rank.min(siblings.len() as u32);
    let places = siblings.iter().zip((0..).filter(|it| *it != rank));
    for (sibling, next) in places.filter(|(it, next)| it.rank != *next) {
        CATEGORIES.update(tx, at, &sibling.id, |it: &mut ProductCategory| it.rank = next)?;
    }
    Ok(rank)
}

/// Shifts the ranks of siblings after a category was removed or moved.
fn close_gap(tx: &mut dyn Write, at: &Moment, leaving: &ProductCategory) -> Result<(), Error> {
    let siblings = siblings_of(tx, leaving)?;
    make_room(tx, at, &siblings, u32::MAX).map(drop)
}
