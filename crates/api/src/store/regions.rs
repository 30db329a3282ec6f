//! Store routes of regions: `/store/regions`.

use atoll_kernel::{
    http::{Params, Resource},
    query::StoreFields,
};

use crate::{
    crud::crud,
    tables::{ONE, any, date, list},
};

crud! {
    of REGION at "/store/regions" for Store;
    called "a region" / "regions";
    not_found "Region with id: {} was not found";
    /// A cart needs one: it decides the currency.
    page LIST;
    find ONE;
}

static REGION: Resource = Resource {
    entity: "region",
    one: "region",
    many: "regions",
    fields: &[
        "id", "name", "currency_code", "created_at", "updated_at", "deleted_at", "metadata", "*countries",
    ],
    store_fields: Some(StoreFields { whole: &["countries", "payment_providers"], parts: &[] }),
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("currency_code"), any("name"), date("created_at"), date("updated_at")], 50);
