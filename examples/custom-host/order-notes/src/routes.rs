//! `/admin/order-notes`: notes are listed with their orders, written and deleted.

use std::sync::Arc;

use atoll_kernel::{
    Fault, Moment, Write,
    http::{Body, Call, Deleted, Param, ParamKind, Params, Reply, Resource, Type, required},
    routes,
};

use crate::{NOTES, write_note};

routes! {
    of NOTE;
    /// Lists the notes.
    Get "/admin/order-notes" (Admin, LIST) => index;
    /// Writes a note on an order.
    Post "/admin/order-notes" (Admin, Params::NONE, CREATE) => create;
    /// Deletes a note.
    Delete "/admin/order-notes/:id" (Admin, Params::NONE) => delete;
}

static NOTE: Resource = Resource {
    entity: "order_note",
    one: "order_note",
    many: "order_notes",
    fields: &["id", "text", "created_at", "order.id", "order.display_id"],
    store_fields: None,
    renamed: &[("order_id", "order.id")],
};

const LIST: Params = Params {
    own: &[Param::new("id", ParamKind::Any), Param::new("order_id", ParamKind::Any)],
    limit: Some(20),
    strict: true,
};
const CREATE: Body = &[&[required("order_id", Type::Text), required("text", Type::Text)]];

async fn index(call: Call) -> Result<Reply, Fault> {
    NOTE.plan(&call).page(&call.view, Vec::new())
}

async fn create(call: Call) -> Result<Reply, Fault> {
    let text = |name: &str| call.body()[name].as_str().unwrap_or_default().to_owned();
    let (order, text) = (text("order_id"), text("text"));
    let plan = NOTE.plan(&call);
    plan.check(&call.view)?;
    let write = move |tx: &mut dyn Write, at: &Moment| write_note(tx, at, &order, text);
    let (note, view) = call.app.write(call.pass.actor, write).await?;
    plan.show(&view, Arc::new(note))
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let gone = Deleted::new(id.as_str(), "order_note");
    let delete = move |tx: &mut dyn Write, at: &Moment| Ok(NOTES.delete(tx, at, &id)?);
    call.app.write(call.pass.actor, delete).await?;
    gone.reply()
}
