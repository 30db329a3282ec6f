//! Flows on products: create, update, delete, variants, options, images, taxonomy.

mod create;
mod delete;
mod images;
mod input;
mod option_values;
mod options;
mod taxonomy;
mod update;
mod variant_items;
mod variants;

pub use create::{CREATE_PRODUCTS, create_variant, item_of, take_parts, unknown_items};
pub use delete::DELETE_PRODUCTS;
pub use images::{BATCH_VARIANT_IMAGES, VariantImages};
pub use input::{IdRef, InventoryPart, NewProduct, NewVariant, PriceChange, PriceInput, ProductChanges};
pub use option_values::{DELETE_PRODUCT_OPTION_VALUES, UPDATE_PRODUCT_OPTION_VALUES, ValueOf, check_value};
pub use options::{LINK_PRODUCT_OPTIONS, OptionLink, OptionLinks, ValueLink, ValueLinks};
pub use taxonomy::{
    CREATE_COLLECTIONS, CREATE_PRODUCT_CATEGORIES, CREATE_PRODUCT_OPTIONS, CREATE_PRODUCT_TAGS,
    CREATE_PRODUCT_TYPES, DELETE_COLLECTIONS, DELETE_PRODUCT_CATEGORIES, DELETE_PRODUCT_OPTIONS,
    DELETE_PRODUCT_TAGS, DELETE_PRODUCT_TYPES, LINK_PRODUCTS_TO_CATEGORY, LINK_PRODUCTS_TO_COLLECTION,
    UPDATE_COLLECTIONS, UPDATE_PRODUCT_CATEGORIES, UPDATE_PRODUCT_OPTIONS, UPDATE_PRODUCT_TAGS,
    UPDATE_PRODUCT_TYPES,
};
pub use update::UPDATE_PRODUCTS;
pub use variant_items::{LINK_INVENTORY_ITEMS, VariantItem, VariantItemChanges, check_variant};
pub use variants::{
    CREATE_PRODUCT_VARIANTS, DELETE_PRODUCT_VARIANTS, UPDATE_PRODUCT_VARIANTS, VariantChanges,
};
