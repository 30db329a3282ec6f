//! What pages are made of: tables, facts, badges, hints, times, pagination.

use atoll_kernel::Timestamp;
use maud::{Markup, Render, html};

use crate::{Address, PageCall, Records};

/// A link to a page: `link(&call, Address::of("/channels").then(id), name)`. It is the text alone where that
/// page is switched off.
pub fn link(call: &PageCall, address: impl Into<Address>, text: impl Render) -> Markup {
    let address = address.into();
    html! {
        @if call.has(address.path()) { a href=(call.to(address)) { (text) } }
        @else { (text) }
    }
}

/// Is this the address of a page or a picture, and no script?
pub(crate) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// A link out of these pages, to an address that others gave. One that is none of the web is text alone.
pub fn outside(url: &str, text: impl Render) -> Markup {
    html! { @if is_web(url) { a href=(url) rel="noreferrer" { (text) } } @else { (text) } }
}

/// A table of these columns. A cell is what renders; the first one of a row names it.
pub fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<Markup>>) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(columns.join(", ")) {
            table {
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (index, cell) in row.into_iter().enumerate() {
                                @if index == 0 { th scope="row" { div { (cell) } } }
                                @else { td data-label=(columns.get(index).unwrap_or(&"")) { div { (cell) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Names and values of one record.
pub fn facts(facts: impl IntoIterator<Item = (&'static str, Markup)>) -> Markup {
    html! { dl class="facts" { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } } }
}

/// A state in one word: `kind` is `good`, `bad`, `warn`, or empty.
pub fn badge(kind: &str, text: &str) -> Markup {
    html! { span class=(format!("badge {kind}")) { (text) } }
}

/// A sentence that helps.
pub fn hint(text: impl Render) -> Markup {
    html! { p class="hint" { (text) } }
}

/// What a list says that is empty.
pub fn nothing(text: impl Render) -> Markup {
    html! { p class="nothing" { (text) } }
}

/// A button that copies a text. The script shows it where it can copy.
pub fn copy(text: &str) -> Markup {
    html! { button type="button" class="quiet" hidden data-copy=(text) { "Copy" } }
}

/// A box in a row of a table, by which the record with this id is chosen.
pub fn choose(name: &str, id: &str, called: &str, is_chosen: bool) -> Markup {
    html! {
        input type="checkbox" name=(format!("{name}[]")) value=(id) checked[is_chosen]
            aria-label=(format!("Choose {called}"));
    }
}

/// What went wrong.
pub fn problem(text: &str) -> Markup {
    html! { p class="notice bad" role="alert" { (text) } }
}

/// A message of the API, which begins in lower case, as a sentence of a page.
pub fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A time: the script shows it in the zone of the person, without it it is in UTC.
pub fn moment(at: Timestamp) -> Markup {
    let text = at.to_string();
    let shown = text.get(..16).unwrap_or_default().replace('T', " ");
    html! { time datetime=(text) { (shown) " UTC" } }
}

/// From when until when, either of which may be open.
pub fn period(from: Option<Timestamp>, until: Option<Timestamp>) -> Markup {
    html! {
        @match (from, until) {
            (None, None) => "always",
            (Some(from), None) => { "from " (moment(from)) }
            (None, Some(until)) => { "until " (moment(until)) }
            (Some(from), Some(until)) => { (moment(from)) " to " (moment(until)) }
        }
    }
}

/// The pages of a list: the one before, the one after, and which part is shown.
pub fn pager<T>(call: &PageCall, page: &Records<T>) -> Markup {
    let Records { records, count, offset, limit } = page;
    if *count <= *limit && *offset == 0 {
        return html! { p class="pager" { (count) @if *count == 1 { " entry" } @else { " entries" } } };
    }
    let to = |offset: usize| {
        call.with(&[("offset", &if offset == 0 { String::new() } else { offset.to_string() })])
    };
    html! {
        nav class="pager" aria-label="Pages of the list" {
            @if *offset > 0 { a href=(to(offset.saturating_sub(*limit))) rel="prev" { "Previous" } }
            span { ((offset + 1).min(*count)) "–" (offset + records.len()) " of " (count) }
            @if offset + records.len() < *count { a href=(to(offset + limit)) rel="next" { "Next" } }
        }
    }
}
