//! The names of events: crates declare those that they emit, so that a subscriber to an event that nothing
//! emits is found at start. Changes of records and links are events without a declaration.

/// Names of events that a crate emits, as `events!` submits them.
pub struct EventsEntry {
    /// The names: `order.placed`.
    pub names: &'static [&'static str],
}

inventory::collect!(EventsEntry);

/// Declares the events that a crate emits. A subscriber to another name is a problem at start.
///
/// ```
/// use atoll_kernel::events;
///
/// events! { "review.created", "review.rejected" }
/// ```
#[macro_export]
macro_rules! events {
    ($($name:expr),+ $(,)?) => {
        $crate::inventory::submit! { $crate::jobs::EventsEntry { names: &[$($name),+] } }
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "events are declared as a list of names:\n\
             \x20   \"review.created\", \"review.rejected\""
        );
    };
}
