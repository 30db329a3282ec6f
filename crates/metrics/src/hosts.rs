//! The hosts of a shop, as this one sees them: who leads, how far the replica is behind the log, how much of
//! that is not folded, and what was forwarded. A host alone has the families, and no series.

use std::fmt;

use atoll_kernel::Ctx;
use atoll_storage::Standing;

use crate::families::Families;

pub(crate) fn write(ctx: &Ctx, to: &mut Families<'_>) -> fmt::Result {
    let hosts = ctx.config().hosts.as_ref();
    let (seen, view) = (hosts.map(|it| it.seen()), ctx.view());
    let seen = seen.as_ref();
    let leads = *ctx.store().standing().borrow() == Standing::Leads;
    to.gauge_if("atoll_host_leads", "Does this host lead?", seen.map(|_| f64::from(leads)))?;
    to.gauge_if(
        "atoll_host_epoch",
        "Number of the leadership: one more each time that a host begins to lead",
        seen.map(|it| it.epoch as f64),
    )?;
    let position = view.position();
    to.gauge_if(
        "atoll_replica_position",
        "The last commit that this host has",
        seen.map(|_| position.0 as f64),
    )?;
    to.gauge_if(
        "atoll_replica_lag_commits",
        "Commits of the log that this host has not applied yet",
        seen.map(|it| it.position.0.saturating_sub(position.0) as f64),
    )?;
    to.gauge_if(
        "atoll_replica_lag_seconds",
        "Time between the last commit of this host and that of the log",
        seen.map(|it| it.lag(&view).as_secs_f64()),
    )?;
    to.gauge_if(
        "atoll_log_silence_seconds",
        "Time since PostgreSQL has answered this host last",
        seen.and_then(|it| Some(it.heard_at?.elapsed().as_secs_f64())),
    )?;
    to.gauge_if(
        "atoll_log_unfolded_commits",
        "Commits of the log that the table of all keys in PostgreSQL does not hold yet",
        seen.map(|it| it.position.0.saturating_sub(it.folded.0) as f64),
    )?;
    let outcomes = hosts.into_iter().flat_map(|it| {
        let n = it.n_forwarded();
        [("answered", n.answered), ("not_answered", n.not_answered)]
    });
    to.counters(
        "atoll_forwarded_requests",
        "Requests that this host has handed to the one that leads, by their outcome",
        outcomes.map(|(outcome, n)| ([("outcome", outcome)], n)),
    )
}
