//! Admin routes of currencies: `/admin/currencies`.

use atoll_kernel::http::{Params, Resource};

use crate::{
    crud::crud,
    tables::{ONE, any, list},
};

crud! {
    of CURRENCY at "/admin/currencies" for Admin;
    called "a currency" / "currencies";
    not_found "Currency with code: {} was not found";
    page LIST;
    /// The id is its code, in small letters.
    find ONE;
}

static CURRENCY: Resource = Resource {
    entity: "currency",
    one: "currency",
    many: "currencies",
    fields: &["code", "name", "symbol", "symbol_native", "decimal_digits", "rounding"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(&[any("code")], 200);
