//! What the decision says of a variant in a channel, as pages show it: a cell, and a reason in the words of
//! the API, with its moment as pages show moments.

use atoll_kernel::{Decimal, Timestamp};
use atoll_pages::{Markup, Render, badge, html, moment, sentence};
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

impl Reason {
    /// The reason in the words of the API.
    pub(super) fn text(&self) -> String {
        sentence(&self.message)
    }

    /// The reason in a word or two, where many stand beside each other.
    pub(super) fn in_short(&self) -> Markup {
        let (kind, words) = in_short(&self.code);
        badge(kind, words)
    }
}

/// A reason in a word or two, with the kind of its badge: what the merchant has chosen is grey, what ends by
/// itself yellow, what stands in the way of a sale red.
pub(super) fn in_short(code: &str) -> (&'static str, &'static str) {
    match code {
        "sales_channel_disabled" => ("", "Channel disabled"),
        "product_not_published" => ("", "Not published"),
        "product_not_in_sales_channel" => ("", "Not in channel"),
        "variant_excluded" => ("", "Left out"),
        "product_not_available_yet" => ("warn", "Not yet"),
        "product_no_longer_available" => ("warn", "Over"),
        "no_price" => ("bad", "No price"),
        "no_inventory_item" => ("bad", "No inventory item"),
        "no_stock_location" => ("bad", "No stock location"),
        "insufficient_inventory" => ("bad", "Out of stock"),
        _ => ("bad", "Not on sale"),
    }
}

impl Render for Reason {
    fn render(&self) -> Markup {
        let text = self.text();
        let at = self.value.as_str().and_then(|it| Some((it, it.parse::<Timestamp>().ok()?)));
        match at.and_then(|(word, at)| Some((text.split_once(word)?, at))) {
            Some(((before, after), at)) => html! { (before) (moment(at)) (after) },
            None => html! { (text) },
        }
    }
}
