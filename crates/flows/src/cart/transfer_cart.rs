//! Transfers a guest cart to the customer who logged in.

use atoll_cart::{CARTS, Cart, CartPatch, Error};
use atoll_customer::CUSTOMERS;
use atoll_kernel::{Fault, Read, flow, flow::Local, part_of, serde_json::json};

use crate::cart::{
    Scoped,
    buyer::is_of_account,
    changed,
    line::cart_in,
    prices::{Unpriced, price_anew},
};
use crate::points::{CART_UPDATED, OfTransfer, PRICE_LINE, VALIDATE_TRANSFER};

part_of! { "customer" }

/// A cart, and its new customer.
#[derive(Clone, Debug)]
pub struct TransferCart {
    /// The cart.
    pub cart_id: String,
    /// Id of the customer.
    pub customer_id: String,
}

flow! {
    /// Transfers a cart to a customer, and prices its lines again. Events: `cart.customer_transferred` and
    /// `cart.updated`, unless it was theirs already.
    pub static TRANSFER_CART_CUSTOMER: Flow<Scoped<TransferCart>, Cart> =
        "transfer-cart-customer" (transfer), hooks: &[&VALIDATE_TRANSFER, &PRICE_LINE, &CART_UPDATED];
}

fn transfer(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<TransferCart>) -> Result<Cart, Fault> {
    let TransferCart { cart_id, customer_id } = input;
    flow.hook(&VALIDATE_TRANSFER, || OfTransfer {
        cart_id: cart_id.clone(),
        customer_id: customer_id.clone(),
    })?;
    let cart = cart_in(flow.tx, &scope, &cart_id)?;
    if cart.customer_id.as_ref() == Some(&customer_id) {
        return Ok(cart);
    }
    check(flow.tx, &cart)?;
    let customer = CUSTOMERS.retrieve(flow.tx, &customer_id)?;
    let patch = CartPatch {
        customer_id: Some(Some(customer_id.clone())),
        email: Some(Some(customer.email)),
        ..CartPatch::default()
    };
    let cart = flow.step("update-cart-customer", |tx, at| Ok(CARTS.update(tx, at, &cart_id, patch)?))?;
    let cart = price_anew(flow, &cart, Unpriced::Stays)?;
    flow.emit("cart.customer_transferred", json!({ "id": cart_id, "customer_id": customer_id }))?;
    changed(flow, &cart)?;
    Ok(cart)
}

/// Checks that a cart may be transferred: it is open, and belongs to no other account.
fn check(tx: &dyn Read, cart: &Cart) -> Result<(), Fault> {
    if cart.completed_at.is_some() {
        return Err(Error::Completed(cart.id.to_string()).into());
    }
    if is_of_account(tx, cart)? {
        return Err(Fault::not_allowed(format!("Cart {} belongs to another customer", cart.id)));
    }
    Ok(())
}
