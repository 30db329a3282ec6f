//! Paths about what one host alone has in memory or in a folder: of several hosts, the one that leads answers
//! what is asked below them.

use crate::{
    Registry,
    http::{LedPath, Source},
};

/// A path that the host that leads answers.
pub struct Led {
    /// The path.
    pub path: LedPath,
    /// Where it is registered, for messages.
    pub source: Source,
}

/// Registers paths that the host that leads answers, also where they are only read: what they show is in its
/// memory, or in a folder of its own, and not in the store. With `if missing`, a host that has what is asked
/// for answers by itself: for files that never change.
///
/// ```
/// atoll_kernel::led! { "/admin/review-imports" }
/// atoll_kernel::led! { if missing "/review-images" }
/// ```
#[macro_export]
macro_rules! led {
    (if missing $prefix:literal) => {
        $crate::led! { @ $prefix, true }
    };
    ($($prefix:literal),+ $(,)?) => {
        $($crate::led! { @ $prefix, false })+
    };
    (@ $prefix:literal, $if_missing:literal) => {
        const _: () = {
            static LED: $crate::http::Led = $crate::http::Led {
                path: $crate::http::LedPath { prefix: $prefix, if_missing: $if_missing },
                source: $crate::source!(),
            };

            $crate::register! { $crate::http::Led: &LED }
        };
    };
}

impl Registry {
    /// The paths that the host that leads answers.
    pub fn led(&self) -> Vec<LedPath> {
        self.led.iter().map(|it| it.path).collect()
    }
}
