//! Hooks: steps that a plugin adds to a flow or saga of another crate, in its transaction or as an external
//! call.

use std::{future::Future, pin::Pin, time::Duration};

use crate::{Ctx, Fault, flow::Local, serde_json::Value};

/// A step that joins a flow at one of its points.
pub struct Hook {
    /// `module.verb-object`: `loyalty.award-points`. Unique; also the name of the step.
    pub name: &'static str,
    /// The flow, and the point in it: `complete-cart.orderCreated`.
    pub point: &'static str,
    /// The step.
    pub run: HookRun,
}

/// The step of a hook: in the transaction of the flow, or an external call.
#[derive(Clone, Copy)]
pub enum HookRun {
    /// A function in the transaction of the flow. An error aborts the transaction; there is nothing to
    /// compensate.
    Local(fn(&mut Local<'_>, &Value) -> Result<(), Fault>),
    /// An external call, with its compensation.
    External {
        /// The call. Its output is journaled, and is passed to `undo`.
        call: ExternalHook<Value>,
        /// Compensation. Also called after a failed call, which may have had an effect.
        undo: Option<ExternalHook<()>>,
        /// Time-out of one attempt; 30 seconds by default.
        timeout: Option<Duration>,
        /// Number of retries, and the pause before each; no retries by default.
        retries: Option<(u32, Duration)>,
    },
}

/// An async function of the application and a call; `StepCall::input` is the input of the hook point.
pub type ExternalHook<T> = fn(Ctx, StepCall) -> Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// What an external step is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCall {
    /// Idempotency key of this call: the same when it is retried after an error or a crash. Pass it to the
    /// other side, so that it does nothing twice.
    pub key: String,
    /// In a compensation: the key of the call to undo; otherwise equal to `key`.
    pub invoke_key: String,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// Input of the hook point; null in other steps.
    pub input: Value,
    /// In a compensation: was the call answered? A failed or timed-out one was not, and may have had an
    /// effect.
    pub answered: bool,
    /// In a compensation: the output of the call; null if it was not answered.
    pub output: Value,
}

impl Hook {
    /// True if the hook joins this flow at this point.
    pub(crate) fn joins(&self, flow: &str, point: &str) -> bool {
        self.point.strip_prefix(flow).and_then(|it| it.strip_prefix('.')) == Some(point)
    }
}

/// A hook, as `hook!` submits it.
pub struct HookEntry(pub &'static Hook);

inventory::collect!(HookEntry);

/// Registers a hook, above the function that it names.
///
/// ```
/// use atoll_kernel::{Ctx, Fault, flow::{Local, StepCall}, hook, serde_json::Value};
///
/// hook! { "loyalty.check-member" in "complete-cart.validate" => check_member }
///
/// fn check_member(flow: &mut Local<'_>, input: &Value) -> Result<(), Fault> {
///     Ok(())
/// }
///
/// hook! { "bank.authorize" in "complete-cart.authorizePayment" => external authorize, undo: void }
///
/// async fn authorize(ctx: Ctx, call: StepCall) -> Result<Value, Fault> {
///     Ok(call.input)
/// }
///
/// async fn void(ctx: Ctx, call: StepCall) -> Result<(), Fault> {
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! hook {
    ($name:literal in $point:literal => external $call:path
    $(, undo: $undo:path)? $(, timeout: $timeout:expr)? $(, retries: $retries:expr)?) => {
        $crate::hook! { @ $name, $point, $crate::flow::HookRun::External {
            call: |ctx, call| Box::pin($call(ctx, call)),
            undo: $crate::or_none!($(|ctx, call| Box::pin($undo(ctx, call)))?),
            timeout: $crate::or_none!($($timeout)?),
            retries: $crate::or_none!($($retries)?),
        } }
    };
    ($name:literal in $point:literal => $run:path) => {
        $crate::hook! { @ $name, $point, $crate::flow::HookRun::Local($run) }
    };
    (@ $name:literal, $point:literal, $run:expr) => {
        const _: () = {
            static HOOK: $crate::flow::Hook = $crate::flow::Hook { name: $name, point: $point, run: $run };

            $crate::inventory::submit! { $crate::flow::HookEntry(&HOOK) }
            $crate::place! { &HOOK }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a hook is written in one of these ways; of \
             the last, each of `undo`, `timeout` and `retries` may be left out, and they stand in this order:\n\
             \x20   \"loyalty.check-member\" in \"complete-cart.validate\" => function\n\
             \x20   \"bank.authorize\" in \"complete-cart.authorizePayment\" => external async_function,\n\
             \x20       undo: async_function, timeout: Duration::from_secs(5), retries: (3, Duration::from_secs(1))"
        );
    };
}
