//! Event subscribers: functions that are called for each committed event.

use std::{future::Future, pin::Pin};

use crate::{Ctx, Fault, jobs::Event};

/// Follows events. It is called after their commit, in their order, at least once each, so it must be
/// idempotent. A failed call is retried with backoff, and does not hold up other subscribers; an event that
/// keeps failing is put aside as a dead letter, and the next ones are delivered.
pub struct Subscriber {
    /// `module.verb-object`: `mail.send-receipt`. Its cursor in the outbox is stored under this name.
    pub name: &'static str,
    /// Names of the events that it follows; `*` is all of them.
    pub events: &'static [&'static str],
    /// The function.
    pub run: Handler,
}

/// An async function of the application and an event.
pub type Handler = fn(Ctx, Event) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

impl Subscriber {
    /// True if it follows events of this name.
    pub fn follows(&self, event: &str) -> bool {
        self.events.iter().any(|it| *it == "*" || *it == event)
    }
}

/// Registers a subscriber, above the function that it names.
///
/// ```
/// use atoll_kernel::{Ctx, Fault, jobs::Event, subscriber};
///
/// subscriber! { "mail.send-receipt" on ["order.placed"] => send_receipt }
///
/// async fn send_receipt(ctx: Ctx, event: Event) -> Result<(), Fault> {
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! subscriber {
    ($name:literal on [$($event:literal),+ $(,)?] => $run:path) => {
        const _: () = {
            static SUBSCRIBER: $crate::jobs::Subscriber = $crate::jobs::Subscriber {
                name: $name,
                events: &[$($event),+],
                run: |ctx, event| Box::pin($run(ctx, event)),
            };

            $crate::register! { $crate::jobs::Subscriber: &SUBSCRIBER }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a subscriber is written, with one event or several, or \"*\" for all,\n\
             \x20   \"mail.send-receipt\" on [\"order.placed\"] => async_function"
        );
    };
}
