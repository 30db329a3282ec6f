//! What goes on beside requests: committed events are delivered to the subscribers that follow them.

mod cursor;
mod dead_letter;
mod dispatcher;
mod prune;

use atoll_kernel::{Index, Module, Service, Space, module};

pub use cursor::place_of;
pub use dead_letter::{DeadLetter, retry};
pub use dispatcher::{Background, Pace, start};
pub use prune::prune;

/// Where each subscriber stands.
pub(crate) const CURSORS: Space = "subscriber.cursor";

const BY_SUBSCRIBER: Index<DeadLetter> =
    Index::on("dead_letter.by_subscriber", &["subscriber"], |it, keys| keys.add(&[&it.subscriber]));

/// The service of events that could not be delivered.
pub static DEAD_LETTERS: Service<DeadLetter> = Service::new(&[BY_SUBSCRIBER]);

module! { Module {
    name: "background",
    summary: "Events on their way to subscribers, and those that did not arrive",
    services: &[&DEAD_LETTERS],
    spaces: &[CURSORS],
    ..Module::EMPTY
} }
