//! The records of inventory items, levels and reservations.

use atoll_kernel::{
    Decimal, Id, Metadata,
    data::{ComputedFields, Exact},
    entity,
};

entity! {
    /// Something that is stocked. Variants use one or several items (kits).
    pub struct InventoryItem = "inventory_item" / "inventory_items", "iitem" {
        /// Stock keeping unit; unique among live items.
        pub sku: Option<String>,
        /// Display name.
        pub title: Option<String>,
        /// Description, for admins.
        pub description: Option<String>,
        /// URL of a thumbnail image.
        pub thumbnail: Option<String>,
        /// ISO 3166-1 alpha-2.
        pub origin_country: Option<String>,
        /// Harmonised System code, for customs.
        pub hs_code: Option<String>,
        /// Does it need shipping?
        pub requires_shipping: bool = true,
        /// Manufacturer's code.
        pub mid_code: Option<String>,
        /// Material.
        pub material: Option<String>,
        /// Unit of a quantity of one: piece, metre.
        pub unit_of_measure: Option<String>,
        /// In grams.
        pub weight: Option<Decimal>,
        /// In millimetres.
        pub length: Option<Decimal>,
        /// In millimetres.
        pub height: Option<Decimal>,
        /// In millimetres.
        pub width: Option<Decimal>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [sku, hs_code, mid_code, description, title]
    patch InventoryItemPatch
}

entity! {
    /// The stock of an item at a location; one per pair.
    pub struct InventoryLevel = "inventory_level" / "inventory_levels", "ilev" {
        /// The item.
        pub inventory_item_id: Id<InventoryItem>,
        /// Id of the stock location.
        pub location_id: String,
        /// Quantity on hand.
        pub stocked_quantity: Decimal,
        /// The sum of the live reservations here.
        pub reserved_quantity: Decimal,
        /// Quantity that is expected, set by admins.
        pub incoming_quantity: Decimal,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    computed [
        /// How many can be sold: stocked, less reserved.
        available_quantity: Decimal,
        raw_stocked_quantity: Exact,
        raw_reserved_quantity: Exact,
        raw_incoming_quantity: Exact,
    ] by compute_level
    patch InventoryLevelPatch
}

impl InventoryLevel {
    /// The quantity that can still be reserved; negative if backorders were taken.
    pub fn available(&self) -> Decimal {
        self.stocked_quantity - self.reserved_quantity
    }
}

fn compute_level(level: &InventoryLevel, shown: &mut ComputedFields<'_>) {
    shown.field("available_quantity", level.available());
    shown.field("raw_stocked_quantity", level.stocked_quantity.raw());
    shown.field("raw_reserved_quantity", level.reserved_quantity.raw());
    shown.field("raw_incoming_quantity", level.incoming_quantity.raw());
}

entity! {
    /// A reservation: a quantity of an item at a location, held for a line.
    pub struct ReservationItem = "reservation_item" / "reservations", "resitem" {
        /// The item.
        pub inventory_item_id: Id<InventoryItem>,
        /// The location, by its id.
        pub location_id: String,
        /// Reserved quantity.
        pub quantity: Decimal,
        /// Id of the line of a cart or order.
        pub line_item_id: Option<String>,
        /// May it exceed the stock?
        pub allow_backorder: bool,
        /// Purpose, for admins.
        pub description: Option<String>,
        /// Id of the actor who created it.
        pub created_by: Option<String>,
        /// Id in an external system.
        pub external_id: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [description]
    patch ReservationItemPatch
}
