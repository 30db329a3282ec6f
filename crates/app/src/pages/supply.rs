//! From where a channel sells: its stock locations in the order in which they are taken from, and how much
//! stays at each.

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, admin_page, hint, html, link, nothing,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::assortment::{below, channel, of_channel};

admin_page! {
    with "sales_channels";
    "/channels/:id/locations" => show, change;
}

/// Upper bound of the locations that the page shows: more are set by the API.
const LOCATIONS_MAX: usize = 100;

#[derive(Deserialize)]
struct Location {
    id: String,
    name: String,
}

/// How a location serves the channel.
#[derive(Deserialize)]
struct Terms {
    stock_location_id: String,
    priority: i64,
    safety_stock: Decimal,
}

/// The terms of the channel's locations, in the order in which these are taken from.
async fn terms(call: &PageCall) -> Result<Vec<Terms>, Fault> {
    let address = of_channel(call).then("stock-locations").with("limit", LOCATIONS_MAX);
    let mut terms = call.api().list::<Terms>(address, "stock_locations").await?.records;
    terms.sort_by(|a, b| (a.priority, &a.stock_location_id).cmp(&(b.priority, &b.stock_location_id)));
    Ok(terms)
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let channel = channel(&call).await?;
    let all = Address::of("/admin/stock-locations").with("fields", "id,name").with("limit", LOCATIONS_MAX);
    let all = call.api().list::<Location>(all, "stock_locations").await?.records;
    let terms = terms(&call).await?;
    let name = |id: &str| all.iter().find(|it| it.id == id).map_or(id, |it| it.name.as_str()).to_owned();
    let free: Vec<_> =
        all.iter().filter(|it| !terms.iter().any(|served| served.stock_location_id == it.id)).collect();
    let body = html! {
        (hint("An order takes from the first location that has enough, and from several where none has. What \
               stays at a location is not sold in this channel; of a single item, that is set on its page under Stock."))
        @if terms.is_empty() { (nothing("No location serves this channel: it sells nothing whose stock is managed.")) }
        // The script puts cards in order by dragging, and sends this form then.
        form method="post" id="form-order" hidden {
            (call.csrf())
            input type="hidden" name="do" value="order";
            input type="hidden" name="order";
        }
        ol class="cards" data-order="form-order" {
            @for (index, location) in terms.iter().enumerate() {
                @let name = name(&location.stock_location_id);
                li class="card" data-id=(location.stock_location_id) {
                    (card(&call, location, &name, index, terms.len()))
                }
            }
        }
        @if !free.is_empty() {
            section class="card" {
                h2 { "Add a location" }
                (call.form("add", "Add", &[Field::choice(
                    "location", "Location", free.iter().map(|it| (it.id.clone(), it.name.clone())),
                )]))
            }
        }
    };
    Ok(below(&call, &channel, Page::new("Stock locations of the channel", body)))
}

fn card(call: &PageCall, terms: &Terms, name: &str, index: usize, n: usize) -> Markup {
    let id = &terms.stock_location_id;
    let [save, up, down, remove] = ["save", "up", "down", "remove"].map(|it| format!("{it} {id}"));
    let stays =
        Field::number("safety_stock", "Stays there, of each item").value(terms.safety_stock.to_string());
    let stops = "The channel sells nothing from there any more, and forgets what stays there. Remove it?";
    let buttons = [
        Button::new(&save, "Save").of(name),
        Button::new(&up, "Earlier").of(name).quiet().off(index == 0),
        Button::new(&down, "Later").of(name).quiet().off(index + 1 == n),
        Button::danger(&remove, "Remove", stops).of(name),
    ];
    html! {
        h2 { (link(call, Address::of("/locations").then(id), name)) }
        (call.form_of(|form| form.field(&stays), &buttons))
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let id = if form.action() == "add" { form.text("location") } else { form.of_id() };
    let links = Address::of("/admin/stock-locations").then(id).then("sales-channels");
    match form.action() {
        "add" => call.api().post::<Value>(links, &json!({ "add": [call.path("id")] })).await?,
        "remove" => call.api().post::<Value>(links, &json!({ "remove": [call.path("id")] })).await?,
        "save" => {
            let terms = of_channel(&call).then("stock-locations").then(id);
            call.api().post::<Value>(terms, &json!({ "safety_stock": form.number("safety_stock")? })).await?
        }
        "up" => moved(&call, id, -1).await?,
        "down" => moved(&call, id, 1).await?,
        "order" => arranged(&call, form.text("order")).await?,
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to(Address::of("/channels").then(call.path("id")).then("locations"), Done::Saved))
}

/// The ids of the channel's locations, in their order.
async fn order(call: &PageCall) -> Result<Vec<String>, Fault> {
    Ok(terms(call).await?.into_iter().map(|it| it.stock_location_id).collect())
}

/// Moves a location by one place.
async fn moved(call: &PageCall, id: &str, by: isize) -> Result<Value, Fault> {
    let mut order = order(call).await?;
    let at = order.iter().position(|it| it == id);
    let at = at.ok_or_else(|| Fault::not_found("The location does not serve this channel any more"))?;
    let to = at.saturating_add_signed(by).min(order.len() - 1);
    order.swap(at, to);
    renumber(call, &order).await
}

/// Puts the locations into the order of these ids. Those that it does not name come last, as they were.
async fn arranged(call: &PageCall, wanted: &str) -> Result<Value, Fault> {
    let wanted: Vec<&str> = wanted.split(' ').collect();
    let mut order = order(call).await?;
    order.sort_by_key(|id| wanted.iter().position(|it| it == id).unwrap_or(wanted.len()));
    renumber(call, &order).await
}

/// Numbers the locations anew, in this order.
async fn renumber(call: &PageCall, order: &[String]) -> Result<Value, Fault> {
    let numbered = order.iter().enumerate();
    let terms = numbered.map(|(n, id)| json!({ "stock_location_id": id, "priority": n }));
    let body = json!({ "stock_locations": terms.collect::<Vec<_>>() });
    call.api().post(of_channel(call).then("assortment"), &body).await
}
