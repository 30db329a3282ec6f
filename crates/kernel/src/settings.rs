//! Settings of modules and providers: `settings!` declares them with types, defaults, ranges and secrets; the
//! host reads them from its file, the environment and the command line; `Ctx::settings` has the values.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::Arc,
    time::Duration,
};

use crate::{Ctx, Decimal, Fault, Registry, http::Source, linked::Part, registry::nearest};

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A type of settings.
pub trait SettingType: Sized {
    /// Must it not be printed?
    const IS_SECRET: bool = false;

    /// Is it a table of the settings file? Its text is JSON then.
    const IS_TABLE: bool = false;

    /// Parses the text of a setting. The error says what it must be, without the text.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value of a setting that is not set and has no default; `None`: it must be set.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! by_from_str {
    ($($Type:ty: $what:literal),+ $(,)?) => {
        $(impl SettingType for $Type {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| concat!("it must be ", $what).to_owned())
            }
        })+
    };
}

by_from_str! {
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 to 4294967295",
    u64: "a whole number, and not negative",
    usize: "a whole number, and not negative",
    i64: "a whole number",
    Decimal: "a number",
    String: "a text",
}

impl SettingType for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Ok(true),
            "false" | "0" | "off" | "no" => Ok(false),
            _ => Err("it must be true or false".to_owned()),
        }
    }
}

/// A number of seconds: `30` or `30 s`.
impl SettingType for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        let seconds = text.trim_end_matches('s').trim().parse();
        seconds.map(Duration::from_secs).map_err(|_| "it must be a number of seconds".to_owned())
    }
}

impl SettingType for Secret {
    const IS_SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Secret(text.to_owned()))
    }
}

/// Texts, separated by commas.
impl SettingType for Vec<String> {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect())
    }
}

impl<T: SettingType> SettingType for Option<T> {
    const IS_SECRET: bool = T::IS_SECRET;
    const IS_TABLE: bool = T::IS_TABLE;

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// The settings of a module or a provider, as `settings!` declares them.
pub trait Settings: Clone + Send + Sync + 'static {
    /// Their description.
    const DEF: &'static SettingsDef;
}

/// The values of a module's settings.
pub type Values = Arc<dyn Any + Send + Sync>;

/// The text of a setting that is set, by its name.
pub type Texts<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The description of a module's settings.
pub struct SettingsDef {
    /// The module, or the id of the provider: also the name of the table in the settings file.
    pub module: &'static str,
    /// The settings.
    pub keys: &'static [SettingDef],
    /// The type that holds the values.
    pub type_id: fn() -> TypeId,
    /// The values, of the texts of the settings that are set.
    pub read: fn(Texts<'_>) -> Result<Values, String>,
}

/// A setting of a module.
pub struct SettingDef {
    /// Its name in the table of the module.
    pub name: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// The default, as text.
    pub default: Option<fn() -> String>,
    /// True if it must be set.
    pub is_required: fn() -> bool,
    /// Must it not be printed?
    pub is_secret: bool,
    /// Is it a table of the file, and its text JSON?
    pub is_table: bool,
    /// Checks a text. The error says what it must be.
    pub check: fn(&str) -> Result<(), String>,
}

impl SettingDef {
    /// Must it be set, because it has no default and its type no value for absent?
    pub fn must_be_set(&self) -> bool {
        self.default.is_none() && (self.is_required)()
    }
}

/// Declares the settings of a module: name, type, default, and the range of what is allowed. A setting
/// without a default must be set, unless its type is `Option<…>`. The doc comment is its description.
///
/// ```
/// use std::time::Duration;
///
/// use atoll_kernel::{Ctx, registry::Secret, settings};
///
/// settings! {
///     /// Announcements of restocks.
///     pub struct RestockSettings = "restock" {
///         /// Days after which a request is forgotten.
///         pub days: u32 = 30, 1..=365;
///         /// The time-out of a call.
///         pub timeout: Duration = "10 s";
///         /// The key of the mail service.
///         pub api_key: Option<Secret>;
///     }
/// }
///
/// fn days(ctx: &Ctx) -> u32 {
///     ctx.settings::<RestockSettings>().days
/// }
/// # fn main() {}
/// ```
///
/// They are set by `[restock]` in `atoll.toml`, by `ATOLL_RESTOCK_DAYS` in the environment, and by
/// `--set restock.days=7`.
///
/// A provider has settings under its id. Those that must be set are demanded where the configuration names
/// the provider; where nothing is set for a provider that needs it, it has none (`Ctx::settings_of`).
///
/// What settings must be together is a function, named behind the struct: `check MailSettings::check;` with
/// `fn check(&self) -> Result<(), String>`. Its error names the settings: `mail.password needs mail.user`.
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident = $module:literal {
            $(
                $(#[doc = $doc:expr])+
                $field_vis:vis $field:ident: $Type:ty $(= $default:literal)? $(, $range:expr)?;
            )+
        }
        $(check $check:path;)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $Name {
            $($(#[doc = $doc])+ $field_vis $field: $Type,)+
        }

        impl $crate::registry::Settings for $Name {
            const DEF: &'static $crate::registry::SettingsDef = {
                static DEF: $crate::registry::SettingsDef = $crate::registry::SettingsDef {
                    module: $module,
                    keys: &[$($crate::registry::SettingDef {
                        name: stringify!($field),
                        text: $crate::doc_text!($(#[doc = $doc])+),
                        default: $crate::or_none!($(|| $crate::registry::unquoted(stringify!($default)))?),
                        is_required: || <$Type as $crate::registry::SettingType>::absent().is_none(),
                        is_secret: <$Type as $crate::registry::SettingType>::IS_SECRET,
                        is_table: <$Type as $crate::registry::SettingType>::IS_TABLE,
                        check: |text| {
                            let value = <$Type as $crate::registry::SettingType>::parse(text)?;
                            let _ = &value;
                            $(
                                if !($range).contains(&value) {
                                    return Err($crate::registry::out_of_range(stringify!($range)));
                                }
                            )?
                            Ok(())
                        },
                    }),+],
                    type_id: || std::any::TypeId::of::<$Name>(),
                    read: |texts| {
                        let mut keys = DEF.keys.iter();
                        let all = $Name {
                            $($field: {
                                let key = keys.next().expect("a key per field");
                                $crate::registry::read_setting::<$Type>($module, key, texts)?
                            },)+
                        };
                        $($check(&all)?;)?
                        Ok(std::sync::Arc::new(all))
                    },
                };
                &DEF
            };
        }

        $crate::register! { $crate::registry::SettingsDef: <$Name as $crate::registry::Settings>::DEF }
    };
}

/// The text of a literal.
#[doc(hidden)]
pub fn unquoted(literal: &str) -> String {
    literal.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(literal).to_owned()
}

/// The error for a value out of its range.
#[doc(hidden)]
pub fn out_of_range(range: &str) -> String {
    format!("it must be from {}", range.replace(' ', "").replace("..=", " to "))
}

/// The value of a setting: what is set, the default, or what its type has where it is absent.
#[doc(hidden)]
pub fn read_setting<T: SettingType>(module: &str, key: &SettingDef, texts: Texts<'_>) -> Result<T, String> {
    match texts(key.name).or_else(|| key.default.map(|it| it())) {
        Some(text) => (key.check)(&text)
            .and_then(|()| T::parse(&text))
            .map_err(|why| format!("{module}.{}: {why}", key.name)),
        None => T::absent().ok_or_else(|| format!("{module}.{} must be set: it has no default", key.name)),
    }
}

/// The settings that any crate of the program declares, those of modules that are switched off included.
pub fn linked_settings() -> Vec<&'static SettingsDef> {
    let mut all = SettingsDef::linked();
    all.sort_by_key(|it| it.module);
    all
}

/// The settings of all modules.
#[derive(Clone, Default)]
pub struct ModuleSettings(HashMap<TypeId, Values>);

impl fmt::Debug for ModuleSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(settings of {} modules)", self.0.len())
    }
}

impl ModuleSettings {
    /// The settings of the modules and providers of a registry. `text` is the text of a setting that is set,
    /// by module and name. A provider that must be set up, and for which nothing is set, has none. Errors:
    /// all that are wrong or missing.
    pub fn of(
        registry: &Registry,
        text: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Result<ModuleSettings, Vec<String>> {
        let (mut all, mut wrong) = (ModuleSettings::default(), Vec::new());
        for def in &registry.settings {
            let text = |name: &str| text(def.module, name);
            let is_set = def.keys.iter().any(|key| text(key.name).is_some());
            if is_set || !(registry.is_provider(def.module) && registry.must_be_set_up(def.module)) {
                wrong.extend(all.read(def, &text).err());
            }
        }
        if wrong.is_empty() { Ok(all) } else { Err(wrong) }
    }

    /// Reads the settings of one module or provider. Error: the first that is wrong or missing, or why they
    /// do not fit together.
    pub fn read(&mut self, def: &SettingsDef, texts: Texts<'_>) -> Result<(), String> {
        let values = (def.read)(texts)?;
        self.0.insert((def.type_id)(), values);
        Ok(())
    }
}

impl Ctx {
    /// The settings of a module.
    ///
    /// # Panics
    /// Where the module is switched off, or an application was built without its settings: the host has them
    /// all, and a test gives those without a default.
    pub fn settings<T: Settings>(&self) -> &T {
        self.find_settings().unwrap_or_else(|| panic!("the settings of `{}` were not given", T::DEF.module))
    }

    /// The settings of a provider. Error: it is not set up, and asked by its id all the same.
    pub fn settings_of<T: Settings>(&self) -> Result<&T, Fault> {
        let id = T::DEF.module;
        self.find_settings().ok_or_else(|| Fault::not_allowed(format!("The provider `{id}` is not set up")))
    }

    fn find_settings<T: Settings>(&self) -> Option<&T> {
        self.config().modules.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl Registry {
    /// What is wrong with the declarations of settings.
    pub(crate) fn setting_problems(&self) -> Vec<(Option<Source>, String)> {
        let mut problems = Vec::new();
        for def in &self.settings {
            let (module, source) = (def.module, self.source_of(*def));
            if !self.modules.iter().any(|it| it.name == module) && !self.is_provider(module) {
                let names =
                    self.modules.iter().map(|it| it.name).chain(self.providers.iter().map(|it| it.id));
                let hint = nearest(module, names);
                problems.push((
                    source,
                    format!("there are settings of `{module}`, which is no module and no provider{hint}"),
                ));
            }
            for key in def.keys {
                if let Some(why) = key.default.and_then(|it| (key.check)(&it()).err()) {
                    let name = key.name;
                    problems.push((source, format!("the default of the setting `{module}.{name}`: {why}")));
                }
            }
        }
        problems
    }
}
