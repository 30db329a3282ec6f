//! The ways in which a route answers.

use std::sync::Arc;

use atoll_availability::EVERYWHERE;
use atoll_flows::sales_channel::LinkIds;
use atoll_kernel::{
    Actor, Call, Context, Ctx, Entity, Fault, FaultKind, Flow, Ids, ListParams, Local, Moment, Node,
    Registry, Reply, Resource, Service, View, Write,
    serde::{Serialize, de::DeserializeOwned},
    serde_json::{self, Value, json},
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
    // What cannot be shown is refused before it is written, not after.
    let context = context(&call);
    resource.check(&call.app.view(), &context, call.params.fields.as_deref())?;
    let mut body = body;
    let (node, view) = call
        .app
        .local_once(
            call.pass.actor.clone(),
            move |flow| Ok(Arc::new(body(flow)?) as Node),
            |it| it.key().to_owned(),
            |view, id: String| again(&call, &context, T::DEF.name, view, &id),
        )
        .await?;
    show_written(resource, &call, &view, node).await
}

/// Shows a record as a commit left it, whose fields were checked before.
pub(crate) async fn show_written(
    resource: &'static Resource,
    call: &Call,
    view: &View,
    node: Node,
) -> Result<Reply, Fault> {
    let context = context(call);
    show_done(&call.app, view, call.params.fields.clone(), move |view, fields| {
        resource.show(view, &context, node.clone(), fields)
    })
    .await
}

/// Shows what was done. It is done, whatever becomes of the answer: where showing these fields takes too much, `show` is
/// asked for none, and shows ids.
pub(crate) async fn show_done<T: Send + 'static>(
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

/// A record that was written by a request that comes again, as it is now.
fn again(call: &Call, context: &Context, entity: &str, view: &View, id: &str) -> Result<Node, Fault> {
    let node = Registry::graph().table(entity).node(view, id)?;
    let node = node.ok_or_else(|| call.app.cannot_repeat(&format!("{id} is gone since")))?;
    match context.wall().map(|it| it.shows(view, &node)).transpose()? {
        Some(false) => Err(call.app.cannot_repeat(&format!("{id} is out of reach since"))),
        _ => Ok(node),
    }
}

/// As `perform`, for a record that has a secret: only this answer shows it, in `field` of the record.
pub(crate) async fn perform_secretly<T, F>(
    resource: &'static Resource,
    call: Call,
    field: &str,
    secret: String,
    body: F,
) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnMut(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    if call.app.is_repeat() {
        return Err(call.app.cannot_repeat("the answer held a secret, which is shown once"));
    }
    let reply = perform(resource, call, body).await?;
    let mut shown: Value = serde_json::from_slice(&reply.json).map_err(Fault::unexpected)?;
    shown[resource.one][field] = secret.into();
    Ok(Reply::json(&shown).secret())
}

/// Runs a flow, once; a repeat of the request is handed what it came to.
pub(crate) async fn run_once<I, O>(
    call: &Call,
    flow: &'static Flow<I, O>,
    input: I,
) -> Result<(O, View), Fault>
where
    I: Clone + Send + 'static,
    O: Serialize + DeserializeOwned + Clone + Send + 'static,
{
    let body = move |local: &mut Local<'_>| local.run(flow, input.clone());
    call.app.local_once(call.pass.actor.clone(), body, O::clone, |_, it| Ok(it)).await
}

/// Records of a batch, as the request that wrote them notes them.
pub(crate) fn ids<T: Entity>(records: &[T]) -> Vec<String> {
    records.iter().map(|it| it.id().to_string()).collect()
}

/// Records of a batch that comes again, as they are now.
pub(crate) fn records<T: Entity>(
    app: &Ctx,
    service: &Service<T>,
    view: &View,
    ids: &[String],
) -> Result<Vec<T>, Fault> {
    let record = |id: &String| {
        let found = service.get(view, id)?;
        found.ok_or_else(|| app.cannot_repeat(&format!("{id} is gone since")))
    };
    ids.iter().map(record).collect()
}

/// What the answer to this call depends on. Admins see the stock of all locations; shoppers are shown what is in
/// their scope.
pub(crate) fn context(call: &Call) -> Context {
    match call.pass.actor {
        Actor::User(_) | Actor::ApiKey(_) => call.app.context().with(EVERYWHERE, Vec::new()),
        Actor::Shopper(_) | Actor::Customer(_) => context_in(&call.app, scope(call)),
        Actor::Nobody | Actor::System => call.app.context(),
    }
}

/// Writes, and says that the record with this id is gone.
pub(crate) async fn remove<F>(call: Call, object: &'static str, mut body: F) -> Result<Reply, Fault>
where
    F: FnMut(&mut dyn Write, &Moment, &str) -> Result<(), Fault> + Send + 'static,
{
    let id = call.path("id").to_owned();
    let gone = json!({ "id": id, "object": object, "deleted": true });
    let body = move |flow: &mut Local<'_>| body(flow.tx, flow.at, &id);
    call.app.local_once(call.pass.actor.clone(), body, |()| (), |_, ()| Ok(())).await?;
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
    let body = move |local: &mut Local<'_>| local.run(flow, vec![id.clone()]).map(drop);
    call.app.local_once(call.pass.actor.clone(), body, |()| (), |_, ()| Ok(())).await?;
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

/// Makes, changes and deletes records in one transaction; `body` answers those that it made and those that it changed.
/// A repeat of the request is shown them as they are then.
pub(crate) async fn perform_batch<T, F>(
    resource: &'static Resource,
    service: &'static Service<T>,
    call: Call,
    fields: Option<String>,
    object: &'static str,
    gone: Vec<String>,
    body: F,
) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnMut(&mut Local<'_>) -> Result<(Vec<T>, Vec<T>), Fault> + Send + 'static,
{
    let ((created, updated), view) = call
        .app
        .local_once(
            call.pass.actor.clone(),
            body,
            |(created, updated)| (ids(created), ids(updated)),
            |view, (created, updated)| {
                let again = |ids: Vec<String>| records(&call.app, service, view, &ids);
                Ok((again(created)?, again(updated)?))
            },
        )
        .await?;
    let show = |records: Vec<T>| shown(resource, &call, &view, fields.clone(), records);
    Ok(Reply::json(&json!({
        "created": show(created).await?, "updated": show(updated).await?,
        "deleted": { "ids": gone, "object": object, "deleted": true },
    })))
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
