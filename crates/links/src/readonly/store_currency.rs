//! Foreign key: the currencies of a store.

use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_region::CURRENCY;

link! {
    /// The currencies of a store.
    pub static STORE_CURRENCY: FieldLink = FieldLink {
        from: "store_currency",
        field: "currency_code",
        relation: "currency",
        many: false,
        to: CURRENCY,
        back: None,
        // Currencies are not deleted.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
