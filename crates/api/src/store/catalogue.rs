//! Shared by the store routes of products and variants: the channels of a call, and its price context.

use std::sync::Arc;

use atoll_availability::TaxPlace;
use atoll_kernel::{
    Fault,
    http::{Call, Filters, Param},
    query::Context,
};

use crate::{gate::scope, tables::any};

/// The parameters that [`surroundings`] takes.
pub(crate) const SURROUNDINGS: Filters = &[IN_CHANNEL, IN_REGION, IN_COUNTRY, IN_PROVINCE, OF_CART];
pub(crate) const IN_CHANNEL: Param = any("sales_channel_id")
    .about("The channels to look at, among those of the key; without it, all of these.");
pub(crate) const IN_REGION: Param = any("region_id").about("The region of the prices, which then are shown.");
pub(crate) const IN_COUNTRY: Param =
    any("country_code").about("The country of the shopper: prices then are shown with and without taxes.");
pub(crate) const IN_PROVINCE: Param =
    any("province").about("The province of the shopper (`us-ca`), where it has taxes of its own.");
pub(crate) const OF_CART: Param =
    any("cart_id").about("The cart whose region, sales channel and customer the prices are for.");

/// The context of the call, in the channels that it names, with the region of its prices. Takes their
/// parameters out of the filters. `price` is the path of prices on the route, which is added to the fields if
/// there is a region.
pub(crate) fn surroundings(call: &mut Call, price: &'static str) -> Result<Context, Fault> {
    let requested = call.params.take("sales_channel_id");
    let scope = scope(call).narrowed(requested.as_deref())?;
    let context = call.context().clone().within(Arc::new(scope.clone()));
    let mut take = |name| call.params.take_one(name);
    let (asked, cart) = (take("region_id")?, take("cart_id")?);
    let (country, province) = (take("country_code")?, take("province")?);
    let place = TaxPlace::of(call.app.registry(), country, province);
    // A region adds prices to the fields, as on the wire.
    if asked.is_some() {
        call.params.fields.add(price);
    }
    let cart = cart.map_or(Ok(None), |id| scope.cart(&call.view, &id))?;
    scope.priced_for(&call.view, context, cart.as_ref(), asked.as_deref(), place)
}
