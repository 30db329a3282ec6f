//! Compensation of saga runs: undoes all steps of a failed run, or those of a failed part if the function of
//! the saga goes on.

use crate::{
    Fault, Moment, Write,
    flow::{Local, Point, StepCall, When},
    saga::{
        ExecutionState, Run, StepState,
        external::Outside,
        run::{LocalUndo, Undo},
        undo::{undo, undo_by},
    },
};

impl Run {
    /// Undoes a failed part at once, from the step at `begin` on, since the function may go on after its
    /// error. If that fails, the run fails.
    pub(crate) async fn whole<T>(&mut self, begin: usize, answer: Result<T, Fault>) -> Result<T, Fault> {
        let goes_on = self.failed.is_none() && self.journal.state != ExecutionState::Compensating;
        if answer.is_err()
            && goes_on
            && let Err(error) = self.undo_from(begin).await
        {
            self.fail(error);
        }
        answer
    }

    /// Undoes all steps that were done.
    pub(crate) async fn compensate(&mut self) -> Result<(), Fault> {
        if let Some(step) = self.journal.steps.get(self.undos.len()) {
            // The code has changed, or is not deterministic: the compensation of the remaining steps is
            // unknown.
            let text = format!("`{}` did not reach its step `{}` again", self.saga, step.name);
            return Err(Fault::unexpected(text));
        }
        self.undo_from(0).await
    }

    /// Undoes the steps from this index on, last step first. Each is marked as undone in a commit of its own;
    /// a local step in the commit that undoes it.
    async fn undo_from(&mut self, begin: usize) -> Result<(), Fault> {
        for index in (begin..self.undos.len()).rev() {
            if self.journal.steps[index].state == StepState::Reverted {
                continue;
            }
            match &self.undos[index] {
                Undo::Nothing => {}
                Undo::Outside(step) => self.undo_outside(index, step.clone()).await?,
                Undo::Exactly => self.undo_locally(index, None).await?,
                Undo::Locally(by) => self.undo_locally(index, Some(by.clone())).await?,
            }
        }
        Ok(())
    }

    async fn undo_outside(&mut self, index: usize, step: Outside) -> Result<(), Fault> {
        let entry = &self.journal.steps[index];
        let call = StepCall {
            key: self.journal.key(&entry.name, "compensate"),
            invoke_key: self.journal.key(&entry.name, "invoke"),
            attempt: 1,
            input: step.input.clone(),
            answered: entry.state == StepState::Done,
            output: entry.output.clone(),
        };
        self.probe(&step.name, When::Undoing)?;
        let tried = step.compensate(&self.ctx, call).await;
        self.probe(&step.name, When::Undone)?;
        tried.answer.map_err(|error| Fault::from(&error))?;
        let mut journal = self.journal.clone();
        journal.steps[index].state = StepState::Reverted;
        self.commit(journal).await
    }

    async fn undo_locally(&mut self, index: usize, by: Option<LocalUndo>) -> Result<(), Fault> {
        let (ctx, flow, mut journal) = (self.ctx.clone(), self.saga, self.journal.clone());
        let body = move |tx: &mut dyn Write, at: &Moment| {
            let name = journal.steps[index].name.clone();
            ctx.probe(&Point { flow, step: &name, when: When::Undoing })?;
            match &by {
                Some(by) => {
                    let output = journal.steps[index].output.clone();
                    let by = |tx: &mut dyn Write| by(&mut Local { tx, at, ctx: &ctx, flow }, output);
                    undo_by(tx, &mut journal.steps, index, by)?;
                }
                None => undo(tx, &journal.steps[index].undo)?,
            }
            ctx.probe(&Point { flow, step: &name, when: When::Undone })?;
            journal.steps[index].state = StepState::Reverted;
            journal.write(tx, at)?;
            Ok(journal)
        };
        self.journal = self.write(body).await?.0;
        Ok(())
    }
}
