//! The contract of fulfilment providers: which services a carrier offers, what a cart pays for one of them,
//! and what it must know of the buyer.

use std::{future::Future, pin::Pin, time::Duration};

use atoll_kernel::{Ctx, Decimal, Fault, Metadata, provider_kind, serde::Serialize};

use crate::Address;

/// A fulfilment provider: a carrier, or the shop itself. It is registered with
/// [`provider!`](atoll_kernel::provider) under an id such as `carrier_express`, by which stock locations and
/// shipping options refer to it. A location ships with those that are linked to it.
pub trait FulfillmentProvider: Send + Sync {
    /// True if nothing outside of this process is asked, so that the provider can be asked within a
    /// transaction.
    fn is_manual(&self) -> bool {
        false
    }

    /// Time-out of one request.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// The services of the provider, of which admins make shipping options: each an object with an `id`,
    /// which a shipping option keeps as its `data`.
    fn options(&self, ctx: Ctx) -> Fulfilling<Vec<Metadata>>;

    /// Can the price of a shipping option with this `data` be calculated? If not, only flat prices are
    /// accepted for it.
    fn can_calculate(&self, _option_data: &Metadata) -> bool {
        false
    }

    /// What a cart pays for a shipping option. Asked for options with a calculated price only, as often as
    /// the cart changes: it has no effect.
    fn price(&self, ctx: Ctx, request: ShippingRequest) -> Fulfilling<ShippingPrice> {
        let _ = (ctx, request);
        Box::pin(async { Err(Fault::invalid("The fulfillment provider calculates no prices")) })
    }

    /// Checks the data that a storefront sends with its choice of an option, such as the id of a parcel shop;
    /// returns what is stored with the shipping method. Errors are shown to the buyer.
    fn validate(&self, ctx: Ctx, request: ShippingRequest) -> Fulfilling<Metadata> {
        let _ = ctx;
        Box::pin(async { Ok(request.data) })
    }
}

provider_kind! { dyn FulfillmentProvider as "fulfillment" }

/// The future of a request to a fulfilment provider.
pub type Fulfilling<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// A cart that is to be shipped, as a fulfilment provider is told of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(crate = "::atoll_kernel::serde")]
pub struct ShippingRequest {
    /// Id of the shipping option.
    pub option_id: String,
    /// The `data` of the shipping option: the service of the provider.
    pub option_data: Metadata,
    /// What the storefront sends.
    pub data: Metadata,
    /// Id of the stock location from which the option ships.
    pub location_id: String,
    /// Id of the cart.
    pub cart_id: String,
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// Where to; `None` while the cart has no address.
    pub address: Option<Address>,
    /// What is to be shipped.
    pub items: Vec<ItemToShip>,
}

/// A line of a cart that is to be shipped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(crate = "::atoll_kernel::serde")]
pub struct ItemToShip {
    /// Id of the line.
    pub line_id: String,
    /// Id of the variant.
    pub variant_id: Option<String>,
    /// The stock keeping unit.
    pub sku: Option<String>,
    /// Number of units.
    pub quantity: Decimal,
    /// Price of one, in units of the currency.
    pub unit_price: Decimal,
}

/// A price that a fulfilment provider has calculated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ShippingPrice {
    /// In units of the currency of the cart. Not below zero.
    pub amount: Decimal,
    /// Does the amount include tax?
    pub is_tax_inclusive: bool,
}
