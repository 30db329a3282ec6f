//! Helpers of handlers: write and show, delete and answer, batches, pages, retries of idempotent requests.

use std::sync::Arc;

use atoll_flows::sales_channel::LinkIds;
use atoll_kernel::{
    Ctx, Fault, FaultKind, Moment, Registry, Write,
    data::{Entity, Node, Service, View},
    flow::{Flow, Local},
    http::{Call, Deleted, ReadPlan, Reply, Resource},
    query::Ids,
    serde::{Serialize, de::DeserializeOwned},
    serde_json::{Value, json},
};

use crate::expected::Expected;

/// Runs flows in one transaction, and shows the resulting record, as the commit left it.
pub(crate) async fn perform<T, F>(resource: &'static Resource, call: Call, body: F) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    perform_as(&resource.plan(&call), call, body).await
}

/// As `perform`, by this plan.
pub(crate) async fn perform_as<T, F>(plan: &ReadPlan, call: Call, body: F) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    let (app, node, view) = write(plan, call, body).await?;
    show_written(&app, &view, plan, node).await
}

/// As `perform`, for a change of a part of a record, which is answered by the whole: `If-Match` is of the
/// part.
pub(crate) async fn perform_in<T, F>(
    whole: &'static Resource,
    part: &'static Resource,
    call: Call,
    body: F,
) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    let plan = whole.plan(&call);
    let expected = Expected::of(&part.plan(&call), &call).await?;
    let (app, node, view) = write_if(&plan, expected, call, body).await?;
    show_written(&app, &view, &plan, node).await
}

/// Runs flows in one transaction; returns their record and a view of the commit. Fields that cannot be shown
/// are refused before the write, and so is a record that others have changed since the caller saw it.
pub(crate) async fn write<T, F>(plan: &ReadPlan, call: Call, body: F) -> Result<(Ctx, Node, View), Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    let expected = Expected::of(plan, &call).await?;
    write_if(plan, expected, call, body).await
}

async fn write_if<T, F>(
    plan: &ReadPlan,
    expected: Option<Expected>,
    call: Call,
    body: F,
) -> Result<(Ctx, Node, View), Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    plan.check(&call.view)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let body = move |flow: &mut Local<'_>| -> Result<Node, Fault> {
        expected.iter().try_for_each(|it| it.check(flow.tx))?;
        Ok(Arc::new(body(flow)?) as Node)
    };
    let (node, view) = app
        .local_once(
            pass.actor,
            body,
            |it| it.key().to_owned(),
            |view, id: String| again(&app, plan, T::DEF.name, view, &id),
        )
        .await?;
    Ok((app, node, view))
}

/// Shows a record in the state of a commit. Its fields were checked before.
pub(crate) async fn show_written(
    app: &Ctx,
    view: &View,
    plan: &ReadPlan,
    node: Node,
) -> Result<Reply, Fault> {
    show_done(app, view, plan, move |view, plan| plan.show(view, node.clone())).await
}

/// Shows the result of a write, which is committed whatever the answer: if the requested fields take too much
/// to show, or lead to a damaged record, `show` is called again with a plan of ids only.
pub(crate) async fn show_done<T: Send + 'static>(
    app: &Ctx,
    view: &View,
    plan: &ReadPlan,
    show: impl Fn(&View, &ReadPlan) -> Result<T, Fault> + Send + Sync + 'static,
) -> Result<T, Fault> {
    use FaultKind::{Busy, TooExpensive, Unexpected};
    let (show, all) = (Arc::new(show), plan.clone());
    let shown = show.clone();
    match app.read(view, move |view| shown(view, &all)).await {
        Err(fault) if matches!(fault.kind(), TooExpensive | Busy | Unexpected) => {
            if fault.kind() == Unexpected {
                tracing::error!("what was written is not shown: {fault} {}", fault.causes());
            }
            let ids = plan.ids_only();
            app.read(view, move |view| show(view, &ids)).await
        }
        shown => shown,
    }
}

/// The current state of a record that the first attempt of this request has written.
fn again(app: &Ctx, plan: &ReadPlan, entity: &str, view: &View, id: &str) -> Result<Node, Fault> {
    let node = Registry::graph().table(entity).node(view, id)?;
    let node = node.ok_or_else(|| app.cannot_repeat(&format!("{id} was deleted since")))?;
    if plan.admits(view, &node)? {
        return Ok(node);
    }
    Err(app.cannot_repeat(&format!("{id} is not visible to the client any more")))
}

/// As `perform`, for a record with a secret, which only this answer shows, in `field`.
pub(crate) async fn perform_secretly<T, F>(
    resource: &'static Resource,
    call: Call,
    field: &'static str,
    secret: String,
    body: F,
) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    if call.app.is_repeat() {
        return Err(call.app.cannot_repeat("the answer held a secret, which is shown once"));
    }
    let plan = resource.plan(&call).instead(field, secret);
    let (app, node, view) = write(&plan, call, body).await?;
    Ok(show_written(&app, &view, &plan, node).await?.secret())
}

/// Runs a flow once; a retry of the request gets the same result. The call goes on with the snapshot of the
/// commit.
pub(crate) async fn run_once<I, O>(
    mut call: Call,
    flow: &'static Flow<I, O>,
    input: I,
) -> Result<(O, Call), Fault>
where
    I: Clone + Send + 'static,
    O: Serialize + DeserializeOwned + Clone + Send + 'static,
{
    let body = move |local: &mut Local<'_>| local.run(flow, input);
    drop(call.view);
    let (done, view) = call.app.local_once(call.pass.actor.clone(), body, O::clone, |_, it| Ok(it)).await?;
    call.view = view;
    Ok((done, call))
}

/// Ids of the records of a batch, as they are noted for retries.
pub(crate) fn ids<T: Entity>(records: &[T]) -> Vec<String> {
    records.iter().map(|it| it.id().to_string()).collect()
}

/// The current state of the records of a batch that is retried.
pub(crate) fn records<T: Entity>(
    app: &Ctx,
    service: &Service<T>,
    view: &View,
    ids: &[String],
) -> Result<Vec<T>, Fault> {
    let record = |id: &String| {
        let found = service.get(view, id)?;
        found.ok_or_else(|| app.cannot_repeat(&format!("{id} was deleted since")))
    };
    ids.iter().map(record).collect()
}

/// Runs a transaction, and answers that the record with this id is deleted.
pub(crate) async fn remove<F>(call: Call, object: &'static str, body: F) -> Result<Reply, Fault>
where
    F: FnOnce(&mut dyn Write, &Moment, &str) -> Result<(), Fault> + Send + 'static,
{
    let id = call.path("id").to_owned();
    let gone = Deleted::new(id.as_str(), object);
    let body = move |flow: &mut Local<'_>| body(flow.tx, flow.at, &id);
    once(call, body).await?;
    gone.reply()
}

/// Runs a flow that deletes by ids, and answers that the record with this id is deleted.
pub(crate) async fn remove_by<O: Send + 'static>(
    call: Call,
    object: &'static str,
    flow: &'static Flow<Vec<String>, O>,
) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let gone = Deleted::new(id.as_str(), object);
    let body = move |local: &mut Local<'_>| local.run(flow, vec![id]).map(drop);
    once(call, body).await?;
    gone.reply()
}

/// Runs a transaction that returns nothing; a retry of the request does nothing.
pub(crate) async fn once<F>(call: Call, body: F) -> Result<(), Fault>
where
    F: FnOnce(&mut Local<'_>) -> Result<(), Fault> + Send + 'static,
{
    let Call { app, pass, view, .. } = call;
    drop(view);
    app.local_once(pass.actor, body, |()| (), |_, ()| Ok(())).await?;
    Ok(())
}

/// Removes something from a record, which `body` returns; answers that it is deleted, with the record as
/// parent.
pub(crate) async fn remove_from<T, F>(
    parent: &'static Resource,
    call: Call,
    gone: Deleted,
    body: F,
) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<T, Fault> + Send + 'static,
{
    let plan = parent.plan(&call);
    let (app, node, view) = write(&plan, call, body).await?;
    show_gone(&app, &view, &plan, gone, Some(node)).await
}

/// Answers that something is deleted from a record, whose fields were checked before.
pub(crate) async fn show_gone(
    app: &Ctx,
    view: &View,
    plan: &ReadPlan,
    gone: Deleted,
    parent: Option<Node>,
) -> Result<Reply, Fault> {
    show_done(app, view, plan, move |view, plan| gone.reply_from(plan, view, parent.clone())).await
}

/// Runs a flow that creates a record from the body, and shows it.
pub(crate) async fn create_by<T: Entity>(
    resource: &'static Resource,
    mut call: Call,
    flow: &'static Flow<Vec<T>, Vec<T>>,
) -> Result<Reply, Fault> {
    let record: T = call.read()?;
    perform(resource, call, move |it| only(it.run(flow, vec![record])?)).await
}

/// Runs a flow that updates the record of the path from the body, and shows it.
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
    perform(resource, call, move |it| it.run(flow, input)).await
}

/// Runs a flow that links other records to the one of the path, and shows the latter.
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
        let id = ids.id.clone();
        it.run(flow, ids)?;
        Ok(service.retrieve(it.tx, &id)?)
    })
    .await
}

/// Records after a write, as a JSON array.
pub(crate) async fn shown<T: Entity>(
    app: &Ctx,
    view: &View,
    plan: &ReadPlan,
    records: Vec<T>,
) -> Result<Vec<u8>, Fault> {
    let nodes: Vec<Node> = records.into_iter().map(|it| Arc::new(it) as Node).collect();
    show_done(app, view, plan, move |view, plan| {
        let mut json = b"[".to_vec();
        plan.write_all(view, nodes.clone(), &mut json)?;
        json.push(b']');
        Ok(json)
    })
    .await
}

/// Creates, updates and deletes records in one transaction; `body` returns those that it created and updated.
/// A retry of the request shows their current state.
pub(crate) async fn perform_batch<T, F>(
    resource: &'static Resource,
    service: &'static Service<T>,
    call: Call,
    object: &'static str,
    gone: Vec<String>,
    body: F,
) -> Result<Reply, Fault>
where
    T: Entity,
    F: FnOnce(&mut Local<'_>) -> Result<(Vec<T>, Vec<T>), Fault> + Send + 'static,
{
    let plan = resource.plan(&call);
    plan.check(&call.view)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let ((created, updated), view) = app
        .local_once(
            pass.actor,
            body,
            |(created, updated)| (ids(created), ids(updated)),
            |view, (created, updated)| {
                let again = |ids: Vec<String>| records(&app, service, view, &ids);
                Ok((again(created)?, again(updated)?))
            },
        )
        .await?;
    let created = shown(&app, &view, &plan, created).await?;
    let updated = shown(&app, &view, &plan, updated).await?;
    Reply::object(|envelope| {
        envelope.name("created").extend(created);
        envelope.name("updated").extend(updated);
        envelope.field("deleted", &json!({ "ids": gone, "object": object, "deleted": true }));
        Ok(())
    })
}

/// The single record that a flow made.
pub(crate) fn only<T>(made: Vec<T>) -> Result<T, Fault> {
    made.into_iter().next().ok_or_else(|| Fault::unexpected("a flow made nothing"))
}

/// Shows the record of the path, or answers 404.
pub(crate) fn find(
    resource: &'static Resource,
    call: &Call,
    not_found: impl FnOnce(&str) -> String,
) -> Result<Reply, Fault> {
    let id = call.path("id");
    let found = resource.plan(call).find(&call.view, id)?;
    found.ok_or_else(|| Fault::not_found(not_found(id)))
}

/// Shows the page of a list that the call asks for, of the records that are in all sets of `within`.
pub(crate) fn page(
    resource: &'static Resource,
    call: &Call,
    within: Vec<Box<dyn Ids>>,
) -> Result<Reply, Fault> {
    resource.plan(call).page(&call.view, within)
}

/// Ids in a body, to link to the record of the path and to unlink; duplicates are merged.
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
