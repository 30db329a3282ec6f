//! Settings of what is linked in: modules that are switched off, providers that serve, settings of modules
//! and providers, and feature flags.

use std::collections::{BTreeMap, BTreeSet};

use atoll_kernel::{
    Registry,
    registry::{FeatureFlag, Flags, ModuleSettings, ProviderChoice, SettingDef, SettingsDef, nearest},
};
use toml::{Table, Value};

use super::{
    Known, Loading,
    keys::KEYS,
    secret_file::{Sourced, forms, is_form},
};

/// The table of feature flags in the file.
pub(super) const FLAGS: &str = "feature_flags";

/// The table of providers in the file: which of each kind serve.
pub(super) const PROVIDERS: &str = "providers";

/// The table of modules in the file.
pub(super) const MODULES: &str = "modules";

impl Loading<'_> {
    /// The modules that are switched off: `off` in `[modules]` of the file, `ATOLL_MODULES_OFF=a,b` in the
    /// environment, and those that the host leaves out.
    pub(super) fn modules_off(&mut self, by_host: &BTreeSet<String>) -> BTreeSet<String> {
        let (file, table) = self.table(MODULES);
        for unknown in table.keys().filter(|it| *it != "off") {
            self.wrong.push(format!("{MODULES}.{unknown} is not a setting ({file})"));
        }
        let (mut off, mut source) = (Vec::new(), "default".to_owned());
        match table.get("off").map(texts) {
            Some(Some(names)) => (off, source) = (names, file),
            Some(None) => self.wrong.push(format!("{MODULES}.off: it is not a list of names ({file})")),
            None => {}
        }
        let variable = "ATOLL_MODULES_OFF";
        if let Some(text) = self.variable(variable) {
            (off, source) = (text.split(',').map(|it| it.trim().to_owned()).collect(), variable.to_owned());
        }
        let off: BTreeSet<String> =
            off.into_iter().filter(|it| !it.is_empty()).chain(by_host.clone()).collect();
        let names: Vec<&str> = off.iter().map(String::as_str).collect();
        let names = if off.is_empty() { "none".to_owned() } else { names.join(", ") };
        self.shown.push(format!("{MODULES}.off = {names} ({source})"));
        off
    }

    /// Which providers serve: `[providers]` in the file, `ATOLL_PROVIDERS_PAYMENT=pp_a,pp_b` in the
    /// environment.
    pub(super) fn providers(&mut self, known: &Known<'_>) -> ProviderChoice {
        let mut choice = ProviderChoice::default();
        let (file, table) = self.table(PROVIDERS);
        let kinds: Vec<&str> = known.providers.iter().map(|(kind, _)| *kind).collect();
        for unknown in table.keys().filter(|it| !kinds.contains(&it.as_str())) {
            let hint = nearest(unknown, kinds.iter().copied());
            self.wrong.push(format!("{PROVIDERS}.{unknown} is not a kind of provider{hint} ({file})"));
        }
        for (kind, linked) in &known.providers {
            let name = format!("{PROVIDERS}.{kind}");
            let mut sources: Vec<(Option<Vec<String>>, String)> = Vec::new();
            sources.extend(table.get(*kind).map(|it| (texts(it), file.clone())));
            let variable = format!("ATOLL_{}_{}", PROVIDERS.to_uppercase(), kind.to_uppercase());
            if let Some(text) = self.variable(&variable) {
                let ids = text.split(',').map(|it| it.trim().to_owned()).collect();
                sources.push((Some(ids), variable));
            }
            let default: Vec<&str> =
                linked.iter().copied().filter(|id| !known.registry.must_be_set_up(id)).collect();
            let default = if default.is_empty() { "none".to_owned() } else { default.join(", ") };
            let mut shown = format!("{name} = {default} (default)");
            for (ids, source) in sources {
                let wrong = match &ids {
                    None => Some("it must be a list of ids".to_owned()),
                    Some(ids) => {
                        ids.iter().enumerate().find_map(|(n, id)| match linked.contains(&id.as_str()) {
                            true if ids[..n].contains(id) => Some(format!("`{id}` is named twice")),
                            true => None,
                            false => Some(format!(
                                "`{id}` is no {kind} provider that is linked in{}",
                                nearest(id, linked.iter().copied())
                            )),
                        })
                    }
                };
                match (wrong, ids) {
                    (None, Some(ids)) => {
                        shown = format!("{name} = {} ({source})", ids.join(", "));
                        choice.set(kind, ids);
                    }
                    (wrong, _) => {
                        let why = wrong.unwrap_or_default();
                        self.wrong.push(format!("{name}: {why} ({source})"));
                    }
                }
            }
            self.shown.push(shown);
        }
        choice
    }

    /// Reads the settings of modules on the command line: `--set restock.days=7`.
    pub(super) fn read_set(&mut self, set: Vec<String>) {
        let of_module = |def: &&'static SettingsDef| {
            let names = |key: &SettingDef| forms(&format!("{}.{}", def.module, key.name), key.is_secret);
            def.keys.iter().flat_map(names).collect::<Vec<_>>()
        };
        let names: Vec<String> = self.linked.iter().flat_map(of_module).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for text in set {
            match text.split_once('=') {
                Some((name, value)) if names.contains(&name) => {
                    self.set.insert(name.to_owned(), value.to_owned());
                }
                // The value may be a secret.
                Some((name, _)) => {
                    let hint = nearest(name, names.iter().copied());
                    self.wrong.push(format!("{name} is not a setting of a module{hint} (--set)"));
                }
                None => self.wrong.push("--set needs `module.name=value`".to_owned()),
            }
        }
    }

    /// The settings of modules and providers: `[restock]` in the file, `ATOLL_RESTOCK_DAYS` in the
    /// environment, `--set restock.days=7` on the command line. Those that a provider needs must be set where
    /// `is_used` says that the configuration names it, and where some of its settings are set.
    pub(super) fn modules(&mut self, registry: &Registry, is_used: impl Fn(&str) -> bool) -> ModuleSettings {
        let mut variables: BTreeMap<String, String> = KEYS
            .iter()
            .flat_map(|it| forms(it.name, it.is_secret))
            .map(|it| (variable_of(&it), it))
            .collect();
        let mut settings = ModuleSettings::default();
        for def in &registry.settings {
            let module = def.module;
            let n_wrong = self.wrong.len();
            let (texts, missing) = self.texts_of(def, &mut variables);
            let may_be_absent = registry.is_provider(module) && texts.is_empty() && !is_used(module);
            if may_be_absent && !missing.is_empty() {
                continue;
            }
            let text = |name: &&str| format!("{module}.{name} must be set: it has no default");
            self.wrong.extend(missing.iter().map(text));
            if self.wrong.len() == n_wrong {
                // Each was checked above; what is left is how they fit together.
                self.wrong.extend(settings.read(def, &|name| texts.get(name).cloned()).err());
            }
        }
        settings
    }

    /// The texts of the settings of a module that are set and valid, and the names of those that must be set
    /// and are not. `variables` are the variables of the environment so far, with the settings they are for.
    fn texts_of(
        &mut self,
        def: &SettingsDef,
        variables: &mut BTreeMap<String, String>,
    ) -> (BTreeMap<&'static str, String>, Vec<&'static str>) {
        let module = def.module;
        let (mut texts, mut missing) = (BTreeMap::new(), Vec::new());
        let (file, table) = self.table(module);
        let names: Vec<&str> = def.keys.iter().map(|it| it.name).collect();
        let is_known = |it: &&String| def.keys.iter().any(|key| is_form(it, key.name, key.is_secret));
        for unknown in table.keys().filter(|it| !is_known(it)) {
            let hint = nearest(unknown, names.iter().copied());
            self.wrong.push(format!("{module}.{unknown} is not a setting{hint} ({file})"));
        }
        for key in def.keys {
            let name = format!("{module}.{}", key.name);
            for form in forms(&name, key.is_secret) {
                let variable = variable_of(&form);
                if let Some(other) = variables.insert(variable.clone(), form.clone()) {
                    self.wrong.push(format!("{form} and {other} are both read from {variable}"));
                }
            }
            let values = self.values_of(&name, key, (&file, &table));
            if values.is_empty() && key.must_be_set() {
                missing.push(key.name);
            }
            let default = key.default.map_or_else(|| "none".to_owned(), |it| it());
            let check = |text: &str| (key.check)(text).map(|()| text.to_owned());
            texts.extend(self.choose(&name, &default, key.is_secret, values, check).map(|it| (key.name, it)));
        }
        (texts, missing)
    }

    /// The values of a setting of a module with their sources; the last one applies. The table is that of the
    /// module in the file of this name.
    fn values_of(&mut self, name: &str, key: &SettingDef, (file, table): (&str, &Table)) -> Vec<Sourced> {
        let in_file = self.given(name, key.is_secret, |it, form| {
            let value = table.get(&format!("{}{form}", key.name))?;
            let (text, what) = match key.is_table {
                true => (json_of(value), "a table"),
                false => (text_of(value), "a text, a number or a list"),
            };
            match text {
                Some(text) => Some((text, file.to_owned())),
                None => it.say(format!("{name}{form}: it must be {what} ({file})")),
            }
        });
        let credential = if key.is_secret { self.credential(name) } else { None };
        let in_env = self.given(name, key.is_secret, |it, form| {
            let variable = variable_of(&format!("{name}{form}"));
            it.variable(&variable).map(|text| (text, variable))
        });
        let set = self.given(name, key.is_secret, |it, form| {
            Some((it.set.get(&format!("{name}{form}"))?.clone(), "--set".to_owned()))
        });
        [in_file, credential, in_env, set].into_iter().flatten().collect()
    }

    pub(super) fn flags(&mut self, known: &[&FeatureFlag]) -> Flags {
        let mut flags = Flags::default();
        let (name, table) = self.table(FLAGS);
        for unknown in table.keys().filter(|it| !known.iter().any(|flag| flag.name == it.as_str())) {
            self.wrong.push(format!("{FLAGS}.{unknown} is not a feature flag ({name})"));
        }
        for flag in known {
            let in_capitals = flag.name.to_uppercase();
            let mut sources: Vec<(Result<bool, String>, String)> = Vec::new();
            match table.get(flag.name) {
                Some(Value::Boolean(is_on)) => sources.push((Ok(*is_on), name.clone())),
                Some(other) => sources.push((Err(format!("a {}", other.type_str())), name.clone())),
                None => {}
            }
            for variable in [format!("MEDUSA_FF_{in_capitals}"), format!("ATOLL_FF_{in_capitals}")] {
                if let Some(text) = self.variable(&variable) {
                    sources.push((switch(&text).ok_or(text), variable));
                }
            }
            let mut shown = format!("{FLAGS}.{} = {} (default)", flag.name, flag.default);
            for (value, source) in sources {
                match value {
                    Ok(is_on) => {
                        shown = format!("{FLAGS}.{} = {is_on} ({source})", flag.name);
                        flags.set(flag.name, is_on);
                    }
                    Err(text) => {
                        let name = flag.name;
                        self.wrong
                            .push(format!("{FLAGS}.{name}: {text}: it must be true or false ({source})"));
                    }
                }
            }
            self.shown.push(shown);
        }
        flags
    }
}

/// The id of a provider of this kind that is linked in.
pub(super) fn linked_in(known: &[(&str, Vec<&str>)], kind: &str, id: &str) -> Result<String, String> {
    let ids = known.iter().find(|it| it.0 == kind).map_or(&[][..], |it| &it.1);
    match ids.contains(&id) {
        true => Ok(id.to_owned()),
        false => {
            Err(format!("it is no {kind} provider that is linked in{}", nearest(id, ids.iter().copied())))
        }
    }
}

/// The environment variable of a module's setting: `ATOLL_RESTOCK_DAYS` of `restock.days`.
fn variable_of(name: &str) -> String {
    format!("ATOLL_{name}").replace(['-', '.'], "_").to_uppercase()
}

/// The text of a value of the file; a list is separated by commas. None if it is a table, a time, or a list
/// of anything but texts.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(is_on) => Some(is_on.to_string()),
        Value::Array(_) => texts(value).map(|it| it.join(",")),
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// The JSON of a table of the file; none if it is something else.
fn json_of(value: &Value) -> Option<String> {
    value.as_table().and_then(|it| serde_json::to_string(it).ok())
}

/// The texts of a list; none if it is something else.
fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect()
}

fn switch(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Some(true),
        "false" | "0" | "off" | "no" => Some(false),
        _ => None,
    }
}
