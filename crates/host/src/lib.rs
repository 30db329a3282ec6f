//! The host: assembles the modules into a server, with settings, data folder and HTTP server. Tests assemble
//! the same.

mod assemble;
mod data;
mod demo;
pub mod http;
mod settings;

// Links everything that registers itself.
use atoll_bundle as _;

pub use assemble::{App, Assembly, registry};
pub use data::{Data, Secrets};
pub use demo::{DemoKey, demo_catalogue, load_demo};
pub use settings::{Known, Role, Secret, Settings, Sources, Wrong};
