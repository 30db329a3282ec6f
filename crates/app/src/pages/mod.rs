//! The pages of the core, a file per resource.

mod assortment;
mod channels;
mod customer_groups;
mod customers;
mod home;
mod keys;
mod named;
mod orders;
mod postal;
mod regions;
mod supply;
mod why;
