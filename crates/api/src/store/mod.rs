//! The store routes: what a shopper can reach, behind the scope of a publishable key.

mod carts;
mod currencies;
mod orders;
mod payment_providers;
mod products;
mod regions;
