//! Makes an order of a cart: check, reserve, order, link, close, tell. One transaction, or nothing.

use atoll_availability::{ChannelScope, Shelf, Take};
use atoll_cart::{Cart, CartAddress, LineItem, complete};
use atoll_inventory::{InventoryLevel, ReservationItem, create_level, level_at, reserve};
use atoll_kernel::{
    Entity, Fault, Moment, Write, emit,
    serde_json::{Map, json},
};
use atoll_links::ORDER_CART;
use atoll_order::{ORDERS, Order, OrderAddress, OrderLineItem, place_order};

use crate::cart::line::{refused, shown_variant};

/// Makes an order of a cart. The channel must (still) sell every line, and there must be enough for all lines
/// together; what they take is reserved. A cart that is an order already answers with that order. Event:
/// `order.placed`.
pub fn complete_cart(
    tx: &mut dyn Write,
    at: &Moment,
    scope: &ChannelScope,
    cart_id: &str,
) -> Result<Order, Fault> {
    let no_cart = || Fault::not_found(format!("Cart with id '{cart_id}' not found"));
    let cart = scope.cart(tx, cart_id)?.ok_or_else(no_cart)?;
    if cart.completed_at.is_some() {
        let order = ORDER_CART.lefts(tx, &cart.id)?.into_iter().next();
        return Ok(ORDERS.retrieve(tx, &order.unwrap_or_default())?);
    }
    if cart.items.is_empty() {
        return Err(atoll_cart::Error::Empty.into());
    }
    let order = place_order(tx, at, order_of(at, &cart))?;
    let promised = take_all(tx, &cart)?;
    for (line, takes) in order.items.iter().zip(promised) {
        for take in takes {
            promise(tx, at, line, take)?;
        }
    }
    ORDER_CART.attach(tx, at, &order.id, &cart.id, Map::new())?;
    complete(tx, at, &cart)?;
    emit(tx, at, "order.placed", json!({ "id": order.id }))?;
    Ok(order)
}

/// What each line takes from the shelf of the cart's channel; lines that share an item share what there is.
fn take_all(tx: &dyn Write, cart: &Cart) -> Result<Vec<Vec<Take>>, Fault> {
    let channel = cart.sales_channel_id.as_deref().unwrap_or_default();
    let mut shelf = Shelf::open(tx, channel)?;
    let mut takes = Vec::with_capacity(cart.items.len());
    for line in &cart.items {
        let (variant, _) = shown_variant(tx, &shelf, line.variant_id.as_deref().unwrap_or_default())?;
        match shelf.take(&variant, line.quantity)? {
            Ok(take) => takes.push(take),
            Err(reason) => return Err(refused(&reason, channel, &variant.id)),
        }
    }
    Ok(takes)
}

fn promise(tx: &mut dyn Write, at: &Moment, line: &OrderLineItem, take: Take) -> Result<(), Fault> {
    if level_at(tx, &take.item, &take.location)?.is_none() {
        // A backorder is counted too, at a place where there is nothing yet.
        let (inventory_item_id, location_id) = (take.item.as_str().into(), take.location.clone());
        let level = InventoryLevel { inventory_item_id, location_id, ..InventoryLevel::default() };
        create_level(tx, at, level)?;
    }
    let promise = ReservationItem {
        inventory_item_id: take.item.into(),
        location_id: take.location,
        quantity: take.quantity,
        line_item_id: Some(line.id.to_string()),
        allow_backorder: take.backordered,
        ..ReservationItem::default()
    };
    reserve(tx, at, promise)?;
    Ok(())
}

fn order_of(at: &Moment, cart: &Cart) -> Order {
    Order {
        region_id: cart.region_id.clone(),
        customer_id: cart.customer_id.clone(),
        sales_channel_id: cart.sales_channel_id.clone(),
        email: cart.email.clone(),
        currency_code: cart.currency_code.clone(),
        locale: cart.locale.clone(),
        metadata: cart.metadata.clone(),
        items: cart.items.iter().map(|line| line_of(at, line)).collect(),
        shipping_address: cart.shipping_address.as_ref().map(address_of),
        billing_address: cart.billing_address.as_ref().map(address_of),
        ..Order::default()
    }
}

fn line_of(at: &Moment, line: &LineItem) -> OrderLineItem {
    let line = line.clone();
    let mut order_line = OrderLineItem {
        title: line.title,
        subtitle: line.subtitle,
        thumbnail: line.thumbnail,
        quantity: line.quantity,
        variant_id: line.variant_id,
        product_id: line.product_id,
        product_title: line.product_title,
        product_description: line.product_description,
        product_subtitle: line.product_subtitle,
        product_type: line.product_type,
        product_type_id: line.product_type_id,
        product_collection: line.product_collection,
        product_handle: line.product_handle,
        variant_sku: line.variant_sku,
        variant_barcode: line.variant_barcode,
        variant_title: line.variant_title,
        is_giftcard: line.is_giftcard,
        requires_shipping: line.requires_shipping,
        is_discountable: line.is_discountable,
        is_tax_inclusive: line.is_tax_inclusive,
        is_custom_price: line.is_custom_price,
        unit_price: line.unit_price,
        compare_at_unit_price: line.compare_at_unit_price,
        metadata: line.metadata,
        ..OrderLineItem::default()
    };
    order_line.born(at.id(), at.now());
    order_line
}

fn address_of(address: &CartAddress) -> OrderAddress {
    let address = address.clone();
    OrderAddress {
        customer_id: address.customer_id,
        company: address.company,
        first_name: address.first_name,
        last_name: address.last_name,
        address_1: address.address_1,
        address_2: address.address_2,
        city: address.city,
        country_code: address.country_code,
        province: address.province,
        postal_code: address.postal_code,
        phone: address.phone,
        metadata: address.metadata,
        ..OrderAddress::default()
    }
}
