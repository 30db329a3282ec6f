//! The store routes (`/store/…`): what storefronts reach, within the scope of a publishable key.

mod carts;
mod catalogue;
mod collections;
mod currencies;
mod customers;
mod order_transfers;
mod orders;
mod payment_collections;
mod payment_providers;
mod product_categories;
mod product_options;
mod product_tags;
mod product_types;
mod product_variants;
mod products;
mod regions;
mod shipping_options;
