//! The pages of the core, a file per resource.

mod assortment;
mod channels;
mod home;
mod supply;
mod why;
