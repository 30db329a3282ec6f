//! Foreign keys between modules: relations through a field that holds the id of another module's record.
//! Nothing else is stored.

mod cart_customer;
mod cart_region;
mod cart_sales_channel;
mod inventory_level_stock_location;
mod line_item_product;
mod order_customer;
mod order_region;
mod order_sales_channel;
mod product_shipping_profile;
mod promotions;
mod store_currency;
mod store_sales_channel;

pub use cart_customer::CART_CUSTOMER;
pub use cart_region::CART_REGION;
pub use cart_sales_channel::CART_SALES_CHANNEL;
pub use inventory_level_stock_location::INVENTORY_LEVEL_STOCK_LOCATION;
pub use line_item_product::{CART_LINE_PRODUCT, CART_LINE_VARIANT, ORDER_LINE_PRODUCT, ORDER_LINE_VARIANT};
pub use order_customer::ORDER_CUSTOMER;
pub use order_region::ORDER_REGION;
pub use order_sales_channel::ORDER_SALES_CHANNEL;
pub use product_shipping_profile::PRODUCT_SHIPPING_PROFILE;
pub use promotions::{CART_PROMOTIONS, ORDER_PROMOTIONS};
pub use store_currency::STORE_CURRENCY;
pub use store_sales_channel::STORE_SALES_CHANNEL;
