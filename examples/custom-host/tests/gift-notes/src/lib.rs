//! A module that names another one.

use atoll_kernel::{data::Module, module};

module! { Module { name: "gift-notes", summary: order_notes::MODULE.summary, ..Module::EMPTY } }
