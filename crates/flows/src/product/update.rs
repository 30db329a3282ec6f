//! Changes a product and the channels that it is sold in.

use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, Product};

use crate::product::ProductChanges;

/// Changes a product. Event: `product.updated`.
pub fn update_product(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    changes: ProductChanges,
) -> Result<Product, Fault> {
    if !PRODUCTS.table.exists(tx, id)? {
        return Err(Fault::not_found(format!("Product with id \"{id}\" not found")));
    }
    let product = atoll_product::update_product(tx, at, id, changes.patch)?;
    if let Some(channels) = changes.sales_channels {
        PRODUCT_SALES_CHANNEL.replace(tx, at, id, &channels)?;
    }
    emit(tx, at, "product.updated", json!({ "id": product.id }))?;
    Ok(product)
}
