//! Who names whom: the packages that the manifests of modules and extensions depend on, checked at every
//! start, wherever they are built.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::{Registry, data::Module};

/// The packages of Atoll that register parts, or hold none, and that a module may name.
const FOR_MODULES: &[&str] = &["atoll-checkout", "atoll-kernel", "atoll-pages", "atoll-providers"];

/// Those that an extension may name besides, and the packages of modules.
const FOR_EXTENSIONS: &[&str] = &["atoll-availability", "atoll-flows", "atoll-links"];

/// The packages below the kernel, which register nothing: with them one gets past services.
const BELOW: &[&str] = &["atoll-http", "atoll-query", "atoll-schema", "atoll-storage", "atoll-values"];

/// Packages of the core with a module, for what they keep beside records of others. They are neither modules
/// nor extensions.
const CORE: &[&str] = &["atoll-availability", "atoll-background", "atoll-kernel"];

/// A package that depends on this one is a program: what it has besides is not told apart from it.
const HOST: &str = "atoll-host";

/// The manifest of a package with a `module!`.
pub struct Manifest {
    package: &'static str,
    text: &'static str,
    module: &'static Module,
}

impl Manifest {
    /// The manifest of the package that has this module.
    pub const fn new(package: &'static str, text: &'static str, module: &'static Module) -> Manifest {
        Manifest { package, text, module }
    }
}

/// What a manifest says: whether the package is an extension, and the packages that it depends on, other than
/// for tests and for building.
struct Read {
    is_extension: bool,
    named: BTreeSet<String>,
}

impl Read {
    fn of(text: &str) -> Result<Read, toml::de::Error> {
        let manifest: Table = text.parse()?;
        let at = |path: &[&str]| {
            let (first, rest) = path.split_first()?;
            rest.iter().try_fold(manifest.get(*first)?, |value, key| value.get(*key))
        };
        let targets = at(&["target"]).and_then(Value::as_table).into_iter().flat_map(Table::values);
        let tables = targets.map(|it| it.get("dependencies")).chain([at(&["dependencies"])]);
        let named = tables.flatten().filter_map(Value::as_table).flatten().map(|(name, it)| {
            let package = it.get("package").and_then(Value::as_str);
            package.unwrap_or(name).to_owned()
        });
        let kind = at(&["package", "metadata", "atoll", "kind"]).and_then(Value::as_str);
        Ok(Read { is_extension: kind == Some("extension"), named: named.collect() })
    }
}

/// What packages name and must not: each as the module whose package it is, and a sentence.
pub(crate) fn problems(registry: &Registry) -> Vec<(&'static Module, String)> {
    let registering = registry.places.values().map(|it| it.package);
    let of_atoll: BTreeSet<&str> = registering.chain(BELOW.iter().copied()).collect();
    let mut problems = Vec::new();
    for it in registry.manifests.iter().filter(|it| !CORE.contains(&it.package)) {
        // What a manifest names stands in its text: most need not be parsed.
        let is_suspect = |name: &&&str| **name != it.package && !FOR_MODULES.contains(*name);
        if !of_atoll.iter().filter(is_suspect).any(|name| it.text.contains(name)) {
            continue;
        }
        match it.problems(registry, &of_atoll) {
            Ok(found) => problems.extend(found.into_iter().map(|text| (it.module, text))),
            Err(error) => {
                problems
                    .push((it.module, format!("the manifest of `{}` cannot be read: {error}", it.package)));
            }
        }
    }
    problems
}

impl Manifest {
    fn problems(
        &self,
        registry: &Registry,
        of_atoll: &BTreeSet<&str>,
    ) -> Result<Vec<String>, toml::de::Error> {
        let read = Read::of(self.text)?;
        let mut problems = Vec::new();
        if read.named.contains(HOST) {
            return Ok(problems);
        }
        let (kind, module) = (kind_of(&read), self.module.name);
        for name in read.named.iter().filter(|it| of_atoll.contains(it.as_str())) {
            let other = registry.manifests.iter().find(|it| it.package == name && it.package != self.package);
            let other = other.map(|it| Ok((it.module.name, Read::of(it.text)?))).transpose()?;
            let is_module = other.as_ref().is_some_and(|(_, it)| !it.is_extension);
            if FOR_MODULES.contains(&name.as_str())
                || read.is_extension && (is_module || FOR_EXTENSIONS.contains(&name.as_str()))
            {
                continue;
            }
            let whose =
                other.map(|(other, it)| format!(" of the {} `{other}`", kind_of(&it))).unwrap_or_default();
            let rule = rule(&read);
            problems.push(format!("{kind} `{module}` names the package `{name}`{whose}: {rule}"));
        }
        Ok(problems)
    }
}

fn kind_of(read: &Read) -> &'static str {
    if read.is_extension { "extension" } else { "module" }
}

fn rule(read: &Read) -> String {
    if read.is_extension {
        let own = FOR_MODULES.iter().chain(FOR_EXTENSIONS).copied().collect::<Vec<_>>().join(", ");
        return format!("an extension names modules, {own}, and no other extension");
    }
    format!(
        "a module names no other, and of Atoll {}; what joins two modules is a link, and a process over several \
         is an extension, which says so in its manifest: `[package.metadata.atoll] kind = \"extension\"`",
        FOR_MODULES.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Source;

    static REVIEWS: Module = Module { name: "reviews", ..Module::EMPTY };
    static CARTS: Module = Module { name: "carts", ..Module::EMPTY };
    static MAILS: Module = Module { name: "mails", ..Module::EMPTY };

    /// What is said of the package `reviews` with this manifest, beside a module and an extension.
    fn said(text: &'static str) -> Vec<String> {
        let own = Box::leak(Box::new(Manifest::new("reviews", text, &REVIEWS)));
        static CART: Manifest = Manifest::new("carts", "", &CARTS);
        static MAIL: Manifest =
            Manifest::new("mails", "[package.metadata.atoll]\nkind = \"extension\"", &MAILS);
        let mut registry = Registry { manifests: vec![own, &CART, &MAIL], ..Registry::default() };
        for (place, package) in
            ["reviews", "carts", "mails", "atoll-flows", "atoll-kernel"].iter().enumerate()
        {
            registry.places.insert(place, Source { package, file: "lib.rs", line: 1 });
        }
        let first = |(_, text): (_, String)| text.split_once(": ").expect("a rule").0.to_owned();
        problems(&registry).into_iter().map(first).collect()
    }

    #[test]
    fn a_module_names_the_kernel_and_crates_of_its_trade() {
        assert_eq!(
            said("[dependencies]\natoll-kernel = \"1\"\natoll-checkout.workspace = true\nserde = \"1\""),
            [""; 0]
        );
        assert_eq!(
            said(
                "[dependencies]\nbasket = { package = \"carts\", path = \"../carts\" }\natoll-storage = \"1\"\n\
                 [target.'cfg(unix)'.dependencies.atoll-flows]\npath = \"..\"\n\
                 [dev-dependencies]\nmails = \"1\"\n[build-dependencies]\nmails = \"1\""
            ),
            [
                "module `reviews` names the package `atoll-flows`",
                "module `reviews` names the package `atoll-storage`",
                "module `reviews` names the package `carts` of the module `carts`",
            ]
        );
    }

    #[test]
    fn an_extension_names_modules_and_no_extension() {
        let manifest = "[package.metadata.atoll]\nkind = \"extension\"\n[dependencies]\ncarts = \"1\"\n\
                        atoll-flows = \"1\"\nmails = \"1\"\natoll-storage = \"1\"";
        assert_eq!(
            said(manifest),
            [
                "extension `reviews` names the package `atoll-storage`",
                "extension `reviews` names the package `mails` of the extension `mails`",
            ]
        );
    }

    #[test]
    fn a_program_is_no_module() {
        assert_eq!(said("[dependencies]\natoll-host = \"1\"\ncarts = \"1\""), [""; 0]);
    }
}
