//! `/store/regions`

use atoll_kernel::{Call, Fault, Offer, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    of REGION;
    Get "/store/regions" (Store, LIST) => index;
    Get "/store/regions/:id" (Store, ONE) => retrieve;
}

static REGION: Resource = Resource {
    entity: "region",
    one: "region",
    many: "regions",
    fields: &[
        "id", "name", "currency_code", "created_at", "updated_at", "deleted_at", "metadata", "*countries",
    ],
    offer: Some(Offer { whole: &["countries", "payment_providers"], parts: &[] }),
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("currency_code"), any("name"), date("created_at"), date("updated_at")], 50);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&REGION, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&REGION, &call, |id| format!("Region with id: {id} was not found"))
}
