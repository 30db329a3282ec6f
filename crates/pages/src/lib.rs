//! The pages for people, as modules have them: what a page and a widget are, how they ask the API, and what
//! they are made of.
//!
//! A page is a function from a [`PageCall`] to a [`Page`]. It has no way to the data but the API ([`Api`]),
//! in the name of the person who looks: so a page shows and does nothing that they could not do by the API,
//! and there is no second way to write.

mod address;
mod api;
mod button;
mod call;
mod field;
mod form;
mod html;
mod page;

pub use address::{Address, encoded};
pub use api::{Api, Records, Seen, Sent, outdated};
pub use button::Button;
pub use call::{Done, PageCall, PageParts, Person, Refused};
pub use field::{Blank, Field};
pub use form::{Change, Form, Upload};
pub use html::{
    badge, choose, copy, facts, hint, link, moment, nothing, outside, pager, period, problem, sentence, table,
};
pub use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
pub use page::{AdminPage, AdminWidget, Linked, Menu, MenuPlace, Next, Page, PageOf, widgets};

#[doc(hidden)]
pub use page::{LinkedPage, LinkedWidget};
