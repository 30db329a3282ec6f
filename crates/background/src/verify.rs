//! Checks of `verify`: the outbox, the cursors of subscribers, the runs of jobs and sagas, stored answers.

use atoll_kernel::{
    StoreError, check,
    data::{Direction, FieldValue, Scan, Slots},
    http::verify_answers,
    jobs::last_event,
    saga::verify_journals,
    serde::{Serialize, de::DeserializeOwned},
    verify::Verify,
};
use atoll_storage::{EVENTS, OUTBOX, Span};

use crate::{JOB_RUNS, JobRunState, cursor::CURSORS, job_run::PROGRESS};

// Events are removed from the beginning of the outbox, so the rest have consecutive numbers up to the last
// one.
check! { "outbox.numbers": "The numbers of events have no gap" => outbox_numbers }

// A cursor beyond the last event would skip events.
check! {
    "subscriber.cursors": "No cursor of a subscriber is beyond the last event" => subscriber_cursors
}

// A run of a job is either running, or has ended.
check! { "job.runs": "A run of a job is running and has a lease, or has ended and has an end time" => job_runs }

// The kernel runs sagas; this crate registers their records.
check! {
    "saga.journals": "A saga run that has ended waits for no step and holds no events back" => verify_journals
}

// The kernel stores answers; this crate registers their spaces.
check! { "idempotency.ages": "Each stored answer has an age entry, and each age entry an answer" => verify_answers }

fn outbox_numbers(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let (view, last) = (it.view, last_event(it.view)?);
    let mut before: Option<u64> = None;
    view.scan(&Span::prefix(&view.prefix(OUTBOX)), Direction::Ascending, &mut |key, value| {
        it.findings.checked("events")?;
        it.findings.decoded(&EVENTS, &key[2..], value);
        let number = key[2..].try_into().map(u64::from_be_bytes).unwrap_or_default();
        if let Some(before) = before
            && before + 1 != number
        {
            let (found, expected) = (format!("{before} before it"), (before + 1).to_string());
            it.findings.add("outbox.gap", OUTBOX, &key[2..], found, expected);
        }
        if number > last {
            let (found, expected) = (number.to_string(), format!("{last} at most"));
            it.findings.add("outbox.ahead", OUTBOX, &key[2..], found, expected);
        }
        before = Some(number);
        Ok(Scan::Continue(()))
    })
}

fn subscriber_cursors(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let last = last_event(it.view)?;
    slots(it, &CURSORS, "subscribers", |it, name, cursor| {
        if cursor.position > last {
            let (found, expected) = (cursor.position.to_string(), format!("{last} at most"));
            it.wrong("subscriber.ahead", CURSORS.space(), name, found, expected);
        }
    })
}

fn job_runs(it: &mut Verify<'_>) -> Result<(), StoreError> {
    slots(it, &PROGRESS, "jobs", |_, _, _| {})?;
    it.rows(&JOB_RUNS.table, |it, run| {
        let expected = match run.state {
            JobRunState::Running if run.lease_until.is_none() || run.ended_at.is_some() => {
                "a lease and no end"
            }
            JobRunState::Done | JobRunState::Failed
                if run.lease_until.is_some() || run.ended_at.is_none() =>
            {
                "an end and no lease"
            }
            JobRunState::Failed if run.error.is_none() => "why it failed",
            _ => return Ok(()),
        };
        it.wrong("job.run", "job_run", &run.id, format!("a run that is {}", run.state.as_str()), expected);
        Ok(())
    })
}

/// Visits the small records of a space, by name; those that do not decode are findings.
fn slots<T: FieldValue + Serialize + DeserializeOwned>(
    it: &mut Verify<'_>,
    of: &Slots<T>,
    what: &'static str,
    mut visit: impl FnMut(&mut Verify<'_>, &str, T),
) -> Result<(), StoreError> {
    let view = it.view;
    view.scan(&Span::prefix(&view.prefix(of.space())), Direction::Ascending, &mut |key, value| {
        it.findings.checked(what)?;
        if let Some(record) = it.findings.decoded(of, &key[2..], value) {
            visit(it, &String::from_utf8_lossy(&key[2..]), record);
        }
        Ok(Scan::Continue(()))
    })
}
