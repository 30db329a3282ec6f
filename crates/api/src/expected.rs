//! Preconditions of writes (`If-Match`): a record is changed only while it is as the caller has seen it, so
//! that nobody's update is lost (optimistic concurrency control).

use std::sync::Arc;

use atoll_kernel::{
    Fault, FaultKind, Read,
    data::View,
    http::{Bytes, Call, Head, ReadPlan, header_names::IF_MATCH, is_expected},
};

/// Upper bound of the JSON of a record that is compared: within the transaction it is read once more, on the
/// thread of the writer.
const EXPECTED_BYTES_MAX: usize = 1024 * 1024;

/// What a write takes for granted.
pub(crate) struct Expected {
    plan: ReadPlan,
    /// The record.
    id: String,
    head: Arc<Head>,
}

impl Expected {
    /// What this request expects of the record of its path, as a `GET` with the same `fields` shows it;
    /// `None` if it has no `If-Match`. Errors: 409 if the record is gone or another already, 400 if the
    /// fields are too much to compare.
    pub(crate) async fn of(plan: &ReadPlan, call: &Call) -> Result<Option<Expected>, Fault> {
        let head = call.head();
        // What a retry expects, the first attempt has changed.
        if !head.headers.contains_key(IF_MATCH) || call.app.is_repeat() {
            return Ok(None);
        }
        let ids: Vec<String> = call.path_values().map(str::to_owned).collect();
        let shown = plan.clone();
        let find = move |view: &View| -> Result<Option<(String, Bytes)>, Fault> {
            for id in &ids {
                if let Some(reply) = shown.find(view, id)? {
                    return Ok(Some((id.clone(), reply.json)));
                }
            }
            Ok(None)
        };
        let (id, json) = call.app.read(&call.view, find).await?.ok_or_else(changed)?;
        if json.len() > EXPECTED_BYTES_MAX {
            let text = format!(
                "`If-Match` compares at most {EXPECTED_BYTES_MAX} bytes: ask for fewer `fields`, and for the same \
                 ones here"
            );
            return Err(Fault::invalid(text));
        }
        match is_expected(&head, &json) {
            true => Ok(Some(Expected { plan: plan.clone(), id, head })),
            false => Err(changed()),
        }
    }

    /// Is it so in this transaction? Error: 409.
    pub(crate) fn check(&self, tx: &dyn Read) -> Result<(), Fault> {
        match self.plan.find(tx, &self.id)? {
            Some(reply) if is_expected(&self.head, &reply.json) => Ok(()),
            _ => Err(changed()),
        }
    }
}

fn changed() -> Fault {
    Fault::new(FaultKind::Conflict, "The record is not as `If-Match` says any more: nothing was written")
}
