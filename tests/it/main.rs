//! Tests of the whole, through the real router.

mod admin;
mod agree;
mod assortment;
mod auth;
mod bulk;
mod carts;
mod costs;
mod customers;
mod flags;
mod idempotency;
mod import;
mod layers;
mod links;
mod listing;
mod matrix;
mod orders;
mod payments;
mod processes;
mod race;
mod registry;
mod rounds;
mod sessions;
mod shelves;
mod story;
mod users;
mod wall;
