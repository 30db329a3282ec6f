//! Admin routes of webhooks: `/admin/webhooks`, and the names of the events, `/admin/webhook-events`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use atoll_kernel::{
    Fault, Moment, Write,
    data::View,
    flow::Local,
    http::{
        Answer, Body, Call, Deleted, Field, Param, ParamKind, Params, Part, Reply, Resource, Type, optional,
        required,
    },
    routes,
    serde_json::json,
};
use tokio::sync::Semaphore;

use crate::{
    WEBHOOK as ENTITY, Webhook, WebhookPatch,
    events::{TEST, known},
    secret::WebhookSecret,
    send::{Message, attempt},
    settings::{KEEP_HOURS, KEEP_HOURS_MAX, TESTS_MAX},
    write::{self, NewWebhook, retrieve as webhook, unknown},
};

routes! {
    of WEBHOOK;
    /// Lists the webhooks.
    Get "/admin/webhooks" (Admin, LIST) => index;
    /// Creates a webhook, which is sent what happens from then on. The answer is one of two that show its
    /// secret; `rotate-secret` gives another.
    Post "/admin/webhooks" (Admin, Params::NONE, CREATE) => create: WITH_SECRET;
    /// Shows a webhook.
    Get "/admin/webhooks/:id" (Admin, Params::NONE) => retrieve;
    /// Changes a webhook. Switched on again, it is sent what happens from then on, and what was pending.
    Post "/admin/webhooks/:id" (Admin, Params::NONE, UPDATE) => update;
    /// Deletes a webhook with its deliveries.
    Delete "/admin/webhooks/:id" (Admin, Params::NONE) => delete;
    /// Gives a webhook a new secret, which this answer shows. For a time the secrets before it sign, too, so
    /// that its receiver can change over.
    Post "/admin/webhooks/:id/rotate-secret" (Admin, Params::NONE, ROTATE) => rotate: WITH_SECRET;
    /// Sends the event `webhook.test` now, once, and answers with what became of it. It is no delivery, and
    /// a webhook that is switched off is sent it, too.
    Post "/admin/webhooks/:id/test" (Admin, Params::NONE, NOTHING) => test: TESTED;
    /// Lists the names of the events that webhooks can be sent.
    Get "/admin/webhook-events" (Admin, Params::NONE) => events: EVENTS;
}

static WEBHOOK: Resource = Resource {
    entity: ENTITY,
    one: "webhook",
    many: "webhooks",
    fields: &[
        "id", "url", "description", "events", "sales_channel_ids", "is_enabled", "switched_off",
        "failing_since", "secrets", "metadata", "created_at", "updated_at",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = Params {
    own: &[
        Param::new("id", ParamKind::Any),
        Param::new("is_enabled", ParamKind::Bool),
        Param::new("created_at", ParamKind::Date),
    ],
    limit: Some(50),
    strict: true,
};
const CREATE: Body = &[
    &[
        required("url", Type::Text).about("Where to: an address that begins with `https://`."),
        required("events", TEXTS).about(ABOUT_EVENTS),
    ],
    MORE,
];
const UPDATE: Body = &[&[optional("url", Type::Text), optional("events", TEXTS).about(ABOUT_EVENTS)], MORE];
const MORE: &[Field] = &[
    optional("description", Type::Text).or_null().about("What it is for."),
    optional("sales_channel_ids", TEXTS)
        .about("Only events of these sales channels; empty: of all, and those of none."),
    optional("is_enabled", Type::Bool),
    optional("metadata", Type::Record).or_null().about("A JSON object of the client's, stored as it is."),
];
const TEXTS: Type = Type::List(&Type::Text);
const ABOUT_EVENTS: &str = "Names of events, or how names begin, with a `*` behind: `order.*`; `*` is all.";
const ROTATE: Body = &[&[optional("keep_hours", Type::NotNegative)
    .about("Hours for which the secrets before it sign, too; 24 by default, at most 168.")]];
const NOTHING: Body = &[];

const SECRET: Field = required("secret", Type::Text).about("The secret, which no other answer shows.");
const WITH_SECRET: Answer = Answer::OneSecret(&WEBHOOK, &SECRET);
const TESTED: Answer = Answer::Object(&[
    Part::value("has_succeeded", Type::Bool, "Has the receiver answered 2xx?"),
    Part::value(
        "attempt",
        Type::Object(&[
            required("at", Type::Date).about("When it was sent."),
            required("duration_ms", Type::NotNegative).about("Milliseconds until the answer."),
            required("status", Type::NotNegative).or_null().about("Status of the answer."),
            required("answer", Type::Text).or_null().about("The beginning of the answer."),
            required("error", Type::Text).or_null().about("Why there was no answer."),
        ]),
        "What became of it.",
    ),
]);
const EVENTS: Answer =
    Answer::Object(&[Part::value("webhook_events", TEXTS, "The names, in alphabetical order.")]);

async fn index(call: Call) -> Result<Reply, Fault> {
    WEBHOOK.plan(&call).page(&call.view, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id");
    WEBHOOK.plan(&call).find(&call.view, id)?.ok_or_else(|| unknown(id))
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let new = call.read::<NewWebhook>()?.webhook(&call.app)?;
    with_secret(call, move |local| write::create(local.tx, local.at, new)).await
}

async fn rotate(call: Call) -> Result<Reply, Fault> {
    let hours = call.body()["keep_hours"].as_f64().unwrap_or(KEEP_HOURS);
    if hours > KEEP_HOURS_MAX {
        let text = format!("Old secrets sign for at most {KEEP_HOURS_MAX} hours, got: '{hours}'");
        return Err(Fault::invalid(text));
    }
    let id = call.path("id").to_owned();
    with_secret(call, move |local| {
        let until = local.at.now().plus_millis((hours * 3_600_000.0) as i64);
        write::rotate(local.tx, local.at, &id, until)
    })
    .await
}

/// Writes a webhook, and shows its newest secret: in this answer alone.
async fn with_secret<F>(call: Call, body: F) -> Result<Reply, Fault>
where
    F: FnOnce(&mut Local<'_>) -> Result<Webhook, Fault> + Send + 'static,
{
    if call.app.is_repeat() {
        return Err(call.app.cannot_repeat("the answer held a secret, which is shown once"));
    }
    let plan = WEBHOOK.plan(&call);
    plan.check(&call.view)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let (webhook, view) = app.local(pass.actor, body).await?;
    let number = webhook.secrets.first().map(|it| it.number).unwrap_or_default();
    let secret = WebhookSecret::derived(&app, &webhook.id, number).text();
    Ok(plan.instead("secret", secret).show(&view, Arc::new(webhook))?.secret())
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let patch: WebhookPatch = call.read()?;
    patch.check(&call.app)?;
    let plan = WEBHOOK.plan(&call);
    plan.check(&call.view)?;
    let id = call.path("id").to_owned();
    let body = move |local: &mut Local<'_>| write::update(local.tx, local.at, &id, patch);
    let again = |view: &View, id: String| webhook(view, &id);
    let noted = |it: &Webhook| it.id.to_string();
    let (webhook, view) = call.app.local_once(call.pass.actor, body, noted, again).await?;
    plan.show(&view, Arc::new(webhook))
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let gone = Deleted::new(id.as_str(), ENTITY);
    let own = id.clone();
    let body = move |tx: &mut dyn Write, at: &Moment| write::delete(tx, at, &own);
    let (mut last, _) = call.app.write(call.pass.actor.clone(), body).await?;
    while last.is_some() {
        let id = id.clone();
        let body = move |tx: &mut dyn Write, at: &Moment| Ok(write::forget(tx, at, &id, last.as_deref())?);
        (last, _) = call.app.beside().write(call.pass.actor.clone(), body).await?;
    }
    gone.reply()
}

/// The tests of the test button.
struct Tests {
    under_way: Semaphore,
    n_begun: AtomicU64,
}

impl Default for Tests {
    fn default() -> Self {
        Tests { under_way: Semaphore::new(TESTS_MAX), n_begun: AtomicU64::new(0) }
    }
}

async fn test(call: Call) -> Result<Reply, Fault> {
    let webhook = webhook(&call.view, call.path("id"))?;
    // No view is held while the receiver takes its time.
    let Call { app, view, .. } = call;
    drop(view);
    let tests = app.memory::<Tests>();
    let Ok(_under_way) = tests.under_way.try_acquire() else {
        let text = format!("{TESTS_MAX} tests are under way; try again when one has ended");
        return Err(Fault::too_many(text, 1).at_limit("webhook_tests_max"));
    };
    let now = app.now();
    let id = format!("msg_test_{}_{}", now.millis(), tests.n_begun.fetch_add(1, Ordering::Relaxed));
    let data = json!({ "webhook_id": webhook.id });
    let message = Message { id: &id, event: TEST, happened_at: now, data: &data };
    let (attempt, _) = attempt(&app, &webhook, message).await;
    Ok(Reply::json(&json!({ "has_succeeded": attempt.has_succeeded(), "attempt": attempt })))
}

async fn events(call: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(&json!({ "webhook_events": known(call.app.registry()) })))
}
