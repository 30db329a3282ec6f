//! Hooks: steps of one's own in somebody else's flow or saga, in its transaction or as a call to the outside.

use std::{future::Future, pin::Pin, time::Duration};

use crate::{Ctx, Fault, flow::Local, serde_json::Value};

/// A step that joins a flow at one of its points.
pub struct Hook {
    /// `module.verb-object`: `loyalty.award-points`. Unique, and the name of the step.
    pub name: &'static str,
    /// The flow and the point: `complete-cart.orderCreated`.
    pub point: &'static str,
    /// What it does.
    pub run: HookRun,
}

/// What a hook does, and where.
#[derive(Clone, Copy)]
pub enum HookRun {
    /// A function in the transaction of the flow. Its error aborts that; there is nothing to compensate.
    Local(fn(&mut Local<'_>, &Value) -> Result<(), Fault>),
    /// A call to the outside, with what undoes it.
    External {
        /// The call; its answer is kept, and is what the undoing is given.
        call: ExternalHook<Value>,
        /// What undoes it. It is called for a call that failed, too, since that may have had an effect.
        undo: Option<ExternalHook<()>>,
        /// How long the call may take; 30 seconds where it is not said.
        timeout: Option<Duration>,
        /// How often the call is tried again, and after which pause; not at all where it is not said.
        retries: Option<(u32, Duration)>,
    },
}

/// An async function of the application and a call; `StepCall::input` is what the flow says at this point.
pub type ExternalHook<T> = fn(Ctx, StepCall) -> Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// A call to the outside, as the step is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCall {
    /// Names this call: it is the same when the call is made again, after an error or a crash. Hand it to the
    /// other side, so that it does nothing twice.
    pub key: String,
    /// Names the call that this one undoes; `key` itself where it undoes none.
    pub invoke_key: String,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// What a flow says at the point that a hook joined; null elsewhere.
    pub input: Value,
    /// Was the call that is to be undone answered? One that failed or took too long was not, and may have had
    /// an effect.
    pub answered: bool,
    /// What it answered; null where it was not.
    pub output: Value,
}

impl Hook {
    /// Does it join this flow at this point?
    pub(crate) fn joins(&self, flow: &str, point: &str) -> bool {
        self.point.strip_prefix(flow).and_then(|it| it.strip_prefix('.')) == Some(point)
    }
}

/// A hook, as `hook!` submits it.
pub struct HookEntry(pub &'static Hook);

inventory::collect!(HookEntry);

/// Registers a hook, above the function that it names.
///
/// ```ignore
/// hook! { "loyalty.check-member" in "complete-cart.validate" => check_member }
///
/// fn check_member(flow: &mut Local<'_>, input: &Value) -> Result<(), Fault> { … }
///
/// hook! { "bank.authorize" in "complete-cart.authorizePayment" => external authorize, undo: void }
///
/// async fn authorize(ctx: Ctx, call: StepCall) -> Result<Value, Fault> { … }
/// async fn void(ctx: Ctx, call: StepCall) -> Result<(), Fault> { … }
/// ```
#[macro_export]
macro_rules! hook {
    ($name:literal in $point:literal => external $call:path
    $(, undo: $undo:path)? $(, timeout: $timeout:expr)? $(, retries: $retries:expr)?) => {
        $crate::inventory::submit! {
            $crate::HookEntry(&$crate::Hook {
                name: $name,
                point: $point,
                run: $crate::HookRun::External {
                    call: |ctx, call| Box::pin($call(ctx, call)),
                    undo: $crate::or_none!($(|ctx, call| Box::pin($undo(ctx, call)))?),
                    timeout: $crate::or_none!($($timeout)?),
                    retries: $crate::or_none!($($retries)?),
                },
            })
        }
    };
    ($name:literal in $point:literal => $run:path) => {
        $crate::inventory::submit! {
            $crate::HookEntry(&$crate::Hook { name: $name, point: $point, run: $crate::HookRun::Local($run) })
        }
    };
}
