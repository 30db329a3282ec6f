//! `/admin/regions`

use atoll_kernel::{
    Body, Call, Fault, Field, Params, Reply, Resource, Type, optional, required, routes, serde_json::Value,
};
use atoll_region::{REGIONS, Region, RegionPatch, create_region, delete_region, update_region};

use crate::{
    reply::{find, page, remove, save},
    tables::{METADATA, ONE, any, date, list},
};

routes! {
    Get "/admin/regions" (Admin, LIST) => index;
    Post "/admin/regions" (Admin, ONE, CREATE) => create;
    Get "/admin/regions/:id" (Admin, ONE) => retrieve;
    Post "/admin/regions/:id" (Admin, ONE, UPDATE) => update;
    Delete "/admin/regions/:id" (Admin, ONE) => delete;
}

static REGION: Resource = Resource {
    entity: "region",
    one: "region",
    many: "regions",
    fields: &[
        "id", "name", "currency_code", "created_at", "updated_at", "deleted_at", "automatic_taxes",
        "metadata", "*countries",
    ],
    offer: None,
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("currency_code"), any("name"), date("created_at"), date("updated_at")], 50);
const CREATE: Body = &[&[required("name", Type::Text), required("currency_code", Type::Text)], MORE];
const UPDATE: Body = &[&[optional("name", Type::Text), optional("currency_code", Type::Text)], MORE];
const MORE: &[Field] = &[
    optional("countries", Type::List(&Type::Text)),
    optional("automatic_taxes", Type::Bool),
    optional("payment_providers", Type::List(&Type::Text)),
    METADATA,
];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&REGION, call, Vec::new())
}

/// No module takes payments yet, so no provider is one.
fn check_providers(body: &Value) -> Result<(), Fault> {
    match texts(body, "payment_providers") {
        Some(ids) if !ids.is_empty() => Err(Fault::not_found(format!(
            "Payment providers with ids {} not found or not enabled",
            ids.join(", ")
        ))),
        _ => Ok(()),
    }
}

fn texts(body: &Value, name: &str) -> Option<Vec<String>> {
    let items = body.get(name)?.as_array()?;
    Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    check_providers(call.body())?;
    let countries = texts(call.body(), "countries").unwrap_or_default();
    let region: Region = call.read()?;
    save(&REGION, call, move |tx, at| Ok(create_region(tx, at, region.clone(), &countries)?)).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&REGION, &call, |id| format!("Region with id: {id} not found"))
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    check_providers(call.body())?;
    let countries = texts(call.body(), "countries");
    let (id, patch) = (call.path("id").to_owned(), call.read::<RegionPatch>()?);
    save(&REGION, call, move |tx, at| {
        if !REGIONS.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("Region with id \"{id}\" not found")));
        }
        Ok(update_region(tx, at, &id, patch.clone(), countries.as_deref())?)
    })
    .await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove(call, "region", |tx, at, id| Ok(delete_region(tx, at, id).map(drop)?)).await
}
