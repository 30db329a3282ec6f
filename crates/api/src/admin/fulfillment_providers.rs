//! Admin routes of fulfilment providers: `/admin/fulfillment-providers`.

use atoll_checkout::FulfillmentProvider;
use atoll_flows::cart::in_time;
use atoll_fulfillment::FULFILLMENT_PROVIDERS;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Resource, Type},
    part_of, routes,
    serde_json::json,
};

use crate::{
    reply::page,
    tables::{ONE, any, flag, list},
};

part_of! { "fulfillment" }

routes! {
    of PROVIDER;
    /// Lists the fulfilment providers that are installed.
    Get "/admin/fulfillment-providers" (Admin, LIST) => index;
    /// Lists the services of a fulfilment provider, of which shipping options are made: each is the `data` of
    /// one.
    Get "/admin/fulfillment-providers/:id/options" (Admin, ONE) => options: OPTIONS;
}

static PROVIDER: Resource = Resource {
    entity: "fulfillment_provider",
    one: "fulfillment_provider",
    many: "fulfillment_providers",
    fields: &["id", "is_enabled"],
    store_fields: None,
    renamed: &[("stock_location_id", "locations.id")],
};

const LIST: Params = list(
    &[
        any("id"),
        any("stock_location_id").about("Providers that ship from this stock location."),
        flag("is_enabled"),
    ],
    50,
);
const OPTIONS: Answer = Answer::Object(&[
    Part::value("fulfillment_options", Type::List(&Type::Record), "The services, as the provider has them."),
    Part::value("count", Type::Number, "How many there are."),
    Part::value("limit", Type::Number, "As `count`: there are no pages."),
    Part::value("offset", Type::Number, "Always zero."),
]);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&PROVIDER, &call, Vec::new())
}

async fn options(call: Call) -> Result<Reply, Fault> {
    let (ctx, id) = (call.app.clone(), call.path("id").to_owned());
    if FULFILLMENT_PROVIDERS.get(&call.view, &id)?.is_none() {
        return Err(Fault::not_found(format!("Fulfillment provider with id: {id} was not found")));
    }
    // A provider takes its time, and a view that is held keeps the store from reusing space.
    drop(call);
    let provider = ctx.provider::<dyn FulfillmentProvider>(&id)?;
    let options = in_time(&ctx, &id, provider.timeout(), provider.options(ctx.clone())).await?;
    let n = options.len();
    Ok(Reply::json(&json!({ "fulfillment_options": options, "count": n, "limit": n, "offset": 0 })))
}
