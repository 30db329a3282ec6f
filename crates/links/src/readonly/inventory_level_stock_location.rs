//! Foreign key: the stock location of an inventory level. The wire shows it as a list.

use atoll_inventory::INVENTORY_LEVEL;
use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_stock_location::STOCK_LOCATION;

link! {
    /// The stock location of an inventory level. The wire shows it as a list.
    pub static INVENTORY_LEVEL_STOCK_LOCATION: FieldLink = FieldLink {
        from: INVENTORY_LEVEL,
        field: "location_id",
        relation: "stock_locations",
        many: true,
        to: STOCK_LOCATION,
        back: None,
        // A location that holds stock cannot be deleted; its empty levels are deleted with it (cascade).
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
