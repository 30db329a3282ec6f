//! The store routes: what a shopper can reach, behind the scope of a publishable key.

mod carts;
mod orders;
mod products;
mod regions;
