//! Notes on orders: what the people of the shop tell each other. A note is kept for some days.

mod routes;

use std::time::Duration;

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write,
    data::{Direction, End, Module, Scan, Service},
    entity, job,
    jobs::{Event, Tick, emit},
    link, module,
    serde_json::{Map, json},
    settings, subscriber,
};

entity! {
    /// A note on an order.
    pub struct OrderNote = "order_note" / "order_notes", "onote" {
        /// What it says.
        pub text: String,
    }
    search [text]
}

/// The service of notes.
pub static NOTES: Service<OrderNote> = Service::new(&[]);

settings! {
    /// Settings of notes.
    pub struct NoteSettings = "order-notes" {
        /// Days for which a note is kept.
        pub days: u32 = 30, 1..=3650;
        /// The first note of each order; none by default.
        pub first_note: Option<String>;
    }
}

module! { Module {
    name: "order-notes",
    summary: "Notes on orders, for those who work in the shop",
    services: &[&NOTES],
    is_optional: true,
    ..Module::EMPTY
} }

link! {
    /// The notes on an order. They go with it.
    pub static ORDER_NOTE: Link("order_order_note", "ordonote") = {
        left: End {
            entity: "order",
            key: "order_id",
            alias: "order",
            others: Some("notes"),
            rows: "notes_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: "order_note",
            key: "order_note_id",
            alias: "order_note",
            others: Some("order"),
            rows: "order_link",
            many: false,
            cascade: true,
        },
    };
}

/// Writes a note on an order that exists. Event: `order_note.written`.
pub fn write_note(tx: &mut dyn Write, at: &Moment, order: &str, text: String) -> Result<OrderNote, Fault> {
    let note = NOTES.create(tx, at, OrderNote { text, ..OrderNote::default() })?;
    ORDER_NOTE.attach(tx, at, order, &note.id, Map::new())?;
    emit(tx, at, "order_note.written", json!({ "id": note.id, "order_id": order }))?;
    Ok(note)
}

subscriber! { "order-notes.write-first" on ["order.placed"] => write_first }

/// Writes the first note of a new order. An event may come twice: an order that has a note gets no other.
async fn write_first(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let Some(text) = ctx.settings::<NoteSettings>().first_note.clone() else { return Ok(()) };
    let order = event.data["id"].as_str().unwrap_or_default().to_owned();
    let write = move |tx: &mut dyn Write, at: &Moment| match ORDER_NOTE.rights(tx, &order)?.is_empty() {
        true => write_note(tx, at, &order, text).map(drop),
        false => Ok(()),
    };
    ctx.write(Actor::System, write).await.map(drop)
}

job! { "order-notes.delete-old" every Duration::from_secs(24 * 60 * 60) => delete_old }

/// Notes that one run deletes, so that its transaction stays small; the next run goes on.
const DELETED_MAX: usize = 1_000;

/// Deletes notes that are older than the setting says.
async fn delete_old(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let days = ctx.settings::<NoteSettings>().days;
    let oldest = ctx.now().plus_millis(-i64::from(days) * 24 * 60 * 60 * 1000);
    let delete = move |tx: &mut dyn Write, at: &Moment| {
        let mut old = Vec::new();
        NOTES.table.scan(tx, None, Direction::Ascending, &mut |note: OrderNote| {
            old.extend((note.created_at < oldest).then_some(note.id));
            Ok(if old.len() < DELETED_MAX { Scan::Continue(()) } else { Scan::Break(()) })
        })?;
        old.iter().try_for_each(|id| NOTES.delete(tx, at, id).map(drop)).map_err(Fault::from)
    };
    ctx.write(Actor::System, delete).await.map(drop)
}
