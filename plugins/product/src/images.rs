//! Images of products, and of their variants: those that are assigned to the variant or to none.

use std::collections::HashMap;

use atoll_kernel::{
    Id, Metadata, Moment, Write, computed,
    data::{Entity, FieldKind, FieldValue, Node, of},
    query::{Computed, Env, QueryError},
    serde_json::{Value, json},
};

use crate::{Error, PRODUCTS, Product, ProductImage, ProductVariant, VARIANT, VARIANTS};

computed! {
    /// The images of a variant.
    pub static VARIANT_IMAGES = Computed {
        entity: VARIANT,
        name: "images",
        text: "The images of the product that are assigned to this variant, or to none.",
        kind: FieldKind::List(&SHOWN),
        also_shows: &[],
        sorts: false,
        compute,
    };
}

/// An image without its hidden fields.
const SHOWN: FieldKind = FieldKind::Fields {
    names: &["id", "url", "rank", "product_id", "metadata", "created_at", "updated_at", "deleted_at"],
    kinds: &[
        FieldKind::Text,
        FieldKind::Text,
        FieldKind::Whole(32),
        FieldKind::Text,
        Metadata::KIND,
        FieldKind::Time,
        FieldKind::Time,
        FieldKind::OrNull(&FieldKind::Time),
    ],
};

fn compute(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let mut of_product: HashMap<&Id<Product>, Vec<ProductImage>> = HashMap::new();
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        let variant: &ProductVariant = of(node);
        if !of_product.contains_key(&variant.product_id) {
            let product = PRODUCTS.get(env.view, &variant.product_id)?;
            of_product.insert(&variant.product_id, product.map(|it| it.images).unwrap_or_default());
        }
        let is_own = |it: &&ProductImage| it.variant_ids.is_empty() || it.variant_ids.contains(&variant.id);
        let images = of_product.get(&variant.product_id).into_iter().flatten().filter(is_own);
        all.push(Some(images.map(shown).collect()));
    }
    Ok(all)
}

/// An image without its hidden fields.
fn shown(image: &ProductImage) -> Value {
    let mut shown = json!(image);
    if let Value::Object(fields) = &mut shown {
        fields.retain(|name, _| !ProductImage::DEF.hidden.contains(&name.as_str()));
    }
    shown
}

/// Ranks the images of a product. One that the product had before, by id or else by URL, keeps its id and
/// data.
pub(crate) fn number_images(product: &mut Product, before: &[ProductImage], at: &Moment) {
    let mut left: Vec<&ProductImage> = before.iter().collect();
    for (rank, image) in product.images.iter_mut().enumerate() {
        let by_id = left.iter().position(|it| it.id == image.id);
        let position =
            by_id.or_else(|| left.iter().position(|it| image.id.is_empty() && it.url == image.url));
        let (url, rank) = (std::mem::take(&mut image.url), rank as u32);
        match position.map(|position| left.remove(position)) {
            Some(known) => {
                *image = ProductImage { url, rank, ..known.clone() };
                if *image != *known {
                    image.touch(at.now());
                }
            }
            None => {
                *image =
                    ProductImage { url, rank, product_id: product.id.clone(), ..ProductImage::default() };
                image.init(at.id(), at.now());
            }
        }
    }
    if product.thumbnail.is_none() {
        product.thumbnail = product.images.first().map(|image| image.url.clone());
    }
}

/// Adds and removes assignments of a product's images to variants: pairs of image and variant. An image
/// without assignments belongs to all variants; one that is assigned to a deleted variant alone belongs to no
/// other.
pub fn assign_images(
    tx: &mut dyn Write,
    at: &Moment,
    product: &str,
    add: &[(String, String)],
    remove: &[(String, String)],
) -> Result<Product, Error> {
    let before = PRODUCTS.retrieve(tx, product)?;
    for (image, variant) in add.iter().chain(remove) {
        if !before.images.iter().any(|it| *it.id == **image) {
            return Err(Error::NoReference { label: ProductImage::DEF.label, id: image.clone() });
        }
        if VARIANTS.get(tx, variant)?.is_none_or(|it| *it.product_id != *product) {
            return Err(Error::NoReference { label: ProductVariant::DEF.label, id: variant.clone() });
        }
    }
    Ok(PRODUCTS.update(tx, at, product, |it: &mut Product| {
        for image in &mut it.images {
            let of_image = |pairs: &[(String, String)]| -> Vec<Id<ProductVariant>> {
                let pairs = pairs.iter().filter(|it| it.0 == *image.id);
                pairs.map(|(_, variant)| variant.as_str().into()).collect()
            };
            let (added, removed) = (of_image(add), of_image(remove));
            let new = added.into_iter().filter(|it| !image.variant_ids.contains(it)).collect::<Vec<_>>();
            image.variant_ids.extend(new);
            image.variant_ids.retain(|it| !removed.contains(it));
        }
    })?)
}
