//! Completes a cart: checks it, prices it, reserves the stock, authorises the payment, and places the order.
//!
//! Without an external payment provider this is one transaction. With one (or a hook at `authorizePayment`),
//! the stock is reserved first, so that it cannot be sold to another buyer meanwhile; then the payment is
//! authorised; then the order is placed. If one of these fails, the payment is cancelled and the reservations
//! are released.

mod payment;
mod place;
mod stock;

use atoll_availability::ChannelScope;
use atoll_cart::{CARTS, Cart};
use atoll_checkout::PaymentProvider;
use atoll_kernel::{
    Ctx, Decimal, Fault, FaultKind, Read, flow,
    flow::{HookPoint, Local},
    saga::Run,
    serde_json::Map,
};
use atoll_links::ORDER_CART;
use atoll_order::Order;
use atoll_payment::PaymentSession;
use serde::{Deserialize, Serialize};

use crate::points::{
    AUTHORIZE_PAYMENT, BEFORE_PAYMENT, ORDER_PLACED, OfCart, PLACE_ORDER, PRICE_LINE, PRICE_SHIPPING,
    PaymentDue, VALIDATE_CART,
};

use payment::{Authorized, authorize_payment, decided, session_of};
use place::{check_unchanged, place};
use stock::{release_stock, reserve_stock};

pub use payment::give_up_replaced;
pub(crate) use payment::{AWAIT_PAYMENT, PaymentDecision, awaited_session};

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
