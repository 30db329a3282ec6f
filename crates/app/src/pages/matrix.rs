//! The matrix: variants in rows, channels in columns, and in each cell whether the channel sells the variant,
//! or the first reason why not. A cell leads to the whole answer.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Field, Markup, Page, PageCall, Records, admin_page, badge, html, moment, nothing, pager,
};
use serde::Deserialize;

use super::decision::Cell;

admin_page! {
    with "sales_channels";
    "/matrix" as "Matrix" in Channels 30 => show;
}

/// Variants on a page: with ten channels the page stays below 60 kB.
const ROWS_PAGE: usize = 20;

/// Columns of a page. Where there are more channels, the page shows those that are chosen, or the first ones.
const COLUMNS_MAX: usize = 10;

#[derive(Deserialize)]
struct Channel {
    id: String,
    name: String,
    #[serde(default)]
    is_disabled: bool,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    sku: Option<String>,
    product_id: String,
    product_title: Option<String>,
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Answer {
    at: Timestamp,
    changes_at: Option<Timestamp>,
    sales_channels: Vec<Channel>,
    variants: Vec<Row>,
    count: usize,
    offset: usize,
    limit: usize,
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let channels = channels(&call).await?;
    let mut address = Address::of("/admin/availability")
        .with("q", call.query("q"))
        .with("product_id", call.query("product"))
        .with("limit", ROWS_PAGE)
        .with("offset", call.offset());
    let chosen = call.queries("channel");
    // Those of the address, also if the form does not offer them.
    let all = || channels.records.iter().map(|it| it.id.as_str()).collect();
    let columns: Vec<&str> = if chosen.is_empty() { all() } else { chosen.clone() };
    for channel in columns.into_iter().take(COLUMNS_MAX) {
        address = address.with("sales_channel_id[]", channel);
    }
    let Answer { at, changes_at, sales_channels, variants, count, offset, limit } =
        call.api().get(address).await?;
    let page = Records { records: variants, count, offset, limit };
    let body = html! {
        section class="card" { (question(&call, &channels)) }
        p class="hint" {
            "As of " (moment(at)) "."
            @if let Some(changes_at) = changes_at { " Time alone changes this next at " (moment(changes_at)) "." }
            @if channels.count > COLUMNS_MAX && chosen.is_empty() {
                " The first " (COLUMNS_MAX) " of " (channels.count) " channels are shown: choose others above."
            }
        }
        @if page.records.is_empty() { (nothing("No variant is found.")) }
        @else { (matrix(&call, &sales_channels, &page.records)) }
        (pager(&call, &page))
    };
    Ok(Page::new("Matrix", body))
}

/// Upper bound of channels that the page offers to choose from.
const CHANNELS_OFFERED: usize = 100;

async fn channels(call: &PageCall) -> Result<Records<Channel>, Fault> {
    let address = Address::of("/admin/sales-channels")
        .with("fields", "id,name,is_disabled")
        .with("order", "name")
        .with("limit", CHANNELS_OFFERED);
    call.api().list(address, "sales_channels").await
}

fn question(call: &PageCall, channels: &Records<Channel>) -> Markup {
    let chosen = call.queries("channel");
    let asked = html! {
        div class="fields" { (Field::line("search", "q", "SKU or title").value(call.query("q"))) }
        @if channels.records.len() > 1 {
            fieldset {
                legend { "Channels" }
                div class="fields" {
                    @for channel in &channels.records {
                        label class="field tick" {
                            span { (channel.name) }
                            input type="checkbox" name="channel[]" value=(channel.id)
                                checked[chosen.contains(&channel.id.as_str())];
                        }
                    }
                }
            }
        }
        p class="buttons" { button class="quiet" { "Show" } }
    };
    call.search_of("/matrix", asked)
}

fn matrix(call: &PageCall, channels: &[Channel], rows: &[Row]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Variants and channels" {
            table class="matrix" {
                thead {
                    tr {
                        th scope="col" { "Variant" }
                        @for channel in channels {
                            th scope="col" {
                                (channel.name)
                                @if channel.is_disabled { " " (badge("bad", "Disabled")) }
                            }
                        }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" {
                                a href=(call.to(Address::of("/products").then(&row.product_id))) {
                                    (row.product_title.as_deref().unwrap_or_default()) " · " (row.title)
                                }
                                @if let Some(sku) = &row.sku { br; code { (sku) } }
                            }
                            @for cell in &row.cells { td { (shown(call, row, cell)) } }
                        }
                    }
                }
            }
        }
    }
}

fn shown(call: &PageCall, row: &Row, cell: &Cell) -> Markup {
    let why = Address::of("/why").with("channel", &cell.sales_channel_id).with("variant", &row.id);
    let quantity = cell.available_quantity.map_or_else(String::new, |it| format!(" ({it})"));
    html! {
        @match (&cell.reason, cell.sellable) {
            (_, true) => a href=(call.to(why)) { (badge("good", &format!("On sale{quantity}"))) }
            (Some(reason), false) => a href=(call.to(why)) title=(reason.text()) { (reason.in_short()) }
            (None, false) => a href=(call.to(why)) { (badge("", "Not on sale")) }
        }
    }
}
