//! What the decision says of a variant in a channel, as pages show it: a cell, and a reason in the words of
//! the API, with its moment as pages show moments.

use atoll_kernel::{Decimal, Timestamp};
use atoll_pages::{Markup, Render, html, moment, sentence};
use serde::Deserialize;
use serde_json::Value;

/// A variant in a channel.
#[derive(Deserialize)]
pub(super) struct Cell {
    pub(super) sales_channel_id: String,
    pub(super) sellable: bool,
    /// `None`: it is sold without limit.
    pub(super) available_quantity: Option<Decimal>,
    /// The first reason against a sale.
    pub(super) reason: Option<Reason>,
}

/// Why a channel does not sell a variant.
#[derive(Deserialize)]
pub(super) struct Reason {
    pub(super) code: String,
    message: String,
    /// What the record of the reason holds: a moment, if the message names one.
    value: Value,
}

impl Render for Reason {
    fn render(&self) -> Markup {
        let text = sentence(&self.message);
        let at = self.value.as_str().and_then(|it| Some((it, it.parse::<Timestamp>().ok()?)));
        match at.and_then(|(word, at)| Some((text.split_once(word)?, at))) {
            Some(((before, after), at)) => html! { (before) (moment(at)) (after) },
            None => html! { (text) },
        }
    }
}
