//! Products with everything that hangs on them in other modules.

mod create;
mod delete;
mod input;
mod update;

pub use create::{create_product, create_variant};
pub use delete::delete_product;
pub use input::{IdRef, InventoryPart, NewProduct, NewVariant, PriceInput, ProductChanges};
pub use update::update_product;
