//! Import of categories, collections, types and tags, and which of them a product has.

use std::collections::HashSet;

use atoll_kernel::{Fault, Id, StoreError};
use atoll_product::{
    CATEGORIES, CATEGORY_BY_HANDLE, COLLECTION_BY_HANDLE, COLLECTIONS, ProductCategory, ProductCollection,
    ProductTag, ProductType, TAG_BY_VALUE, TAGS, TYPE_BY_VALUE, TYPES, composed, handle_of,
};

use super::Import;
use crate::{
    Catalogue, CatalogueProduct, ProblemKind,
    report::{Fate, Path},
};

impl Import<'_> {
    pub(super) fn categories(&mut self, catalogue: &Catalogue) -> Result<(), Fault> {
        for (n, input) in catalogue.categories.iter().enumerate() {
            let path = Path::of(format!("categories[{n}] \"{}\"", input.handle), None);
            let handle = composed(&input.handle);
            if !self.is_new(&path, "category", &handle, &input.name) {
                continue;
            }
            let parent = match &input.parent {
                None => None,
                Some(parent) => self.category_by(parent)?,
            };
            if input.parent.is_some() && parent.is_none() {
                self.problem(
                    &path,
                    ProblemKind::Reference,
                    "its parent does not come before it; it was put at the top",
                );
            }
            match self.category_by(&handle)? {
                Some(there) => {
                    self.keep(&CATEGORIES, Some(there), |it: &mut ProductCategory| {
                        it.name = input.name.clone()
                    })?;
                }
                None => {
                    let category = ProductCategory {
                        name: input.name.clone(),
                        handle,
                        is_active: true,
                        parent_category_id: parent.map(|it| it.id),
                        ..ProductCategory::default()
                    };
                    atoll_product::create_category(self.tx, self.at, category)?;
                    self.so_far.report.count("product_categories", Fate::Created);
                }
            }
        }
        Ok(())
    }

    pub(super) fn collections(&mut self, catalogue: &Catalogue) -> Result<(), Fault> {
        for (n, input) in catalogue.collections.iter().enumerate() {
            let path = Path::of(format!("collections[{n}] \"{}\"", input.handle), None);
            let handle = composed(&input.handle);
            if !self.is_new(&path, "collection", &handle, &input.title) {
                continue;
            }
            let there = self.collection_by(&handle)?;
            self.keep(&COLLECTIONS, there, |it: &mut ProductCollection| {
                it.title = input.title.clone();
                it.handle = handle;
            })?;
        }
        Ok(())
    }

    fn category_by(&self, handle: &str) -> Result<Option<ProductCategory>, StoreError> {
        CATEGORIES.table.get_by(self.tx, &CATEGORY_BY_HANDLE, &[&composed(handle)])
    }

    fn collection_by(&self, handle: &str) -> Result<Option<ProductCollection>, StoreError> {
        COLLECTIONS.table.get_by(self.tx, &COLLECTION_BY_HANDLE, &[&composed(handle)])
    }

    /// The type of a product, which is created if it does not exist.
    pub(super) fn type_of(&mut self, input: &CatalogueProduct) -> Result<Option<Id<ProductType>>, Fault> {
        let Some(value) = input.r#type.as_ref().filter(|it| !it.trim().is_empty()) else { return Ok(None) };
        Ok(Some(match TYPES.table.get_by(self.tx, &TYPE_BY_VALUE, &[value])? {
            Some(there) => there.id,
            None => self.keep(&TYPES, None, |it: &mut ProductType| it.value = value.clone())?.id,
        }))
    }

    /// The tags of a product; those that do not exist are created.
    pub(super) fn tags_of(&mut self, input: &CatalogueProduct) -> Result<Vec<Id<ProductTag>>, Fault> {
        let (mut tags, mut seen) = (Vec::new(), HashSet::new());
        for value in input.rows.tags.iter().flatten() {
            let tag = match TAGS.table.get_by(self.tx, &TAG_BY_VALUE, &[value])? {
                Some(there) => there.id,
                None => self.keep(&TAGS, None, |it: &mut ProductTag| it.value = value.clone())?.id,
            };
            if seen.insert(tag.clone()) {
                tags.push(tag);
            }
        }
        Ok(tags)
    }

    /// The categories of a product, by handle; in rows also by id.
    pub(super) fn categories_of(
        &mut self,
        path: &Path,
        input: &CatalogueProduct,
    ) -> Result<Vec<Id<ProductCategory>>, Fault> {
        let mut categories = Vec::new();
        for name in input.category.iter().chain(input.rows.categories.iter().flatten()) {
            let by_id = match self.so_far.outline.source.csv() {
                Some(_) => CATEGORIES.get(self.tx, name)?,
                None => None,
            };
            match by_id.map_or_else(|| self.category_by(name), |it| Ok(Some(it)))? {
                Some(category) => categories.push(category.id),
                None => self.problem(
                    path,
                    ProblemKind::Reference,
                    format!("category `{name}` does not exist; it was left out"),
                ),
            }
        }
        Ok(categories)
    }

    /// The collection of a product: the first of the file.
    pub(super) fn collection_of(
        &mut self,
        path: &Path,
        input: &CatalogueProduct,
    ) -> Result<Option<Id<ProductCollection>>, Fault> {
        let mut found = None;
        for (n, name) in input.collections.iter().enumerate() {
            let collection = match self.so_far.outline.source.csv() {
                Some(_) => Some(self.collection_of_row(name)?),
                None => self.collection_by(name)?,
            };
            match collection {
                Some(collection) if n == 0 => found = Some(collection.id),
                Some(_) => {
                    let message = format!("a product is in one collection; `{name}` was left out");
                    self.problem(path, ProblemKind::Duplicate, message);
                }
                None => {
                    let message = format!("collection `{name}` does not exist; it was left out");
                    self.problem(path, ProblemKind::Reference, message);
                }
            }
        }
        Ok(found)
    }

    /// The collection that a row names by id, handle or title; it is created if it does not exist.
    fn collection_of_row(&mut self, name: &str) -> Result<ProductCollection, Fault> {
        if let Some(there) = COLLECTIONS.get(self.tx, name)? {
            return Ok(there);
        }
        let handle = handle_of(name);
        for handle in [name, &handle] {
            if let Some(there) = self.collection_by(handle)? {
                return Ok(there);
            }
        }
        self.keep(&COLLECTIONS, None, |it: &mut ProductCollection| {
            it.title = name.to_owned();
            it.handle = handle;
        })
    }
}
