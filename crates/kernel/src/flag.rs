//! Feature flags: parts of the program that an operator switches on or off at the start.

use std::collections::BTreeMap;

/// A part of the program that an operator can switch on or off at the start.
pub struct FeatureFlag {
    /// `sales_channels`: the name in the configuration; the environment variable is
    /// `ATOLL_FF_SALES_CHANNELS`.
    pub name: &'static str,
    /// Its state if the configuration does not name it.
    pub default: bool,
}

/// Registers a feature flag. Routes that depend on it say so: `routes! { with "reviews"; … }`.
///
/// ```
/// use atoll_kernel::{Ctx, feature_flag};
///
/// feature_flag! {
///     /// Reviews of products.
///     pub static REVIEWS_FLAG = "reviews", default: false;
/// }
///
/// fn are_shown(ctx: &Ctx) -> bool {
///     ctx.is_on(&REVIEWS_FLAG)
/// }
/// ```
#[macro_export]
macro_rules! feature_flag {
    ($(#[$meta:meta])* $vis:vis static $NAME:ident = $name:literal, default: $default:literal;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::registry::FeatureFlag = $crate::registry::FeatureFlag { name: $name, default: $default };

        $crate::register! { $crate::registry::FeatureFlag: &$NAME }
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a feature flag is written\n\
             \x20   /// What it switches.\n\
             \x20   pub static REVIEWS_FLAG = \"reviews\", default: true;"
        );
    };
}

/// The flags that were switched, by name; all others have their default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(BTreeMap<String, bool>);

impl Flags {
    /// Switches a flag.
    pub fn set(&mut self, name: &str, is_on: bool) {
        self.0.insert(name.to_owned(), is_on);
    }

    /// True if the flag is on.
    pub fn is_on(&self, flag: &FeatureFlag) -> bool {
        self.0.get(flag.name).copied().unwrap_or(flag.default)
    }
}
