//! Completes a cart: checks it, prices it, reserves the stock, authorises the payment, and places the order.
//!
//! Without an external payment provider this is one transaction. With one (or a hook at `authorizePayment`),
//! the stock is reserved first, so that it cannot be sold to another buyer meanwhile; then the payment is
//! authorised; then the order is placed. If one of these fails, the payment is cancelled and the reservations
//! are released.

use atoll_availability::{Allocation, ChannelScope, Seller, Shelf};
use atoll_cart::{CARTS, Cart, CartAddress, CreditLine, LineItem, ShippingMethod, complete};
use atoll_checkout::{
    Address, Line, PaymentAction, PaymentAnswer, PaymentProvider, PaymentRequest, PaymentTold,
};
use atoll_inventory::{
    INVENTORY_LEVELS, InventoryLevel, RESERVATIONS, ReservationItem, create_level, level_at, reserve,
    undo_reserve,
};
use atoll_kernel::{
    Ctx, Decimal, Fault, FaultKind, Metadata, Moment, Read, StoreError, Write,
    data::Entity,
    flow,
    flow::{HookPoint, Local, StepCall},
    saga::{External, Run, WorkflowExecution},
    serde_json::{Map, Value, json},
};
use atoll_links::{CART_PAYMENT_COLLECTION, ORDER_CART, ORDER_PAYMENT_COLLECTION};
use atoll_order::{
    LineTake, Order, OrderAddress, OrderCreditLine, OrderLineItem, OrderLineItemAdjustment,
    OrderLineItemTaxLine, OrderShippingMethod, OrderShippingMethodAdjustment, OrderShippingMethodTaxLine,
    PaymentStatus,
};
use atoll_payment::{PAYMENT_COLLECTIONS, PaymentSession, SessionStatus, authorize, close_session};
use atoll_product::ProductVariant;
use serde::{Deserialize, Serialize};

use crate::{
    cart::{
        line::{refused, shown_variant},
        promotions::use_promotions,
        require_shipping::check_methods,
        settle::check_settled,
    },
    order::CREATE_ORDERS,
    payment::{check_provider, due, record_capture},
    points::{
        AUTHORIZE_PAYMENT, BEFORE_PAYMENT, ORDER_PLACED, OfCart, OrderPlaced, OrderToPlace, PLACE_ORDER,
        PRICE_LINE, PRICE_SHIPPING, PaymentDue, VALIDATE_CART,
    },
};

/// A cart to complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompleteCart {
    cart_id: String,
    /// Is an external provider or hook called, so that the saga takes more than one transaction?
    #[serde(default = "yes")]
    calls_out: bool,
    #[serde(skip)]
    is_stale: bool,
}

fn yes() -> bool {
    true
}

impl CompleteCart {
    /// The cart with this id, if it is in the scope.
    pub fn of(
        ctx: &Ctx,
        scope: &ChannelScope,
        view: &dyn Read,
        id: &str,
    ) -> Result<Option<CompleteCart>, Fault> {
        scope.cart(view, id)?.map(|cart| CompleteCart::with(ctx, view, &cart)).transpose()
    }

    /// The cart, whoever may see it: for work of the shop itself.
    pub(crate) fn with(ctx: &Ctx, view: &dyn Read, cart: &Cart) -> Result<CompleteCart, Fault> {
        let is_manual = |it: &PaymentSession| {
            let provider = ctx.registry().provider::<dyn PaymentProvider>(&it.provider_id);
            provider.is_none_or(PaymentProvider::is_manual)
        };
        let calls_out = ctx.registry().has_hook(COMPLETE_CART.name, &AUTHORIZE_PAYMENT)
            || !session_of(view, cart)?.as_ref().is_none_or(is_manual);
        Ok(CompleteCart { cart_id: cart.id.to_string(), calls_out, is_stale: cart.is_stale })
    }

    /// Must providers be asked first ([`ask_providers`])? Otherwise it is refused.
    ///
    /// [`ask_providers`]: crate::cart::ask_providers
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Transaction id of the saga: it makes concurrent completions of one cart run one after the other.
    pub fn transaction_id(&self) -> &str {
        &self.cart_id
    }
}

flow! {
    /// Makes an order of a cart; returns the order's id. The channel must (still) sell every line, and the
    /// stock must suffice for all lines together; it is reserved. An order that is not free needs a payment
    /// session, whose provider authorises the payment. A cart that was completed before returns the same
    /// order. If a price has changed since its line was priced, nothing is done
    /// ([`FaultKind::PricesChanged`]): refresh the prices ([`REFRESH_CART_ITEMS`]), and show the cart. Event:
    /// `order.placed`.
    ///
    /// [`REFRESH_CART_ITEMS`]: crate::cart::REFRESH_CART_ITEMS
    ///
    /// Hooks: `validate` and `beforePaymentAuthorization` before the cart is read, `authorizePayment` before
    /// the provider is called (it must not change the cart), `placeOrder`, which may add metadata to the
    /// order, `orderCreated` with the order and the outputs of the hooks at `authorizePayment`.
    pub static COMPLETE_CART: Saga<CompleteCart, String> = "complete-cart" (complete_cart),
        hooks: &[&VALIDATE_CART, &BEFORE_PAYMENT, &PRICE_LINE, &PRICE_SHIPPING, &PLACE_ORDER, &ORDER_PLACED],
        external_hooks: &[&AUTHORIZE_PAYMENT],
        shortcut: Some(order_of_cart);
}

async fn complete_cart(run: &mut Run, input: CompleteCart) -> Result<String, Fault> {
    // As a sub-saga it is undone step by step: stock is changed by others meanwhile.
    if !input.calls_out && !run.is_part() {
        return run
            .finish("place-order", move |flow| {
                if is_checked(flow.ctx())
                    && let Some(order) = validate(flow, &input)?
                {
                    return Ok(order);
                }
                match reserve_stock(flow, &input)? {
                    Held::Already(order) => Ok(order),
                    Held::New(pending) => match pending.provider(flow.ctx())? {
                        Some(provider) if !provider.is_manual() => Err(pending.changed()),
                        // The same transaction has read the cart and made the reservations.
                        _ => place(flow, *pending, Authorized::default(), &Map::new()),
                    },
                }
            })
            .await;
    }
    if is_checked(run.ctx()) {
        // A step of its own, so that the changes of the hooks are undone exactly.
        let input = input.clone();
        if let Some(order) = run.local("validate", move |flow| validate(flow, &input)).await? {
            return Ok(order);
        }
    }
    let held = run.local_undone_by(
        "reserve-inventory",
        move |flow| reserve_stock(flow, &input),
        |flow, held| match held {
            Held::Already(_) => Ok(()),
            Held::New(pending) => release_stock(flow, &pending),
        },
    );
    let pending = match held.await? {
        Held::Already(order) => return Ok(order),
        Held::New(pending) => *pending,
    };
    let payment = PaymentDue {
        cart_id: pending.cart.id.to_string(),
        amount: pending.due(),
        currency_code: pending.order.currency_code.clone(),
        email: pending.order.email.clone(),
    };
    let answers: Map<_, _> = run.hook(&AUTHORIZE_PAYMENT, payment).await?.into_iter().collect();
    let mut authorized = authorize_payment(run, &pending).await?;
    if authorized.is_pending {
        authorized = decided(run, &pending, authorized).await?;
    }
    run.finish("place-order", move |flow| {
        check_unchanged(flow.tx, &pending)?;
        place(flow, pending, authorized, &answers)
    })
    .await
}

/// Hook points before any stock is reserved.
static CHECKS: [&HookPoint<OfCart>; 2] = [&VALIDATE_CART, &BEFORE_PAYMENT];

/// True if a hook joins at one of these points. The cart is read after the hooks, which may change it.
fn is_checked(ctx: &Ctx) -> bool {
    CHECKS.iter().any(|it| ctx.registry().has_hook(COMPLETE_CART.name, *it))
}

/// The order of a cart that was completed already, for which no hook is called.
fn validate(flow: &mut Local<'_>, input: &CompleteCart) -> Result<Option<String>, Fault> {
    match placed(flow.tx, input)? {
        Placed::Already(order) => Ok(Some(order)),
        Placed::Open(_) => {
            CHECKS.iter().try_for_each(|it| flow.hook(it, || OfCart::of(&input.cart_id)).map(drop))?;
            Ok(None)
        }
    }
}

/// The order of a cart that was completed already, found by their link: the cart itself is not read.
fn order_of_cart(tx: &dyn Read, input: &CompleteCart) -> Result<Option<String>, Fault> {
    Ok(ORDER_CART.lefts(tx, &input.cart_id)?.pop())
}

/// The state of a cart.
enum Placed {
    /// It was completed: its order.
    Already(String),
    /// It is open, and has line items.
    Open(Box<Cart>),
}

fn placed(tx: &dyn Read, input: &CompleteCart) -> Result<Placed, Fault> {
    let cart_id = &input.cart_id;
    let no_cart = || Fault::not_found(format!("Cart with id '{cart_id}' not found"));
    let cart = CARTS.get(tx, cart_id)?.ok_or_else(no_cart)?;
    if cart.completed_at.is_some() {
        return Ok(Placed::Already(order_of_cart(tx, input)?.unwrap_or_default()));
    }
    if cart.items.is_empty() {
        return Err(atoll_cart::Error::Empty.into());
    }
    Ok(Placed::Open(Box::new(cart)))
}

/// The provider's data, and the idempotency key of the authorisation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Authorized {
    key: String,
    data: Metadata,
    /// Does the provider decide later?
    #[serde(default)]
    is_pending: bool,
    /// What was captured with it.
    #[serde(default)]
    captured: Option<Decimal>,
}

/// Asks the provider of the session to authorise the payment. The compensation cancels the authorisation.
async fn authorize_payment(run: &mut Run, pending: &Pending) -> Result<Authorized, Fault> {
    let (Some(session), Some(provider)) = (&pending.session, pending.provider(run.ctx())?) else {
        return Ok(Authorized::default());
    };
    let request = PaymentRequest {
        action: PaymentAction::Authorize,
        key: String::new(),
        session_id: session.id.to_string(),
        amount: session.amount,
        currency_code: session.currency_code.clone(),
        data: session.data.clone(),
    };
    let again = request.clone();
    let authorize = move |ctx: Ctx, call: StepCall| {
        let request = PaymentRequest { key: call.key.clone(), ..request.clone() };
        async move {
            let PaymentAnswer { data, is_pending } = provider.ask(ctx, request).await?;
            Ok(Authorized { key: call.key, data, is_pending, captured: None })
        }
    };
    let cancel = move |ctx: Ctx, call: StepCall, answer: Option<Authorized>| {
        let action = PaymentAction::Cancel { authorized_by: call.invoke_key };
        let data = answer.map_or_else(|| again.data.clone(), |it| it.data);
        let request = PaymentRequest { action, key: call.key, data, ..again.clone() };
        async move { provider.ask(ctx, request).await?.settled().map(drop) }
    };
    run.external(External::new("authorize-payment", authorize).timeout(provider.timeout()).undo(cancel)).await
}

/// The step in which a run waits for a webhook of the provider ([`receive_notice`]); its answer is a
/// [`PaymentDecision`].
///
/// [`receive_notice`]: crate::payment::receive_notice
pub(crate) const AWAIT_PAYMENT: &str = "await-payment";

/// The step before it, whose output is the payment session.
const OPEN_PAYMENT: &str = "open-payment";

/// The decision of a provider over an authorisation that was pending.
#[derive(Serialize, Deserialize)]
pub(crate) struct PaymentDecision {
    /// Data of the provider; null leaves that of its answer.
    pub(crate) data: Metadata,
    /// What was captured at once.
    pub(crate) captured: Option<Decimal>,
}

/// Id of the payment session whose authorisation a run waits for.
pub(crate) fn awaited_session(run: &WorkflowExecution) -> Option<&str> {
    run.steps.iter().find(|it| it.name == OPEN_PAYMENT)?.output["id"].as_str()
}

/// Waits for the decision of the provider. If the payment fails, or the order cannot be placed, the
/// authorisation is cancelled, and its session removed: a webhook that comes late settles nothing.
async fn decided(run: &mut Run, pending: &Pending, authorized: Authorized) -> Result<Authorized, Fault> {
    let (Some(session), Some(provider)) = (pending.session.clone(), pending.provider(run.ctx())?) else {
        return Ok(authorized);
    };
    if run.is_part() {
        // Webhooks find the run of the cart, and not the run that it would be a part of.
        return Err(Fault::new(FaultKind::PaymentRequiresMore, "Payment authorization is pending"));
    }
    let close =
        |flow: &mut Local<'_>, session: PaymentSession| Ok(close_session(flow.tx, flow.at, &session)?);
    run.local_undone_by(OPEN_PAYMENT, move |_| Ok(session), close).await?;
    let PaymentDecision { data, captured } =
        run.wait(AWAIT_PAYMENT, Some(provider.pending_timeout())).await?;
    let data = if data == Metadata::default() { authorized.data } else { data };
    Ok(Authorized { data, captured, is_pending: false, ..authorized })
}

/// Result of the first transaction.
#[derive(Serialize, Deserialize)]
enum Held {
    /// The cart was completed already: its order.
    Already(String),
    /// The stock is reserved.
    New(Box<Pending>),
}

/// An order that is about to be placed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    /// The cart as it was when the payment was authorised: the same must be ordered.
    cart: Cart,
    order: Order,
    /// The payment session; none if the order is free.
    session: Option<PaymentSession>,
    reservations: Vec<String>,
    /// Inventory levels that were created for backorders, at locations without one.
    levels: Vec<String>,
}

impl Pending {
    /// The amount to be paid.
    fn due(&self) -> Decimal {
        self.session.as_ref().map_or(Decimal::ZERO, |it| it.amount)
    }

    /// The provider of the payment session.
    fn provider(&self, ctx: &Ctx) -> Result<Option<&'static dyn PaymentProvider>, Fault> {
        self.session.as_ref().map(|it| ctx.provider(&it.provider_id)).transpose()
    }

    /// The cart has changed since the payment was authorised.
    fn changed(&self) -> Fault {
        let text = format!("Cart {} was changed while it was being completed", self.cart.id);
        Fault::new(FaultKind::Conflict, text)
    }
}

/// Checks the cart, and reserves the stock of each line.
fn reserve_stock(flow: &mut Local<'_>, input: &CompleteCart) -> Result<Held, Fault> {
    let cart = match placed(flow.tx, input)? {
        Placed::Already(order) => return Ok(Held::Already(order)),
        Placed::Open(cart) => *cart,
    };
    let seller = Seller::of(flow.ctx(), cart.sales_channel_id.as_deref(), flow.at.now());
    // Prices are checked before the payment session: one for outdated prices is of no use. Stock is counted
    // on the shelf that is open here, and a shortage is reported after the session is found.
    let takes = flow.step("validate-line-items", |tx, _| {
        let mut shelf = seller.shelf(tx)?;
        let variants = sold(tx, &shelf, &cart)?;
        Ok(take_all(&mut shelf, &seller, &cart, &variants))
    })?;
    check_settled(flow, &cart)?;
    let session = flow.step("validate-cart-payments", |tx, _| session_for(tx, &cart))?;
    flow.step("validate-shipping", |tx, _| check_methods(tx, &seller, &cart))?;
    let order = order_of(flow.at, &cart);
    let mut pending = Pending { cart, order, session, reservations: Vec::new(), levels: Vec::new() };
    flow.step("reserve-inventory", |tx, at| {
        for (n, takes) in takes?.into_iter().enumerate() {
            let line = pending.order.items[n].id.to_string();
            pending.order.items[n].takes = line_takes(&takes);
            takes.into_iter().try_for_each(|take| reserve_line(tx, at, &mut pending, &line, take))?;
        }
        Ok(())
    })?;
    Ok(Held::New(Box::new(pending)))
}

/// Releases the reservations.
fn release_stock(flow: &mut Local<'_>, pending: &Pending) -> Result<(), Fault> {
    flow.step("release-inventory", |tx, at| {
        for id in &pending.reservations {
            undo_reserve(tx, at, id)?;
        }
        for id in &pending.levels {
            let is_unused = |it: &InventoryLevel| {
                let quantities = [it.stocked_quantity, it.reserved_quantity, it.incoming_quantity];
                quantities.into_iter().all(Decimal::is_zero)
            };
            if INVENTORY_LEVELS.get(tx, id)?.as_ref().is_some_and(is_unused) {
                INVENTORY_LEVELS.delete(tx, at, id)?;
            }
        }
        Ok(())
    })
}

/// The payment session of a cart; none is needed if it is free.
fn session_for(tx: &dyn Read, cart: &Cart) -> Result<Option<PaymentSession>, Fault> {
    let due = due(tx, cart)?;
    if due.is_zero() {
        return Ok(None);
    }
    let Some(collection) = CART_PAYMENT_COLLECTION.rights(tx, &cart.id)?.pop() else {
        return Err(Fault::invalid("Payment collection has not been initiated for cart"));
    };
    let session =
        session_in(tx, &collection)?.filter(|it| it.status == SessionStatus::Pending && it.amount == due);
    let Some(session) = session else {
        return Err(Fault::invalid("Payment sessions are required to complete cart"));
    };
    check_provider(tx, cart.region_id.as_deref(), &session.provider_id)?;
    Ok(Some(session))
}

/// The payment session that the buyer has chosen, if there is one.
fn session_of(tx: &dyn Read, cart: &Cart) -> Result<Option<PaymentSession>, StoreError> {
    let Some(id) = CART_PAYMENT_COLLECTION.rights(tx, &cart.id)?.pop() else { return Ok(None) };
    session_in(tx, &id)
}

fn session_in(tx: &dyn Read, collection_id: &str) -> Result<Option<PaymentSession>, StoreError> {
    Ok(PAYMENT_COLLECTIONS.get(tx, collection_id)?.and_then(|mut it| it.payment_sessions.pop()))
}

/// Refuses (409) when the cart or its reservations have changed since the payment was authorised.
fn check_unchanged(tx: &dyn Read, pending: &Pending) -> Result<(), Fault> {
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
fn place(
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

/// The variants of all lines, which the channel of the cart must (still) show.
fn sold(tx: &dyn Read, shelf: &Shelf<'_>, cart: &Cart) -> Result<Vec<ProductVariant>, Fault> {
    let ids = cart.items.iter().map(|line| line.variant_id.as_deref().unwrap_or_default());
    ids.map(|id| Ok(shown_variant(tx, shelf, id)?.0)).collect()
}

/// The stock that each line takes, from the shelf of the cart's channel. Lines that share an item share its
/// stock.
fn take_all(
    shelf: &mut Shelf<'_>,
    seller: &Seller,
    cart: &Cart,
    variants: &[ProductVariant],
) -> Result<Vec<Vec<Allocation>>, Fault> {
    let mut takes = Vec::with_capacity(cart.items.len());
    for (line, variant) in cart.items.iter().zip(variants) {
        match shelf.allocate(variant, line.quantity)? {
            Ok(take) => takes.push(take),
            Err(reason) => return Err(refused(&reason, seller, &variant.id)),
        }
    }
    Ok(takes)
}

/// Quantities that a line takes of each item, over all locations.
fn line_takes(takes: &[Allocation]) -> Vec<LineTake> {
    let mut sums: Vec<LineTake> = Vec::new();
    for take in takes {
        match sums.iter_mut().find(|it| it.inventory_item_id == take.item) {
            Some(sum) => sum.quantity += take.quantity,
            None => sums.push(LineTake { inventory_item_id: take.item.clone(), quantity: take.quantity }),
        }
    }
    sums
}

fn reserve_line(
    tx: &mut dyn Write,
    at: &Moment,
    pending: &mut Pending,
    line: &str,
    take: Allocation,
) -> Result<(), Fault> {
    if level_at(tx, &take.item, &take.location)?.is_none() {
        // A backorder is reserved, too, at a location that may have no level of the item yet.
        let (inventory_item_id, location_id) = (take.item.as_str().into(), take.location.clone());
        let level = InventoryLevel { inventory_item_id, location_id, ..InventoryLevel::default() };
        pending.levels.push(create_level(tx, at, level)?.id.to_string());
    }
    let reservation = ReservationItem {
        inventory_item_id: take.item.into(),
        location_id: take.location,
        quantity: take.quantity,
        line_item_id: Some(line.to_owned()),
        allow_backorder: take.backordered,
        ..ReservationItem::default()
    };
    pending.reservations.push(reserve(tx, at, reservation)?.id.to_string());
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
