//! `/admin/currencies`

use atoll_kernel::{Call, Fault, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, list},
};

routes! {
    of CURRENCY;
    Get "/admin/currencies" (Admin, LIST) => index;
    Get "/admin/currencies/:id" (Admin, ONE) => retrieve;
}

static CURRENCY: Resource = Resource {
    entity: "currency",
    one: "currency",
    many: "currencies",
    fields: &["code", "name", "symbol", "symbol_native", "decimal_digits", "rounding"],
    offer: None,
    renamed: &[],
};

const LIST: Params = list(&[any("code")], 200);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&CURRENCY, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&CURRENCY, &call, |code| format!("Currency with code: {code} was not found"))
}
