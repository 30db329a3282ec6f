//! Transfers a guest cart to the customer who logged in.

use atoll_cart::Cart;
use atoll_customer::CUSTOMERS;
use atoll_kernel::{Fault, Read, flow, flow::Local, part_of, serde_json::json};

use crate::cart::{Scoped, buyer::is_of_account, line::cart_in, settle::settle};
use crate::points::{CART_UPDATED, OfTransfer, PRICE_LINE, PRICE_SHIPPING, VALIDATE_TRANSFER};

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
        "transfer-cart-customer" (transfer), hooks: &[&VALIDATE_TRANSFER, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn transfer(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<TransferCart>) -> Result<Cart, Fault> {
    let TransferCart { cart_id, customer_id } = input;
    flow.hook(&VALIDATE_TRANSFER, || OfTransfer {
        cart_id: cart_id.clone(),
        customer_id: customer_id.clone(),
    })?;
    let before = cart_in(flow.tx, &scope, &cart_id)?;
    if before.customer_id.as_ref() == Some(&customer_id) {
        return Ok(before);
    }
    check(flow.tx, &before)?;
    let customer = CUSTOMERS.retrieve(flow.tx, &customer_id)?;
    flow.emit("cart.customer_transferred", json!({ "id": cart_id, "customer_id": customer_id }))?;
    let email = Some(customer.email);
    let cart = Cart { customer_id: Some(customer_id), email, ..before.clone() };
    settle(flow, Some(&before), cart)
}

/// Checks that a cart may be transferred: it is open, and belongs to no other account.
fn check(tx: &dyn Read, cart: &Cart) -> Result<(), Fault> {
    cart.check_open()?;
    if is_of_account(tx, cart)? {
        return Err(Fault::not_allowed(format!("Cart {} belongs to another customer", cart.id)));
    }
    Ok(())
}
