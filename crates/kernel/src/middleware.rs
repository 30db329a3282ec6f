//! Middleware: functions of modules that run before the handlers of all routes below a path.

use crate::{Fault, Registry, ctx::Route, http::Call};

/// A function that runs before the handlers of all routes below a path.
pub struct Middleware {
    /// `module.what`: `review.limit-rate`. Unique.
    pub name: &'static str,
    /// The path: `/store/reviews` is before `/store/reviews` and all below it, and not before
    /// `/store/reviews-of-today`.
    pub prefix: &'static str,
    /// The function. An error is the answer. What it learns it may leave in `Call::extensions`.
    pub run: fn(&mut Call) -> Result<(), Fault>,
}

/// Registers a function that runs before the handlers of all routes below a path: after the request was
/// authenticated, and its parameters and body were checked, and before a stored answer to its
/// `Idempotency-Key` is looked for. Of several, that of the shortest path runs first, then by name. It runs
/// for every request, on the thread of the request: it must not block, and what it reads is not metered.
/// Answers of the routes behind it are not remembered.
///
/// ```
/// use atoll_kernel::{Fault, http::Call, middleware};
///
/// middleware! { "review.closed" before "/store/reviews" => refuse_at_night }
///
/// fn refuse_at_night(call: &mut Call) -> Result<(), Fault> {
///     match call.app.now().millis() / 3_600_000 % 24 {
///         0..6 => Err(Fault::of(403, "closed", "No reviews at night")),
///         _ => Ok(()),
///     }
/// }
/// ```
#[macro_export]
macro_rules! middleware {
    ($name:literal before $prefix:literal => $run:path) => {
        const _: () = {
            static MIDDLEWARE: $crate::http::Middleware =
                $crate::http::Middleware { name: $name, prefix: $prefix, run: $run };

            $crate::register! { $crate::http::Middleware: &MIDDLEWARE }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "middleware is written as a name, a path and a function:\n\
             \x20   \"review.closed\" before \"/store/reviews\" => function"
        );
    };
}

impl Middleware {
    pub(crate) fn is_before(&self, route: &Route) -> bool {
        let prefix = self.prefix.trim_end_matches('/');
        route.path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Registry {
    /// Does anything run before this route?
    pub(crate) fn has_middleware(&self, route: &Route) -> bool {
        self.middleware.iter().any(|it| it.is_before(route))
    }

    /// Runs what is before this route.
    pub(crate) fn run_middleware(&self, route: &Route, call: &mut Call) -> Result<(), Fault> {
        self.middleware.iter().filter(|it| it.is_before(route)).try_for_each(|it| (it.run)(call))
    }
}
