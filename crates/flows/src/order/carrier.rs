//! The fulfilment provider of an order: by which shipping option goods are sent, and what the provider is
//! asked.

use atoll_checkout::{Address, FulfillmentProvider, ItemToShip, Parcel, ParcelRequest};
use atoll_fulfillment::{
    FULFILLMENT_SETS, Fulfillment, FulfillmentAddress, SERVICE_ZONES, SHIPPING_OPTIONS, ShippingOption,
    is_enabled, option,
};
use atoll_kernel::{
    Ctx, Fault, Metadata, Read, StoreError,
    flow::StepCall,
    saga::External,
    serde_json::{self, Map, Value},
};
use atoll_links::STOCK_LOCATION_FULFILLMENT_SET;
use atoll_order::{ORDERS, Order, OrderShippingMethod};
use atoll_product::PRODUCTS;
use serde::{Deserialize, Serialize};

use super::{CreateFulfillment, LineQuantity};

/// Who ships a fulfilment, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Carrier {
    /// None, if nothing is shipped, or nobody has chosen how.
    pub(super) provider_id: Option<String>,
    option_id: Option<String>,
    /// The service of the provider.
    pub(super) option_data: Metadata,
    /// Data of the shipping method.
    data: Metadata,
    /// Where the option ships from.
    pub(super) location_id: Option<String>,
}

impl Carrier {
    /// As the input says, or as the buyer has chosen. Errors: there is no such shipping option, or the
    /// provider does not serve.
    pub(super) fn of(tx: &dyn Read, input: &CreateFulfillment) -> Result<Carrier, Fault> {
        let mut carrier = Carrier { provider_id: input.provider_id.clone(), ..Carrier::default() };
        // Without an order nothing is asked: the saga refuses.
        let Some(order) = ORDERS.get(tx, &input.order_id)? else { return Ok(carrier) };
        let option = match &input.shipping_option_id {
            Some(id) => Some(option(tx, id)?),
            None if !is_shipped(&order, input) => None,
            None => option_of(tx, &order, &input.items)?,
        };
        if let Some(option) = option {
            carrier.provider_id.get_or_insert(option.provider_id);
            carrier.location_id = location_of(tx, &option.service_zone_id)?;
            let method = order.shipping_methods.iter().find(|it| is_by(it, &option.id));
            carrier.data = method.map(|it| it.data.clone()).unwrap_or_default();
            carrier.option_data = option.data;
            carrier.option_id = Some(option.id.to_string());
        }
        if input.data != Metadata::default() {
            carrier.data = input.data.clone();
        }
        if let Some(provider) = &carrier.provider_id
            && !is_enabled(tx, provider)?
        {
            return Err(Fault::invalid(format!("The fulfillment provider {provider} is not enabled")));
        }
        Ok(carrier)
    }

    /// How the rest of an order is sent when the order is completed: without asking anybody outside, since
    /// that cannot be refused. Then it names no provider.
    pub(super) fn of_rest(ctx: &Ctx, tx: &dyn Read, order: &Order) -> Result<Carrier, Fault> {
        let rest =
            |it: &atoll_order::OrderLineItem| LineQuantity { id: it.id.to_string(), quantity: it.open() };
        let items = order.items.iter().filter(|it| !it.open().is_zero()).map(rest).collect();
        let input = CreateFulfillment { order_id: order.id.to_string(), items, ..Default::default() };
        let Some(option) =
            (if is_shipped(order, &input) { option_of(tx, order, &input.items)? } else { None })
        else {
            return Ok(Carrier::default());
        };
        let is_manual = ctx.registry().provider::<dyn FulfillmentProvider>(&option.provider_id);
        let is_manual = is_manual.is_some_and(FulfillmentProvider::is_manual);
        Ok(Carrier {
            provider_id: is_manual.then_some(option.provider_id),
            option_id: Some(option.id.to_string()),
            location_id: location_of(tx, &option.service_zone_id)?,
            ..Carrier::default()
        })
    }

    /// A fulfilment by this carrier, to this address; by default to that of the order.
    pub(super) fn like(
        &self,
        order: &Order,
        address: Option<Map<String, Value>>,
    ) -> Result<Fulfillment, Fault> {
        let address = match address {
            Some(fields) => Some(
                serde_json::from_value::<FulfillmentAddress>(Value::Object(fields))
                    .map_err(|error| Fault::invalid(format!("Invalid request: delivery_address: {error}")))?,
            ),
            None => order.shipping_address.clone().map(|it| FulfillmentAddress::from(Address::from(it))),
        };
        Ok(Fulfillment {
            provider_id: self.provider_id.clone(),
            shipping_option_id: self.option_id.clone(),
            data: self.data.clone(),
            delivery_address: address,
            ..Fulfillment::default()
        })
    }
}

/// Are the lines to be shipped?
fn is_shipped(order: &Order, input: &CreateFulfillment) -> bool {
    let line = |wanted: &LineQuantity| order.items.iter().find(|it| *it.id == *wanted.id);
    let by_lines = || input.items.iter().filter_map(line).any(|it| it.requires_shipping);
    input.requires_shipping.unwrap_or_else(by_lines)
}

fn is_by(method: &OrderShippingMethod, option: &str) -> bool {
    method.shipping_option_id.as_deref() == Some(option)
}

/// The shipping option that the buyer has chosen for goods like the first of these lines: of several, that of
/// their shipping profile. None, if there is none, or it was deleted since.
fn option_of(tx: &dyn Read, order: &Order, items: &[LineQuantity]) -> Result<Option<ShippingOption>, Fault> {
    let mut options = Vec::new();
    for method in &order.shipping_methods {
        if let Some(id) = &method.shipping_option_id {
            options.extend(SHIPPING_OPTIONS.get(tx, id)?);
        }
    }
    if options.len() > 1 {
        let line = items.first().and_then(|it| order.items.iter().find(|line| *line.id == *it.id));
        let product = match line.and_then(|it| it.product_id.as_deref()) {
            Some(id) => PRODUCTS.get(tx, id)?,
            None => None,
        };
        let profile = product.and_then(|it| it.shipping_profile_id);
        let fits = |it: &ShippingOption| profile.as_deref() == Some(&*it.shipping_profile_id);
        if let Some(fitting) = options.iter().position(fits) {
            return Ok(Some(options.swap_remove(fitting)));
        }
    }
    Ok(options.into_iter().next())
}

/// The location of the set of a zone.
fn location_of(tx: &dyn Read, zone: &str) -> Result<Option<String>, StoreError> {
    let Some(zone) = SERVICE_ZONES.get(tx, zone)? else { return Ok(None) };
    let Some(set) = FULFILLMENT_SETS.get(tx, &zone.fulfillment_set_id)? else { return Ok(None) };
    Ok(STOCK_LOCATION_FULFILLMENT_SET.lefts(tx, &set.id)?.into_iter().next())
}

/// The provider with this id, if something outside of this process is asked.
pub(super) fn outside(
    ctx: &Ctx,
    id: Option<&str>,
) -> Result<Option<&'static dyn FulfillmentProvider>, Fault> {
    let Some(id) = id else { return Ok(None) };
    let provider = ctx.provider::<dyn FulfillmentProvider>(id)?;
    Ok(Some(provider).filter(|it| !it.is_manual()))
}

/// What the provider of a fulfilment is told.
pub(super) fn request(order: &Order, fulfillment: &Fulfillment, option_data: &Metadata) -> ParcelRequest {
    let items = fulfillment.packed.iter().filter_map(|packed| {
        let line = order.items.iter().find(|it| *it.id == *packed.line_item_id)?;
        Some(ItemToShip {
            line_id: packed.line_item_id.clone(),
            variant_id: line.variant_id.clone(),
            sku: line.variant_sku.clone(),
            quantity: packed.quantity,
            unit_price: line.unit_price,
        })
    });
    ParcelRequest {
        fulfillment_id: fulfillment.id.to_string(),
        order_id: order.id.to_string(),
        option_id: fulfillment.shipping_option_id.clone(),
        option_data: option_data.clone(),
        data: fulfillment.data.clone(),
        location_id: fulfillment.location_id.clone(),
        currency_code: order.currency_code.clone(),
        address: fulfillment.delivery_address.clone().map(Address::from),
        items: items.collect(),
    }
}

/// Asks a provider to take over a parcel. The compensation takes it back.
pub(super) fn ask_to_create(
    provider: &'static dyn FulfillmentProvider,
    request: ParcelRequest,
) -> External<Parcel> {
    let again = request.clone();
    let create = move |ctx: Ctx, _: StepCall| provider.create(ctx, request.clone());
    let cancel = move |ctx: Ctx, _: StepCall, taken: Option<Parcel>| {
        let data = taken.map_or_else(|| again.data.clone(), |it| it.data);
        provider.cancel(ctx, ParcelRequest { data, ..again.clone() })
    };
    External::new("create-parcel", create).timeout(provider.timeout()).undo(cancel)
}

/// Asks a provider to take a parcel back.
pub(super) fn ask_to_cancel(
    provider: &'static dyn FulfillmentProvider,
    request: ParcelRequest,
) -> External<()> {
    let cancel = move |ctx: Ctx, _: StepCall| provider.cancel(ctx, request.clone());
    External::new("cancel-parcel", cancel).timeout(provider.timeout())
}
