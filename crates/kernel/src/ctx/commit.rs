//! Transactions of the application: flows, and all that is committed, in one place.

use super::Ctx;
use crate::{
    Actor, Fault, FaultKind, Moment, Write,
    data::View,
    flow::{Flow, Local},
    http::{OpenSpan, SpanKind},
    once::Note,
};

impl Ctx {
    /// Runs a flow as one transaction on behalf of `actor`; returns its result, and a view of the commit.
    pub async fn run<I, O>(
        &self,
        flow: &'static Flow<I, O>,
        actor: Actor,
        input: I,
    ) -> Result<(O, View), Fault>
    where
        I: Clone + Send + 'static,
        O: Send + 'static,
    {
        self.local(actor, move |local| local.run(flow, input)).await
    }

    /// Runs several flows, or a flow and more, as one transaction.
    pub async fn local<T, F>(&self, actor: Actor, body: F) -> Result<(T, View), Fault>
    where
        F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let ctx = self.clone();
        self.write(actor, move |tx, at| body(&mut Local { tx, at, ctx: &ctx, flow: "" })).await
    }

    /// Runs `body` as one transaction on behalf of `actor`; returns its result, and a view of the commit.
    /// Requests that a client may retry under an `Idempotency-Key` use [`Ctx::local_once`].
    pub async fn write<T, F>(&self, actor: Actor, body: F) -> Result<(T, View), Fault>
    where
        F: FnOnce(&mut dyn Write, &Moment) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.commit(actor, body, |_| Note::Done(None)).await
    }

    /// As `write`. In a keyed request `note` is stored in the same commit, and the commit is made once.
    /// Errors: 401 for [`Actor::Nobody`], which may not write; 500 in a `GET`; 507 while the disk is nearly
    /// full, unless this is [`Ctx::finishing`].
    pub(crate) async fn commit<T, F>(
        &self,
        actor: Actor,
        body: F,
        note: impl FnOnce(&T) -> Note + Send + 'static,
    ) -> Result<(T, View), Fault>
    where
        F: FnOnce(&mut dyn Write, &Moment) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        refuse_nobody(&actor)?;
        if self.is_reading {
            return Err(Fault::unexpected(
                "a request with the method GET writes nothing: use POST or DELETE",
            ));
        }
        self.lose();
        if !self.is_finishing {
            self.shared.room.check()?;
        }
        let request = match &self.once {
            None => None,
            Some(once) => match once.next() {
                Ok(_) => return Err(once.lost("its result was not stored")),
                Err(request) => Some(request),
            },
        };
        let mut span = self.span("transaction", SpanKind::Internal);
        let at = Moment::new(self.now(), actor).traced(span.as_ref().map(OpenSpan::trace));
        let now = at.now();
        let run = move |tx: &mut dyn Write| -> Result<T, Fault> {
            let output = body(tx, &at)?;
            if let Some(request) = request {
                request.note(tx, note(&output))?;
            }
            Ok(output)
        };
        let committed = self.store.commit_at(now, run).await;
        OpenSpan::note(&mut span, &committed);
        drop(span);
        self.tell(&committed);
        let (output, view) = committed?;
        if let Some(once) = &self.once {
            once.wrote();
        }
        Ok((output, self.counted(view)))
    }

    /// Tells the request what became of a commit. One of unknown outcome may be in the log. A body that has
    /// refused has read what is published by now.
    fn tell<T>(&self, committed: &Result<(T, View), Fault>) {
        let Some(observed) = &self.observed else { return };
        match committed {
            Ok(_) => observed.commits(),
            Err(error) if error.kind() == FaultKind::OutcomeUnknown => observed.commits(),
            Err(_) => observed.reads(self.store.view().position()),
        }
    }
}

/// Refuses [`Actor::Nobody`]. Work of the shop for callers without an account runs as [`Actor::System`].
pub(crate) fn refuse_nobody(actor: &Actor) -> Result<(), Fault> {
    if *actor == Actor::Nobody { Err(Fault::unauthorized()) } else { Ok(()) }
}
