//! The page of a service zone: where it is, and how goods get there.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, Seen, admin_page, html, link,
    nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Offer, new_page, places, places::Place, removable, zone_page};
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

const FIELDS: &str = "id,name,geo_zones.id,geo_zones.type,geo_zones.country_code,geo_zones.province_code,\
     geo_zones.city,geo_zones.postal_expression,fulfillment_set.id,fulfillment_set.location.id,\
     fulfillment_set.location.name";

/// The zone of these ids.
pub(super) async fn zone_of(call: &PageCall, set: &str, zone: &str) -> Result<ZoneOfLocation, Fault> {
    seen(call, set, zone).await.map(|it| it.0)
}

async fn seen(call: &PageCall, set: &str, zone: &str) -> Result<(ZoneOfLocation, Seen), Fault> {
    call.api().seen(route(set, zone).with("fields", FIELDS), "service_zone").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let (set, id) = (call.path("set"), call.path("zone"));
    let (zone, seen) = seen(&call, set, id).await?;
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
            (call.form_of_seen(&seen, "save", "Save", &fields))
        }
        section class="card" { h2 { "Cities and postal codes" } (cities(&call, &zone)) }
        (deletion(&call, &html! {}, "Delete the zone", "Its options go with it. Delete the zone?"))
    };
    let page = Page::new(zone.name.clone(), body).below("/shipping", "Shipping");
    Ok(match zone.location() {
        Some(it) => page.below(Address::of("/shipping").with("location", &it.id), &it.name),
        None => page,
    })
}

/// The places that have no code, each with the button that takes it out, and the form of another one.
fn cities(call: &PageCall, zone: &ZoneOfLocation) -> Markup {
    let fields = [
        Field::text("country", "Country").required().hint("Its code of two letters: DE."),
        Field::text("province", "Province")
            .required()
            .hint("As the addresses of your buyers have it: us-ny."),
        Field::text("city", "City").required(),
        Field::text("codes", "Postal codes")
            .hint("As 10115, or 101* for all that begin so; separated by commas. Empty: the whole city."),
    ];
    let goes = "Nothing ships there any more, unless another place holds it. Remove it?";
    let others = zone.geo_zones.iter().filter_map(|it| Some((it.other_id()?, it.shown())));
    let others = others.map(|(id, called)| (format!("remove-place {id}"), called));
    html! {
        (removable(call, others, goes))
        (call.fold("Another city, or some of its postal codes", &["add-place"], call.form_of(
            |form| html! { div class="pairs" { (form.fields(&fields)) } },
            &[Button::new("add-place", "Add")],
        )))
    }
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
    if form.action() == "delete" {
        call.api().delete(route(set, id)).await?;
        return Ok(Next::to("/shipping", Done::Deleted));
    }
    let (zone, now) = seen(&call, set, id).await?;
    let places = &zone.geo_zones;
    let body = match form.action() {
        "save" => {
            let typed = match form.text("places").is_empty() && !places::others(places).is_empty() {
                true => Vec::new(),
                false => places::read(form.text("places"))?,
            };
            json!({ "name": form.text("name"), "geo_zones": places::changed(places, typed) })
        }
        "add-place" => json!({ "geo_zones": places::with(places, Place::typed(&form)?) }),
        "remove-place" => json!({ "geo_zones": places::without(places, form.of_id()) }),
        _ => return Err(Fault::invalid("There is no such button")),
    };
    call.api().save(&form, &now, &body).await?;
    Ok(Next::to(zone_page(set, id), Done::Saved))
}

/// The link from the page of an option to its zone.
pub(super) fn zone_link(call: &PageCall, set: &str, zone: &Named) -> Markup {
    link(call, zone_page(set, &zone.id), &zone.name)
}
