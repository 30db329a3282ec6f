//! The registry as text: printed by `atoll check`, and kept as a snapshot in git, so that a reviewer sees
//! what a change registers.

use std::{collections::BTreeSet, fmt};

use crate::{
    Registry,
    http::LedPath,
    query::{OnDelete, Resolve, Visibility},
};

/// Prints everything that is registered, one line each, in a fixed order.
impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.modules {
            let optional = if module.is_optional { " (optional)" } else { "" };
            writeln!(f, "module {}{optional}: {}", module.name, module.summary)?;
            for service in module.services {
                let def = service.table().def();
                writeln!(f, "  entity {} ({}_…): {}", def.name, def.prefix, def.fields.join(" "))?;
                if service.visibility() != Visibility::Admins {
                    writeln!(f, "    visible to {}", service.visibility())?;
                }
                for space in
                    service.table().spaces().into_iter().filter(|it| *it != def.name && *it != def.deleted)
                {
                    writeln!(f, "    index {space}")?;
                }
            }
            for table in module.dropped {
                writeln!(f, "  dropped {}", table.name)?;
            }
        }
        for module in &self.left_out.modules {
            writeln!(f, "module {} (optional): switched off", module.name)?;
        }
        for link in &self.links {
            let end =
                |end: &crate::data::End| format!("{}{}", end.entity, if end.many { " (many)" } else { "" });
            let columns: Vec<&str> = link.columns.iter().map(|it| it.name).collect();
            writeln!(
                f,
                "link {}: {} to {} {}",
                link.name,
                end(&link.left),
                end(&link.right),
                columns.join(" ")
            )?;
        }
        for link in &self.field_links {
            writeln!(f, "field link {}.{}: {} by {}", link.from, link.relation, link.to, link.field)?;
        }
        for projection in &self.projections {
            writeln!(f, "projection {}: follows {}", projection.name, projection.follows.join(" "))?;
        }
        for it in &self.computed {
            writeln!(f, "computed {}.{}", it.entity, it.name)?;
        }
        for entity in self.graph.entities() {
            for relation in self.graph.relations(entity.name) {
                let how = match relation.resolve {
                    Resolve::Embedded => "inside",
                    Resolve::Field(_) if relation.on_delete == OnDelete::Clear => {
                        "by field, cleared when that is deleted"
                    }
                    Resolve::Field(_) => "by field",
                    Resolve::Back(_) => "by index",
                    Resolve::With(_) => "by link",
                };
                let many = if relation.many { "[]" } else { "" };
                writeln!(f, "relation {}.{}: {}{many} {how}", entity.name, relation.name, relation.to)?;
            }
        }
        // Changes of records and links are events, too: of every entity and link above.
        let events: BTreeSet<&str> = self.events.iter().flat_map(|it| it.names).copied().collect();
        for event in events {
            writeln!(f, "event {event}")?;
        }
        for subscriber in &self.subscribers {
            writeln!(f, "subscriber {}: on {}", subscriber.name, subscriber.events.join(" "))?;
        }
        for flag in &self.flags {
            writeln!(
                f,
                "feature flag {}: {} by default",
                flag.name,
                if flag.default { "on" } else { "off" }
            )?;
        }
        for settings in &self.settings {
            for key in settings.keys {
                let default = match (key.default, (key.is_required)()) {
                    (Some(default), _) => default(),
                    (None, true) => "must be set".to_owned(),
                    (None, false) => "none".to_owned(),
                };
                let secret = if key.is_secret { "secret, " } else { "" };
                writeln!(f, "setting {}.{}: {secret}{default}", settings.module, key.name)?;
            }
        }
        for flow in &self.flows {
            let kind = if flow.as_saga().is_some() { "saga" } else { "flow" };
            let external = flow.external_hooks().iter().map(|it| format!("{it} (external)"));
            let hooks: Vec<String> = flow.hooks().iter().map(|it| it.to_string()).chain(external).collect();
            writeln!(f, "{kind} {}: {}", flow.name(), hooks.join(" "))?;
        }
        for hook in &self.hooks {
            writeln!(f, "hook {}: in {}", hook.name, hook.at)?;
        }
        for kind in &self.provider_kinds {
            write!(f, "providers {}:", kind.name)?;
            self.provider_ids(kind.name).try_for_each(|id| write!(f, " {id}"))?;
            writeln!(f)?;
        }
        for check in &self.checks {
            writeln!(f, "check {}: {}", check.name, check.summary)?;
        }
        for job in &self.jobs {
            writeln!(f, "job {}: {}", job.name, job.schedule)?;
        }
        for worker in &self.workers {
            writeln!(f, "worker {}", worker.name)?;
        }
        for metric in &self.metrics {
            writeln!(f, "metric {} by {}", metric.name, metric.label)?;
        }
        for it in &self.middleware {
            writeln!(f, "middleware {}: before {}", it.name, it.prefix)?;
        }
        for it in &self.led {
            let LedPath { prefix, if_missing } = it.path;
            writeln!(f, "led {}{prefix}", if if_missing { "if missing " } else { "" })?;
        }
        for it in &self.extensions {
            write!(f, "extension of {} {}:", it.method, it.path)?;
            let names = |fields: &[crate::http::Field]| fields.iter().map(|it| it.name).collect::<Vec<_>>();
            for (what, names) in [
                ("params", it.params.iter().map(|it| it.name).collect()),
                ("body", names(it.body)),
                ("additional_data", names(it.additional_data)),
                ("store_fields", it.store_fields.to_vec()),
            ] {
                if !names.is_empty() {
                    write!(f, " {what} {}", names.join(" "))?;
                }
            }
            writeln!(f)?;
        }
        for route in &self.routes {
            let with = route.flag.map(|it| format!(" with {it}")).unwrap_or_default();
            writeln!(f, "route {} {} ({:?}){with}", route.method, route.path, route.auth)?;
        }
        Ok(())
    }
}
