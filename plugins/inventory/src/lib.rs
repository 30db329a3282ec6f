//! Inventory items, their stock levels per location, and reservations.

mod error;
mod quantities;
mod send;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    list_index, module,
    query::{Relation, Resolve},
};

pub use error::Error;
pub use send::{Sent, restock, send, send_up_to};
pub use service::{
    adjust, create_item, create_level, delete_level, level_at, level_or_not_stocked, release,
    release_reservation, reservations_of, reserve, set_level, stocked_anywhere, undo_reserve, update_item,
    update_reservation,
};
pub use types::{
    InventoryItem, InventoryItemPatch, InventoryLevel, InventoryLevelPatch, ReservationItem,
    ReservationItemPatch,
};

/// Entity name of items in links.
pub const INVENTORY_ITEM: &str = "inventory_item";
/// Entity name of levels in links.
pub const INVENTORY_LEVEL: &str = "inventory_level";

/// Unique: the SKU of live items.
pub const BY_SKU: Index<InventoryItem> =
    Index::unique("inventory_item.by_sku", &["sku"], |it, keys| keys.add_some(it.sku.as_deref()));

/// Unique: one level per item and location.
pub const BY_ITEM_AND_LOCATION: Index<InventoryLevel> =
    Index::unique("inventory_level.by_place", &["inventory_item_id", "location_id"], |it, keys| {
        keys.add(&[&it.inventory_item_id, &it.location_id]);
    });

/// The levels of an item.
pub const BY_ITEM: Index<InventoryLevel> =
    Index::on("inventory_level.by_item", &["inventory_item_id"], |it, keys| {
        keys.add(&[&it.inventory_item_id])
    });

/// The levels at a location.
pub const BY_LOCATION: Index<InventoryLevel> =
    Index::counted("inventory_level.by_location", &["location_id"], |it, keys| keys.add(&[&it.location_id]));

/// The reservations of a line of an order.
pub const BY_LINE: Index<ReservationItem> =
    Index::on("reservation_item.by_line", &["line_item_id"], |it, keys| {
        keys.add_some(it.line_item_id.as_deref());
    });

/// The reservations of an item.
pub const RESERVED_BY_ITEM: Index<ReservationItem> =
    Index::counted("reservation_item.by_item", &["inventory_item_id"], |it, keys| {
        keys.add(&[&it.inventory_item_id])
    });

/// Write through [`create_item`] and [`update_item`]: an empty SKU is stored as none.
pub static INVENTORY_ITEMS: Service<InventoryItem> = Service::new(&[BY_SKU]);
/// Quantities change through [`reserve`], [`release`], [`set_level`] and [`adjust`].
pub static INVENTORY_LEVELS: Service<InventoryLevel> =
    Service::new(&[BY_ITEM_AND_LOCATION, BY_ITEM, BY_LOCATION]);
/// Created by [`reserve`], deleted by [`release`].
pub static RESERVATIONS: Service<ReservationItem> = Service::new(&[BY_LINE, RESERVED_BY_ITEM]);

list_index! {
    /// Lists of inventory items.
    pub static ITEM_LISTS = "inventory_item" of INVENTORY_ITEMS {
        filters: ["requires_shipping"],
        sorts: ["sku", "title", "created_at", "updated_at"],
        search: true,
    }
}

/// The field of levels and reservations that names their item.
const OF_ITEM: &str = "inventory_item_id";

module! { Module {
    name: "inventory",
    summary: "Inventory items, stock levels per location, and reservations",
    services: &[&INVENTORY_ITEMS, &INVENTORY_LEVELS, &RESERVATIONS],
    relations: &[
        Relation::many(INVENTORY_ITEM, "location_levels", INVENTORY_LEVEL, Resolve::Back(OF_ITEM)),
        Relation::one(INVENTORY_LEVEL, "inventory_item", INVENTORY_ITEM, Resolve::Field(OF_ITEM)),
        Relation {
            searched: true,
            ..Relation::one("reservation_item", "inventory_item", INVENTORY_ITEM, Resolve::Field(OF_ITEM))
        },
    ],
    ..Module::EMPTY
} }
