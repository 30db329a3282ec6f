//! The decision: is this variant sellable in this channel now, how many, and if not, why.
//!
//! [`Shelf`] is the one implementation of it, and everything answers from it: lists and counts (through the
//! listing, its index), single products, adding to a cart, completing it. [`ChannelScope`] is the
//! authorisation of storefronts: the only way for their code to reach products, carts and orders, and only
//! the guard makes one.

mod announce;
mod assortment;
mod explain;
mod listing;
mod matrix;
mod prices;
mod quantity;
mod sale_counts;
mod scope;
mod shelf;
mod shipping;
mod taxes;
mod verify;
mod windowed;

pub use announce::{
    AnnouncementStatus, VARIANT_AVAILABLE, VARIANT_UNAVAILABLE, announce_changes, announcement_status,
};
pub use assortment::{
    ProductCounts, ProductState, Turn, count_products, count_variants, products_changed, published_in,
};
pub use explain::{Question, explain};
pub use listing::{LISTING, sweep};
pub use matrix::{Matrix, Wanted};
pub use prices::{
    CHANNEL, CURRENCY, CalculatedPrice, GROUPS, PriceSource, Prices, REGION, price_context, price_of,
};
pub use sale_counts::{SaleCounts, sale_counts};
pub use scope::{ChannelScope, KeyRefusal};
pub use shelf::{Allocation, Seller, Shelf};
pub use shipping::{
    Goods, NotOffered, Shipment, ShippingOffer, can_ship, explain_option, has_stock_at, offer, offers,
    option_context, option_price, option_prices, ships,
};
pub use taxes::TaxPlace;
pub use windowed::Listing;
