//! The examples of the documentation, each in use. `cargo xtask tidy` checks that the pages show them as they
//! are here. A binary of its own: the example module and extension are linked into it alone.

mod feed;
mod flows;
mod reviews;
mod routes;
mod sale_channels;
mod settings;
mod shell;
