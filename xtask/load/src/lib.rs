//! `cargo xtask load`: measures a served binary over loopback, from a process of its own. Scenarios are the
//! table in `scenarios.rs`; `docs/performance.md` says how to read the figures.

mod attack;
mod client;
mod floor;
#[path = "../../src/generate_catalogue.rs"]
#[expect(dead_code, reason = "the command of that name has functions of its own")]
mod generate_catalogue;
mod hosts;
mod links;
mod measure;
mod options;
mod report;
mod run;
mod scenarios;
mod server;
mod sets;
mod turns;
mod world;

use std::{ffi::OsString, path::Path, process::ExitCode};

use clap::Parser as _;

/// First argument of the process that serves the floor.
pub const FLOOR: &str = "serve-floor";

/// Runs the program with these arguments; the first one is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let done = match args.get(1..) {
        Some([what, folder]) if what == FLOOR => floor::serve(Path::new(folder)),
        _ => run::run(&options::Options::parse_from(args)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
