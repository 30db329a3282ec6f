//! The examples of the documentation, each in use. `cargo xtask tidy` checks that the pages show them as they
//! are here. A binary of its own: the example module and extension are linked into it alone.

mod flows;
mod reviews;
mod sale_channels;
mod settings;
mod shell;

use std::time::Duration;

use atoll_background::Pace;

const PACE: Pace = Pace {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(4),
    n_failures_max: 3,
    prune_every: Duration::from_secs(3600),
    look_every: Duration::from_millis(1),
};
