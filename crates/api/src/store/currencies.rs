//! `/store/currencies`

use atoll_kernel::{Call, Fault, Offer, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, list},
};

routes! {
    of CURRENCY;
    Get "/store/currencies" (Store, LIST) => index;
    Get "/store/currencies/:id" (Store, ONE) => retrieve;
}

static CURRENCY: Resource = Resource {
    entity: "currency",
    one: "currency",
    many: "currencies",
    fields: &["code", "name", "symbol", "symbol_native", "decimal_digits", "rounding"],
    offer: Some(Offer { whole: &[], parts: &[] }),
    renamed: &[],
};

const LIST: Params = list(&[any("code")], 50);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&CURRENCY, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&CURRENCY, &call, |code| format!("Currency with code: {code} was not found"))
}
