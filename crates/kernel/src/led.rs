//! Paths about what one host alone has in memory or in a folder: of several hosts, the one that leads answers
//! what is asked below them.

use crate::{Registry, http::Source};

/// A path that the host that leads answers.
pub struct Led {
    /// The path: `/admin/backups` is it and all below it.
    pub prefix: &'static str,
    /// Where it is registered, for messages.
    pub source: Source,
}

/// Registers paths that the host that leads answers, also where they are only read: what they show is in its
/// memory, or in a folder of its own, and not in the store.
///
/// ```
/// atoll_kernel::led! { "/admin/review-imports" }
/// ```
#[macro_export]
macro_rules! led {
    ($($prefix:literal),+ $(,)?) => {
        $(const _: () = {
            static LED: $crate::http::Led =
                $crate::http::Led { prefix: $prefix, source: $crate::source!() };

            $crate::register! { $crate::http::Led: &LED }
        };)+
    };
}

impl Registry {
    /// The paths that the host that leads answers.
    pub fn led(&self) -> Vec<&'static str> {
        self.led.iter().map(|it| it.prefix).collect()
    }
}
