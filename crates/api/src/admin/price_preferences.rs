//! Admin routes of price preferences, whether prices include tax: `/admin/price-preferences`.

use atoll_flows::pricing::{CREATE_PRICE_PREFERENCES, DELETE_PRICE_PREFERENCES, UPDATE_PRICE_PREFERENCES};
use atoll_kernel::http::{Body, Params, Resource, Type, optional, required};

use crate::{
    crud::crud,
    tables::{ONE, any, list},
};

crud! {
    of PRICE_PREFERENCE at "/admin/price-preferences" for Admin;
    called "a price preference" / "price preferences";
    not_found "Price preference with id: {} was not found";
    /// Each says whether the prices of a currency, or for a region, include tax.
    page LIST;
    find ONE;
    /// There is one per currency and region.
    create ONE, CREATE by CREATE_PRICE_PREFERENCES;
    update ONE, UPDATE by UPDATE_PRICE_PREFERENCES;
    /// The prices do not include tax then.
    delete "price_preference" by DELETE_PRICE_PREFERENCES;
}

static PRICE_PREFERENCE: Resource = Resource {
    entity: "price_preference",
    one: "price_preference",
    many: "price_preferences",
    fields: &["id", "attribute", "value", "is_tax_inclusive", "created_at", "deleted_at", "updated_at"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(&[any("id"), any("attribute"), any("value")], 300);
const CREATE: Body = &[&[
    required("attribute", Type::Text),
    required("value", Type::Text),
    optional("is_tax_inclusive", Type::Bool),
]];
const UPDATE: Body = &[&[
    optional("attribute", Type::Text),
    optional("value", Type::Text),
    optional("is_tax_inclusive", Type::Bool),
]];
