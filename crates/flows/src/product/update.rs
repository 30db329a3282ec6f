//! Updates a product and the channels that sell it.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, Product};

use crate::fulfillment::check_profile;
use crate::points::{OfId, PRODUCTS_UPDATED, Records, VALIDATE_ID};
use crate::product::ProductChanges;

flow! {
    /// Updates the product with this id. Event: `product.updated`.
    pub static UPDATE_PRODUCTS: Flow<(String, ProductChanges), Product> =
        "update-products" (update), hooks: &[&VALIDATE_ID, &PRODUCTS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, changes): (String, ProductChanges)) -> Result<Product, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let product = flow.step("update-products", |tx, at| {
        if !PRODUCTS.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("Product with id \"{id}\" not found")));
        }
        let profile = changes.patch.shipping_profile_id.as_ref().and_then(Option::as_deref);
        check_profile(tx, profile)?;
        Ok(atoll_product::update_product(tx, at, &id, changes.patch)?)
    })?;
    if let Some(channels) = changes.sales_channels {
        flow.step("replace-sales-channels", |tx, at| {
            Ok(PRODUCT_SALES_CHANNEL.replace(tx, at, &id, &channels)?)
        })?;
    }
    flow.emit("product.updated", json!({ "id": product.id }))?;
    flow.hook(&PRODUCTS_UPDATED, || Records::one(&product))?;
    Ok(product)
}
