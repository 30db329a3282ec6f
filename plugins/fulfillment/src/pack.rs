//! Packing fulfilments, and cancelling them.

use atoll_kernel::{Moment, Write, data::Entity};

use crate::{Error, FULFILLMENTS, Fulfillment};

/// Creates a fulfilment, packed now by the actor.
pub fn pack(tx: &mut dyn Write, at: &Moment, mut fulfillment: Fulfillment) -> Result<Fulfillment, Error> {
    fulfillment.id = at.id();
    fulfillment.data = fulfillment.data.or_empty();
    fulfillment.packed_at = Some(at.now());
    fulfillment.created_by = Some(at.actor().id().to_owned());
    for item in &mut fulfillment.items {
        item.init(at.id(), at.now());
        item.fulfillment_id = fulfillment.id.to_string();
    }
    Ok(FULFILLMENTS.create(tx, at, fulfillment)?)
}

/// Cancels a fulfilment. Errors: it was cancelled before.
pub fn cancel(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Fulfillment, Error> {
    if FULFILLMENTS.retrieve(tx, id)?.canceled_at.is_some() {
        return Err(Error::Canceled(id.to_owned()));
    }
    Ok(FULFILLMENTS.update(tx, at, id, |it: &mut Fulfillment| it.canceled_at = Some(at.now()))?)
}
