//! The explanation for admins: is a shipping option offered to a cart, and if not, why, each reason with the
//! record, field and value behind it.

use atoll_cart::Cart;
use atoll_fulfillment::{SHIPPING_OPTIONS, ShippingOption};
use atoll_kernel::{
    Read, StoreError,
    serde_json::{Value, json},
};

use super::{NotOffered, Shipment, offer};

/// Whether the option is offered to the cart, as JSON; `None` if there is no such option.
pub fn explain_option(
    view: &dyn Read,
    cart: &Cart,
    shipment: &Shipment,
    option: &str,
) -> Result<Option<Value>, StoreError> {
    let Some(answer) = offer(view, shipment, option)? else { return Ok(None) };
    let option = SHIPPING_OPTIONS.get(view, option)?.unwrap_or_default();
    let location = answer.as_ref().ok().map(|it| it.location.clone());
    let against = answer.err().unwrap_or_default();
    let reasons: Vec<Value> = against.iter().map(|it| describe(cart, shipment, &option, it)).collect();
    Ok(Some(json!({
        "shipping_option_id": option.id,
        "cart_id": cart.id,
        "sales_channel_id": shipment.seller.channel(),
        "offered": reasons.is_empty(),
        "stock_location_id": location,
        "reasons": reasons,
    })))
}

fn describe(cart: &Cart, shipment: &Shipment, option: &ShippingOption, reason: &NotOffered) -> Value {
    let of_option = |field, value| ("shipping_option", option.id.to_string(), field, value);
    let channel = || shipment.seller.channel().unwrap_or_default().to_owned();
    let (entity, id, field, value) = match reason {
        NotOffered::NoChannel => ("sales_channel", channel(), "is_disabled", json!(true)),
        NotOffered::NotOfChannel { location } => {
            ("sales_channel", channel(), "stock_locations", json!(location))
        }
        NotOffered::OutsideZone => {
            let address = cart.shipping_address.as_ref().map(|it| {
                json!({
                    "country_code": it.country_code, "province": it.province, "city": it.city,
                    "postal_code": it.postal_code,
                })
            });
            ("service_zone", option.service_zone_id.to_string(), "geo_zones", json!(address))
        }
        NotOffered::Rule(rule) => (
            "shipping_option_rule",
            rule.id.to_string(),
            "value",
            json!(shipment.context.get(&rule.attribute)),
        ),
        NotOffered::NotFromLocation => of_option("provider_id", json!(option.provider_id)),
        NotOffered::OtherGoods => of_option("shipping_profile_id", json!(option.shipping_profile_id)),
    };
    json!({ "code": reason.code(), "entity": entity, "id": id, "field": field, "value": value })
}
