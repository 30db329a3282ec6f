//! Admin route of tax providers: `/admin/tax-providers`.

use atoll_kernel::{
    Fault,
    http::{Call, Params, Reply, Resource},
    part_of, routes,
};

use crate::{
    reply::page,
    tables::{any, flag, list},
};

part_of! { "tax" }

routes! {
    of PROVIDER;
    /// Lists the tax providers that are installed.
    Get "/admin/tax-providers" (Admin, LIST) => index;
}

static PROVIDER: Resource = Resource {
    entity: "tax_provider",
    one: "tax_provider",
    many: "tax_providers",
    fields: &["id", "is_enabled"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(&[any("id"), flag("is_enabled")], 20);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&PROVIDER, &call, Vec::new())
}
