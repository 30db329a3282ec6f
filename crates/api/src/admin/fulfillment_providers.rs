//! Admin routes of fulfilment providers: `/admin/fulfillment-providers`.

use std::time::Duration;

use atoll_checkout::{Fulfilling, FulfillmentProvider};
use atoll_fulfillment::FULFILLMENT_PROVIDERS;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Resource, Type},
    part_of, routes,
    serde_json::json,
};
use tokio::time::timeout;

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
    let id = call.path("id");
    if FULFILLMENT_PROVIDERS.get(&call.view, id)?.is_none() {
        return Err(Fault::not_found(format!("Fulfillment provider with id: {id} was not found")));
    }
    let provider = call.app.provider::<dyn FulfillmentProvider>(id)?;
    let options = in_time(id, provider.timeout(), provider.options(call.app.clone())).await?;
    let n = options.len();
    Ok(Reply::json(&json!({ "fulfillment_options": options, "count": n, "limit": n, "offset": 0 })))
}

/// The answer of a fulfilment provider. Errors: 503 if it does not answer in time.
pub(crate) async fn in_time<T>(id: &str, limit: Duration, answer: Fulfilling<T>) -> Result<T, Fault> {
    let late = |_| Fault::busy(format!("The fulfillment provider {id} does not answer"), RETRY_AFTER_S);
    timeout(limit, answer).await.map_err(late)?
}

/// When a client may ask again for what a provider did not answer, in seconds.
const RETRY_AFTER_S: u64 = 10;
