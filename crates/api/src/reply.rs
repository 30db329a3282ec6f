//! The ways in which a route answers.

use std::sync::Arc;

use atoll_availability::EVERYWHERE;
use atoll_flows::sales_channel::LinkIds;
use atoll_kernel::{
    Actor, Call, Context, Ctx, Entity, Fault, FaultKind, Flow, Ids, ListParams, Local, Moment, Node, Reply,
    Resource, Service, View, Write,
    serde::de::DeserializeOwned,
    serde_json::{Value, json},
};

use crate::gate::{context_in, scope};

/// Writes, and shows the record that came of it, as the commit left it.
pub(crate) async fn save<T, F>(resource: &'static Resource, call: Call, mut body: F) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnMut(&mut dyn Write, &Moment) -> Result<T, Fault> + Send + 'static,
{
    perform(resource, call, move |flow| body(flow.tx, flow.at)).await
}

/// Runs flows in one transaction, and shows the record that came of it, as the commit left it.
pub(crate) async fn perform<T, F>(resource: &'static Resource, call: Call, body: F) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnMut(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    let (context, fields) = (context(&call), call.params.fields.clone());
    // What cannot be shown is refused before it is written, not after.
    resource.check(&call.app.view(), &context, fields.as_deref())?;
    let (record, view) = call.app.local(call.pass.actor.clone(), body).await?;
    let node: Node = Arc::new(record);
    show_done(&call.app, &view, fields, move |view, fields| {
        resource.show(view, &context, node.clone(), fields)
    })
    .await
}

/// Shows what was done. It is done, whatever becomes of the answer: where showing these fields takes too much, `show` is
/// asked for none, and shows ids.
async fn show_done<T: Send + 'static>(
    ctx: &Ctx,
    view: &View,
    fields: Option<String>,
    show: impl Fn(&View, Option<&str>) -> Result<T, Fault> + Send + Sync + 'static,
) -> Result<T, Fault> {
    let show = Arc::new(show);
    let all = show.clone();
    match ctx.read(view, move |view| all(view, fields.as_deref())).await {
        Err(fault) if matches!(fault.kind(), FaultKind::TooExpensive | FaultKind::Busy) => {
            ctx.read(view, move |view| show(view, Some(""))).await
        }
        shown => shown,
    }
}

/// What the answer to this call depends on. Admins see the stock of all locations; shoppers are shown what is in
/// their scope.
pub(crate) fn context(call: &Call) -> Context {
    match call.pass.actor {
        Actor::User(_) | Actor::ApiKey(_) => call.app.context().with(EVERYWHERE, Vec::new()),
        Actor::Shopper(_) | Actor::Customer(_) => context_in(&call.app, scope(call)),
        Actor::System => call.app.context(),
    }
}

/// Writes, and says that the record with this id is gone.
pub(crate) async fn remove<F>(call: Call, object: &'static str, mut body: F) -> Result<Reply, Fault>
where
    F: FnMut(&mut dyn Write, &Moment, &str) -> Result<(), Fault> + Send + 'static,
{
    let id = call.path("id").to_owned();
    let gone = json!({ "id": id, "object": object, "deleted": true });
    call.app.write(call.pass.actor.clone(), move |tx, at| body(tx, at, &id)).await?;
    Ok(Reply::json(&gone))
}

/// Runs a flow that deletes by ids, and says that the record with this id is gone.
pub(crate) async fn remove_by<O: Send + 'static>(
    call: Call,
    object: &'static str,
    flow: &'static Flow<Vec<String>, O>,
) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let gone = json!({ "id": id, "object": object, "deleted": true });
    call.app.run(flow, call.pass.actor.clone(), vec![id]).await?;
    Ok(Reply::json(&gone))
}

/// Says that what has this id is gone from a record, and shows that record: `reply` does.
pub(crate) async fn gone_from(
    parent: &Resource,
    id: Value,
    object: &str,
    reply: impl Future<Output = Result<Reply, Fault>>,
) -> Result<Reply, Fault> {
    let shown: Value = serde_json::from_slice(&reply.await?.json).map_err(Fault::unexpected)?;
    Ok(Reply::json(&json!({ "id": id, "object": object, "deleted": true, "parent": shown[parent.one] })))
}

/// Runs a flow that makes a record of the body, and shows it.
pub(crate) async fn create_by<T: Entity>(
    resource: &'static Resource,
    mut call: Call,
    flow: &'static Flow<Vec<T>, Vec<T>>,
) -> Result<Reply, Fault> {
    let record: T = call.read()?;
    perform(resource, call, move |it| only(it.run(flow, vec![record.clone()])?)).await
}

/// Runs a flow that changes the record of the path as the body says, and shows it.
pub(crate) async fn update_by<T, P>(
    resource: &'static Resource,
    mut call: Call,
    flow: &'static Flow<(String, P), T>,
) -> Result<Reply, Fault>
where
    T: Entity,
    P: DeserializeOwned + Clone + Send + 'static,
{
    let input = (call.path("id").to_owned(), call.read::<P>()?);
    perform(resource, call, move |it| it.run(flow, input.clone())).await
}

/// Runs a flow that links other records to the one of the path, and shows that.
pub(crate) async fn link_by<T: Entity>(
    resource: &'static Resource,
    call: Call,
    flow: &'static Flow<LinkIds, ()>,
    service: &'static Service<T>,
    not_found: fn(&str) -> String,
) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(resource, call, move |it| {
        if !service.table.exists(it.tx, &ids.id)? {
            return Err(Fault::not_found(not_found(&ids.id)));
        }
        it.run(flow, ids.clone())?;
        Ok(service.retrieve(it.tx, &ids.id)?)
    })
    .await
}

/// Records that were written, as an answer shows them, without an envelope.
pub(crate) async fn shown<T: Entity>(
    resource: &'static Resource,
    call: &Call,
    view: &View,
    fields: Option<String>,
    records: Vec<T>,
) -> Result<Vec<Value>, Fault> {
    let context = context(call);
    let nodes: Vec<Node> = records.into_iter().map(|it| Arc::new(it) as Node).collect();
    show_done(&call.app, view, fields, move |view, fields| {
        let mut json = b"[".to_vec();
        resource.write_all(view, &context, nodes.clone(), &resource.field_list(fields), &mut json)?;
        json.push(b']');
        serde_json::from_slice(&json).map_err(Fault::unexpected)
    })
    .await
}

/// The record that a flow made of the one that it was given.
pub(crate) fn only<T>(made: Vec<T>) -> Result<T, Fault> {
    made.into_iter().next().ok_or_else(|| Fault::unexpected("a flow made nothing"))
}

/// What a request asks of an order, and what it is shown whatever it asks for. All of a line is its detail, too.
pub(crate) fn with_always(fields: Option<String>, always: &str) -> Option<String> {
    match fields.as_deref() {
        None => Some(always.to_owned()),
        Some("") => Some(format!("id,{always}")),
        Some(fields) => {
            let has_lines = fields.split(',').any(|it| it.trim_start_matches('+') == "*items");
            let detail = if has_lines { ",+*items.detail" } else { "" };
            Some(format!("{fields},{always}{detail}"))
        }
    }
}

/// Shows the record of the path, or says that it was not found.
pub(crate) fn find(
    resource: &'static Resource,
    call: &Call,
    not_found: impl FnOnce(&str) -> String,
) -> Result<Reply, Fault> {
    let id = call.path("id");
    let found = resource.find(&call.app.view(), &context(call), id, &call.params)?;
    found.ok_or_else(|| Fault::not_found(not_found(id)))
}

/// Shows the page of a list that the call asks for, among the records in all of `within`.
pub(crate) fn page(
    resource: &'static Resource,
    call: Call,
    within: Vec<Box<dyn Ids>>,
) -> Result<Reply, Fault> {
    let context = context(&call);
    resource.list(&call.app.view(), &context, call.params, within)
}

/// Shows this field, too, whatever the request asks for.
pub(crate) fn add_field(params: &mut ListParams, field: &str) {
    let fields = match params.fields.as_deref() {
        None => format!("+{field}"),
        Some("") => format!("id,+{field}"),
        Some(fields) => format!("{fields},+{field}"),
    };
    params.fields = Some(fields);
}

/// The ids of a body to link to the record of the path, and to unlink. The same id twice is one.
pub(crate) fn link_ids(call: &Call) -> LinkIds {
    let ids = |name: &str| {
        let items = call.body().get(name).and_then(Value::as_array).into_iter().flatten();
        let mut ids: Vec<String> = items.filter_map(Value::as_str).map(str::to_owned).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    LinkIds { id: call.path("id").to_owned(), add: ids("add"), remove: ids("remove") }
}
