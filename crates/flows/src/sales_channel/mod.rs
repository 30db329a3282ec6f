//! Flows on sales channels: create, update, delete, products, links, assortment.

mod assortment;
mod create;
mod delete;
mod link;
mod products;
mod update;

pub use assortment::{
    AssortmentUpdate, ItemTerms, LocationTerms, ProductChange, ProductTerms, Standing, UPDATE_ASSORTMENT,
    VariantTerms, plan_products,
};
pub use create::CREATE_SALES_CHANNELS;
pub use delete::DELETE_SALES_CHANNELS;
pub use link::{LINK_SALES_CHANNELS_TO_API_KEY, LINK_SALES_CHANNELS_TO_STOCK_LOCATION, LinkIds};
pub(crate) use link::{associate, hooked};
pub use products::{
    ChannelProducts, LINK_PRODUCTS_TO_SALES_CHANNEL, ProductsPlan, ProductsWhere, plan_channel_products,
};
pub use update::UPDATE_SALES_CHANNELS;
