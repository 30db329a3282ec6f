//! The contract of fulfilment providers: which services a carrier offers, what a cart pays for one of them,
//! what it must know of the buyer, and what it does with packed goods: parcels, tracking numbers and labels.

use std::{future::Future, pin::Pin, time::Duration};

use atoll_kernel::{
    Ctx, Decimal, Fault, Metadata, provider_kind,
    serde::{Deserialize, Serialize},
};

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

    /// Takes over goods of an order that are packed at one location: a parcel, with its tracking numbers and
    /// labels if they are known already. The id of the fulfilment is the idempotency key: a repeated request
    /// is about the same goods. A refusal is shown to the admin, and nothing is fulfilled.
    fn create(&self, ctx: Ctx, request: ParcelRequest) -> Fulfilling<Parcel> {
        let _ = ctx;
        Box::pin(async { Ok(Parcel { data: request.data, labels: Vec::new() }) })
    }

    /// Takes a parcel back, before it is shipped. It may be unknown to the provider: a request to create it
    /// may have had no effect. A repeated request has no further effect.
    fn cancel(&self, ctx: Ctx, request: ParcelRequest) -> Fulfilling<()> {
        let _ = (ctx, request);
        Box::pin(async { Ok(()) })
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

/// A line of a cart or an order that is to be shipped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "::atoll_kernel::serde", default)]
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

/// Packed goods of an order, as a fulfilment provider is told of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "::atoll_kernel::serde", default)]
pub struct ParcelRequest {
    /// Id of the fulfilment, and the idempotency key of the request.
    pub fulfillment_id: String,
    /// Id of the order.
    pub order_id: String,
    /// Id of the shipping option.
    pub option_id: Option<String>,
    /// The `data` of the shipping option: the service of the provider.
    pub option_data: Metadata,
    /// To create: what is stored with the shipping method of the order, see
    /// [`FulfillmentProvider::validate`]. To cancel: the answer of [`FulfillmentProvider::create`], or what
    /// was sent with that request if it was not answered.
    pub data: Metadata,
    /// Id of the stock location where the goods are packed.
    pub location_id: Option<String>,
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// Where to.
    pub address: Option<Address>,
    /// What is packed.
    pub items: Vec<ItemToShip>,
}

/// A parcel that a fulfilment provider has taken over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "::atoll_kernel::serde", default)]
pub struct Parcel {
    /// Stored with the fulfilment, and handed back when it is cancelled.
    pub data: Metadata,
    /// Tracking numbers and labels.
    pub labels: Vec<ParcelLabel>,
}

/// A label of a parcel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "::atoll_kernel::serde", default)]
pub struct ParcelLabel {
    /// The number by which the carrier finds the parcel.
    pub tracking_number: String,
    /// The page on which the buyer sees where it is.
    pub tracking_url: String,
    /// The document to print.
    pub label_url: String,
}
