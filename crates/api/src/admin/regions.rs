//! Admin routes of regions: `/admin/regions`.

use atoll_flows::region::{CREATE_REGIONS, DELETE_REGIONS, NewRegion, RegionChanges, UPDATE_REGIONS};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Field, Params, Reply, Resource, Type, optional, required},
    routes,
    serde_json::Value,
};
use atoll_region::RegionPatch;

use crate::{
    crud::crud,
    reply::{only, perform},
    tables::{METADATA, ONE, any, date, list},
};

crud! {
    of REGION at "/admin/regions" for Admin;
    called "a region" / "regions";
    not_found "Region with id: {} not found";
    page LIST;
    find ONE;
    /// Its countries are free for another region.
    delete "region" by DELETE_REGIONS;
}

routes! {
    of REGION;
    /// Creates a region, with its countries and payment providers. A country belongs to one region.
    Post "/admin/regions" (Admin, ONE, CREATE) => create;
    /// Updates a region. Fields that are absent stay as they are; countries and payment providers are
    /// replaced.
    Post "/admin/regions/:id" (Admin, ONE, UPDATE) => update;
}

static REGION: Resource = Resource {
    entity: "region",
    one: "region",
    many: "regions",
    fields: &[
        "id", "name", "currency_code", "created_at", "updated_at", "deleted_at", "automatic_taxes",
        "metadata", "*countries",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("currency_code"), any("name"), date("created_at"), date("updated_at")], 50);
const CREATE: Body = &[&[required("name", Type::Text), required("currency_code", Type::Text)], MORE];
const UPDATE: Body = &[&[optional("name", Type::Text), optional("currency_code", Type::Text)], MORE];
const MORE: &[Field] = &[
    optional("countries", Type::List(&Type::Text))
        .about("The countries, by their ISO 3166-1 alpha-2 codes. A country is in one region at most."),
    optional("automatic_taxes", Type::Bool),
    optional("payment_providers", Type::List(&Type::Text)).about("The ids of the payment providers."),
    optional("is_tax_inclusive", Type::Bool)
        .about("Whether prices for the region include tax: a price preference, and no field of the region."),
    METADATA,
];

fn texts(body: &Value, name: &str) -> Option<Vec<String>> {
    let items = body.get(name)?.as_array()?;
    Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let countries = texts(call.body(), "countries").unwrap_or_default();
    let payment_providers = texts(call.body(), "payment_providers").unwrap_or_default();
    let is_tax_inclusive = call.body()["is_tax_inclusive"].as_bool();
    let input = NewRegion { region: call.read()?, countries, payment_providers, is_tax_inclusive };
    perform(&REGION, call, move |flow| only(flow.run(&CREATE_REGIONS, vec![input])?)).await
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let countries = texts(call.body(), "countries");
    let payment_providers = texts(call.body(), "payment_providers");
    let is_tax_inclusive = call.body()["is_tax_inclusive"].as_bool();
    let (id, patch) = (call.path("id").to_owned(), call.read::<RegionPatch>()?);
    let changes = RegionChanges { id, patch, countries, payment_providers, is_tax_inclusive };
    perform(&REGION, call, move |flow| flow.run(&UPDATE_REGIONS, changes)).await
}
