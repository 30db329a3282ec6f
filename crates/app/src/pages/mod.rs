//! The pages of the core, a file per resource.

mod assortment;
mod channels;
mod customer_groups;
mod customers;
mod dead_letters;
mod home;
mod jobs;
mod keys;
mod locations;
mod matrix;
mod named;
mod orders;
mod postal;
mod preview;
mod products;
mod regions;
mod runs;
mod shelves;
mod stock;
mod subscribers;
mod supply;
mod system;
mod tax;
mod why;
