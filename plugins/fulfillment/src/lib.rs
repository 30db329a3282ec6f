//! Fulfilments: items of an order that were packed at one stock location.

mod error;
mod types;

use atoll_kernel::{
    Moment, Write,
    data::{Entity, Module, Service},
    module,
    query::Visibility,
};

pub use error::Error;
pub use types::{Fulfillment, FulfillmentItem, Packed};

/// Entity name of fulfilments in links.
pub const FULFILLMENT: &str = "fulfillment";

/// Created by [`pack`], cancelled by [`cancel`].
pub static FULFILLMENTS: Service<Fulfillment> = Service::new(&[]).visible(Visibility::With(&["order"]));

module! { Module {
    name: "fulfillment",
    summary: "Items of orders that were packed at a stock location",
    services: &[&FULFILLMENTS],
    is_optional: true,
    ..Module::EMPTY
} }

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
