//! `cargo xtask`: the developers' commands. A command is a row of the table below and a function.

mod api;
mod bench;
mod browser;
mod cargo;
mod ci;
mod crates;
mod custom_host;
mod dashboard;
mod docs;
mod examples;
mod format;
mod generate_catalogue;
mod load;
mod new;
mod package;
mod pages;
mod registry;
mod replay;
mod sdk;
mod test;
mod thorough;
mod tidy;
mod words;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        // Without the backtrace that `main` would print.
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    let args: Vec<String> = env::args().skip(1).collect();
    let (name, args) = args.split_first().map_or(("help", &[][..]), |(name, args)| (name.as_str(), args));
    if ["help", "--help", "-h"].contains(&name) {
        io::stdout().write_all(help().as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(args),
        None => anyhow::bail!("there is no command `{name}`\n\n{}", help().trim_end()),
    }
}

struct Command {
    name: &'static str,
    args: &'static str,
    about: &'static str,
    run: fn(&[String]) -> anyhow::Result<ExitCode>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        args: "[cargo's args]",
        about: "run every test; the last line is a summary",
        run: test::run,
    },
    Command {
        name: "ci",
        args: "",
        about: "what CI runs: fmt, clippy, doc, tidy, api, new --check, sdk, browser, test; stops at the first failure",
        run: ci::run,
    },
    Command {
        name: "thorough",
        args: "[names]",
        about: "agree, kills, zombies, suites, package …: tests with many more iterations, and over PostgreSQL (hours)",
        run: thorough::run,
    },
    Command { name: "tidy", args: "", about: "check style and structure rules", run: tidy::run },
    Command {
        name: "registry",
        args: "[--check]",
        about: "write the list of everything that is linked in to tests/registry.txt, or check it",
        run: registry::run,
    },
    Command {
        name: "api",
        args: "[--check]",
        about: "write the public items of the crates that modules and hosts name to tests/api, or check them",
        run: api::run,
    },
    Command {
        name: "format",
        args: "[--folder]",
        about: "write the storage format to tests/format.txt, or make a data folder of it in tests/data",
        run: format::run,
    },
    Command {
        name: "docs",
        args: "",
        about: "build the pages of docs/ as a book, target/book/index.html",
        run: docs::run,
    },
    Command {
        name: "examples",
        args: "",
        about: "write the examples of /openapi.json, from the recordings",
        run: examples::run,
    },
    Command {
        name: "generate-catalogue",
        args: "FILE PRODUCTS CHANNELS [OF-EACH]",
        about: "write a catalogue file of any size, for measurements",
        run: generate_catalogue::run,
    },
    Command {
        name: "replay",
        args: "[text]",
        about: "replay the recordings of the original API, and show the differences",
        run: replay::run,
    },
    Command {
        name: "sdk",
        args: "",
        about: "test a served binary with the public SDK (needs Node)",
        run: sdk::run,
    },
    Command {
        name: "browser",
        args: "[files]",
        about: "test the pages of a served demo in Chromium (needs Node)",
        run: browser::run,
    },
    Command {
        name: "dashboard",
        args: "[--test]",
        about: "build the public dashboard of the original into target/dashboard; open all of its pages",
        run: dashboard::run,
    },
    Command {
        name: "new",
        args: "KIND NAME [--in CRATE] | --check",
        about: "generate code with its test, one of the kinds below",
        run: new::run,
    },
    Command {
        name: "remove",
        args: "KIND NAME [--in CRATE] [--force]",
        about: "take back what `new` generated",
        run: new::remove,
    },
    Command {
        name: "package",
        args: "[deb | image] [--debug]",
        about: "build the Debian package and the container image, and try them out (cargo-deb, buildah)",
        run: package::run,
    },
    Command {
        name: "bench",
        args: "[store | flows | requests | lists]",
        about: "measure the store against raw redb, and flows against bare transactions",
        run: bench::run,
    },
    Command {
        name: "load",
        args: "[--debug] [--beside COMMIT] [names] [options]",
        about: "measure the release binary over loopback, beside its floor; `load --help` has the options",
        run: load::run,
    },
];

fn help() -> String {
    let mut text = "Usage: cargo xtask <command>\n\n".to_owned();
    for Command { name, args, about, .. } in COMMANDS {
        let usage = format!("{name} {args}");
        text += &format!("  {usage:<22} {about}\n");
    }
    text + "\nKinds of `new`:\n" + &new::kinds()
}
