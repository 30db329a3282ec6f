//! Store route of payment providers: `/store/payment-providers`.

use atoll_kernel::{
    Fault,
    http::{Call, Params, Reply, Resource},
    query::StoreFields,
    routes,
};
use atoll_links::REGION_PAYMENT_PROVIDER;

use crate::{
    reply::page,
    tables::{any, flag, list},
};

routes! {
    of PROVIDER;
    /// Lists the payment providers of a region.
    Get "/store/payment-providers" (Store, LIST) => index;
}

static PROVIDER: Resource = Resource {
    entity: "payment_provider",
    one: "payment_provider",
    many: "payment_providers",
    fields: &["id", "is_enabled"],
    store_fields: Some(StoreFields { whole: &[], parts: &[] }),
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("region_id").about("The region whose payment providers are asked for. Required."),
        flag("is_enabled"),
    ],
    20,
);

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let region = call.params.take_one("region_id")?;
    let Some(region) = region else {
        return Err(Fault::invalid("Invalid request: Field 'region_id' is required"));
    };
    page(&PROVIDER, &call, vec![Box::new(REGION_PAYMENT_PROVIDER.rights_set(region))])
}
