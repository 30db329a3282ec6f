//! What `cargo xtask new` can generate: the files of each kind, from `xtask/templates`, and the lines that it
//! adds to other files.

/// A kind of code that can be generated.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Is it a part of a crate that `--in` names? Otherwise it is a crate of its own.
    pub(super) is_part: bool,
    /// Paths and templates.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// Lines in files that exist already.
    pub(super) lines: &'static [Line],
}

/// A line that is added to a file.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) file: &'static str,
    pub(super) text: &'static str,
    /// Lines that it belongs to begin with this.
    pub(super) beside: &'static str,
}

macro_rules! files {
    ($($path:literal from $template:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates/", $template)))),+]
    };
}

/// The lines that let the workspace know a module, and link it into the binary. The core, which the tests of
/// the core are about, stays as it is.
const MODULE_LINES: &[Line] = &[
    Line { file: "Cargo.toml", text: "atoll-__name__ = { path = \"plugins/__name__\" }", beside: "atoll-" },
    Line { file: "crates/host/Cargo.toml", text: "atoll-__name__.workspace = true", beside: "atoll-" },
    IN_BINARY,
];

/// The same for an extension.
const EXTENSION_LINES: &[Line] = &[
    Line {
        file: "Cargo.toml",
        text: "  \"plugins/extensions/__name__\",",
        beside: "  \"plugins/extensions/",
    },
    Line {
        file: "crates/host/Cargo.toml",
        text: "atoll-__name__ = { path = \"../../plugins/extensions/__name__\" }",
        beside: "atoll-",
    },
    IN_BINARY,
];

const IN_BINARY: Line =
    Line { file: "crates/host/src/bin/atoll.rs", text: "use atoll___snake__ as _;", beside: "use atoll_" };

/// The lines of a part of a crate: its file, and that of its tests.
const PART_LINES: &[Line] = &[
    Line { file: "__folder__/src/lib.rs", text: "mod __snake__;", beside: "mod " },
    Line { file: "__folder__/tests/it/main.rs", text: "mod __snake__;", beside: "mod " },
];

/// The lines of a part with an item that others use.
const PUBLIC_PART_LINES: &[Line] = &[
    Line { file: "__folder__/src/lib.rs", text: "mod __snake__;", beside: "mod " },
    Line { file: "__folder__/src/lib.rs", text: "pub use __snake__::__NAME__;", beside: "pub use " },
    Line { file: "__folder__/tests/it/main.rs", text: "mod __snake__;", beside: "mod " },
];

/// The lines of a flow, whose module is public: others hook into it.
const FLOW_LINES: &[Line] =
    &[Line { file: "__folder__/src/lib.rs", text: "pub mod __snake__;", beside: "mod " }, PART_LINES[1]];

/// The lines of a payment provider, whose contract is in `atoll-checkout`.
const PROVIDER_LINES: &[Line] = &[
    PART_LINES[0],
    PART_LINES[1],
    Line { file: "__folder__/Cargo.toml", text: "atoll-checkout.workspace = true", beside: "atoll-kernel" },
];

macro_rules! part {
    ($name:literal, $about:literal, $lines:expr) => {
        Kind {
            name: $name,
            about: $about,
            is_part: true,
            files: &[
                ("__folder__/src/__snake__.rs", include_str!(concat!("../../templates/", $name, ".rs"))),
                (
                    "__folder__/tests/it/__snake__.rs",
                    include_str!(concat!("../../templates/", $name, "_test.rs")),
                ),
            ],
            lines: $lines,
        }
    };
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "module",
        about: "records with a service and admin routes: a crate in plugins/",
        is_part: false,
        files: files![
            "plugins/__name__/Cargo.toml" from "crate.toml",
            "plugins/__name__/src/lib.rs" from "module.rs",
            "plugins/__name__/src/types.rs" from "module_types.rs",
            "plugins/__name__/src/routes.rs" from "module_routes.rs",
            "plugins/__name__/tests/it/main.rs" from "crate_test.rs",
            "plugins/__name__/tests/it/routes.rs" from "module_test.rs",
        ],
        lines: MODULE_LINES,
    },
    Kind {
        name: "extension",
        about: "a process over several modules: a crate in plugins/extensions/",
        is_part: false,
        files: files![
            "plugins/extensions/__name__/Cargo.toml" from "extension.toml",
            "plugins/extensions/__name__/src/lib.rs" from "extension.rs",
            "plugins/extensions/__name__/src/routes.rs" from "extension_routes.rs",
            "plugins/extensions/__name__/tests/it/main.rs" from "crate_test.rs",
            "plugins/extensions/__name__/tests/it/routes.rs" from "extension_test.rs",
        ],
        lines: EXTENSION_LINES,
    },
    part!("link", "a link from the records of a module to products", PUBLIC_PART_LINES),
    part!("flow", "a process in one transaction", FLOW_LINES),
    part!("saga", "a process with external calls and compensation", PUBLIC_PART_LINES),
    part!("subscriber", "a function that is called for events", PART_LINES),
    part!("job", "a function that runs by a schedule", PART_LINES),
    part!("route", "a route for admins", PART_LINES),
    part!("provider", "a payment provider", PROVIDER_LINES),
];
