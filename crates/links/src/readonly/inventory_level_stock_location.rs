//! A level is of a stock location; the wire shows a list of it.

use atoll_inventory::INVENTORY_LEVEL;
use atoll_kernel::{FieldLink, WhenGone, link};
use atoll_stock_location::STOCK_LOCATION;

link! {
    /// A level is of a stock location; the wire shows a list of it.
    pub static INVENTORY_LEVEL_STOCK_LOCATION: FieldLink = FieldLink {
        from: INVENTORY_LEVEL,
        field: "location_id",
        relation: "stock_locations",
        many: true,
        to: STOCK_LOCATION,
        back: None,
        // A location that holds stock is not deleted, and its empty levels go with it.
        when_gone: WhenGone::Keep,
    };
}
