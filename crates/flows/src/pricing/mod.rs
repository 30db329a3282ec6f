//! Flows on price lists and price preferences, and checks of what prices refer to (currencies, regions,
//! customer groups).

mod lists;
mod preferences;
mod terms;

pub use lists::{
    BATCH_PRICE_LIST_PRICES, CREATE_PRICE_LISTS, DELETE_PRICE_LISTS, ListPriceBatch, ListPriceChange,
    ListPriceInput, NewPriceList, REMOVE_PRICE_LIST_PRODUCTS, UPDATE_PRICE_LISTS,
};
pub use preferences::{
    CREATE_PRICE_PREFERENCES, DELETE_PRICE_PREFERENCES, UPDATE_PRICE_PREFERENCES, add_missing_preferences,
};
pub use terms::KnownTerms;
