//! The records.

use atoll_kernel::{
    Decimal, FieldValue, Metadata, Timestamp, entity,
    serde::{Deserialize, Serialize},
    serde_json::Value,
};

entity! {
    /// What was packed at one place.
    pub struct Fulfillment = "fulfillment" / "fulfillments", "ful" {
        /// Where, by the id of the location; nowhere, where nothing of it is counted.
        pub location_id: Option<String>,
        /// When it was packed.
        pub packed_at: Option<Timestamp>,
        /// When it was handed to a carrier, if it was.
        pub shipped_at: Option<Timestamp>,
        /// Who handed it over.
        pub marked_shipped_by: Option<String>,
        /// When it arrived, if it did.
        pub delivered_at: Option<Timestamp>,
        /// When it was called off, if it was.
        pub canceled_at: Option<Timestamp>,
        /// Who packed it.
        pub created_by: Option<String>,
        /// Must it be sent?
        pub requires_shipping: bool = true,
        /// Who sends it, by its id: nobody does yet.
        pub provider_id: Option<String>,
        /// How it is sent, by its id: there are no ways yet.
        pub shipping_option_id: Option<String>,
        /// Free data of who sends it.
        pub data: Metadata,
        /// Free data.
        pub metadata: Metadata,
        /// How many of which lines of the order it is.
        pub packed: Vec<Packed>,
        /// What was taken from the shelf for them.
        pub items: Vec<FulfillmentItem>,
    }
    hidden [packed]
    embeds [many items: FulfillmentItem]
}

/// Some of a line of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "::atoll_kernel::serde")]
pub struct Packed {
    /// The line.
    pub line_item_id: String,
    /// How many of it.
    pub quantity: Decimal,
}

entity! {
    /// Some of an inventory item, for a line of an order.
    pub struct FulfillmentItem = "fulfillment_item" / "fulfillment_items", "fulit" {
        /// What it is called.
        pub title: String,
        /// The stock keeping unit.
        pub sku: Option<String>,
        /// The barcode.
        pub barcode: Option<String>,
        /// How many.
        pub quantity: Decimal,
        /// The line.
        pub line_item_id: String,
        /// The inventory item.
        pub inventory_item_id: String,
        /// The fulfilment.
        pub fulfillment_id: String,
    }
    computed [raw_quantity] by compute_item
}

fn compute_item(item: &FulfillmentItem, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("raw_quantity", item.quantity.raw());
}

impl FieldValue for FulfillmentItem {}

impl FieldValue for Packed {}
