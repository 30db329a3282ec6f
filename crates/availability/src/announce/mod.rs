//! Availability events: `sales-channel.variant-available` and `sales-channel.variant-unavailable`, exactly
//! one for each change of the decision on a variant in a channel.
//!
//! The transaction that changes something the decision reads only notes what this concerns (`inputs`, a key
//! or two). Behind the commits a worker decides on what was noted (`turn`): on a snapshot first, and in the
//! transaction that writes the events once more, so an event says what holds in its commit. That transaction
//! also writes what was announced (`state`), and removes the notes; so a crash loses and repeats nothing.
//! Time changes decisions, too: `state` has an index of the moments at which it may.

mod inputs;
mod look;
mod reach;
mod state;
mod turn;
mod verify;

use std::time::Duration;

use atoll_kernel::{
    Actor, Ctx, Fault, Read, StoreError, Timestamp,
    data::View,
    events,
    jobs::{Metric, Shift},
    metric,
    serde::Serialize,
    worker,
};
use atoll_sales_channel::SALES_CHANNELS_FLAG;
use atoll_storage::Span;
use tokio::sync::Mutex;

use self::{inputs::TOUCHED, turn::Turn};

pub(crate) use self::state::SPACES;

/// A channel sells a variant that it has not sold before.
pub const VARIANT_AVAILABLE: &str = "sales-channel.variant-available";
/// A channel sells a variant no longer.
pub const VARIANT_UNAVAILABLE: &str = "sales-channel.variant-unavailable";

events! { "sales-channel.variant-available", "sales-channel.variant-unavailable" }

worker! { "availability.announce-changes" => announce }

async fn announce(ctx: Ctx, mut shift: Shift) -> Result<(), Fault> {
    while !shift.is_over() {
        if let Next::Later(next) = turn(&ctx).await? {
            // The clock of the machine may be set, or the machine may be suspended.
            let latest = ctx.now().plus(LOOK_EVERY);
            shift.wait(&ctx, next.map(|next| next.min(latest))).await;
        }
    }
    Ok(())
}

/// The longest sleep before a moment at which time changes what is sold.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// When there is something to announce again.
enum Next {
    /// At once.
    Now,
    /// After the next commit, or at this time if that is earlier.
    Later(Option<Timestamp>),
}

/// Announces everything that is to be announced now, as the worker does behind each commit.
pub async fn announce_changes(ctx: &Ctx) -> Result<(), Fault> {
    while matches!(turn(ctx).await?, Next::Now) {}
    Ok(())
}

/// Turns are taken one at a time: a second one would take notes away that were made since its own look.
#[derive(Default)]
struct Turns(Mutex<()>);

/// Decides on a part of what was noted, and announces what turned out otherwise.
async fn turn(ctx: &Ctx) -> Result<Next, Fault> {
    let turns = ctx.memory::<Turns>();
    let _mine = turns.0.lock().await;
    let (now, has_channels) = (ctx.now(), ctx.is_on(&SALES_CHANNELS_FLAG));
    let plan = move |view: &View| Ok(Turn::plan(view, now, has_channels)?);
    // The view is dropped here: held during the commit, it would keep the store from reusing space.
    let turn = ctx.read_behind(plan).await?;
    if turn.is_idle() {
        return Ok(Next::Later(turn.next()));
    }
    ctx.write(Actor::System, move |tx, at| Ok(turn.settle(tx, at)?)).await?;
    Ok(Next::Now)
}

/// Notes that are counted: more of them are as many.
const WAITING_COUNTED_MAX: u64 = 10_000;

/// How far the events are behind the data.
#[derive(Clone, Debug, Serialize)]
#[serde(crate = "atoll_kernel::serde")]
pub struct AnnouncementStatus {
    /// Is it known what each channel sells? Until then nothing is announced: the first start on an existing
    /// shop takes stock of it.
    pub is_complete: bool,
    /// Changes that are still to be decided on, at most 10,000; a channel that was switched off is one.
    pub n_waiting: u64,
    /// The next moment at which time alone may change what is sold.
    pub next_at: Option<Timestamp>,
}

metric! { Metric {
    name: "atoll_availability_changes",
    text: "Changes of which availability events are still to be written, at most 10,000",
    is_counter: false,
    label: "state",
    read: |ctx| Ok(vec![("waiting", n_waiting(&ctx.view())?)]),
} }

fn n_waiting(view: &dyn Read) -> Result<u64, StoreError> {
    view.count_keys(&Span::prefix(&view.prefix(TOUCHED.space())), WAITING_COUNTED_MAX)
}

/// How far the events are behind the data.
pub fn announcement_status(view: &dyn Read) -> Result<AnnouncementStatus, StoreError> {
    let progress = state::Progress::read(view)?;
    Ok(AnnouncementStatus {
        is_complete: progress.is_some_and(|it| it.first.is_none()),
        n_waiting: n_waiting(view)?,
        next_at: state::next_due(view, Timestamp::from_millis(i64::MIN))?,
    })
}
