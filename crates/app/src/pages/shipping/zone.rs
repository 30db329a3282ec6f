//! The page of a service zone: where it is, and how goods get there.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, hint, html, link, nothing,
    pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Offer, new_page, places, places::Place, zone_page};
use crate::pages::deletion::deletion;
use crate::pages::named::{Named, REGIONS, named};

admin_page! {
    "/shipping/sets/:set/zones/:zone" => show, change;
}

/// Options on one page of the list.
const OPTIONS_PAGE: usize = 25;

#[derive(Deserialize)]
pub(super) struct ZoneOfLocation {
    pub(super) name: String,
    #[serde(default)]
    geo_zones: Vec<Place>,
    fulfillment_set: SetOfLocation,
}

#[derive(Deserialize)]
struct SetOfLocation {
    location: Option<Named>,
}

impl ZoneOfLocation {
    /// From where it is served.
    pub(super) fn location(&self) -> Option<&Named> {
        self.fulfillment_set.location.as_ref()
    }
}

/// An option with its type.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: Option<Named>,
}

fn route(set: &str, zone: &str) -> Address {
    Address::of("/admin/fulfillment-sets").then(set).then("service-zones").then(zone)
}

/// The zone of these ids.
pub(super) async fn zone_of(call: &PageCall, set: &str, zone: &str) -> Result<ZoneOfLocation, Fault> {
    let fields =
        "id,name,*geo_zones,fulfillment_set.id,fulfillment_set.location.id,fulfillment_set.location.name";
    call.api().one(route(set, zone).with("fields", fields), "service_zone").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let (set, id) = (call.path("set"), call.path("zone"));
    let zone = zone_of(&call, set, id).await?;
    let n_others = places::others(&zone.geo_zones).len();
    let fields = [
        Field::text("name", "Name").value(&*zone.name).required(),
        Field::text("places", "Where to")
            .value(places::written(&zone.geo_zones))
            .hint("Codes of countries and provinces: DE FR US-CA."),
    ];
    let new = new_page().with("set", set).with("zone", id);
    let body = html! {
        section class="card" {
            h2 { "Options" }
            (options(&call).await?)
            p { a class="button" href=(call.to(new)) { "New option" } }
        }
        section class="card" {
            h2 { "Name and places" }
            p { (places::shown(&zone.geo_zones)) }
            (call.form("save", "Save", &fields))
            @if n_others > 0 { (hint(format!("{n_others} cities or postal codes stay as they are."))) }
        }
        (deletion(&call, &html! {}, "Delete the zone", "Its options go with it. Delete the zone?"))
    };
    let page = Page::new(zone.name.clone(), body).below("/shipping", "Shipping");
    Ok(match zone.location() {
        Some(it) => page.below(Address::of("/shipping").with("location", &it.id), &it.name),
        None => page,
    })
}

async fn options(call: &PageCall) -> Result<Markup, Fault> {
    let address = Address::of("/admin/shipping-options")
        .with("service_zone_id", call.path("zone"))
        .with("fields", "id,name,price_type,*rules,type.id,type.label,prices")
        .with("limit", OPTIONS_PAGE)
        .with("offset", call.offset());
    let options: Records<Value> = call.api().list(address, "shipping_options").await?;
    let regions = named(call, REGIONS).await?;
    let mut rows = Vec::new();
    for record in &options.records {
        let offer = Offer::deserialize(record).map_err(Fault::unexpected)?;
        let Typed { kind } = Typed::deserialize(record).map_err(Fault::unexpected)?;
        rows.push(vec![
            offer.link(call),
            html! { (kind.map_or_else(|| "–".to_owned(), |it| it.name)) },
            offer.in_words(call, &regions),
        ]);
    }
    Ok(html! {
        @if rows.is_empty() { (nothing("No option yet: nothing ships there.")) }
        @else {
            (table(&["Option", "Type", "Price"], rows))
            (pager(call, &options))
        }
    })
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let (set, id) = (call.path("set"), call.path("zone"));
    match form.action() {
        "save" => {
            let zone = zone_of(&call, set, id).await?;
            let typed = match form.text("places").is_empty() && !places::others(&zone.geo_zones).is_empty() {
                true => Vec::new(),
                false => places::read(form.text("places"))?,
            };
            let geo_zones = places::changed(&zone.geo_zones, typed);
            let body = json!({ "name": form.text("name"), "geo_zones": geo_zones });
            call.api().post::<Value>(route(set, id), &body).await?;
            Ok(Next::to(zone_page(set, id), Done::Saved))
        }
        "delete" => {
            call.api().delete(route(set, id)).await?;
            Ok(Next::to("/shipping", Done::Deleted))
        }
        _ => Err(Fault::invalid("There is no such button")),
    }
}

/// The link from the page of an option to its zone.
pub(super) fn zone_link(call: &PageCall, set: &str, zone: &Named) -> Markup {
    link(call, zone_page(set, &zone.id), &zone.name)
}
