//! Changing carts: lines, quantities, completion. A completed cart is never changed.

use atoll_kernel::{
    Decimal, Metadata, Moment, Timestamp, Write,
    data::{Entity, FieldValue},
};

use crate::{CARTS, Cart, Error, LineItem, METADATA_BYTES_MAX, N_LINES_MAX};

/// Stores a new cart. One that has no id gets one.
pub fn open_cart(tx: &mut dyn Write, at: &Moment, mut cart: Cart) -> Result<Cart, Error> {
    for address in [&mut cart.shipping_address, &mut cart.billing_address].into_iter().flatten() {
        address.init(at.id(), at.now());
    }
    cart.check_limits()?;
    Ok(CARTS.create(tx, at, cart)?)
}

/// Stores a changed cart.
pub fn save_cart(tx: &mut dyn Write, at: &Moment, cart: Cart) -> Result<Cart, Error> {
    cart.check_limits()?;
    let id = cart.id.clone();
    Ok(CARTS.update(tx, at, &id, |row: &mut Cart| row.assign(cart))?)
}

impl Cart {
    /// Error if it was completed.
    pub fn check_open(&self) -> Result<(), Error> {
        if self.completed_at.is_some() { Err(Error::Completed(self.id.to_string())) } else { Ok(()) }
    }

    /// Adds a line, or increases the quantity of an equal one (same variant, price if that was set manually,
    /// and metadata).
    pub fn add_line(&mut self, at: &Moment, mut line: LineItem) -> Result<(), Error> {
        if let Some(there) = self.items.iter_mut().find(|it| same(it, &line)) {
            there.quantity += line.quantity;
            there.touch(at.now());
            return Ok(());
        }
        line.init(at.id(), at.now());
        line.cart_id = self.id.to_string();
        self.items.push(line);
        if self.items.len() > N_LINES_MAX { Err(Error::Full) } else { Ok(()) }
    }

    /// Sets the quantity of a line, and updates its metadata; zero removes it.
    pub fn set_quantity(
        &mut self,
        at: &Moment,
        line: &str,
        quantity: Decimal,
        metadata: Option<Metadata>,
    ) -> Result<(), Error> {
        let there = self.items.iter_mut().find(|it| *it.id == *line);
        let there = there.ok_or_else(|| Error::NoLine(line.to_owned()))?;
        if quantity.is_zero() {
            self.remove_line(line);
            return Ok(());
        }
        there.quantity = quantity;
        if let Some(metadata) = metadata {
            FieldValue::update(&mut there.metadata, metadata);
        }
        there.touch(at.now());
        Ok(())
    }

    /// Removes a line. An unknown id is ignored.
    pub fn remove_line(&mut self, line: &str) {
        self.items.retain(|it| *it.id != *line);
    }

    /// Limits the metadata, and the digits of quantities and prices to those that any JSON reader holds
    /// exactly.
    fn check_limits(&self) -> Result<(), Error> {
        let metadata = self.items.iter().map(|it| &it.metadata).chain([&self.metadata]);
        if metadata.into_iter().any(|it| it.n_bytes() > METADATA_BYTES_MAX) {
            return Err(Error::Full);
        }
        let is_short = self.listed_total().is_short() && self.items.iter().all(|it| it.quantity.is_short());
        if is_short { Ok(()) } else { Err(Error::TooLarge) }
    }
}

fn same(a: &LineItem, b: &LineItem) -> bool {
    a.variant_id == b.variant_id
        && a.metadata.same_as(&b.metadata)
        && a.is_custom_price == b.is_custom_price
        && (!a.is_custom_price || a.unit_price == b.unit_price)
}

/// Marks a cart as completed: it has become an order.
pub fn complete(tx: &mut dyn Write, at: &Moment, cart: &Cart) -> Result<Cart, Error> {
    cart.check_open()?;
    if cart.items.is_empty() {
        return Err(Error::Empty);
    }
    Ok(CARTS.update(tx, at, &cart.id, |cart: &mut Cart| cart.completed_at = Some(at.now()))?)
}

/// The day (UTC) of a moment as a key of the index of open carts: the days since 1970, as text in the same
/// order.
pub fn day_of(at: Timestamp) -> String {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    format!("{:07}", at.millis().max(0) / DAY_MS)
}
