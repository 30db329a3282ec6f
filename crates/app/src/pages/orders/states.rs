//! The states of an order, its payments and its fulfilment, in words.

use atoll_pages::{Field, Markup, badge};

/// A word of the API, the kind of its badge, and what people read.
type State = (&'static str, &'static str, &'static str);

/// The states that one field has.
pub(in crate::pages) struct States(&'static [State]);

impl States {
    /// A badge of this state.
    pub(in crate::pages) fn badge(&self, word: &str) -> Markup {
        let (_, kind, text) = self.0.iter().find(|it| it.0 == word).copied().unwrap_or(("", "", "Unknown"));
        badge(kind, text)
    }

    /// A field of a search: any of them, or one.
    pub(super) fn choice<'a>(&self, name: &'a str, label: &'a str) -> Field<'a> {
        let states = self.0.iter().map(|(word, _, text)| (*word, *text));
        Field::choice(name, label, [("", "any")].into_iter().chain(states))
    }
}

/// Of the order.
pub(in crate::pages) const STATUS: States = States(&[
    ("pending", "warn", "Open"),
    ("requires_action", "bad", "Needs action"),
    ("completed", "good", "Completed"),
    ("canceled", "bad", "Cancelled"),
    ("archived", "", "Archived"),
    ("draft", "", "Draft"),
]);

/// Of its payments.
pub(in crate::pages) const PAYMENT: States = States(&[
    ("not_paid", "bad", "Not paid"),
    ("awaiting", "warn", "Awaiting payment"),
    ("authorized", "warn", "Authorised"),
    ("partially_captured", "warn", "Captured in part"),
    ("captured", "good", "Captured"),
    ("partially_refunded", "", "Refunded in part"),
    ("refunded", "", "Refunded"),
    ("canceled", "bad", "Cancelled"),
]);

/// Of its fulfilment.
pub(in crate::pages) const FULFILLMENT: States = States(&[
    ("not_fulfilled", "warn", "Not packed"),
    ("partially_fulfilled", "warn", "Packed in part"),
    ("fulfilled", "warn", "Packed"),
    ("partially_shipped", "warn", "Shipped in part"),
    ("shipped", "good", "Shipped"),
    ("partially_delivered", "good", "Delivered in part"),
    ("delivered", "good", "Delivered"),
    ("canceled", "bad", "Cancelled"),
]);
