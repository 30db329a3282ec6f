//! The part of a page by which its record is deleted.

use atoll_pages::{Button, Markup, PageCall, html};

/// A card with what is to be known before, and a button that says `label` and asks `question`. Its action is
/// `delete`.
pub(super) fn deletion(call: &PageCall, known: &Markup, label: &str, question: &str) -> Markup {
    html! {
        section class="card" {
            h2 { "Delete" }
            (known)
            (call.button(Button::danger("delete", label, question)))
        }
    }
}
