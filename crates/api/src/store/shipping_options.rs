//! Store routes of shipping options: `/store/shipping-options`. `availability` decides which options a cart
//! may have. The answer has the same fields whatever `fields` asks for, as on the wire.

use std::collections::HashMap;

use atoll_availability::{
    Prices, Seller, Shipment, ShippingOffer, has_stock_at, offers, option_context, option_price,
    option_prices,
};
use atoll_cart::Cart;
use atoll_fulfillment::{FULFILLMENT_SETS, SHIPPING_OPTION_TYPES};
use atoll_kernel::{
    Fault, Read,
    data::View,
    http::{Answer, Call, Param, Params, Part, Reply, Type, optional, required},
    routes,
    serde_json::{Value, json},
    storefront::Scope as _,
};
use atoll_stock_location::STOCK_LOCATIONS;

use crate::{
    gate::scope,
    tables::{any, flag},
};

routes! {
    /// Lists how a cart can be shipped: the options that ship goods of the cart to its address, from the
    /// stock locations of its channel.
    Get "/store/shipping-options" (Store, OF_CART) => index: OPTIONS;
}

/// The route that leaves with the module of shipping.
mod of_fulfillment {
    use atoll_availability::offer;
    use atoll_flows::cart::{check_data, shipping_price};
    use atoll_fulfillment::ShippingPriceType;
    use atoll_kernel::{
        Fault, Metadata,
        http::{Body, Call, Reply, Type, optional, required},
        part_of, routes,
        serde::Deserialize,
        serde_json::json,
    };

    use super::{CALCULATED, cart_of, shipment_of, shown};
    use crate::tables::ONE;

    part_of! { "fulfillment" }

    routes! {
        /// Asks the provider of a shipping option what a cart pays for it.
        Post "/store/shipping-options/:id/calculate" (Store, ONE, CALCULATE) => calculate: CALCULATED;
    }

    const CALCULATE: Body = &[&[
        required("cart_id", Type::Text).about("The cart that is to be shipped."),
        optional("data", Type::Record).about("What the provider needs to know of the buyer's choice."),
    ]];

    #[derive(Deserialize)]
    #[serde(crate = "atoll_kernel::serde")]
    struct Calculate {
        cart_id: String,
        #[serde(default)]
        data: Metadata,
    }

    async fn calculate(mut call: Call) -> Result<Reply, Fault> {
        let Calculate { cart_id, data } = call.read()?;
        check_data(&data)?;
        let cart = cart_of(&call, &cart_id)?;
        let (shipment, id) = (shipment_of(&call, &cart, false)?, call.path("id").to_owned());
        // An option of other channels, addresses or goods is as one that does not exist.
        let offered = offer(&call.view, &shipment, &id)?.and_then(Result::ok);
        let not_found = || Fault::not_found(format!("Shipping Option with id: {id} not found"));
        let offered = offered.ok_or_else(not_found)?;
        let option = &offered.option;
        if option.price_type != ShippingPriceType::Calculated {
            return Err(Fault::invalid(format!("The price of shipping option {id} is not calculated")));
        }
        let request = shipment.request(&cart, &offered, data);
        let app = call.app.clone();
        // A provider takes its time, and a view that is held keeps the store from reusing space.
        drop(call);
        let price = shipping_price(&app, &option.provider_id, request).await?;
        let shown = shown(&app.view(), &cart, &shipment, vec![offered])?;
        let mut shown = shown.into_iter().next().unwrap_or_default();
        shown["calculated_price"] = json!({
            "calculated_amount": price.amount, "is_calculated_price_tax_inclusive": price.is_tax_inclusive,
        });
        shown["amount"] = json!(price.amount);
        shown["is_tax_inclusive"] = price.is_tax_inclusive.into();
        Ok(Reply::json(&json!({ "shipping_option": shown })))
    }
}

const OPTIONS: Answer =
    Answer::Object(&[Part::value("shipping_options", Type::List(&OPTION), "The options of the cart.")]);
const CALCULATED: Answer =
    Answer::Object(&[Part::value("shipping_option", OPTION, "The option, with its price.")]);
const OPTION: Type = Type::Object(&[
    required("id", Type::Text).about("The id."),
    required("name", Type::Text).about("Display name."),
    required("price_type", Type::Words(&["calculated", "flat"])).about("Where its price comes from."),
    required("service_zone_id", Type::Text).about("The zone that it serves."),
    required("shipping_profile_id", Type::Text).about("The goods that it ships."),
    required("provider_id", Type::Text).about("The fulfilment provider."),
    required("data", Type::Record).or_null().about("The service of the provider."),
    required("service_zone", Type::Record)
        .about("The zone, with its fulfilment set and the address of its location."),
    required("type", Type::Record).about("The type."),
    required("provider", Type::Record).about("The fulfilment provider."),
    required("rules", Type::List(&Type::Record)).about("The rules, which hold for the cart."),
    required("calculated_price", Type::Record).or_null().about(
        "The price that applies to the cart; null if there is none, or if it is still to be calculated.",
    ),
    required("prices", Type::List(&Type::Record)).about("All prices of the option."),
    optional("amount", Type::NotNegative).about("What the cart pays for it, if there is a price."),
    required("is_tax_inclusive", Type::Bool).about("Whether the amount includes tax."),
    required("insufficient_inventory", Type::Bool)
        .about("Whether the location of the option alone cannot supply the cart, which matters to pickup."),
]);
const CART: Param = any("cart_id").about("The cart that is to be shipped. Required.");
const OF_CART: Params = Params {
    own: &[CART, flag("is_return").about("Options for the return of the cart.")],
    limit: None,
    strict: true,
};

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let required = || Fault::invalid("Invalid request: Field 'cart_id' is required");
    let cart_id = call.params.take_one("cart_id")?.ok_or_else(required)?;
    let is_return = call.params.take_flag("is_return");
    let cart = cart_of(&call, &cart_id)?;
    let shipment = shipment_of(&call, &cart, is_return)?;
    let offers = offers(&call.view, &shipment)?;
    let options = shown(&call.view, &cart, &shipment, offers)?;
    Ok(Reply::json(&json!({ "shipping_options": options })))
}

/// The cart with this id in the scope of the call.
fn cart_of(call: &Call, id: &str) -> Result<Cart, Fault> {
    let cart = scope(call).cart(&call.view, id)?;
    cart.ok_or_else(|| Fault::not_found(format!("Cart id not found: {id}")))
}

fn shipment_of(call: &Call, cart: &Cart, is_return: bool) -> Result<Shipment, Fault> {
    let seller = Seller::of(&call.app, cart.sales_channel_id.as_deref(), scope(call).at());
    Ok(Shipment::of_cart(&call.view, seller, cart, is_return)?)
}

/// The offers, as storefronts are shown them.
fn shown(
    view: &View,
    cart: &Cart,
    shipment: &Shipment,
    offers: Vec<ShippingOffer>,
) -> Result<Vec<Value>, Fault> {
    let (context, mut prices) = (option_context(cart, shipment), Prices::new(view));
    let mut has_stock: HashMap<String, bool> = HashMap::new();
    let mut all = Vec::with_capacity(offers.len());
    for ShippingOffer { option, set, location } in offers {
        if !has_stock.contains_key(&location) {
            has_stock.insert(location.clone(), has_stock_at(view, shipment, &cart.items, &location)?);
        }
        let kind = SHIPPING_OPTION_TYPES.get(view, &option.shipping_option_type_id)?.unwrap_or_default();
        let rules = option.rules.iter();
        let rules =
            rules.map(|it| json!({ "attribute": it.attribute, "operator": it.operator, "value": it.value }));
        let price = option_price(&mut prices, view, &option, &context)?;
        let mut shown = json!({
            "id": option.id, "name": option.name, "price_type": option.price_type,
            "service_zone_id": option.service_zone_id, "shipping_profile_id": option.shipping_profile_id,
            "provider_id": option.provider_id, "data": option.data,
            "service_zone": {
                "id": option.service_zone_id, "fulfillment_set_id": set,
                "fulfillment_set": set_shown(view, &set, &location)?,
            },
            "type": { "id": kind.id, "label": kind.label, "description": kind.description, "code": kind.code },
            "provider": { "id": option.provider_id, "is_enabled": true },
            "rules": rules.collect::<Vec<_>>(),
            "calculated_price": null, "prices": option_prices(view, &option)?, "is_tax_inclusive": false,
            "insufficient_inventory": !has_stock[&location],
        });
        if let Some(price) = price {
            shown["amount"] = json!(price.calculated.amount);
            shown["is_tax_inclusive"] = price.calculated.is_tax_inclusive.into();
            shown["calculated_price"] = price.json();
        }
        all.push(shown);
    }
    Ok(all)
}

/// The fulfilment set of an offer, with the address at which goods are picked up.
fn set_shown(view: &dyn Read, set: &str, location: &str) -> Result<Value, Fault> {
    let kind = FULFILLMENT_SETS.get(view, set)?.unwrap_or_default().r#type;
    let mut shown = json!({ "id": set, "type": kind, "location": { "id": location } });
    if let Some(address) = STOCK_LOCATIONS.get(view, location)?.and_then(|it| it.address) {
        shown["location"]["address"] = json!(address);
    }
    Ok(shown)
}
