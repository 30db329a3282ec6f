//! The contract of tax providers: what is to be taxed, and the tax lines (rates) of each line of a cart and
//! of each shipping method.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use atoll_kernel::{
    Ctx, Decimal, Fault, Read, provider_kind,
    serde::{Deserialize, Serialize},
};

use crate::TaxLine;

/// A tax provider: the shop's own table of rates, or a service that knows those of every town. It is
/// registered with [`provider!`](atoll_kernel::provider) under an id such as `tp_system`, by which tax
/// regions refer to it.
pub trait TaxProvider: Send + Sync {
    /// The tax lines, by a provider that needs nothing but the data of the shop: it answers within the
    /// transaction that changes the cart. `None`, the default, says that it must be asked outside, by
    /// [`TaxProvider::ask`]; until then the cart has no valid total.
    fn local(&self, tx: &dyn Read, request: &TaxRequest) -> Result<Option<TaxLines>, Fault> {
        let _ = (tx, request);
        Ok(None)
    }

    /// Time-out of one request.
    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// Asks for the tax lines, outside of any transaction. It changes nothing, so it may be called again.
    /// Never called for a provider that answers [`TaxProvider::local`].
    fn ask(&self, ctx: Ctx, request: TaxRequest) -> Taxing;
}

provider_kind! { dyn TaxProvider as "tax" }

/// The future of a request to a tax provider.
pub type Taxing = Pin<Box<dyn Future<Output = Result<TaxLines, Fault>> + Send>>;

/// The tax lines of each item and each shipping method, by its id. What has no entry is not taxed. Several of
/// one item are added; they do not compound. Their sums are zero: the totals of the cart set them.
pub type TaxLines = BTreeMap<String, Vec<TaxLine>>;

/// What is to be taxed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct TaxRequest {
    /// Where the goods go.
    pub address: TaxAddress,
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// The customer, if it is known.
    pub customer_id: Option<String>,
    /// The lines.
    pub items: Vec<TaxItem>,
    /// The shipping methods.
    pub shipping: Vec<TaxShipping>,
    /// Do the goods come back?
    pub is_return: bool,
}

/// An address, as far as taxes depend on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct TaxAddress {
    /// ISO 3166-1 alpha-2, in any case.
    pub country_code: String,
    /// ISO 3166-2 (`us-ca`), in any case.
    pub province: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
}

/// A line that is to be taxed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct TaxItem {
    /// The line, by its id.
    pub id: String,
    /// The product; none of a line that is not of the catalogue.
    pub product_id: Option<String>,
    /// The type of the product.
    pub product_type_id: Option<String>,
    /// How many.
    pub quantity: Decimal,
    /// The price of one, in the currency.
    pub unit_price: Decimal,
    /// A gift card is not taxed: what is bought with it is.
    pub is_giftcard: bool,
}

/// A shipping method that is to be taxed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct TaxShipping {
    /// The method, by its id.
    pub id: String,
    /// Its shipping option.
    pub shipping_option_id: Option<String>,
    /// Its price, in the currency.
    pub amount: Decimal,
}
