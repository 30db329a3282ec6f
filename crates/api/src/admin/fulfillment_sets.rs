//! Admin routes of fulfilment sets and their service zones: `/admin/fulfillment-sets`. A set is created with
//! its stock location: `stock_locations.rs`.

use std::sync::Arc;

use atoll_flows::fulfillment::{
    CREATE_SERVICE_ZONES, DELETE_FULFILLMENT_SETS, DELETE_SERVICE_ZONES, NewServiceZone, OfSet,
    ServiceZoneChanges, UPDATE_SERVICE_ZONES,
};
use atoll_fulfillment::{GeoZoneType, SERVICE_ZONES};
use atoll_kernel::{
    Fault,
    http::{Answer, Body, Call, Deleted, Params, Reply, Resource, Type, optional, required},
    part_of, routes,
};

use crate::{
    reply::{perform, perform_in, remove_by, remove_from},
    tables::{METADATA, ONE},
};

part_of! { "fulfillment" }

routes! {
    of SET;
    /// Deletes a fulfilment set, with its service zones and their shipping options.
    Delete "/admin/fulfillment-sets/:id" (Admin, Params::NONE) => delete;
    /// Creates a service zone of a fulfilment set: an area to which its location ships by the same options. A
    /// set has at most 100 zones, and a zone at most 1,000 geo zones.
    Post "/admin/fulfillment-sets/:id/service-zones" (Admin, ONE, CREATE) => create_zone;
    /// Updates a service zone. Geo zones that are sent replace its own, but for those that they name by their
    /// ids.
    Post "/admin/fulfillment-sets/:id/service-zones/:zone_id" (Admin, ONE, UPDATE) => update_zone;
    /// Deletes a service zone, with its shipping options.
    Delete "/admin/fulfillment-sets/:id/service-zones/:zone_id" (Admin, ONE) => delete_zone: Answer::DeletedFrom(&SET);
}

routes! {
    of ZONE;
    /// Shows a service zone.
    Get "/admin/fulfillment-sets/:id/service-zones/:zone_id" (Admin, ONE) => zone;
}

static SET: Resource = Resource {
    entity: "fulfillment_set",
    one: "fulfillment_set",
    many: "fulfillment_sets",
    fields: &[
        "id", "name", "type", "created_at", "updated_at", "deleted_at", "*service_zones",
        "*service_zones.geo_zones",
    ],
    store_fields: None,
    renamed: &[],
};

static ZONE: Resource = Resource {
    entity: "service_zone",
    one: "service_zone",
    many: "service_zones",
    fields: &["id", "name", "created_at", "updated_at", "deleted_at", "*geo_zones"],
    store_fields: None,
    renamed: &[],
};

const CREATE: Body = &[&[required("name", Type::Text), GEO_ZONES]];
const UPDATE: Body = &[&[optional("name", Type::Text).or_null(), GEO_ZONES]];
const GEO_ZONES: atoll_kernel::http::Field = optional("geo_zones", Type::List(&Type::Strict(GEO_ZONE)))
    .about("What lies in it: an address in one of these.");
const GEO_ZONE: Body = &[&[
    optional("id", Type::Text).about("The id of the zone's own that is meant; a new one has none."),
    required("type", Type::Words(GeoZoneType::WORDS)),
    required("country_code", Type::Text),
    optional("province_code", Type::Text).about("Required for every type but `country`."),
    optional("city", Type::Text).about("Required for `city` and `zip`."),
    optional("postal_expression", Type::Record).about(
        "Required for `zip`: `{\"type\": \"regex\", \"exp\": \"90\\\\d{3}\"}`, which the whole postal code must match.",
    ),
    METADATA,
]];

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "fulfillment_set", &DELETE_FULFILLMENT_SETS).await
}

async fn create_zone(mut call: Call) -> Result<Reply, Fault> {
    let input = NewServiceZone { fulfillment_set_id: call.path("id").to_owned(), ..call.read()? };
    perform(&SET, call, move |flow| flow.run(&CREATE_SERVICE_ZONES, input)).await
}

fn of_set<T>(call: &Call, change: T) -> OfSet<T> {
    OfSet { set_id: call.path("id").to_owned(), zone_id: call.path("zone_id").to_owned(), change }
}

async fn zone(call: Call) -> Result<Reply, Fault> {
    let (set, id) = (call.path("id"), call.path("zone_id"));
    match SERVICE_ZONES.get(&call.view, id)?.filter(|it| *it.fulfillment_set_id == *set) {
        Some(zone) => ZONE.plan(&call).show(&call.view, Arc::new(zone)),
        None => Err(Fault::not_found(format!("Service zone with id: {id} not found"))),
    }
}

async fn update_zone(mut call: Call) -> Result<Reply, Fault> {
    let changes: ServiceZoneChanges = call.read()?;
    let input = of_set(&call, changes);
    perform_in(&SET, &ZONE, call, move |flow| flow.run(&UPDATE_SERVICE_ZONES, input)).await
}

async fn delete_zone(call: Call) -> Result<Reply, Fault> {
    let input = of_set(&call, ());
    let gone = Deleted::new(input.zone_id.as_str(), "service_zone");
    remove_from(&SET, call, gone, move |flow| flow.run(&DELETE_SERVICE_ZONES, input)).await
}
