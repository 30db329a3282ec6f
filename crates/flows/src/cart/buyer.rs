//! Whose a cart is: the customer's who is logged in, or the guest's with its e-mail address. Without the
//! module of customers carts have addresses, and belong to nobody.

use atoll_cart::Cart;
use atoll_customer::{CUSTOMERS, find_or_create_guest};
use atoll_kernel::{Fault, Moment, Read, StoreError, Write};

/// Id and e-mail address of the customer of a new cart: of the one who is logged in, or of the guest with the
/// address.
pub(super) fn buyer_of(
    tx: &mut dyn Write,
    at: &Moment,
    customer_id: Option<&str>,
    email: Option<String>,
) -> Result<(Option<String>, Option<String>), Fault> {
    match (customer_id, email) {
        (Some(id), email) => {
            let customer = CUSTOMERS.retrieve(tx, id)?;
            Ok((Some(customer.id.to_string()), email.or(Some(customer.email))))
        }
        (None, Some(email)) => Ok((guest(tx, at, &email)?, Some(email))),
        (None, None) => Ok((None, None)),
    }
}

/// Whose a cart becomes with another address: the guest's with that, unless it is the cart of an account, or
/// there are no customers.
pub(super) fn guest_of(
    tx: &mut dyn Write,
    at: &Moment,
    cart: &Cart,
    email: Option<&str>,
) -> Result<Option<Option<String>>, Fault> {
    if !CUSTOMERS.is_on() || is_of_account(tx, cart)? {
        return Ok(None);
    }
    Ok(Some(match email {
        Some(email) => guest(tx, at, email)?,
        None => None,
    }))
}

/// True if the cart belongs to a customer with an account.
pub(super) fn is_of_account(tx: &dyn Read, cart: &Cart) -> Result<bool, StoreError> {
    let Some(id) = cart.customer_id.as_deref().filter(|_| CUSTOMERS.is_on()) else { return Ok(false) };
    Ok(CUSTOMERS.get(tx, id)?.is_some_and(|it| it.has_account))
}

/// Id of the guest with this address.
fn guest(tx: &mut dyn Write, at: &Moment, email: &str) -> Result<Option<String>, Fault> {
    if !CUSTOMERS.is_on() {
        return Ok(None);
    }
    Ok(Some(find_or_create_guest(tx, at, email)?.id.to_string()))
}
