//! Admin routes of deliveries: what was sent to a webhook, what is pending, what was given up, and sending it
//! again: `/admin/webhooks/:id/deliveries`.

use std::sync::Arc;

use atoll_kernel::{
    Fault, Timestamp,
    data::View,
    flow::Local,
    http::{Answer, Body, Call, Param, ParamKind, Params, Part, Reply, Resource, Type, optional},
    query::Where,
    routes,
    serde_json::json,
};
use serde::Deserialize;

use crate::{
    DeliveryState, WEBHOOK_DELIVERIES, WebhookDelivery,
    write::{repeat as send_again, repeat_failed as send_failed_again, retrieve},
};

routes! {
    of DELIVERY;
    /// Lists the deliveries of a webhook with their attempts, of up to 30 days.
    Get "/admin/webhooks/:id/deliveries" (Admin, LIST) => index;
    /// Sends failed deliveries again, the oldest first, up to 500 by one request; with `since`, those of
    /// events from then on.
    Post "/admin/webhooks/:id/deliveries/repeat-failed" (Admin, Params::NONE, SINCE) => repeat_failed: REPEATED;
    /// Sends a delivery again, whether or not it was delivered, under the same `webhook-id`.
    Post "/admin/webhooks/:id/deliveries/:delivery_id/repeat" (Admin, Params::NONE, NOTHING) => repeat;
}

static DELIVERY: Resource = Resource {
    entity: "webhook_delivery",
    one: "webhook_delivery",
    many: "webhook_deliveries",
    fields: &[
        "id", "webhook_id", "event", "data", "happened_at", "state", "n_attempts", "attempts",
        "next_attempt_at", "created_at", "updated_at",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = Params {
    own: &[
        Param::new("id", ParamKind::Any),
        Param::new("event", ParamKind::Any),
        Param::new("state", ParamKind::Words(DeliveryState::WORDS)),
        Param::new("created_at", ParamKind::Date),
        Param::new("happened_at", ParamKind::Date),
    ],
    limit: Some(20),
    strict: true,
};
const SINCE: Body = &[&[optional("since", Type::Date).about("Only those of events from this time on.")]];
const NOTHING: Body = &[];
const REPEATED: Answer =
    Answer::Object(&[Part::value("n_repeated", Type::NotNegative, "How many are sent again.")]);

async fn index(call: Call) -> Result<Reply, Fault> {
    let webhook = retrieve(&call.view, call.path("id"))?;
    let of_webhook =
        Where { table: &WEBHOOK_DELIVERIES.table, field: "webhook_id", value: webhook.id.to_string() };
    DELIVERY.plan(&call).page(&call.view, vec![Box::new(of_webhook)])
}

async fn repeat(call: Call) -> Result<Reply, Fault> {
    let plan = DELIVERY.plan(&call);
    plan.check(&call.view)?;
    let (webhook, id) = (call.path("id").to_owned(), call.path("delivery_id").to_owned());
    let body = move |local: &mut Local<'_>| send_again(local.tx, local.at, &webhook, &id);
    let again = |view: &View, id: String| Ok(WEBHOOK_DELIVERIES.retrieve(view, &id)?);
    let noted = |it: &WebhookDelivery| it.id.to_string();
    let (delivery, view) = call.app.local_once(call.pass.actor, body, noted, again).await?;
    plan.show(&view, Arc::new(delivery))
}

#[derive(Deserialize)]
struct Since {
    since: Option<Timestamp>,
}

async fn repeat_failed(mut call: Call) -> Result<Reply, Fault> {
    let Since { since } = call.read()?;
    let webhook = call.path("id").to_owned();
    let body = move |local: &mut Local<'_>| send_failed_again(local.tx, local.at, &webhook, since);
    let (n_repeated, _) = call.app.local_once(call.pass.actor, body, |it| *it, |_, it| Ok(it)).await?;
    Ok(Reply::json(&json!({ "n_repeated": n_repeated })))
}
