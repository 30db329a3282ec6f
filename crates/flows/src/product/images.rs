//! Which pictures of a product are those of single variants.

use atoll_kernel::{Fault, Local, flow, serde_json::json};
use atoll_product::{Product, assign_images};

/// Pairs of a picture and a variant of one product, by their ids.
#[derive(Clone, Debug, Default)]
pub struct VariantImages {
    /// The product.
    pub product_id: String,
    /// The variant gets the picture.
    pub add: Vec<(String, String)>,
    /// The variant loses it.
    pub remove: Vec<(String, String)>,
}

flow! {
    /// Gives pictures of a product to variants, and takes them from others. Event: `product.updated`.
    pub static BATCH_VARIANT_IMAGES: Flow<VariantImages, Product> =
        "batch-variant-images" (batch), hooks: &["validate"];
}

fn batch(flow: &mut Local<'_>, input: VariantImages) -> Result<Product, Fault> {
    let VariantImages { product_id, add, remove } = input;
    flow.hook("validate", || json!({ "product_id": product_id, "add": add, "remove": remove }))?;
    let product =
        flow.step("assign-images", |tx, at| Ok(assign_images(tx, at, &product_id, &add, &remove)?))?;
    flow.emit("product.updated", json!({ "id": product.id }))?;
    Ok(product)
}
