//! What a subscriber is: a function that is called for each event that was committed.

use std::{future::Future, pin::Pin};

use crate::{Ctx, Event, Fault};

/// Follows events. It is called after their commit, in their order, at least once each: so it must be the
/// same to call it twice. One that fails is called again after a while, and does not hold up others; what it
/// never takes is put aside, and the events behind it go on.
pub struct Subscriber {
    /// `module.verb-object`: `mail.send-receipt`. Its place among the events is kept under this name.
    pub name: &'static str,
    /// The events that it follows; `*` is all of them.
    pub events: &'static [&'static str],
    /// What it does.
    pub run: Handler,
}

/// An async function of the application and an event.
pub type Handler = fn(Ctx, Event) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

impl Subscriber {
    /// Does it follow events of this name?
    pub fn follows(&self, event: &str) -> bool {
        self.events.iter().any(|it| *it == "*" || *it == event)
    }
}

/// A subscriber, as `subscriber!` submits it.
pub struct SubscriberEntry(pub &'static Subscriber);

inventory::collect!(SubscriberEntry);

/// Registers a subscriber, above the function that it names.
///
/// ```ignore
/// subscriber! { "mail.send-receipt" on ["order.placed"] => send_receipt }
///
/// async fn send_receipt(ctx: Ctx, event: Event) -> Result<(), Fault> { … }
/// ```
#[macro_export]
macro_rules! subscriber {
    ($name:literal on [$($event:literal),+ $(,)?] => $run:path) => {
        $crate::inventory::submit! {
            $crate::SubscriberEntry(&$crate::Subscriber {
                name: $name,
                events: &[$($event),+],
                run: |ctx, event| Box::pin($run(ctx, event)),
            })
        }
    };
}
