//! Authorisation of storefronts: the channels of a publishable key, and the wall that they form in the graph.
//!
//! Only the guard makes a scope, and only a scope leads to the products, carts and orders that it confines.

use std::sync::Arc;

use atoll_api_key::{ApiKeyKind, find_key};
use atoll_cart::{CARTS, Cart};
use atoll_customer::groups_of;
use atoll_kernel::{
    Ctx, Decimal, Fault, Now, Read, StoreError, Timestamp,
    query::{Context, Ids, Union, Wall},
    storefront::{Price, Scope, Verdict},
};
use atoll_links::{PUBLISHABLE_API_KEY_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT};
use atoll_order::{ORDERS, Order};
use atoll_product::{CATEGORY, PRODUCT, VARIANT, VARIANTS, shown_categories};
use atoll_region::{REGIONS, Region};
use atoll_sales_channel::{SALES_CHANNELS, SALES_CHANNELS_FLAG, SalesChannel};
use atoll_store::the_store;

use crate::{
    CHANNEL, CURRENCY, GROUPS, Listing, REGION, Seller, TaxPlace, price_context, price_of, prices::NO_REGION,
};

/// Why a store request is refused. The texts are the wire's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// The header is missing or empty.
    #[error(
        "Publishable API key required in the request header: x-publishable-api-key. You can manage your keys in \
         settings in the dashboard."
    )]
    Missing,
    /// The key is unknown or secret.
    #[error("A valid publishable key is required to proceed with the request")]
    Invalid,
    /// The key was revoked. The wire does not distinguish this; it helps operators of storefronts.
    #[error(
        "The publishable key was revoked. A valid publishable key is required to proceed with the request"
    )]
    Revoked,
    /// The key has no channel.
    #[error("Publishable key needs to have a sales channel configured")]
    NoChannel,
    /// The request names a channel that the key does not have.
    #[error("Requested sales channel is not part of the publishable key")]
    ForeignChannel,
}

impl From<KeyRefusal> for Fault {
    fn from(refusal: KeyRefusal) -> Self {
        match refusal {
            KeyRefusal::Missing | KeyRefusal::Invalid | KeyRefusal::Revoked => {
                Fault::not_allowed(refusal.to_string())
            }
            KeyRefusal::NoChannel | KeyRefusal::ForeignChannel => Fault::invalid(refusal.to_string()),
        }
    }
}

/// The channels of a publishable key, or the shop as a whole where sales channels are switched off. Clones
/// share the list.
#[derive(Clone, Debug)]
pub struct ChannelScope {
    key_id: Arc<str>,
    at: Now,
    customer: Option<Arc<str>>,
    channels: Arc<[SalesChannel]>,
    /// Are sales channels switched off?
    is_whole: bool,
}

impl ChannelScope {
    /// Authenticates a publishable key: returns its scope as of `view`.
    pub fn admit(
        ctx: &Ctx,
        view: &dyn Read,
        token: Option<&str>,
    ) -> Result<Result<Self, KeyRefusal>, StoreError> {
        let token = token.map(str::trim).filter(|it| !it.is_empty());
        let Some(token) = token else { return Ok(Err(KeyRefusal::Missing)) };
        let at = ctx.time();
        let Some(key) = find_key(view, ApiKeyKind::Publishable, token)? else {
            return Ok(Err(KeyRefusal::Invalid));
        };
        if !key.is_active(&at) {
            return Ok(Err(KeyRefusal::Revoked));
        }
        let is_whole = !ctx.is_on(&SALES_CHANNELS_FLAG);
        let mut channels = Vec::new();
        if !is_whole {
            for id in PUBLISHABLE_API_KEY_SALES_CHANNEL.rights(view, &key.id)? {
                channels.extend(SALES_CHANNELS.get(view, &id)?);
            }
        }
        let (key_id, channels) = (Arc::from(&*key.id), channels.into());
        Ok(Ok(ChannelScope { key_id, at, customer: None, channels, is_whole }))
    }

    /// The scope at another time: a preview of what shoppers will see.
    pub fn preview(mut self, at: Timestamp) -> Self {
        self.at = at.into();
        self
    }

    /// The scope for this customer, who is logged in.
    pub fn of_customer(mut self, id: Option<&str>) -> Self {
        self.customer = id.map(Arc::from);
        self
    }

    /// The id of the publishable key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The channels of the key that exist, including disabled ones.
    pub fn channels(&self) -> &[SalesChannel] {
        &self.channels
    }

    /// Are sales channels switched off? Then nothing is confined.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Does the key have this channel?
    pub fn has(&self, channel: &str) -> bool {
        self.channels.iter().any(|it| *it.id == *channel)
    }

    /// Restricts the scope to the channels that a request names.
    pub fn narrowed(&self, requested: Option<&[String]>) -> Result<ChannelScope, KeyRefusal> {
        let mut scope = self.clone();
        if self.is_whole {
            return Ok(scope);
        }
        if let Some(requested) = requested.filter(|it| !it.is_empty()) {
            if !requested.iter().all(|id| self.has(id)) {
                return Err(KeyRefusal::ForeignChannel);
            }
            let is_requested = |channel: &&SalesChannel| requested.iter().any(|id| *id == *channel.id);
            scope.channels = scope.channels.iter().filter(is_requested).cloned().collect();
        }
        if scope.channels.is_empty() { Err(KeyRefusal::NoChannel) } else { Ok(scope) }
    }

    /// The listed products of the channels of this scope. Disabled channels list none.
    pub fn products(&self) -> Box<dyn Ids> {
        self.listed(Listing::products)
    }

    /// The listed variants of the channels of this scope.
    pub fn variants(&self) -> Box<dyn Ids> {
        self.listed(Listing::variants)
    }

    /// The categories that are active and public.
    pub fn categories(&self) -> Box<dyn Ids> {
        Box::new(shown_categories())
    }

    fn listed(&self, of: fn(Option<&str>, Now) -> Listing) -> Box<dyn Ids> {
        if self.is_whole {
            return Box::new(of(None, self.at.clone()));
        }
        let listed = |it: &SalesChannel| Box::new(of(Some(&it.id), self.at.clone())) as Box<dyn Ids>;
        Box::new(Union(self.enabled().map(listed).collect()))
    }

    /// The cart with this id; `None` if it is not in a channel of this scope.
    pub fn cart(&self, view: &dyn Read, id: &str) -> Result<Option<Cart>, StoreError> {
        let cart = CARTS.get(view, id)?;
        Ok(cart.filter(|cart| self.reaches(cart.sales_channel_id.as_deref())))
    }

    /// The order with this id; `None` if it was not placed in a channel of this scope.
    pub fn order(&self, view: &dyn Read, id: &str) -> Result<Option<Order>, StoreError> {
        let order = ORDERS.get(view, id)?;
        Ok(order.filter(|order| self.reaches(order.sales_channel_id.as_deref())))
    }

    /// The channel whose price lists apply: the one in which a cart would be opened that names none.
    fn price_channel(&self, view: &dyn Read) -> Result<Option<String>, StoreError> {
        if let [one] = &*self.channels {
            return Ok(Some(one.id.to_string()));
        }
        let default = the_store(view)?.and_then(|store| store.default_sales_channel_id);
        Ok(default.filter(|it| self.has(it)))
    }

    /// As [`Scope::priced`], for the buyer of a cart if there is one. At a place, prices are shown with and
    /// without the taxes there, where the region calculates them by itself.
    pub fn priced_for(
        &self,
        view: &dyn Read,
        context: Context,
        cart: Option<&Cart>,
        region: Option<&str>,
        place: Option<TaxPlace>,
    ) -> Result<Context, Fault> {
        // In this order, as on the wire: the region of the cart, the requested one, that of the store.
        let of_cart = match cart.and_then(|it| it.region_id.as_deref()) {
            // It may be deleted.
            Some(id) => REGIONS.get(view, id)?,
            None => None,
        };
        let region = of_cart.map_or_else(|| price_region(view, region), |it| Ok(Some(it)))?;
        let Some(region) = region else { return Ok(context) };
        let (channel, customer) = match cart {
            Some(cart) => (cart.sales_channel_id.clone(), cart.customer_id.as_deref()),
            None => (self.price_channel(view)?, self.customer.as_deref()),
        };
        let context = context
            .with(CURRENCY, vec![region.currency_code])
            .with(REGION, vec![region.id.to_string()])
            .with(CHANNEL, channel.into_iter().collect())
            .with(GROUPS, groups_of(view, customer)?);
        Ok(match place.filter(|_| region.automatic_taxes) {
            Some(place) => context.holding(place),
            None => context,
        })
    }

    fn enabled(&self) -> impl Iterator<Item = &SalesChannel> {
        self.channels.iter().filter(|it| !it.is_disabled)
    }

    fn reaches(&self, channel: Option<&str>) -> bool {
        self.is_whole || channel.is_some_and(|it| self.has(it))
    }
}

impl ChannelScope {
    /// Those who sell: its channels, or the shop as a whole.
    fn sellers(&self) -> Vec<Seller> {
        match self.is_whole {
            true => vec![Seller::everything(&self.at)],
            false => self.channels.iter().map(|it| Seller::in_channel(&it.id, &self.at)).collect(),
        }
    }
}

/// The region of prices: the one that is asked for, or else that of the shop. Errors: 400 for one that does
/// not exist.
fn price_region(view: &dyn Read, asked: Option<&str>) -> Result<Option<Region>, Fault> {
    let id = match asked {
        Some(id) => Some(id.to_owned()),
        None => the_store(view)?.and_then(|store| store.default_region_id),
    };
    let Some(id) = id else { return Ok(None) };
    let region = REGIONS.get(view, &id)?;
    region.map(Some).ok_or_else(|| {
        Fault::invalid(format!("Region with id {id} not found when populating the pricing context"))
    })
}

impl Scope for ChannelScope {
    fn key_id(&self) -> &str {
        self.key_id()
    }

    fn at(&self) -> &Now {
        &self.at
    }

    fn in_channels(&self, ids: &[String]) -> Result<Arc<dyn Scope>, Fault> {
        Ok(Arc::new(self.narrowed(Some(ids))?))
    }

    fn must_show(&self, view: &dyn Read, variant: &str) -> Result<(), Fault> {
        match self.variants().contains(view, variant)? {
            true => Ok(()),
            false => Err(Fault::not_found(format!("Product variant with id: {variant} was not found"))),
        }
    }

    fn decide(&self, view: &dyn Read, variant: &str, quantity: Decimal) -> Result<Verdict, Fault> {
        let mut first = None;
        for seller in self.sellers() {
            let verdict = seller.shelf(view)?.decide(variant, quantity, None)?;
            if verdict.sellable {
                return Ok(verdict);
            }
            first.get_or_insert(verdict);
        }
        first.ok_or_else(|| KeyRefusal::NoChannel.into())
    }

    fn price(&self, view: &dyn Read, variant: &str, region: Option<&str>) -> Result<Option<Price>, Fault> {
        self.must_show(view, variant)?;
        let region = price_region(view, region)?.ok_or_else(|| Fault::invalid(NO_REGION))?;
        let context = price_context(&region.currency_code, Some(&region.id), None, &self.at)
            .with(CHANNEL, self.price_channel(view)?.as_deref())
            .with_all(GROUPS, groups_of(view, self.customer.as_deref())?);
        let price = |amount| Price {
            amount,
            currency_code: region.currency_code.clone(),
            region_id: region.id.to_string(),
        };
        Ok(price_of(view, variant, &context)?.map(price))
    }

    fn priced(&self, view: &dyn Read, context: Context, region: Option<&str>) -> Result<Context, Fault> {
        self.priced_for(view, context, None, region, None)
    }
}

/// Products, variants and categories are shown as the listing has them; for all other records their
/// visibility decides.
impl Wall for ChannelScope {
    fn ids(&self, entity: &str) -> Option<Box<dyn Ids>> {
        match entity {
            PRODUCT => Some(self.products()),
            VARIANT => Some(self.variants()),
            CATEGORY => Some(self.categories()),
            _ => None,
        }
    }

    fn channel_ids(&self) -> Option<Vec<&str>> {
        (!self.is_whole).then(|| self.channels.iter().map(|it| it.id.as_str()).collect())
    }

    fn enabled_channel_ids(&self) -> Option<Vec<&str>> {
        (!self.is_whole).then(|| self.enabled().map(|it| it.id.as_str()).collect())
    }

    fn customer(&self) -> Option<&str> {
        self.customer.as_deref()
    }

    fn partly_hidden(
        &self,
        view: &dyn Read,
        children: &str,
        n_max: u64,
    ) -> Result<Option<Vec<String>>, StoreError> {
        if children != VARIANT {
            return Ok(None);
        }
        let mut n_excluded = 0;
        for channel in self.enabled() {
            n_excluded += SALES_CHANNEL_EXCLUDED_VARIANT.rights_set(channel.id.to_string()).count(view)?;
        }
        if n_excluded > n_max {
            return Ok(None);
        }
        let mut products = Vec::new();
        for channel in self.enabled() {
            for variant in SALES_CHANNEL_EXCLUDED_VARIANT.rights(view, &channel.id)? {
                products.extend(VARIANTS.get(view, &variant)?.map(|it| it.product_id.to_string()));
            }
        }
        Ok(Some(products))
    }
}
