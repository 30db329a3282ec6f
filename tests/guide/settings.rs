//! The settings file of the documentation, docs/atoll.toml.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use atoll_host::{Known, Settings, Sources, registry};
use atoll_kernel::registry::linked_settings;

#[test]
fn settings_file_of_the_documentation_is_valid() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/atoll.toml");
    let sources = Sources {
        file: Some(file),
        env: &|_| None,
        line: BTreeMap::new(),
        set: Vec::new(),
        linked: linked_settings(),
    };
    let settings =
        Settings::load(sources, &BTreeSet::new(), |_| Ok(Known::of(registry().expect("a registry"))));
    let settings = settings.unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(settings.listen.map(|it| it.port()), Some(9000));
}
