//! The records of fulfilment providers, and of fulfilments with their items, labels and addresses.

use atoll_checkout::{ParcelLabel, address};
use atoll_kernel::{
    Decimal, Metadata, Timestamp,
    data::{ComputedFields, Exact},
    entity,
    serde::{Deserialize, Serialize},
    stored,
};

entity! {
    /// A fulfilment provider.
    pub struct FulfillmentProviderRecord = "fulfillment_provider" / "fulfillment_providers", "serpro" {
        /// Does it serve? By configuration, of those that are linked in.
        pub is_enabled: bool = true,
    }
}

entity! {
    /// Items of an order that were packed at one stock location.
    pub struct Fulfillment = "fulfillment" / "fulfillments", "ful" {
        /// Id of the stock location; null if none of its items has managed stock.
        pub location_id: Option<String>,
        /// When it was packed.
        pub packed_at: Option<Timestamp>,
        /// When it was handed to a carrier.
        pub shipped_at: Option<Timestamp>,
        /// Id of the actor who marked it as shipped.
        pub marked_shipped_by: Option<String>,
        /// When it was delivered.
        pub delivered_at: Option<Timestamp>,
        /// When it was cancelled.
        pub canceled_at: Option<Timestamp>,
        /// Id of the actor who packed it.
        pub created_by: Option<String>,
        /// Does it need shipping?
        pub requires_shipping: bool = true,
        /// The fulfilment provider, by its id; null if the goods are not shipped, and in rows from before
        /// there were providers.
        pub provider_id: Option<String>,
        /// The shipping option, by its id.
        pub shipping_option_id: Option<String>,
        /// Data of the fulfilment provider.
        pub data: Metadata,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Quantities by line of the order.
        pub packed: Vec<Packed>,
        /// Inventory items that were taken from stock.
        pub items: Vec<FulfillmentItem>,
        /// Tracking numbers and labels of its parcels.
        pub labels: Vec<FulfillmentLabel>,
        /// Where to.
        pub delivery_address: Option<FulfillmentAddress>,
        /// Is a request to the provider in flight? Other requests are refused meanwhile.
        pub is_busy: bool,
    }
    hidden [packed, is_busy]
    embeds [
        many items: FulfillmentItem,
        many labels: FulfillmentLabel,
        one delivery_address: FulfillmentAddress,
    ]
}

entity! {
    /// A label of a parcel.
    pub struct FulfillmentLabel = "fulfillment_label" / "fulfillment_labels", "fulla" {
        /// The number by which the carrier finds the parcel.
        pub tracking_number: String,
        /// The page on which the buyer sees where it is.
        pub tracking_url: String,
        /// The document to print.
        pub label_url: String,
        /// The fulfilment.
        pub fulfillment_id: String,
    }
}

impl From<ParcelLabel> for FulfillmentLabel {
    /// A record without an id.
    fn from(label: ParcelLabel) -> FulfillmentLabel {
        let ParcelLabel { tracking_number, tracking_url, label_url } = label;
        FulfillmentLabel { tracking_number, tracking_url, label_url, ..FulfillmentLabel::default() }
    }
}

address! {
    /// Where a fulfilment is sent.
    pub struct FulfillmentAddress = "fulfillment_address" / "fulfillment_addresses", "fuladdr" {}
    hidden [customer_id]
}

stored! {
    /// A quantity of a line of an order.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(crate = "::atoll_kernel::serde")]
    pub struct Packed {
        /// The line.
        pub line_item_id: String,
        /// Packed quantity.
        pub quantity: Decimal,
    }
}

entity! {
    /// A quantity of an inventory item, for a line of an order.
    pub struct FulfillmentItem = "fulfillment_item" / "fulfillment_items", "fulit" {
        /// Display name.
        pub title: String,
        /// The stock keeping unit.
        pub sku: Option<String>,
        /// The barcode.
        pub barcode: Option<String>,
        /// Number of units.
        pub quantity: Decimal,
        /// The line.
        pub line_item_id: String,
        /// The inventory item.
        pub inventory_item_id: String,
        /// The fulfilment.
        pub fulfillment_id: String,
    }
    computed [raw_quantity: Exact] by compute_item
}

fn compute_item(item: &FulfillmentItem, shown: &mut ComputedFields<'_>) {
    shown.field("raw_quantity", item.quantity.raw());
}
