//! Admin route of payment providers: `/admin/payments/payment-providers`.

use atoll_kernel::{
    Fault,
    http::{Call, Params, Reply, Resource},
    routes,
};

use crate::{
    reply::page,
    tables::{any, flag, list},
};

routes! {
    of PROVIDER;
    /// Lists the payment providers that are installed.
    Get "/admin/payments/payment-providers" (Admin, LIST) => index;
}

static PROVIDER: Resource = Resource {
    entity: "payment_provider",
    one: "payment_provider",
    many: "payment_providers",
    fields: &["id", "is_enabled"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(&[any("id"), flag("is_enabled")], 20);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&PROVIDER, &call, Vec::new())
}
