//! Places the order of a cart, and closes the cart.

use atoll_cart::{CARTS, Cart, CartAddress, CreditLine, LineItem, ShippingMethod, complete};
use atoll_checkout::{Address, Line, PaymentTold};
use atoll_inventory::RESERVATIONS;
use atoll_kernel::{
    Fault, FaultKind, Metadata, Moment, Read,
    data::Entity,
    flow::Local,
    serde_json::{Map, Value, json},
};
use atoll_links::{ORDER_CART, ORDER_PAYMENT_COLLECTION};
use atoll_order::{
    Order, OrderAddress, OrderCreditLine, OrderLineItem, OrderLineItemAdjustment, OrderLineItemTaxLine,
    OrderShippingMethod, OrderShippingMethodAdjustment, OrderShippingMethodTaxLine, PaymentStatus,
};
use atoll_payment::authorize;

use super::{Pending, payment::Authorized};
use crate::{
    cart::promotions::use_promotions,
    order::CREATE_ORDERS,
    payment::record_capture,
    points::{ORDER_PLACED, OrderPlaced, OrderToPlace, PLACE_ORDER},
};

/// Refuses (409) when the cart or its reservations have changed since the payment was authorised.
pub(super) fn check_unchanged(tx: &dyn Read, pending: &Pending) -> Result<(), Fault> {
    if CARTS.retrieve(tx, &pending.cart.id)? != pending.cart {
        return Err(pending.changed());
    }
    for id in &pending.reservations {
        if !RESERVATIONS.table.exists(tx, id)? {
            let text = format!("The stock of cart {} is not reserved any more", pending.cart.id);
            return Err(Fault::new(FaultKind::Conflict, text));
        }
    }
    Ok(())
}

/// Places the order, and closes the cart. `answers` are the outputs of the hooks at `authorizePayment`.
pub(super) fn place(
    flow: &mut Local<'_>,
    pending: Pending,
    authorized: Authorized,
    answers: &Map<String, Value>,
) -> Result<String, Fault> {
    let cart = pending.cart;
    let mut order = pending.order;
    if pending.session.is_some() {
        order.payment_status = PaymentStatus::Authorized;
    }
    for extras in flow.hook(&PLACE_ORDER, || OrderToPlace { cart: cart.clone(), order: order.clone() })? {
        if extras.metadata.0.is_some() {
            order.metadata = order.metadata.or_empty().patched(extras.metadata);
        }
    }
    // The writer carries out one body at a time: of two orders the last use of a promotion goes to one.
    order.promotion_uses = flow.step("register-usage", |tx, at| use_promotions(tx, at, &cart))?;
    let order = flow.run(&CREATE_ORDERS, order)?;
    if let Some(session) = &pending.session {
        let Authorized { key, data, captured, .. } = authorized;
        let payment = flow.step("authorize-payment", |tx, at| {
            let payment = authorize(tx, at, session, &key, data.or_empty())?;
            let collection = &payment.payment_collection_id;
            ORDER_PAYMENT_COLLECTION.attach(tx, at, &order.id, collection, Map::new())?;
            Ok(payment.id)
        })?;
        if let Some(amount) = captured {
            record_capture(flow, &payment, PaymentTold { amount, data: Metadata::default() })?;
        }
    }
    flow.step("close-cart", |tx, at| {
        ORDER_CART.attach(tx, at, &order.id, &cart.id, Map::new())?;
        complete(tx, at, &cart)?;
        Ok(())
    })?;
    flow.emit("order.placed", json!({ "id": order.id }))?;
    flow.hook(&ORDER_PLACED, || OrderPlaced { order: order.clone(), authorizations: answers.clone() })?;
    Ok(order.id.to_string())
}

pub(super) fn order_of(at: &Moment, cart: &Cart) -> Order {
    Order {
        region_id: cart.region_id.clone(),
        customer_id: cart.customer_id.clone(),
        sales_channel_id: cart.sales_channel_id.clone(),
        email: cart.email.clone(),
        currency_code: cart.currency_code.clone(),
        locale: cart.locale.clone(),
        metadata: cart.metadata.clone(),
        items: cart.items.iter().map(|line| line_of(at, line)).collect(),
        shipping_methods: cart.shipping_methods.iter().map(method_of).collect(),
        credit_lines: cart.credit_lines.iter().map(credit_of).collect(),
        promotion_ids: cart.promotion_ids.clone(),
        shipping_address: cart.shipping_address.clone().map(address_of),
        billing_address: cart.billing_address.clone().map(address_of),
        ..Order::default()
    }
}

/// The line of the order, with an id: its stock is reserved before the order is placed.
fn line_of(at: &Moment, line: &LineItem) -> OrderLineItem {
    let mut order_line = OrderLineItem {
        tax_lines: line.tax_lines.iter().map(|it| OrderLineItemTaxLine::of("", it.plain())).collect(),
        adjustments: line.adjustments.iter().map(|it| OrderLineItemAdjustment::of("", it.plain())).collect(),
        ..Line::from(line.clone()).into()
    };
    order_line.init(at.id(), at.now());
    order_line
}

fn method_of(method: &ShippingMethod) -> OrderShippingMethod {
    let (taxes, discounts) = (method.tax_lines.iter(), method.adjustments.iter());
    OrderShippingMethod {
        name: method.name.clone(),
        description: method.description.clone(),
        amount: method.amount,
        is_tax_inclusive: method.is_tax_inclusive,
        shipping_option_id: method.shipping_option_id.clone(),
        data: method.data.clone(),
        metadata: method.metadata.clone(),
        tax_lines: taxes.map(|it| OrderShippingMethodTaxLine::of("", it.plain())).collect(),
        adjustments: discounts.map(|it| OrderShippingMethodAdjustment::of("", it.plain())).collect(),
        ..OrderShippingMethod::default()
    }
}

fn credit_of(line: &CreditLine) -> OrderCreditLine {
    OrderCreditLine {
        reference: line.reference.clone(),
        reference_id: line.reference_id.clone(),
        amount: line.amount,
        metadata: line.metadata.clone(),
        ..OrderCreditLine::default()
    }
}

fn address_of(address: CartAddress) -> OrderAddress {
    Address::from(address).into()
}
