//! Flows: business processes over several modules in one transaction, plain Rust code that is committed as a
//! whole or not at all. Processes with external calls are a [`Saga`](crate::saga::Saga).

mod hook;
mod point;
mod probe;
mod times;

use atoll_storage::dry_run;

use serde::de::DeserializeOwned;

use crate::{
    Ctx, Fault, Moment, StoreError, Write,
    http::{OpenSpan, SpanKind},
    jobs::emit,
    serde_json::Value,
};

pub use hook::{ExternalFn, ExternalHook, Hook, HookAt, HookInput, HookOutput, HookRun, LocalHook, StepCall};
#[doc(hidden)]
pub use hook::{call_external, call_external_typed, call_named, call_typed, undo_external};
pub(crate) use point::ADDITIONAL_DATA;
pub use point::{AnyHookPoint, HookPoint, PointInput, PointOutput};
pub use probe::{Point, Probe, When};
pub(crate) use times::FlowTimes;

pub use crate::workflow::{AnyFlow, NamedFlow};
#[doc(hidden)]
pub use crate::workflow::{ByName, IsNamed, IsUnnamed, Naming};

/// A process over several modules, in one transaction. It needs no journal: an error aborts the transaction.
pub struct Flow<I: 'static, O: 'static> {
    /// Unique id: `create-products`.
    pub name: &'static str,
    /// The points at which hooks may join.
    pub hooks: &'static [&'static dyn AnyHookPoint],
    /// The body: a function of its input, the moment and the data, and of nothing else. Tests run it twice
    /// with the same ids, and compare what it writes.
    pub run: fn(&mut Local<'_>, I) -> Result<O, Fault>,
}

impl<I, O> Flow<I, O> {
    /// A flow without hook points.
    pub const fn new(name: &'static str, run: fn(&mut Local<'_>, I) -> Result<O, Fault>) -> Self {
        Flow { name, hooks: &[], run }
    }
}

/// What local steps work on: the transaction that all steps of a flow share.
pub struct Local<'a> {
    /// The transaction.
    pub tx: &'a mut dyn Write,
    /// Time, ids and actor of the transaction.
    pub at: &'a Moment,
    pub(crate) ctx: &'a Ctx,
    pub(crate) flow: &'static str,
}

impl<'a> Local<'a> {
    /// Runs a step. Tests and logs use its name.
    pub fn step<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&mut dyn Write, &Moment) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.probe(name, When::Before)?;
        let done = body(self.tx, self.at)?;
        self.probe(name, When::After)?;
        Ok(done)
    }

    /// Calls the hooks of this point, in the order of their names, and returns what they contribute. An error
    /// aborts the flow. `input` is evaluated only if there is a hook.
    pub fn hook<I: PointInput, O: PointOutput>(
        &mut self,
        point: &'static HookPoint<I, O>,
        input: impl FnOnce() -> I,
    ) -> Result<Vec<O>, Fault> {
        Ok(self.hook_by_name(point, input)?.into_iter().map(|(_, output)| output).collect())
    }

    /// Is there a hook at this point of the flow?
    pub fn has_hook<I: PointInput, O: PointOutput>(&self, point: &'static HookPoint<I, O>) -> bool {
        self.ctx.registry().has_hook(self.flow, point)
    }

    /// As `hook`, with the names of the hooks.
    pub(crate) fn hook_by_name<I: PointInput, O: PointOutput>(
        &mut self,
        point: &'static HookPoint<I, O>,
        input: impl FnOnce() -> I,
    ) -> Result<Vec<(&'static str, O)>, Fault> {
        let mut hooks = self.ctx.registry().hooks_at(self.flow, point).peekable();
        if hooks.peek().is_none() {
            return Ok(Vec::new());
        }
        let (input, ctx) = (input(), self.ctx);
        let mut input = HookInput::new(self.flow, point.name, &input, ctx.additional_data());
        let mut outputs = Vec::new();
        for hook in hooks {
            if let HookRun::Local(run) = hook.run {
                input.hook = hook.name;
                self.probe(hook.name, When::Before)?;
                let output = run(self, &input)?;
                self.probe(hook.name, When::After)?;
                outputs.extend(input.read(output)?.map(|it| (hook.name, it)));
            }
        }
        Ok(outputs)
    }

    /// The `additional_data` of the request, for hooks. Hooks that joined by the name of a point may also
    /// read it as a field of their input.
    pub fn additional_data<T: DeserializeOwned>(&self) -> Result<Option<T>, Fault> {
        let data = self.ctx.additional_data().map(T::deserialize).transpose();
        data.map_err(|error| Fault::invalid(format!("Invalid request: {ADDITIONAL_DATA}: {error}")))
    }

    /// Runs another flow as part of this one.
    pub fn run<I: Clone, O>(&mut self, flow: &'static Flow<I, O>, input: I) -> Result<O, Fault> {
        if self.ctx.runs_twice() {
            self.check_repeatable(flow, &input);
        }
        let is_part = !self.flow.is_empty();
        let mut inner = Local { tx: &mut *self.tx, at: self.at, ctx: self.ctx, flow: flow.name };
        // The time of a flow within another one is that of the outer one.
        if is_part {
            (flow.run)(&mut inner, input)
        } else {
            timed(self.ctx, self.at, flow.name, flow.name, || (flow.run)(&mut inner, input))
        }
    }

    /// Runs a flow twice with the same ids, and compares what it would write. Both runs are discarded.
    fn check_repeatable<I: Clone, O>(&mut self, flow: &'static Flow<I, O>, input: &I) {
        let (at, ctx, n_ids) = (self.at, self.ctx, self.at.n_ids());
        let run = || {
            at.rewind(n_ids);
            dry_run(&*self.tx, |tx| {
                let ran = (flow.run)(&mut Local { tx, at, ctx, flow: flow.name }, input.clone());
                ran.map(drop).map_err(|error| error.to_string())
            })
        };
        let (first, second) = (run(), run());
        at.rewind(n_ids);
        assert!(first == second, "`{}` wrote something else when it ran again over the same data", flow.name);
    }

    /// Runs a body of which only the result is kept, and nothing that it writes: what a transaction would do,
    /// before something outside is asked to do its part. It may do otherwise later, over other data.
    pub fn rehearse<T>(&mut self, body: impl FnOnce(&mut Local<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let (at, ctx, flow) = (self.at, self.ctx, self.flow);
        dry_run(&*self.tx, |tx| body(&mut Local { tx, at, ctx, flow })).0
    }

    /// Emits an event, which is delivered if the transaction commits.
    pub fn emit(&mut self, event: &str, data: Value) -> Result<(), StoreError> {
        emit(self.tx, self.at, event, data)
    }

    /// The application.
    pub fn ctx(&self) -> &'a Ctx {
        self.ctx
    }

    /// Runs the body of a local step of a saga, between its probes, and counts its time.
    pub(crate) fn run_step<T>(
        mut self,
        step: &str,
        body: impl FnOnce(&mut Local<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.probe(step, When::Before)?;
        let output = timed(self.ctx, self.at, self.flow, step, || body(&mut self))?;
        self.probe(step, When::After)?;
        Ok(output)
    }

    fn probe(&self, step: &str, when: When) -> Result<(), Fault> {
        self.ctx.probe(&Point { flow: self.flow, step, when })
    }
}

/// Runs a flow, or a step of a saga, in the transaction of this moment: counts its time, and traces it under
/// this name.
fn timed<T>(
    ctx: &Ctx,
    at: &Moment,
    flow: &'static str,
    name: &str,
    run: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut span =
        at.trace().and_then(|it| ctx.config().tracer.as_ref()?.child(it, name, SpanKind::Internal));
    let ran = ctx.flow_times().timed(flow, run);
    OpenSpan::note(&mut span, &ran);
    ran
}
