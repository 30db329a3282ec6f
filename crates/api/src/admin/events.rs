//! Admin routes of events: the last ones, and those that happen, as server-sent events: `/admin/events`. An
//! addition of ours to the wire.

use std::fmt::Write as _;

use atoll_background::{Heard, listen};
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Type, UNSIGNED_TOKEN, header, header_names, required},
    jobs::Event,
    routes,
    serde_json::{Value, json},
};

use crate::tables::{ONE, any};

routes! {
    /// Lists the last 100 events, the newest first, as subscribers get them.
    /// Those that all subscribers have had are kept for a week.
    Get "/admin/events" (Admin, ONE) => index: EVENTS;
    /// Tells events as they happen, as server-sent events (`EventSource` of browsers): each with its position
    /// as id, and the same fields as in the list.
    /// An answer ends after some events, and after 20 seconds without one; the browser asks again by itself,
    /// with the position after which it goes on (`Last-Event-ID`). Who has missed more than 100 events gets
    /// the last 100, after a message `dropped` with the number of those that are left out. While 16 listen,
    /// further ones get 503.
    Get "/admin/events/stream" (Admin, AFTER) => stream: Answer::Events;
}

const AFTER: Params = Params {
    own: &[any("after").about("The position after which to begin; by default that of the last event.")],
    limit: None,
    strict: true,
};
const EVENTS: Answer = Answer::Object(&[
    Part::value("events", Type::List(&EVENT), "The events, the newest first."),
    Part::value("last", Type::NotNegative, "The position of the last event: `after` of the next request."),
]);
const EVENT: Type = Type::Object(&[
    required("position", Type::NotNegative).about("Its number, in the order of the commits."),
    required("name", Type::Text).about("What has happened: `order.placed`."),
    required("data", Type::Any).about("To what: mostly the id of the record."),
    required("happened_at", Type::Date).about("When."),
    required("actor_id", Type::Text).about("Who has done it; empty for the shop itself."),
]);

/// Milliseconds after which a browser asks for further events: so a listener costs little however much
/// happens.
const ASK_AGAIN_MS: u32 = 250;

/// Without what tokens that are mailed are made of: it is long, and says nothing.
fn shown((position, event): &(u64, Event)) -> Value {
    let mut data = event.data.clone();
    if let Some(fields) = data.as_object_mut() {
        fields.remove(UNSIGNED_TOKEN);
    }
    json!({
        "position": position, "name": event.name, "data": data, "happened_at": event.at,
        "actor_id": event.actor_id,
    })
}

async fn index(call: Call) -> Result<Reply, Fault> {
    let heard = Heard::after(&call.view, 0)?;
    let events: Vec<Value> = heard.events.iter().rev().map(shown).collect();
    Ok(Reply::json(&json!({ "events": events, "last": heard.last })))
}

async fn stream(mut call: Call) -> Result<Reply, Fault> {
    let named = match header(&call.head(), "last-event-id") {
        Some(it) => Some(it.to_owned()),
        None => call.params.take_one("after")?,
    };
    let position = match named {
        Some(text) => text
            .parse::<u64>()
            .map_err(|_| Fault::invalid(format!("`after` is the position of an event, got: '{text}'")))?,
        None => Heard::after(&call.view, u64::MAX)?.last,
    };
    let app = call.app.clone();
    // What waits holds no view.
    drop(call);
    let heard = listen(&app, position).await?;
    Ok(Reply::raw(messages(&heard)).with_header(header_names::CONTENT_TYPE, "text/event-stream"))
}

/// The text of an answer: JSON has no line breaks, which would end a field.
fn messages(heard: &Heard) -> String {
    let mut text = format!("retry: {ASK_AGAIN_MS}\n");
    if heard.n_dropped > 0 {
        let dropped = json!({ "n_dropped": heard.n_dropped });
        let _ = write!(text, "event: dropped\ndata: {dropped}\n\n");
    }
    for event in &heard.events {
        let _ = write!(text, "id: {}\ndata: {}\n\n", event.0, shown(event));
    }
    let _ = write!(text, "id: {}\n\n", heard.last);
    text
}
