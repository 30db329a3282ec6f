//! Admin route of the registry: the modules, links, flows, hooks, subscribers, jobs, flags and settings that
//! are linked into the program, as `atoll check` prints them: `/admin/registry`. An addition of ours to the
//! wire.

use atoll_kernel::{
    Fault, Registry,
    http::{Answer, Call, Field, Part, Reply, Type, required},
    query::Visibility,
    routes,
    serde_json::{Value, json},
};

use crate::tables::{IDS, ONE};

routes! {
    /// Shows what is linked into the program: modules with their records, links, flows, hooks and the rest.
    /// Settings are shown with their defaults, and never with values.
    Get "/admin/registry" (Admin, ONE) => show: REGISTRY;
}

const NAME: Field = required("name", Type::Text).about("Its name.");
const REGISTRY: Answer = Answer::Object(&[Part::value(
    "registry",
    Type::Object(&[
        required("modules", Type::List(&MODULE)).about("The modules."),
        required("links", Type::List(&LINK)).about("The links between records of two modules."),
        required("flows", Type::List(&FLOW)).about("The flows and sagas."),
        required("hooks", Type::List(&HOOK)).about("The hooks that join them."),
        required("subscribers", Type::List(&SUBSCRIBER)).about("The subscribers of events."),
        required("jobs", Type::List(&JOB)).about("The scheduled jobs."),
        required("providers", Type::List(&PROVIDERS)).about("The providers, by kind."),
        required("feature_flags", Type::List(&FLAG)).about("The feature flags."),
        required("settings", Type::List(&SETTING)).about("The settings of modules, without their values."),
        required("checks", Type::List(&CHECK)).about("The rules that `verify` checks."),
        required("n_routes", Type::NotNegative).about("How many routes there are; `/openapi.json` has them."),
    ]),
    "What is linked in, each by name.",
)]);
const MODULE: Type = Type::Object(&[
    NAME,
    required("summary", Type::Text).about("What it is for."),
    required("is_optional", Type::Bool).about("Whether it can be switched off."),
    required("is_on", Type::Bool).about("False: it is switched off, with all that is its."),
    required("entities", Type::List(&ENTITY)).about("Its records."),
]);
const ENTITY: Type = Type::Object(&[
    NAME,
    required("fields", IDS).about("Its fields."),
    required("visible_to", Type::Text).or_null().about("Who sees them, besides admins."),
]);
const LINK: Type = Type::Object(&[
    NAME,
    required("left", Type::Text).about("The records at one end."),
    required("right", Type::Text).about("The records at the other end."),
    required("columns", IDS).about("What a pair holds."),
]);
const FLOW: Type = Type::Object(&[
    NAME,
    required("kind", Type::Words(&["flow", "saga"])).about("A flow is one transaction, a saga several."),
    required("points", IDS).about("Where hooks may join."),
]);
const HOOK: Type =
    Type::Object(&[NAME, required("at", Type::Text).about("The point, with its flow if it is of one.")]);
const SUBSCRIBER: Type =
    Type::Object(&[NAME, required("events", IDS).about("The events that it follows; `*` is all of them.")]);
const JOB: Type =
    Type::Object(&[NAME, required("schedule", Type::Text).about("A cron pattern or an interval.")]);
const PROVIDERS: Type = Type::Object(&[
    required("kind", Type::Text).about("What they provide."),
    required("ids", IDS).about("The ids of those that are linked in."),
]);
const FLAG: Type = Type::Object(&[
    NAME,
    required("default", Type::Bool).about("Whether it is on unless somebody says so."),
    required("is_on", Type::Bool).about("Whether it is on."),
]);
const SETTING: Type = Type::Object(&[
    required("module", Type::Text).about("The module or provider."),
    NAME,
    required("about", Type::Text).about("What it is for."),
    required("is_secret", Type::Bool).about("Whether it is never printed."),
    required("is_required", Type::Bool).about("Whether it must be set."),
    required("default", Type::Text).or_null().about("Its default."),
]);
const CHECK: Type = Type::Object(&[NAME, required("summary", Type::Text).about("The rule.")]);

async fn show(call: Call) -> Result<Reply, Fault> {
    let registry = call.app.registry();
    let flag = |it: &&atoll_kernel::registry::FeatureFlag| json!({ "name": it.name, "default": it.default, "is_on": call.app.is_on(it) });
    Ok(Reply::json(&json!({ "registry": {
        "modules": modules(registry),
        "links": registry.links.iter().map(|it| json!({
            "name": it.name, "left": it.left.entity, "right": it.right.entity,
            "columns": it.columns.iter().map(|it| it.name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "flows": flows(registry),
        "hooks": registry.hooks.iter()
            .map(|it| json!({ "name": it.name, "at": it.at.to_string() })).collect::<Vec<_>>(),
        "subscribers": registry.subscribers.iter()
            .map(|it| json!({ "name": it.name, "events": it.events })).collect::<Vec<_>>(),
        "jobs": registry.jobs.iter()
            .map(|it| json!({ "name": it.name, "schedule": it.schedule.to_string() })).collect::<Vec<_>>(),
        "providers": registry.provider_kinds.iter().map(|it| json!({
            "kind": it.name, "ids": registry.provider_ids(it.name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "feature_flags": registry.flags.iter().map(flag).collect::<Vec<_>>(),
        "settings": settings(registry),
        "checks": registry.checks.iter()
            .map(|it| json!({ "name": it.name, "summary": it.summary })).collect::<Vec<_>>(),
        "n_routes": registry.routes.len(),
    } })))
}

fn modules(registry: &Registry) -> Vec<Value> {
    let on = registry.modules.iter().map(|it| (it, true));
    let off = registry.left_out.modules.iter().map(|it| (it, false));
    let module = |(it, is_on): (&&'static atoll_kernel::data::Module, bool)| {
        let entities = it.services.iter().map(|service| {
            let (def, visibility) = (service.table().def(), service.visibility());
            let visible_to = (visibility != Visibility::Admins).then(|| visibility.to_string());
            json!({ "name": def.name, "fields": def.fields, "visible_to": visible_to })
        });
        json!({
            "name": it.name, "summary": it.summary, "is_optional": it.is_optional, "is_on": is_on,
            "entities": entities.collect::<Vec<_>>(),
        })
    };
    on.chain(off).map(module).collect()
}

fn flows(registry: &Registry) -> Vec<Value> {
    let flow = |it: &&'static dyn atoll_kernel::flow::AnyFlow| {
        let points = it.hooks().iter().chain(it.external_hooks()).map(|it| it.to_string());
        let kind = if it.as_saga().is_some() { "saga" } else { "flow" };
        json!({ "name": it.name(), "kind": kind, "points": points.collect::<Vec<_>>() })
    };
    registry.flows.iter().map(flow).collect()
}

fn settings(registry: &Registry) -> Vec<Value> {
    let all = registry.settings.iter().flat_map(|of| of.keys.iter().map(|key| (of.module, key)));
    all.map(|(module, key)| {
        json!({
            "module": module, "name": key.name, "about": key.text, "is_secret": key.is_secret,
            "is_required": key.must_be_set(), "default": key.default.map(|default| default()),
        })
    })
    .collect()
}
