//! Products with everything that hangs on them in other modules.

mod create;
mod delete;
mod input;
mod update;

pub use create::{CREATE_PRODUCTS, create_variant};
pub use delete::DELETE_PRODUCTS;
pub use input::{IdRef, InventoryPart, NewProduct, NewVariant, PriceInput, ProductChanges};
pub use update::UPDATE_PRODUCTS;
