//! What is wrong with hooks, subscribers, jobs and providers.

use std::collections::BTreeSet;

use super::{Report, names::provider_name, nearest};
use crate::{
    change_event::change_events,
    flow::{AnyHookPoint, HookRun},
    jobs::Schedules,
    workflow::AnyFlow,
};

impl Report<'_> {
    pub(super) fn check_hooks(&mut self) {
        for hook in &self.registry.hooks {
            let is_external = matches!(hook.run, HookRun::External { .. });
            let points = |it: &&'static dyn AnyFlow| {
                let inner = if is_external { &[][..] } else { it.hooks() };
                let (flow, outer) = (*it, it.external_hooks());
                inner.iter().chain(outer).map(move |point| (flow, *point))
            };
            let points: Vec<_> = self.registry.flows.iter().flat_map(points).collect();
            let joined = points.iter().filter(|(flow, point)| hook.joins(flow.name(), *point));
            let joined: Vec<_> = joined.copied().collect();
            let own = self.registry.source_of(*hook);
            for (flow, point) in &joined {
                let name = format!("{}.{}", flow.name(), point.name());
                for misfit in hook.misfits(*point) {
                    let text = format!("hook `{}` does not fit `{name}`: it {misfit}", hook.name);
                    self.say([own, self.registry.source_of(*flow)], text);
                }
            }
            if joined.is_empty() {
                let what = if is_external { "calls to the outside" } else { "hooks" };
                let at = hook.at.to_string();
                let named = |(flow, point): &(&dyn AnyFlow, &dyn AnyHookPoint)| {
                    if at.contains('.') {
                        format!("{}.{}", flow.name(), point.name())
                    } else {
                        point.name().into()
                    }
                };
                let names: Vec<String> = points.iter().map(named).collect();
                let hint = nearest(&at, names.iter().map(String::as_str));
                self.say(
                    [own],
                    format!("hook `{}` joins `{at}`, where no flow takes {what}{hint}", hook.name),
                );
            }
        }
    }

    /// Ids of providers that no setting could name, and providers of a kind that no crate declares.
    pub(super) fn check_providers(&mut self) {
        for it in &self.registry.providers {
            let (name, source) = (provider_name(it), [Some(it.source)]);
            let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
            if it.id.is_empty() || !it.id.chars().all(fits) {
                self.say(
                    source,
                    format!(
                        "provider `{name}` has an id of other characters than letters, digits, `_` and `-`"
                    ),
                );
            }
            let mut kinds = self.registry.provider_kinds.iter().map(|it| it.name);
            if !kinds.any(|kind| kind == it.kind) {
                self.say(
                    source,
                    format!("provider `{name}` is of the kind `{}`, which is not declared", it.kind),
                );
            }
        }
    }

    /// Subscribers to events that nothing emits.
    pub(super) fn check_subscribers(&mut self) {
        let mut known: BTreeSet<String> =
            self.registry.events.iter().flat_map(|it| it.names).map(|it| (*it).to_owned()).collect();
        let left_out = &self.registry.left_out;
        let modules = self.registry.modules.iter().chain(&left_out.modules).copied();
        let links = self.registry.links.iter().chain(&left_out.links).copied();
        known.extend(change_events(modules, links).into_iter().flat_map(|(_, names)| names).flatten());
        known.insert("*".to_owned());
        for subscriber in &self.registry.subscribers {
            for event in subscriber.events.iter().filter(|it| !known.contains(**it)) {
                let hint = nearest(event, known.iter().map(String::as_str));
                self.say(
                    [self.registry.source_of(*subscriber)],
                    format!(
                        "subscriber `{}` follows `{event}`, which nothing emits{hint}; the crate that emits it \
                         declares it with `events!`",
                        subscriber.name
                    ),
                );
            }
        }
    }

    pub(super) fn check_jobs(&mut self) {
        for job in &self.registry.jobs {
            if let Err(error) = job.schedule.plan(&Schedules::new()) {
                self.say(
                    [self.registry.source_of(*job)],
                    format!("job `{}` has a schedule that cannot be read: {error}", job.name),
                );
            }
        }
    }
}
