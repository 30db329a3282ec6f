//! The pages of the core, a file per resource.

mod assortment;
mod channels;
mod choices;
mod customer_groups;
mod customers;
mod home;
mod keys;
mod locations;
mod named;
mod orders;
mod postal;
mod products;
mod regions;
mod shelves;
mod stock;
mod supply;
mod tax;
mod why;
