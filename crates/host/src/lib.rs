//! The host: assembles the modules into a server, with settings, data folder, HTTP server and command line.
//! Tests assemble the same; a host of one's own is [`Host`] with its modules.

mod assemble;
mod cluster;
mod command;
mod control;
mod dashboard;
mod data;
mod demo;
mod health;
mod host;
pub mod http;
mod logging;
mod secrets;
mod serving;
mod settings;
mod supervisor;
mod welcome;

// Links everything that registers itself.
use atoll_bundle as _;

pub use assemble::{Application, Assembly, described, registry};
pub use atoll_app::{PagesAt, invite_first_admin};
pub use cluster::{Cluster, Membership, SharedStore};
pub use dashboard::Dashboard;
pub use data::{Data, Trial};
pub use demo::{Demo, DemoKey, demo_catalogue, load_demo};
pub use health::Health;
pub use host::Host;
pub use logging::LogFormat;
pub use secrets::Secrets;
pub use settings::{Known, Role, Settings, Sources, Wrong};

pub use atoll_kernel::registry::Secret;
pub use atoll_storage::{Leader, Seen, Standing, Trouble};
