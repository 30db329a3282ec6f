//! Links (many-to-many tables) and foreign keys between the core's modules, one file each. Links have a table
//! with two entries per pair, one per direction. Those in `readonly/` are foreign keys in a field that a
//! record has anyway.

mod cart_payment_collection;
mod order_cart;
mod order_fulfillment;
mod order_payment_collection;
mod product_sales_channel;
mod product_variant_inventory_item;
mod product_variant_price_set;
mod publishable_api_key_sales_channel;
pub mod readonly;
mod region_payment_provider;
mod sales_channel_excluded_variant;
mod sales_channel_inventory_level;
mod sales_channel_stock_location;
mod shipping_option_price_set;
mod stock_location_fulfillment_provider;
mod stock_location_fulfillment_set;

pub use cart_payment_collection::CART_PAYMENT_COLLECTION;
pub use order_cart::ORDER_CART;
pub use order_fulfillment::ORDER_FULFILLMENT;
pub use order_payment_collection::ORDER_PAYMENT_COLLECTION;
pub use product_sales_channel::{AVAILABLE_FROM, AVAILABLE_UNTIL, PRODUCT_SALES_CHANNEL, Window};
pub use product_variant_inventory_item::{PRODUCT_VARIANT_INVENTORY_ITEM, required_quantity};
pub use product_variant_price_set::PRODUCT_VARIANT_PRICE_SET;
pub use publishable_api_key_sales_channel::PUBLISHABLE_API_KEY_SALES_CHANNEL;
pub use region_payment_provider::REGION_PAYMENT_PROVIDER;
pub use sales_channel_excluded_variant::SALES_CHANNEL_EXCLUDED_VARIANT;
pub use sales_channel_inventory_level::SALES_CHANNEL_INVENTORY_LEVEL;
pub use sales_channel_stock_location::{
    PRIORITY, SAFETY_STOCK, SALES_CHANNEL_STOCK_LOCATION, priority, safety_stock,
};
pub use shipping_option_price_set::SHIPPING_OPTION_PRICE_SET;
pub use stock_location_fulfillment_provider::STOCK_LOCATION_FULFILLMENT_PROVIDER;
pub use stock_location_fulfillment_set::STOCK_LOCATION_FULFILLMENT_SET;
