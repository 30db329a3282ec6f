//! The admin routes.

mod api_keys;
mod collections;
mod currencies;
mod dead_letters;
mod feature_flags;
mod inventory_items;
mod invites;
mod jobs;
mod orders;
mod payment_providers;
mod payments;
mod product_categories;
mod product_options;
mod product_tags;
mod product_types;
mod product_variants;
mod products;
mod regions;
mod reservations;
mod sales_channel_assortment;
mod sales_channels;
mod stock_locations;
mod stores;
mod users;
mod verify;
mod workflows_executions;
