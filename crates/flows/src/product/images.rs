//! Assigns images of a product to its variants.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_product::{Product, assign_images};

use crate::points::{ImageChanges, VALIDATE_IMAGES};

/// Pairs of an image and a variant of one product, by id.
#[derive(Clone, Debug, Default)]
pub struct VariantImages {
    /// The product.
    pub product_id: String,
    /// Pairs to assign.
    pub add: Vec<(String, String)>,
    /// Pairs to remove.
    pub remove: Vec<(String, String)>,
}

flow! {
    /// Assigns images of a product to variants, and removes them from others. Event: `product.updated`.
    pub static BATCH_VARIANT_IMAGES: Flow<VariantImages, Product> =
        "batch-variant-images" (batch), hooks: &[&VALIDATE_IMAGES];
}

fn batch(flow: &mut Local<'_>, input: VariantImages) -> Result<Product, Fault> {
    let VariantImages { product_id, add, remove } = input;
    flow.hook(&VALIDATE_IMAGES, || ImageChanges {
        product_id: product_id.clone(),
        add: add.clone(),
        remove: remove.clone(),
    })?;
    let product =
        flow.step("assign-images", |tx, at| Ok(assign_images(tx, at, &product_id, &add, &remove)?))?;
    flow.emit("product.updated", json!({ "id": product.id }))?;
    Ok(product)
}
