//! What the routes of products and variants share: which channels they are about, and at which prices.

use atoll_availability::{CURRENCY, ChannelScope, REGION, SALES_CHANNEL, WHOLE_CATALOGUE};
use atoll_kernel::{Call, Context, Fault, Filters};
use atoll_region::REGIONS;
use atoll_store::the_store;

use crate::{
    gate::{context_in, scope},
    tables::any,
};

/// The parameters that [`surroundings`] takes.
pub(crate) const SURROUNDINGS: Filters =
    &[any("sales_channel_id"), any("region_id"), any("country_code"), any("province"), any("cart_id")];

/// The channels that the call is about, and what prices and quantities depend on. Takes the parameters that
/// say so out of the filters. `price` is the path of prices on the route, which a region asks for.
pub(crate) fn surroundings(call: &mut Call, price: &'static str) -> Result<(ChannelScope, Context), Fault> {
    let requested = call.params.take("sales_channel_id");
    let scope = scope(call).narrowed(requested.as_deref())?;
    let context = context_in(&call.app, scope.clone());
    let mut context = match scope.is_whole() {
        true => context.with(WHOLE_CATALOGUE, Vec::new()),
        false => context.with(SALES_CHANNEL, scope.channels().iter().map(|it| it.id.to_string()).collect()),
    };
    for other in ["country_code", "province"] {
        call.params.take(other);
    }
    let mut take = |name| call.params.take_one(name);
    let (asked, cart) = (take("region_id"), take("cart_id"));
    // A region asks for prices, as on the wire.
    if asked.is_some() {
        call.params.fields.add(price);
    }
    let view = &call.view;
    // The region of the cart, the one that is asked for, or the store's own: in this order, as on the wire.
    let of_cart = match cart {
        Some(cart) => scope.cart(view, &cart)?.and_then(|cart| cart.region_id),
        None => None,
    };
    // The region of a cart may be gone.
    let of_cart = of_cart.map(|id| REGIONS.table.exists(view, &id).map(|it| it.then_some(id))).transpose()?;
    let region = match of_cart.flatten().or(asked) {
        Some(region) => Some(region),
        None => the_store(view)?.and_then(|store| store.default_region_id),
    };
    if let Some(id) = region {
        let region = REGIONS.get(view, &id)?.ok_or_else(|| {
            Fault::invalid(format!("Region with id {id} not found when populating the pricing context"))
        })?;
        context = context.with(CURRENCY, vec![region.currency_code]).with(REGION, vec![id]);
    }
    Ok((scope, context))
}
