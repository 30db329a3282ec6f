//! The states of a fulfilment: packed, shipped, delivered, cancelled.

use atoll_checkout::ParcelLabel;
use atoll_kernel::{Moment, Read, Write, data::Entity, limits::FULFILLMENT_LABELS_MAX};

use crate::{Error, FULFILLMENTS, Fulfillment, FulfillmentLabel};

/// Creates a fulfilment, packed now by the actor. An id that it has already is kept.
pub fn pack(tx: &mut dyn Write, at: &Moment, mut fulfillment: Fulfillment) -> Result<Fulfillment, Error> {
    if fulfillment.id.is_empty() {
        fulfillment.id = at.id();
    }
    fulfillment.data = fulfillment.data.or_empty();
    fulfillment.packed_at = Some(at.now());
    fulfillment.created_by = Some(at.actor().id().to_owned());
    for item in &mut fulfillment.items {
        item.init(at.id(), at.now());
        item.fulfillment_id = fulfillment.id.to_string();
    }
    let labels = std::mem::take(&mut fulfillment.labels);
    add_labels(at, &mut fulfillment, labels)?;
    if let Some(address) = &mut fulfillment.delivery_address {
        address.init(at.id(), at.now());
    }
    Ok(FULFILLMENTS.create(tx, at, fulfillment)?)
}

/// Marks a fulfilment as handed to a carrier, now by the actor, and adds these labels to it. Errors: it was
/// shipped or cancelled before.
pub fn ship(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    labels: Vec<ParcelLabel>,
) -> Result<Fulfillment, Error> {
    let mut fulfillment = idle(tx, id)?;
    if fulfillment.canceled_at.is_some() {
        return Err(Error::NotAllowed("A canceled fulfillment cannot be shipped"));
    }
    if fulfillment.shipped_at.is_some() {
        return Err(Error::NotAllowed("Shipment has already been created"));
    }
    add_labels(at, &mut fulfillment, labels.into_iter().map(FulfillmentLabel::from).collect())?;
    fulfillment.shipped_at = Some(at.now());
    fulfillment.marked_shipped_by = Some(at.actor().id().to_owned());
    Ok(FULFILLMENTS.update(tx, at, id, |it: &mut Fulfillment| it.assign(fulfillment))?)
}

/// Marks a fulfilment as delivered, whether it was shipped or handed over. Errors: it was delivered or
/// cancelled before.
pub fn deliver(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Fulfillment, Error> {
    let fulfillment = idle(tx, id)?;
    if fulfillment.canceled_at.is_some() {
        return Err(Error::NotAllowed("A canceled fulfillment cannot be delivered"));
    }
    if fulfillment.delivered_at.is_some() {
        return Err(Error::NotAllowed("Fulfillment has already been marked delivered"));
    }
    Ok(FULFILLMENTS.update(tx, at, id, |it: &mut Fulfillment| it.delivered_at = Some(at.now()))?)
}

/// Cancels a fulfilment; a request to its provider has ended. Errors: it was cancelled, shipped or delivered
/// before.
pub fn cancel(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Fulfillment, Error> {
    let fulfillment = FULFILLMENTS.retrieve(tx, id)?;
    let refused = match &fulfillment {
        it if it.canceled_at.is_some() => "The fulfillment is already canceled",
        it if it.shipped_at.is_some() => {
            "The fulfillment has already been shipped. Shipped fulfillments cannot be canceled"
        }
        it if it.delivered_at.is_some() => {
            "The fulfillment has already been delivered. Delivered fulfillments cannot be canceled"
        }
        _ => {
            return Ok(FULFILLMENTS.update(tx, at, id, |it: &mut Fulfillment| {
                it.canceled_at = Some(at.now());
                it.is_busy = false;
            })?);
        }
    };
    Err(Error::NotAllowed(refused))
}

/// The fulfilment, unless a request to its provider is in flight (an error).
pub fn idle(tx: &dyn Read, id: &str) -> Result<Fulfillment, Error> {
    let fulfillment = FULFILLMENTS.retrieve(tx, id)?;
    if fulfillment.is_busy { Err(Error::Busy(id.to_owned())) } else { Ok(fulfillment) }
}

/// Marks that a request to the provider is in flight: a lock for one fulfilment.
pub fn set_busy(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Fulfillment, Error> {
    Ok(FULFILLMENTS.update(tx, at, id, |it: &mut Fulfillment| it.is_busy = true)?)
}

fn add_labels(
    at: &Moment,
    fulfillment: &mut Fulfillment,
    labels: Vec<FulfillmentLabel>,
) -> Result<(), Error> {
    if fulfillment.labels.len() + labels.len() > FULFILLMENT_LABELS_MAX {
        let text = format!("A fulfillment can have at most {FULFILLMENT_LABELS_MAX} labels");
        return Err(Error::Invalid(text));
    }
    for mut label in labels {
        label.init(at.id(), at.now());
        label.fulfillment_id = fulfillment.id.to_string();
        fulfillment.labels.push(label);
    }
    Ok(())
}
