//! A store owns its default sales channel.

use atoll_kernel::{FieldLink, WhenGone, link};
use atoll_sales_channel::SALES_CHANNEL;
use atoll_store::STORE;

link! {
    /// A store owns its default sales channel.
    pub static STORE_SALES_CHANNEL: FieldLink = FieldLink {
        from: STORE,
        field: "default_sales_channel_id",
        relation: "default_sales_channel",
        many: false,
        to: SALES_CHANNEL,
        back: None,
        // The default channel is not deleted.
        when_gone: WhenGone::Keep,
    };
}
