//! Foreign key: the default sales channel of a store.

use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_sales_channel::SALES_CHANNEL;
use atoll_store::STORE;

link! {
    /// The default sales channel of a store.
    pub static STORE_SALES_CHANNEL: FieldLink = FieldLink {
        from: STORE,
        field: "default_sales_channel_id",
        relation: "default_sales_channel",
        many: false,
        to: SALES_CHANNEL,
        back: None,
        // The default channel cannot be deleted.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
