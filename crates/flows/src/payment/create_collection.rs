//! Creates the payment collection of a cart.

use atoll_cart::Cart;
use atoll_kernel::{Fault, Moment, Write, flow, flow::Local, serde_json::Map};
use atoll_links::CART_PAYMENT_COLLECTION;
use atoll_payment::{PAYMENT_COLLECTIONS, PaymentCollection, set_amount};

use crate::points::{OfCart, VALIDATE_CART};
use crate::{
    cart::{Scoped, line::cart_in},
    payment::due,
};

flow! {
    /// Creates the payment collection of the cart with this id; returns the existing one, if there is one.
    pub static CREATE_PAYMENT_COLLECTION: Flow<Scoped<String>, PaymentCollection> =
        "create-payment-collection-for-cart" (create), hooks: &[&VALIDATE_CART];
}

fn create(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<String>) -> Result<PaymentCollection, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&input))?;
    let cart = cart_in(flow.tx, &scope, &input)?;
    if let Some(collection) = refresh(flow.tx, flow.at, &cart)? {
        return Ok(collection);
    }
    if cart.completed_at.is_some() {
        return Err(atoll_cart::Error::Completed(cart.id.to_string()).into());
    }
    flow.step("create-payment-collection", |tx, at| {
        let (currency_code, amount) = (cart.currency_code.clone(), due(tx, &cart)?);
        let collection = PaymentCollection { currency_code, amount, ..PaymentCollection::default() };
        let collection = PAYMENT_COLLECTIONS.create(tx, at, collection)?;
        CART_PAYMENT_COLLECTION.attach(tx, at, &cart.id, &collection.id, Map::new())?;
        Ok(collection)
    })
}

/// Sets the amount of a cart's payment collection to the current total. A session with another amount is
/// deleted.
pub(crate) fn refresh(
    tx: &mut dyn Write,
    at: &Moment,
    cart: &Cart,
) -> Result<Option<PaymentCollection>, Fault> {
    let Some(id) = CART_PAYMENT_COLLECTION.rights(tx, &cart.id)?.pop() else { return Ok(None) };
    let collection = PAYMENT_COLLECTIONS.retrieve(tx, &id)?;
    let amount = due(tx, cart)?;
    Ok(Some(set_amount(tx, at, &collection, &cart.currency_code, amount)?))
}
