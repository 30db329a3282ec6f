//! Hooks: steps that a plugin adds to a flow or saga of another crate, in its transaction or as an external
//! call. They may refuse, and contribute.

use std::{any::Any, cell::OnceCell, fmt, future::Future, pin::Pin, ptr, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::point::{ADDITIONAL_DATA, AnyHookPoint, HookPoint, Reads, misfits};
use crate::{
    Ctx, Fault,
    data::{FieldKind, FieldValue},
    flow::Local,
    workflow::AnyFlow,
};

/// A step that joins a flow at one of its points.
pub struct Hook {
    /// `module.verb-object`: `loyalty.award-points`. Unique; also the name of the step.
    pub name: &'static str,
    /// Where it joins.
    pub at: HookAt,
    /// The step.
    pub run: HookRun,
}

/// Where a hook joins.
pub enum HookAt {
    /// At this point, in one flow, or in all that have it.
    Point {
        /// The point.
        point: &'static dyn AnyHookPoint,
        /// The flow.
        of: Option<&'static dyn AnyFlow>,
    },
    /// At the point with this name, with types of the hook's own: `complete-cart.validate` in one flow,
    /// `validate` in all flows with a point of that name.
    Named {
        /// The name.
        point: &'static str,
        /// The type that the hook reads.
        input: FieldKind,
        /// The type that the hook contributes.
        output: FieldKind,
    },
}

impl HookAt {
    /// At the point of this name, for a function with these types.
    pub const fn named<I: FieldValue, O: FieldValue>(
        point: &'static str,
        _: fn(&mut Local<'_>, &I) -> Result<O, Fault>,
    ) -> HookAt {
        HookAt::Named { point, input: I::KIND, output: O::KIND }
    }

    /// At the point of this name, for an async function with these types.
    pub const fn named_external<I: FieldValue, O: FieldValue>(
        point: &'static str,
        _: &impl ExternalFn<I, O>,
    ) -> HookAt {
        HookAt::Named { point, input: I::KIND, output: O::KIND }
    }
}

impl fmt::Display for HookAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HookAt::Point { point, of: Some(flow) } => write!(f, "{}.{}", flow.name(), point.name()),
            HookAt::Point { point, of: None } => f.write_str(point.name()),
            HookAt::Named { point, .. } => f.write_str(point),
        }
    }
}

/// The step of a hook: in the transaction of the flow, or an external call.
#[derive(Clone, Copy)]
pub enum HookRun {
    /// A function in the transaction of the flow. An error aborts the transaction; there is nothing to
    /// compensate.
    Local(LocalHook),
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

/// The function of a hook with its types erased.
pub type LocalHook = fn(&mut Local<'_>, &HookInput<'_>) -> Result<HookOutput, Fault>;

/// An async function of the application and a call; `StepCall::input` is the input of the hook point.
pub type ExternalHook<T> = fn(Ctx, StepCall) -> Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// An async function of the application, a call and the input of its point, as `hook!` takes it.
pub trait ExternalFn<I, O>: Fn(Ctx, StepCall, I) -> Self::Answer {
    /// What it returns.
    type Answer: Future<Output = Result<O, Fault>>;
}

impl<I, O, F, R> ExternalFn<I, O> for F
where
    F: Fn(Ctx, StepCall, I) -> R,
    R: Future<Output = Result<O, Fault>>,
{
    type Answer = R;
}

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

/// The input of a point, as a value of its type, and as JSON for hooks that joined by name.
pub struct HookInput<'a> {
    pub(super) hook: &'static str,
    point: String,
    typed: &'a dyn Any,
    to_json: fn(&dyn Any) -> serde_json::Result<Value>,
    json: OnceCell<Value>,
    additional_data: Option<&'a Value>,
}

/// What a hook has contributed.
pub enum HookOutput {
    /// A value of the type of the point.
    Typed(Box<dyn Any>),
    /// JSON. Null is no contribution.
    Json(Value),
}

impl<'a> HookInput<'a> {
    pub(super) fn new<I: Serialize + 'static>(
        flow: &str,
        point: &str,
        input: &'a I,
        additional_data: Option<&'a Value>,
    ) -> Self {
        HookInput {
            hook: "",
            point: format!("{flow}.{point}"),
            typed: input,
            to_json: |it| serde_json::to_value(it.downcast_ref::<I>()),
            json: OnceCell::new(),
            additional_data,
        }
    }

    fn json(&self) -> Result<&Value, Fault> {
        if let Some(json) = self.json.get() {
            return Ok(json);
        }
        let mut json =
            (self.to_json)(self.typed).map_err(|it| self.misfit("cannot be given its input", &it))?;
        if let (Value::Object(json), Some(data)) = (&mut json, self.additional_data) {
            json.insert(ADDITIONAL_DATA.into(), data.clone());
        }
        Ok(self.json.get_or_init(|| json))
    }

    /// The contribution, as the point declares it; none if the hook returned null.
    pub(super) fn read<O: DeserializeOwned + 'static>(&self, output: HookOutput) -> Result<Option<O>, Fault> {
        match output {
            HookOutput::Typed(output) => {
                output.downcast().map(|it| Some(*it)).map_err(|_| self.misfit("has another type", &""))
            }
            HookOutput::Json(Value::Null) => Ok(None),
            HookOutput::Json(output) => serde_json::from_value(output)
                .map(Some)
                .map_err(|it| self.misfit("returned what the flow cannot read", &it)),
        }
    }

    fn misfit(&self, what: &str, error: &dyn fmt::Display) -> Fault {
        Fault::unexpected(format!("hook `{}` at `{}` {what}: {error}", self.hook, self.point))
    }
}

/// Calls a hook with the types of its point.
#[doc(hidden)]
pub fn call_typed<I: 'static, O: 'static>(
    _: &HookPoint<I, O>,
    run: fn(&mut Local<'_>, &I) -> Result<O, Fault>,
    flow: &mut Local<'_>,
    input: &HookInput<'_>,
) -> Result<HookOutput, Fault> {
    let typed = input.typed.downcast_ref().ok_or_else(|| input.misfit("has another type", &""))?;
    Ok(HookOutput::Typed(Box::new(run(flow, typed)?)))
}

/// Calls a hook with types of its own.
#[doc(hidden)]
pub fn call_named<I: DeserializeOwned, O: Serialize>(
    run: fn(&mut Local<'_>, &I) -> Result<O, Fault>,
    flow: &mut Local<'_>,
    input: &HookInput<'_>,
) -> Result<HookOutput, Fault> {
    let own = I::deserialize(input.json()?).map_err(|it| input.misfit("cannot read its input", &it))?;
    let output = serde_json::to_value(run(flow, &own)?);
    Ok(HookOutput::Json(output.map_err(|it| input.misfit("returned no JSON", &it))?))
}

/// Makes an external call with the types of its point.
#[doc(hidden)]
pub async fn call_external_typed<I: DeserializeOwned, O: Serialize>(
    _: &HookPoint<I, O>,
    hook: &'static str,
    call: impl ExternalFn<I, O>,
    ctx: Ctx,
    step: StepCall,
) -> Result<Value, Fault> {
    call_external(hook, call, ctx, step).await
}

/// Makes an external call with types of its own.
#[doc(hidden)]
pub async fn call_external<I: DeserializeOwned, O: Serialize>(
    hook: &'static str,
    call: impl ExternalFn<I, O>,
    ctx: Ctx,
    step: StepCall,
) -> Result<Value, Fault> {
    let misfit = |what, error| Fault::unexpected(format!("hook `{hook}` {what}: {error}"));
    let input = I::deserialize(&step.input).map_err(|it| misfit("cannot read its input", it))?;
    serde_json::to_value(call(ctx, step, input).await?).map_err(|it| misfit("returned no JSON", it))
}

/// Undoes an external call. Its function gets the answer of the call; none if that failed or timed out, and
/// may have had an effect.
#[doc(hidden)]
pub async fn undo_external<O: DeserializeOwned>(
    hook: &'static str,
    undo: impl ExternalFn<Option<O>, ()>,
    ctx: Ctx,
    step: StepCall,
) -> Result<(), Fault> {
    let read = |it: &Value| {
        O::deserialize(it)
            .map_err(|it| Fault::unexpected(format!("hook `{hook}` cannot read its answer: {it}")))
    };
    let output = step.answered.then(|| read(&step.output)).transpose()?;
    undo(ctx, step, output).await
}

impl Hook {
    /// True if the hook joins this flow at this point.
    pub(crate) fn joins(&self, flow: &str, point: &dyn AnyHookPoint) -> bool {
        match &self.at {
            HookAt::Point { point: own, of } => {
                ptr::addr_eq(ptr::from_ref(*own), ptr::from_ref(point))
                    && of.is_none_or(|it| it.name() == flow)
            }
            HookAt::Named { point: name, .. } => match name.split_once('.') {
                Some((of, name)) => of == flow && name == point.name(),
                None => *name == point.name(),
            },
        }
    }

    /// What does not fit between the types of this hook and those of a point.
    pub(crate) fn misfits(&self, point: &dyn AnyHookPoint) -> Vec<String> {
        let HookAt::Named { input, output, .. } = &self.at else { return Vec::new() };
        let (mut read, mut written) = (Vec::new(), Vec::new());
        misfits("", *input, point.input(), Reads::Hook, &mut read);
        match (*output, point.output()) {
            (FieldKind::Any | <() as FieldValue>::KIND, _) => {}
            (_, <() as FieldValue>::KIND) => {
                written.push("something, which the point does not take".to_owned())
            }
            (hook, point) => misfits("", hook, point, Reads::Point, &mut written),
        }
        let read = read.into_iter().map(|it| format!("reads {it}"));
        read.chain(written.into_iter().map(|it| format!("contributes {it}"))).collect()
    }
}

/// Registers a hook, above the function that it names: at a point that is in scope (in all flows that have
/// it, or `in POINT of FLOW`), or by the name of a point, with types of the hook's own: modules, which may
/// name no flow, join like this. The types are compared with those of the point when the program starts.
///
/// ```
/// use atoll_kernel::{
///     Ctx, Decimal, Fault,
///     flow::{Local, StepCall},
///     hook,
///     serde::{Deserialize, Serialize},
///     serde_json::Value,
///     stored,
/// };
///
/// hook! { "loyalty.check-member" in "complete-cart.validate" => check_member }
///
/// stored! {
///     /// The cart.
///     #[derive(Serialize, Deserialize)]
///     #[serde(crate = "atoll_kernel::serde")]
///     struct OfCart {
///         cart_id: String,
///     }
/// }
///
/// fn check_member(flow: &mut Local<'_>, cart: &OfCart) -> Result<(), Fault> {
///     Ok(())
/// }
///
/// hook! { "bank.authorize" in "complete-cart.authorizePayment" => external authorize, undo: void }
///
/// async fn authorize(ctx: Ctx, call: StepCall, due: Value) -> Result<Decimal, Fault> {
///     Ok(Decimal::from(1_i64))
/// }
///
/// async fn void(ctx: Ctx, call: StepCall, answer: Option<Decimal>) -> Result<(), Fault> {
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! hook {
    (
        $name:literal in $point:literal => external $call:path
        $(, undo: $undo:path)? $(, timeout: $timeout:expr)? $(, retries: $retries:expr)?
    ) => {
        $crate::hook! {
            @ external $name, $crate::flow::HookAt::named_external($point, &$call),
            |ctx, call| ::std::boxed::Box::pin($crate::flow::call_external($name, $call, ctx, call))
            $(, undo: $undo)? $(, timeout: $timeout)? $(, retries: $retries)?
        }
    };
    (
        $name:literal in $POINT:ident $(of $FLOW:ident)? => external $call:path
        $(, undo: $undo:path)? $(, timeout: $timeout:expr)? $(, retries: $retries:expr)?
    ) => {
        $crate::hook! {
            @ external $name,
            $crate::flow::HookAt::Point { point: &$POINT, of: $crate::or_none!($(&$FLOW)?) },
            |ctx, call| {
                ::std::boxed::Box::pin($crate::flow::call_external_typed(&$POINT, $name, $call, ctx, call))
            }
            $(, undo: $undo)? $(, timeout: $timeout)? $(, retries: $retries)?
        }
    };
    ($name:literal in $point:literal => $run:path) => {
        $crate::hook! {
            @ $name, $crate::flow::HookAt::named($point, $run),
            $crate::flow::HookRun::Local(|flow, input| $crate::flow::call_named($run, flow, input))
        }
    };
    ($name:literal in $POINT:ident $(of $FLOW:ident)? => $run:path) => {
        $crate::hook! {
            @ $name, $crate::flow::HookAt::Point { point: &$POINT, of: $crate::or_none!($(&$FLOW)?) },
            $crate::flow::HookRun::Local(|flow, input| $crate::flow::call_typed(&$POINT, $run, flow, input))
        }
    };
    (
        @ external $name:literal, $at:expr, $call:expr
        $(, undo: $undo:expr)? $(, timeout: $timeout:expr)? $(, retries: $retries:expr)?
    ) => {
        $crate::hook! { @ $name, $at, $crate::flow::HookRun::External {
            call: $call,
            undo: $crate::or_none!($(|ctx, call| {
                ::std::boxed::Box::pin($crate::flow::undo_external($name, $undo, ctx, call))
            })?),
            timeout: $crate::or_none!($($timeout)?),
            retries: $crate::or_none!($($retries)?),
        } }
    };
    (@ $name:literal, $at:expr, $run:expr) => {
        const _: () = {
            static HOOK: $crate::flow::Hook = $crate::flow::Hook { name: $name, at: $at, run: $run };

            $crate::register! { $crate::flow::Hook: &HOOK }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a hook is written in one of these ways (the point in scope, or by its name); of \
             the last, each of `undo`, `timeout` and `retries` may be left out, and they stand in this order:\n\
             \x20   \"loyalty.price-line\" in PRICE_LINE => function\n\
             \x20   \"loyalty.check-member\" in \"complete-cart.validate\" => function\n\
             \x20   \"bank.authorize\" in \"complete-cart.authorizePayment\" => external async_function,\n\
             \x20       undo: async_function, timeout: Duration::from_secs(5), retries: (3, Duration::from_secs(1))"
        );
    };
}
