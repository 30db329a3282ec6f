//! Deletes a product with everything that is its own.

use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};

/// Soft-deletes a product with its variants, options, price sets and links. Unknown ids are ignored, as on the
/// wire. Event: `product.deleted`.
pub fn delete_product(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Fault> {
    if atoll_product::delete_product(tx, at, id)?.is_some() {
        emit(tx, at, "product.deleted", json!({ "id": id }))?;
    }
    Ok(())
}
