//! The records.

use atoll_kernel::{Decimal, Id, Metadata, entity, serde_json::Value};

entity! {
    /// Something that can be counted: what a variant takes from the shelf.
    pub struct InventoryItem = "inventory_item" / "inventory_items", "iitem" {
        /// The stock keeping unit; no two live items share one.
        pub sku: Option<String>,
        /// What it is called.
        pub title: Option<String>,
        /// What it is.
        pub description: Option<String>,
        /// The URL of a small picture.
        pub thumbnail: Option<String>,
        /// ISO 3166-1 alpha-2.
        pub origin_country: Option<String>,
        /// The harmonised system code.
        pub hs_code: Option<String>,
        /// Must it be sent to somebody?
        pub requires_shipping: bool = true,
        /// The manufacturer's code.
        pub mid_code: Option<String>,
        /// What it is made of.
        pub material: Option<String>,
        /// What one of it is: a piece, a metre.
        pub unit_of_measure: Option<String>,
        /// In grams.
        pub weight: Option<Decimal>,
        /// In millimetres.
        pub length: Option<Decimal>,
        /// In millimetres.
        pub height: Option<Decimal>,
        /// In millimetres.
        pub width: Option<Decimal>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [sku, hs_code, mid_code, description, title]
    patch InventoryItemPatch
}

entity! {
    /// What lies of an item at a location. Its key is the pair.
    pub struct InventoryLevel = "inventory_level" / "inventory_levels", "ilev" {
        /// The item.
        pub inventory_item_id: Id<InventoryItem>,
        /// The location, by its id: it belongs to another module.
        pub location_id: String,
        /// What lies there.
        pub stocked_quantity: Decimal,
        /// What of it is promised: the sum of the live reservations here.
        pub reserved_quantity: Decimal,
        /// What is on its way.
        pub incoming_quantity: Decimal,
        /// Free data.
        pub metadata: Metadata,
    }
    computed [available_quantity, raw_stocked_quantity, raw_reserved_quantity, raw_incoming_quantity] by compute_level
    patch InventoryLevelPatch
}

impl InventoryLevel {
    /// What can still be promised; below zero where backorders were taken.
    pub fn available(&self) -> Decimal {
        self.stocked_quantity - self.reserved_quantity
    }
}

fn compute_level(level: &InventoryLevel, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("available_quantity", atoll_kernel::serde_json::json!(level.available()));
    visit("raw_stocked_quantity", level.stocked_quantity.raw());
    visit("raw_reserved_quantity", level.reserved_quantity.raw());
    visit("raw_incoming_quantity", level.incoming_quantity.raw());
}

entity! {
    /// A promise of some of an item at a location.
    pub struct ReservationItem = "reservation_item" / "reservations", "resitem" {
        /// The item.
        pub inventory_item_id: Id<InventoryItem>,
        /// The location, by its id.
        pub location_id: String,
        /// How much.
        pub quantity: Decimal,
        /// The line of a cart or order that it is for.
        pub line_item_id: Option<String>,
        /// May it promise more than there is?
        pub allow_backorder: bool,
        /// What it is for.
        pub description: Option<String>,
        /// Who made it.
        pub created_by: Option<String>,
        /// Its id in another system.
        pub external_id: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [description]
    patch ReservationItemPatch
}
