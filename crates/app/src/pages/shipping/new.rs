//! A new way of shipping, from nothing to what buyers are offered in one form: the fulfilment set, the
//! service zone and the provider of the location are made where they are not there yet.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Blank, Button, Done, Field, Form, Next, Page, PageCall, Records, admin_page, html,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Set, answers, countries, make_set, places,
    places::Place,
    prices,
    zone::{ZoneOfLocation, zone_of},
    zone_page,
};
use crate::pages::{
    named::{LOCATIONS, Named, SHIPPING_PROFILES, SHIPPING_TYPES, choices, first, options, provider_name},
    store::currencies,
};

admin_page! {
    "/shipping/new" => ask, create;
}

/// Fulfilment providers whose services the form offers.
const PROVIDERS_MAX: usize = 20;

/// Countries that the form suggests: those of the regions.
const SUGGESTED_MAX: usize = 40;

/// Types among which one of the name of the option is looked for.
const TYPES_MAX: usize = 100;

#[derive(Deserialize)]
struct Provider {
    id: String,
}

/// A service of a provider.
struct Service {
    provider: String,
    /// As the provider has it; null if it says nothing of its services.
    data: Value,
}

impl Service {
    /// Its id among those of the provider.
    fn id(&self) -> &str {
        self.data["id"].as_str().unwrap_or_default()
    }

    /// As a form sends it.
    fn value(&self) -> String {
        format!("{} {}", self.provider, self.id())
    }

    fn label(&self) -> String {
        let provider = provider_name(&self.provider);
        match (self.data["name"].as_str(), self.data["is_return"].as_bool()) {
            (Some(name), _) => format!("{provider}: {name}"),
            (None, Some(true)) => format!("{provider}: returns"),
            (None, _) => provider,
        }
    }
}

/// The services of all providers. A provider that does not answer is offered without a service.
async fn services(call: &PageCall) -> Result<Vec<Service>, Fault> {
    #[derive(Deserialize)]
    struct Answer {
        fulfillment_options: Vec<Value>,
    }
    let all = Address::of("/admin/fulfillment-providers");
    let enabled = all.clone().with("is_enabled", true).with("limit", PROVIDERS_MAX);
    let providers: Records<Provider> = call.api().list(enabled, "fulfillment_providers").await?;
    let mut services = Vec::new();
    for Provider { id: provider } in providers.records {
        let answer = call.api().get::<Answer>(all.clone().then(&provider).then("options")).await;
        let offered = answer.map_or_else(|_| vec![Value::Null], |it| it.fulfillment_options);
        services.extend(offered.into_iter().map(|data| Service { provider: provider.clone(), data }));
    }
    Ok(services)
}

async fn ask(call: PageCall) -> Result<Page, Fault> {
    let services = services(&call).await?;
    let profiles = choices(&call, SHIPPING_PROFILES, &[]).await?;
    let currencies = currencies(&call).await?;
    let zone = chosen_zone(&call).await?;
    let places = if zone.is_some() { None } else { Some(where_to(&call).await?) };
    let is_only_manual = services.iter().all(|it| it.provider == "manual_manual");
    let by = services.iter().map(|it| (it.value(), it.label()));
    let mut how = vec![
        Field::text("name", "Name").value("Standard").required().hint("Buyers see it."),
        Field::choice("service", "Shipped by", by),
    ];
    if profiles.len() > 1 {
        how.push(Field::choice("profile", "Goods of the profile", options(&profiles)));
    }
    if !is_only_manual {
        let from = [("flat", "As below"), ("calculated", "The carrier says it for each cart")];
        how.push(Field::choice("price_type", "Price", from));
    }
    let fields = |form: &Blank<'_>| {
        html! {
            @if let Some(places) = &places {
                section class="card" {
                    h2 { "Where to" }
                    div class="pairs" { (form.fields(places)) }
                }
            }
            section class="card" {
                h2 { "What buyers are offered" }
                div class="pairs" { (form.fields(&how)) }
                (prices::new_fields(form, &currencies))
                (form.field(&Field::tick("buyers", "Buyers may choose it", true)))
            }
        }
    };
    let form = call.form_of(fields, &[Button::new("create", "Create")]);
    let page = Page::new("New way of shipping", form).below("/shipping", "Shipping");
    Ok(match zone {
        Some(zone) => page.below(zone_page(call.query("set"), call.query("zone")), zone.name),
        None => page,
    })
}

/// The zone for which the form was opened, if it was for one.
async fn chosen_zone(call: &PageCall) -> Result<Option<ZoneOfLocation>, Fault> {
    match (call.query("set"), call.query("zone")) {
        ("", _) | (_, "") => Ok(None),
        (set, zone) => zone_of(call, set, zone).await.map(Some),
    }
}

/// The fields of a place that the shop does not ship to yet.
async fn where_to(call: &PageCall) -> Result<[Field<'static>; 3], Fault> {
    let locations = choices(call, LOCATIONS, &[]).await?;
    let codes: Vec<String> =
        countries(call).await?.iter().take(SUGGESTED_MAX).map(|it| it.iso_2.to_uppercase()).collect();
    let ways = [("shipping", "It is shipped"), ("pickup", "Buyers collect it here")];
    Ok([
        Field::choice("location", "From", options(&locations)).value(call.query("location")),
        Field::choice("kind", "How buyers get it", ways),
        Field::text("places", "To buyers in")
            .value(codes.join(" "))
            .required()
            .hint("Codes of countries and provinces: DE FR US-CA."),
    ])
}

/// The location of a way of shipping, with what it has already.
#[derive(Deserialize)]
struct Location {
    id: String,
    name: String,
    #[serde(default)]
    fulfillment_providers: Vec<Provider>,
    #[serde(default)]
    fulfillment_sets: Vec<Set>,
}

async fn location(call: &PageCall, id: &str) -> Result<Location, Fault> {
    let fields = "id,name,fulfillment_providers.id,fulfillment_sets.id,fulfillment_sets.type,\
         fulfillment_sets.service_zones.id,fulfillment_sets.service_zones.name,\
         fulfillment_sets.service_zones.geo_zones.*";
    let address = Address::of("/admin/stock-locations").then(id).with("fields", fields);
    call.api().one(address, "stock_location").await
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    // All that was typed is read before anything is written.
    let is_flat = form.text("price_type") != "calculated";
    let prices = if is_flat { prices::typed(&form)? } else { Vec::new() };
    let services = services(&call).await?;
    let service = services.iter().find(|it| it.value() == form.text("service"));
    let service = service.ok_or_else(|| Fault::invalid("There is no such service"))?;
    let profile = match form.text("profile") {
        "" => first(&call, SHIPPING_PROFILES, 1).await?.pop().map(|it| it.id),
        id => Some(id.to_owned()),
    };
    let zone = chosen_zone(&call).await?;
    let typed = if zone.is_none() { places::read(form.text("places"))? } else { Vec::new() };
    let at = match &zone {
        Some(zone) => zone.location().map_or("", |it| &*it.id),
        None => form.text("location"),
    };
    let location = location(&call, at).await?;

    allow(&call, &location, &service.provider).await?;
    let zone = match zone {
        Some(_) => call.query("zone").to_owned(),
        None => zone_in(&call, &location, form.text("kind"), &typed).await?,
    };
    let mut body = json!({
        "name": form.text("name"),
        "service_zone_id": zone,
        "shipping_profile_id": profile,
        "provider_id": service.provider,
        "price_type": if is_flat { "flat" } else { "calculated" },
        "prices": prices,
        "rules": answers(form.is_on("buyers"), service.data["is_return"] == true),
    });
    if service.data.is_object() {
        body["data"] = service.data.clone();
    }
    let (key, kind) = kind(&call, form.text("name")).await?;
    body[key] = kind;
    call.api().post::<Value>(Address::of("/admin/shipping-options").with("fields", "id"), &body).await?;
    Ok(Next::to(Address::of("/shipping").with("location", &location.id), Done::Created))
}

/// Lets a provider ship from a location.
async fn allow(call: &PageCall, location: &Location, provider: &str) -> Result<(), Fault> {
    if location.fulfillment_providers.iter().any(|it| it.id == provider) {
        return Ok(());
    }
    let address = Address::of("/admin/stock-locations")
        .then(&location.id)
        .then("fulfillment-providers")
        .with("fields", "id");
    call.api().post::<Value>(address, &json!({ "add": [provider] })).await.map(drop)
}

/// The zone of a location in which these places are, and no other. It is made if it is not there.
async fn zone_in(call: &PageCall, location: &Location, kind: &str, typed: &[Place]) -> Result<String, Fault> {
    let set = location.fulfillment_sets.iter().find(|it| it.kind == kind);
    let mut zones = set.into_iter().flat_map(|it| &it.service_zones);
    if let Some(zone) = zones.find(|it| places::are_same(&it.geo_zones, typed)) {
        return Ok(zone.id.clone());
    }
    let set = match set {
        Some(set) => set.id.clone(),
        None => {
            let named = Named { id: location.id.clone(), name: location.name.clone() };
            make_set(call, &named, kind).await?
        }
    };
    #[derive(Deserialize)]
    struct Answer {
        fulfillment_set: Set,
    }
    // Names of these are unique in the shop.
    let how = if kind == "pickup" { "collected at" } else { "from" };
    let name = format!("{} {how} {}", places::shown(typed), location.name);
    let address = Address::of("/admin/fulfillment-sets")
        .then(&set)
        .then("service-zones")
        .with("fields", "id,type,service_zones.id,service_zones.name");
    let body = json!({ "name": name, "geo_zones": places::changed(&[], typed.to_vec()) });
    let Answer { fulfillment_set } = call.api().post(address, &body).await?;
    let made = fulfillment_set.service_zones.into_iter().find(|it| it.name == name);
    made.map(|it| it.id).ok_or_else(|| Fault::unexpected("the set has no such zone"))
}

/// The type of an option of this name, as a body has it: one that is called so, or a new one.
async fn kind(call: &PageCall, name: &str) -> Result<(&'static str, Value), Fault> {
    let types: Vec<Named> = first(call, SHIPPING_TYPES, TYPES_MAX).await?;
    if let Some(it) = types.iter().find(|it| it.name.to_lowercase() == name.to_lowercase()) {
        return Ok(("type_id", json!(it.id)));
    }
    let code = name.to_lowercase().replace(|it: char| !it.is_alphanumeric(), "-");
    Ok(("type", json!({ "label": name, "code": code })))
}
