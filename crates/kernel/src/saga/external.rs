//! External steps: calls to other systems, with time-out, retries and compensation.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Ctx, Fault, FaultKind, Timestamp,
    flow::StepCall,
    http::{FaultRecord, OpenSpan, SpanKind},
    subtask::subtask,
};

/// Default time-out of one attempt.
const TIMEOUT: Duration = Duration::from_secs(30);

type Calling<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;
pub(crate) type Action<T> = Arc<dyn Fn(Ctx, StepCall) -> Calling<T> + Send + Sync>;

/// An external step. It is called at least once, always with the same idempotency key.
pub struct External<T> {
    pub(crate) step: Outside,
    pub(crate) of: std::marker::PhantomData<fn() -> T>,
}

/// Retry policy: number of retries, pause, and backoff.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) n_retries: u32,
    pub(crate) pause: Duration,
    /// Factor by which the pause grows with each retry.
    factor: u32,
}

impl Patience {
    /// Of calls: no retries by default.
    pub(crate) const fn of(n_retries: u32, pause: Duration) -> Patience {
        Patience { n_retries, pause, factor: 1 }
    }

    /// Of compensations, at least: a run that cannot be undone needs an operator.
    const UNDOING: Patience = Patience { n_retries: 3, pause: Duration::from_millis(100), factor: 2 };
}

/// An external step with its output type erased.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) name: String,
    pub(crate) input: Value,
    call: Action<Value>,
    undo: Option<Action<()>>,
    pub(crate) patience: Patience,
    pub(crate) timeout: Duration,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> External<T> {
    /// A step of this name with this call: no compensation, no retries.
    pub fn new<F, R>(name: &'static str, call: F) -> External<T>
    where
        F: Fn(Ctx, StepCall) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let call = move |ctx, it| {
            let answer = call(ctx, it);
            let answer = async move { serde_json::to_value(answer.await?).map_err(Fault::unexpected) };
            Box::pin(answer) as Calling<Value>
        };
        External { step: Outside::new(name.to_owned(), Arc::new(call)), of: std::marker::PhantomData }
    }

    /// Sets the compensation. It is also called after a failed or timed-out call, which may have had an
    /// effect; the output is unknown then.
    pub fn undo<F, R>(mut self, undo: F) -> External<T>
    where
        F: Fn(Ctx, StepCall, Option<T>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let undo = move |ctx, call: StepCall| {
            let answer = call.answered.then(|| serde_json::from_value(call.output.clone()).ok()).flatten();
            Box::pin(undo(ctx, call, answer)) as Calling<()>
        };
        self.step.undo = Some(Arc::new(undo));
        self
    }

    /// Sets the number of retries, and the pause before each. A refusal (4xx) is an answer, and is not
    /// retried. Compensations are retried at least three times.
    pub fn retries(mut self, n_retries: u32, pause: Duration) -> External<T> {
        self.step.patience = Patience::of(n_retries, pause);
        self
    }

    /// Sets the time-out of one attempt; 30 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> External<T> {
        self.step.timeout = timeout;
        self
    }
}

/// The result of all attempts.
pub(crate) struct Tried<T> {
    pub(crate) answer: Result<T, FaultRecord>,
    pub(crate) n_attempts: u32,
    pub(crate) timed_out: bool,
}

impl Outside {
    pub(crate) fn new(name: String, call: Action<Value>) -> Outside {
        let patience = Patience::of(0, Duration::ZERO);
        Outside { name, input: Value::Null, call, undo: None, patience, timeout: TIMEOUT }
    }

    pub(crate) fn with_undo(mut self, undo: Option<Action<()>>) -> Outside {
        self.undo = undo;
        self
    }

    pub(crate) fn has_undo(&self) -> bool {
        self.undo.is_some()
    }

    /// Makes the call, with its retries.
    pub(crate) async fn invoke(
        &self,
        ctx: &Ctx,
        call: StepCall,
        deadline: Option<Timestamp>,
    ) -> Tried<Value> {
        let mut span = ctx.span(&self.name, SpanKind::Client);
        let ctx = ctx.in_span(span.as_ref());
        let tried = self.try_all(&self.call, &ctx, call, deadline, self.patience).await;
        OpenSpan::note(&mut span, &tried.answer);
        tried
    }

    /// Calls the compensation, with its retries.
    pub(crate) async fn compensate(&self, ctx: &Ctx, call: StepCall) -> Tried<()> {
        match &self.undo {
            Some(undo) => {
                let is_more = self.patience.n_retries > Patience::UNDOING.n_retries;
                let patience = if is_more { self.patience } else { Patience::UNDOING };
                let mut span = ctx.span(&format!("undo {}", self.name), SpanKind::Client);
                let tried = self.try_all(undo, &ctx.in_span(span.as_ref()), call, None, patience).await;
                OpenSpan::note(&mut span, &tried.answer);
                tried
            }
            None => Tried { answer: Ok(()), n_attempts: 0, timed_out: false },
        }
    }

    async fn try_all<T: Send + 'static>(
        &self,
        action: &Action<T>,
        ctx: &Ctx,
        mut call: StepCall,
        deadline: Option<Timestamp>,
        Patience { n_retries, mut pause, factor }: Patience,
    ) -> Tried<T> {
        let left = || {
            let millis = deadline?.millis().saturating_sub(ctx.now().millis());
            Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
        };
        loop {
            let timeout = left().map_or(self.timeout, |left| left.min(self.timeout));
            // Runs in a task of its own, so that a panic is an error like others.
            let (app, told, action) = (ctx.clone(), call.clone(), action.clone());
            let called = subtask(async move { action(app, told).await });
            let ended = tokio::time::timeout(timeout, called).await;
            let timed_out = ended.is_err();
            let answer = match ended {
                Ok(Ok(answer)) => answer,
                Ok(Err(panic)) => Err(Fault::unexpected(panic)),
                Err(_) => {
                    let text = format!("`{}` did not answer within {} ms", self.name, timeout.as_millis());
                    Err(Fault::unexpected(text))
                }
            };
            match answer {
                Err(error)
                    if error.kind() == FaultKind::Unexpected
                        && call.attempt <= n_retries
                        // Nor could what another attempt brings about be written.
                        && !ctx.store().is_over()
                        && left().is_none_or(|left| left > pause) =>
                {
                    tracing::warn!(step = self.name, attempt = call.attempt, %error, "a step is tried again");
                    tokio::time::sleep(pause).await;
                    pause *= factor;
                    call.attempt += 1;
                }
                answer => {
                    let answer = answer.map_err(|error| FaultRecord::from(&error));
                    return Tried { answer, n_attempts: call.attempt, timed_out };
                }
            }
        }
    }
}
