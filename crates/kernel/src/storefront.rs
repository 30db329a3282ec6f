//! What the store routes of a module get: the scope of the publishable key, the decision whether its channels
//! sell a variant now, and the price of it.

use std::{fmt, sync::Arc};

use crate::{
    Decimal, Fault, Now, Read, Timestamp,
    query::{Context, Wall},
};

/// The scope of a store request: the channels of its publishable key, with the customer who is logged in, at
/// the time of the request. The guard makes it, [`Pass::scope`](crate::http::Pass::scope) has it, and the
/// input of a flow may hold it; `view` is the snapshot of a request or the transaction of a flow.
///
/// Its channels are [`channel_ids`](Wall::channel_ids), its customer is [`customer`](Wall::customer).
pub trait Scope: Wall {
    /// The id of the publishable key.
    fn key_id(&self) -> &str;

    /// The time of the request; that of a preview, if an admin asks for one.
    fn at(&self) -> &Now;

    /// The same scope, in some of its channels. Errors: 400 for a channel that the key does not have.
    fn in_channels(&self, ids: &[String]) -> Result<Arc<dyn Scope>, Fault>;

    /// Errors: 404 for a variant that none of the channels shows now.
    fn must_show(&self, view: &dyn Read, variant: &str) -> Result<(), Fault>;

    /// May this quantity of a variant be sold now? The verdict of the first channel that sells it; if none
    /// does, that of the first channel. Whether the variant has a price is for [`price`](Scope::price) to
    /// say.
    fn decide(&self, view: &dyn Read, variant: &str, quantity: Decimal) -> Result<Verdict, Fault>;

    /// The price of one piece of a variant in a region, by default that of the shop; `None` without a price.
    /// Errors: 404 as `must_show`, 400 for a region that does not exist or without any.
    fn price(&self, view: &dyn Read, variant: &str, region: Option<&str>) -> Result<Option<Price>, Fault>;

    /// This context with the region, by default that of the shop, in which `calculated_price` is shown.
    fn priced(&self, view: &dyn Read, context: Context, region: Option<&str>) -> Result<Context, Fault>;
}

/// The price of a variant in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The amount, in units of the currency: `10` are ten euros.
    pub amount: Decimal,
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// The id of the region.
    pub region_id: String,
}

/// The decision on a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The id of the channel that decided; `None` for the shop as a whole, where sales channels are switched
    /// off.
    pub channel: Option<String>,
    /// Can the requested quantity be sold?
    pub sellable: bool,
    /// The available quantity; `None` if inventory is not managed.
    pub available: Option<Decimal>,
    /// All reasons against it; empty if it is sellable.
    pub reasons: Vec<Reason>,
}

/// Why a variant is not sellable in a channel. For admins and for the rules of modules, not for shoppers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The channel does not exist, or was deleted.
    NoChannel,
    /// The channel is disabled.
    ChannelDisabled,
    /// The variant or its product does not exist, or was deleted.
    NoVariant,
    /// The product is not published.
    NotPublished {
        /// Its status: `draft`.
        status: &'static str,
    },
    /// The product is not linked to the channel.
    NotInChannel,
    /// The channel does not sell the product yet.
    NotYet {
        /// The start of the availability window.
        from: Timestamp,
    },
    /// The channel sells the product no longer.
    NoLonger {
        /// The end of the availability window, exclusive.
        until: Timestamp,
    },
    /// The channel does not sell this variant of the product.
    VariantExcluded,
    /// The variant has no price in the requested currency and region.
    NoPrice,
    /// The variant has managed inventory, and no inventory item.
    NoInventoryItem,
    /// No location of the channel stocks an item of the variant.
    NoLocation,
    /// Less is available than is requested.
    NotEnough {
        /// The available quantity of the variant.
        available: Decimal,
    },
}

impl Reason {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::NoChannel => "sales_channel_not_found",
            Reason::ChannelDisabled => "sales_channel_disabled",
            Reason::NoVariant => "variant_not_found",
            Reason::NotPublished { .. } => "product_not_published",
            Reason::NotInChannel => "product_not_in_sales_channel",
            Reason::NotYet { .. } => "product_not_available_yet",
            Reason::NoLonger { .. } => "product_no_longer_available",
            Reason::VariantExcluded => "variant_excluded",
            Reason::NoPrice => "no_price",
            Reason::NoInventoryItem => "no_inventory_item",
            Reason::NoLocation => "no_stock_location",
            Reason::NotEnough { .. } => "insufficient_inventory",
        }
    }
}

/// In words, for people who can put it right.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoChannel => f.write_str("the sales channel does not exist"),
            Reason::ChannelDisabled => f.write_str("the sales channel is disabled"),
            Reason::NoVariant => f.write_str("the variant does not exist"),
            Reason::NotPublished { status } => write!(f, "the product is not published, it is `{status}`"),
            Reason::NotInChannel => f.write_str("the product is not in the sales channel"),
            Reason::NotYet { from } => write!(f, "the sales channel sells the product from {from} on"),
            Reason::NoLonger { until } => write!(f, "the sales channel sold the product until {until}"),
            Reason::VariantExcluded => f.write_str("the sales channel leaves the variant out"),
            Reason::NoPrice => f.write_str("the variant has no price in this currency and region"),
            Reason::NoInventoryItem => {
                f.write_str("the stock of the variant is managed, and it has no inventory item")
            }
            Reason::NoLocation => f.write_str("no stock location of the sales channel stocks the variant"),
            Reason::NotEnough { available } => write!(f, "only {available} are available"),
        }
    }
}

/// What the isolation matrix of the tests needs to know of the store routes of a module, which registers it
/// with [`isolation!`](crate::isolation). Texts may name the records of the side that is asked about:
/// `{channel}`, `{product}`, `{variant}`, `{cart}`, `{order}`, `{region}`.
pub struct Subject {
    /// The beginning of the paths of its routes: `/store/reviews`.
    pub prefix: &'static str,
    /// How a record is made that belongs to a side; its id then stands for `:id`.
    pub made_by: Option<Made>,
    /// The bodies of its writes, by the path of the route.
    pub bodies: &'static [(&'static str, &'static str)],
}

/// A request that makes a record for the isolation matrix.
pub struct Made {
    /// Does an admin make it, or the storefront of the side?
    pub by_admin: bool,
    /// The path of the `POST`.
    pub path: &'static str,
    /// Its body.
    pub body: &'static str,
    /// The key of the record in the answer.
    pub one: &'static str,
}

inventory::collect!(Subject);

impl Subject {
    /// The subject of this route, if a module has registered one.
    pub fn of(path: &str) -> Option<&'static Subject> {
        Subject::all()
            .find(|it| path.strip_prefix(it.prefix).is_some_and(|it| it.is_empty() || it.starts_with('/')))
    }

    /// All subjects, in no fixed order.
    pub fn all() -> impl Iterator<Item = &'static Subject> {
        inventory::iter::<Subject>.into_iter()
    }
}

/// Registers what the isolation matrix of the tests asks the store routes of a module. The matrix fails for
/// store routes that no module registers.
#[macro_export]
macro_rules! isolation {
    ($subject:expr) => {
        $crate::inventory::submit! { $subject }
    };
}
