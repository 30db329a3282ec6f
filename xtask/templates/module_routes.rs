//! Admin routes of __titles__: `/admin/__names__`.

use std::sync::Arc;

use atoll_kernel::{
    Fault, Moment, Write,
    http::{Body, Call, Deleted, Param, ParamKind, Params, Reply, Resource, Type, optional, required},
    routes,
};

use crate::{__NAMES__, __Name__, __Name__Patch};

routes! {
    of RESOURCE;
    /// Lists __titles__.
    Get "/admin/__names__" (Admin, LIST) => index;
    /// Creates a __title__.
    Post "/admin/__names__" (Admin, Params::NONE, CREATE) => create;
    /// Retrieves a __title__.
    Get "/admin/__names__/:id" (Admin, Params::NONE) => retrieve;
    /// Updates a __title__.
    Post "/admin/__names__/:id" (Admin, Params::NONE, UPDATE) => update;
    /// Deletes a __title__.
    Delete "/admin/__names__/:id" (Admin, Params::NONE) => delete;
}

static RESOURCE: Resource = Resource {
    entity: "__snake__",
    one: "__snake__",
    many: "__snakes__",
    fields: &["id", "title", "metadata", "created_at", "updated_at"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = Params {
    own: &[
        Param::new("id", ParamKind::Any), Param::new("title", ParamKind::Any),
        Param::new("created_at", ParamKind::Date),
    ],
    limit: Some(20),
    strict: true,
};
const CREATE: Body =
    &[&[required("title", Type::Text), optional("metadata", Type::Record).or_null()]];
const UPDATE: Body =
    &[&[optional("title", Type::Text), optional("metadata", Type::Record).or_null()]];

async fn index(call: Call) -> Result<Reply, Fault> {
    RESOURCE.plan(&call).page(&call.view, Vec::new())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let new: __Name__ = call.read()?;
    let plan = RESOURCE.plan(&call);
    plan.check(&call.view)?;
    let body = move |tx: &mut dyn Write, at: &Moment| Ok(__NAMES__.create(tx, at, new)?);
    let (made, view) = call.app.write(call.pass.actor, body).await?;
    plan.show(&view, Arc::new(made))
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let found = __NAMES__.retrieve(&call.view, call.path("id"))?;
    RESOURCE.plan(&call).show(&call.view, Arc::new(found))
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let patch: __Name__Patch = call.read()?;
    let id = call.path("id").to_owned();
    let plan = RESOURCE.plan(&call);
    plan.check(&call.view)?;
    let body = move |tx: &mut dyn Write, at: &Moment| Ok(__NAMES__.update(tx, at, &id, patch)?);
    let (changed, view) = call.app.write(call.pass.actor, body).await?;
    plan.show(&view, Arc::new(changed))
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let deleted = Deleted::new(id.as_str(), "__snake__");
    let body = move |tx: &mut dyn Write, at: &Moment| Ok(__NAMES__.soft_delete(tx, at, &id)?);
    call.app.write(call.pass.actor, body).await?;
    deleted.reply()
}
