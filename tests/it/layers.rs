//! The folder is the layer: who may depend on whom, read from the manifests.

use std::{collections::BTreeMap, path::Path};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// For each layer, the layers that it may depend on. Names are folders; `plugins/*` is one layer.
const ALLOWED: &[(&str, &[&str])] = &[
    ("crates/values", &[]),
    ("crates/storage", &["crates/values"]),
    ("crates/postgres", &["crates/storage"]),
    ("crates/schema", &["crates/values"]),
    ("crates/query", &["crates/storage", "crates/values"]),
    ("crates/http", &["crates/query", "crates/schema", "crates/storage", "crates/values"]),
    ("crates/kernel", &["crates/http", "crates/query", "crates/schema", "crates/storage", "crates/values"]),
    ("crates/checkout", &["crates/kernel"]),
    ("crates/providers", &["crates/kernel"]),
    ("crates/pages", &["crates/kernel"]),
    ("crates/local-files", &["crates/kernel", "crates/providers"]),
    ("crates/s3", &["crates/kernel", "crates/providers"]),
    ("crates/smtp", &["crates/kernel", "crates/providers"]),
    ("crates/webhook-sender", &["crates/kernel", "crates/providers"]),
    ("crates/peers", &["crates/kernel"]),
    ("plugins", &["crates/checkout", "crates/kernel", "crates/pages", "crates/providers"]),
    ("crates/export", &["crates/kernel", "crates/storage", "crates/values"]),
    ("crates/background", &["crates/export", "crates/kernel", "crates/providers", "crates/storage"]),
    ("crates/metrics", &["crates/background", "crates/kernel", "crates/storage"]),
    ("crates/traces", &["crates/kernel"]),
    ("crates/links", &["crates/kernel", "plugins"]),
    (
        "crates/availability",
        &["crates/checkout", "crates/kernel", "crates/links", "crates/storage", "plugins"],
    ),
    (
        "crates/flows",
        &[
            "crates/availability", "crates/checkout", "crates/kernel", "crates/links", "crates/providers",
            "plugins",
        ],
    ),
    ("crates/catalogue", &["crates/checkout", "crates/flows", "crates/kernel", "crates/links", "plugins"]),
    (
        "crates/api",
        &[
            "crates/availability", "crates/background", "crates/catalogue", "crates/checkout",
            "crates/flows", "crates/kernel", "crates/links", "crates/providers", "plugins",
        ],
    ),
    (
        "plugins/extensions",
        &[
            "crates/availability", "crates/checkout", "crates/flows", "crates/kernel", "crates/links",
            "crates/pages", "crates/providers", "plugins",
        ],
    ),
    ("crates/app", &["crates/flows", "crates/kernel", "crates/pages", "crates/providers", "plugins"]),
    (
        "crates/bundle",
        &[
            "crates/api", "crates/availability", "crates/background", "crates/flows", "crates/links",
            "crates/local-files", "plugins",
        ],
    ),
    (
        "crates/host",
        &[
            "crates/api", "crates/app", "crates/background", "crates/bundle", "crates/catalogue",
            "crates/export", "crates/flows", "crates/kernel", "crates/links", "crates/metrics",
            "crates/peers", "crates/postgres", "crates/providers", "crates/s3", "crates/smtp",
            "crates/storage", "crates/traces", "crates/webhook-sender", "plugins", "plugins/extensions",
        ],
    ),
];

/// These may depend on everything; nothing depends on them.
const OUTSIDE: &[&str] = &["crates/testkit", "tests", "tests/postgres", "xtask", "xtask/load"];

/// Plugins that only a test links in.
const EXAMPLES: &[&str] = &["review", "sale-channels"];

/// The manifests of the workspace.
fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
        .no_deps()
        .exec()
        .expect("the manifests")
}

fn layer(root: &Path, package: &Package) -> String {
    let folder = package.manifest_path.parent().expect("a folder").as_std_path();
    let folder = folder.strip_prefix(root).expect("a member").to_str().expect("text").to_owned();
    let kinds = ["plugins/extensions", "plugins"];
    let kind = kinds.iter().find(|kind| folder.strip_prefix(**kind).is_some_and(|it| it.starts_with('/')));
    kind.map_or(folder.clone(), |kind| (*kind).to_owned())
}

#[test]
fn crates_depend_on_lower_layers_only() {
    let metadata = workspace();
    let root = metadata.workspace_root.as_std_path();
    let layers: BTreeMap<String, String> =
        metadata.packages.iter().map(|it| (it.name.to_string(), layer(root, it))).collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let from = &layers[package.name.as_str()];
        if OUTSIDE.contains(&from.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(layer, _)| layer == from) else {
            wrong.push(format!("{from} is in no layer"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal) {
            let Some(to) = layers.get(dependency.name.as_str()) else { continue };
            if !allowed.contains(&to.as_str()) {
                wrong.push(format!("{} ({from}) depends on {} ({to})", package.name, dependency.name));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_plugin_is_in_the_core_or_the_binary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect(file);
    let (core, binary) = (read("crates/bundle/src/lib.rs"), read("crates/host/src/bin/atoll.rs"));
    for folder in ["plugins", "plugins/extensions"] {
        for plugin in std::fs::read_dir(root.join(folder)).expect("the plugins") {
            let plugin = plugin.expect("a plugin");
            let name = plugin.file_name().into_string().expect("text");
            if !plugin.path().join("Cargo.toml").exists() || EXAMPLES.contains(&name.as_str()) {
                continue;
            }
            let line = format!("use atoll_{} as _;", name.replace('-', "_"));
            let is_linked = core.contains(&line) || binary.contains(&line);
            assert!(is_linked, "`{line}` is missing in crates/host/src/bin/atoll.rs");
        }
    }
}

/// What the start knows of an extension is what its manifest says; here the folder says it.
#[test]
fn the_manifests_of_extensions_say_so() {
    let packages = workspace();
    let root = packages.workspace_root.as_std_path();
    for package in &packages.packages {
        let is_extension = package.metadata["atoll"]["kind"] == "extension";
        assert_eq!(is_extension, layer(root, package) == "plugins/extensions", "{}", package.name);
    }
}

#[test]
fn all_crates_have_one_version_and_are_not_published() {
    let workspace = workspace();
    for package in &workspace.packages {
        assert_eq!(package.version, workspace.packages[0].version, "{}", package.name);
        assert_eq!(package.publish, Some(Vec::new()), "{}", package.name);
    }
}

/// What a module outside of the repository names is checked at its start; clippy knows what it may not call.
#[test]
fn the_example_has_the_rules_of_clippy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let rules = |path: &str| std::fs::read_to_string(root.join(path)).expect("rules of clippy");
    assert_eq!(rules("examples/custom-host/clippy.toml"), rules("plugins/clippy.toml"));
}
