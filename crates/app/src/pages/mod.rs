//! The pages of the core, a file per resource.

mod channels;
mod home;
mod why;
