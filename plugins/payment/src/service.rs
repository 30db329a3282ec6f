//! Asking for money, setting it aside, taking it and giving it back. After each of these, the sums of a collection are
//! those of its payments.

use atoll_kernel::{
    Decimal, Entity, Id, Metadata, Moment, PaymentProviderEntry, Read, RowError, StoreError, Write, inventory,
};

use crate::{
    Capture, CollectionStatus, Error, PAYMENT_COLLECTIONS, PAYMENT_PROVIDERS, PAYMENTS,
    PAYMENTS_BY_COLLECTION, Payment, PaymentCollection, PaymentSession, ProviderRecord, Refund,
    SessionStatus,
};

/// Asks for another amount. A session over the old one is gone.
pub fn set_amount(
    tx: &mut dyn Write,
    at: &Moment,
    collection: &PaymentCollection,
    currency_code: &str,
    amount: Decimal,
) -> Result<PaymentCollection, Error> {
    if collection.amount == amount && collection.currency_code == currency_code {
        return Ok(collection.clone());
    }
    check_open(collection)?;
    Ok(PAYMENT_COLLECTIONS.update(tx, at, &collection.id, |it: &mut PaymentCollection| {
        it.amount = amount;
        it.currency_code = currency_code.to_owned();
        it.payment_sessions.clear();
        it.status = CollectionStatus::NotPaid;
    })?)
}

/// Opens a session over the whole amount, in the place of the one that is there.
pub fn open_session(
    tx: &mut dyn Write,
    at: &Moment,
    collection: &PaymentCollection,
    mut session: PaymentSession,
) -> Result<PaymentCollection, Error> {
    check_open(collection)?;
    let id = if session.id.is_empty() { at.id() } else { session.id.clone() };
    session.born(id, at.now());
    session.amount = collection.amount;
    session.currency_code = collection.currency_code.clone();
    session.payment_collection_id = collection.id.to_string();
    Ok(PAYMENT_COLLECTIONS.update(tx, at, &collection.id, |it: &mut PaymentCollection| {
        it.payment_sessions = vec![session];
        it.status = CollectionStatus::Awaiting;
    })?)
}

/// Can a buyer still be asked to pay?
pub fn check_open(collection: &PaymentCollection) -> Result<(), Error> {
    match collection.status {
        CollectionStatus::NotPaid | CollectionStatus::Awaiting => Ok(()),
        _ => Err(Error::Settled(collection.id.to_string())),
    }
}

/// Writes that the money of a session was set aside. It must be the session that is there, as it was.
pub fn authorize(
    tx: &mut dyn Write,
    at: &Moment,
    session: &PaymentSession,
    key: &str,
    data: Metadata,
) -> Result<Payment, Error> {
    let collection = PAYMENT_COLLECTIONS.retrieve(tx, &session.payment_collection_id)?;
    check_open(&collection)?;
    if !collection.payment_sessions.contains(session) {
        return Err(Error::Changed(collection.id.to_string()));
    }
    let payment = PAYMENTS.create(
        tx,
        at,
        Payment {
            currency_code: session.currency_code.clone(),
            amount: session.amount,
            provider_id: session.provider_id.clone(),
            data,
            payment_collection_id: collection.id.to_string(),
            payment_session_id: session.id.to_string(),
            authorized_by: key.to_owned(),
            ..Payment::default()
        },
    )?;
    PAYMENT_COLLECTIONS.update(tx, at, &collection.id, |it: &mut PaymentCollection| {
        for session in &mut it.payment_sessions {
            session.status = SessionStatus::Authorized;
            session.authorized_at = Some(at.now());
            session.touch(at.now());
        }
    })?;
    settle(tx, at, &collection.id)?;
    Ok(payment)
}

/// A payment that something can be done with.
pub fn open_payment(tx: &dyn Read, id: &str) -> Result<Payment, Error> {
    let payment = PAYMENTS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    if payment.is_busy { Err(Error::Busy(id.to_owned())) } else { Ok(payment) }
}

/// How much can be taken: what was asked for, or all that is left.
pub fn capturable(payment: &Payment, amount: Option<Decimal>) -> Result<Decimal, Error> {
    if payment.canceled_at.is_some() {
        return Err(Error::Canceled(payment.id.to_string()));
    }
    within(amount, payment.amount - payment.captured(), Error::CaptureTooMuch)
}

/// How much can be given back: what was asked for, or all that was taken.
pub fn refundable(payment: &Payment, amount: Option<Decimal>) -> Result<Decimal, Error> {
    within(amount, payment.captured() - payment.refunded(), Error::RefundTooMuch)
}

fn within(amount: Option<Decimal>, left: Decimal, too_much: Error) -> Result<Decimal, Error> {
    match amount.unwrap_or(left) {
        amount if amount > left => Err(too_much),
        amount if amount <= Decimal::ZERO => Err(Error::NotPositive),
        amount => Ok(amount),
    }
}

/// Notes that the provider is about to be asked for something, or that it has answered.
pub fn set_busy(tx: &mut dyn Write, at: &Moment, id: &str, is_busy: bool) -> Result<Payment, Error> {
    Ok(PAYMENTS.update(tx, at, id, |it: &mut Payment| it.is_busy = is_busy)?)
}

/// Writes that money was taken.
pub fn capture(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    amount: Decimal,
    data: Metadata,
) -> Result<Payment, Error> {
    let mut capture = Capture {
        amount,
        payment_id: id.to_owned(),
        created_by: Some(at.actor().id().to_owned()),
        ..Capture::default()
    };
    capture.born(at.id(), at.now());
    let payment = PAYMENTS.update(tx, at, id, |it: &mut Payment| {
        it.captures.push(capture);
        it.data = data;
        it.is_busy = false;
        if it.captured() == it.amount {
            it.captured_at = Some(at.now());
        }
    })?;
    settle(tx, at, &payment.payment_collection_id)?;
    Ok(payment)
}

/// Writes that money was given back.
pub fn refund(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    mut refund: Refund,
    data: Metadata,
) -> Result<Payment, Error> {
    refund.payment_id = id.to_owned();
    refund.created_by = Some(at.actor().id().to_owned());
    let refund_id = if refund.id.is_empty() { at.id() } else { refund.id.clone() };
    refund.born(refund_id, at.now());
    let payment = PAYMENTS.update(tx, at, id, |it: &mut Payment| {
        it.refunds.push(refund);
        it.data = data;
        it.is_busy = false;
    })?;
    settle(tx, at, &payment.payment_collection_id)?;
    Ok(payment)
}

/// What calling a collection off does to one of its payments: what was set aside is let go of, or what was taken is given
/// back.
#[derive(Clone, Debug, PartialEq)]
pub struct LetGo {
    /// The payment.
    pub payment: Payment,
    /// As which refund it is given back; none, where it is let go of.
    pub refund: Option<Refund>,
}

/// Calls a collection off: what was taken of its payments is given back, the others are let go of.
pub fn cancel_collection(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Vec<LetGo>, Error> {
    let payments = PAYMENTS.table.list_by(tx, &PAYMENTS_BY_COLLECTION, &[id])?;
    let mut done = Vec::new();
    for payment in payments.into_iter().filter(|it| it.canceled_at.is_none()) {
        if payment.is_busy {
            return Err(Error::Busy(payment.id.to_string()));
        }
        let left = payment.captured() - payment.refunded();
        if left > Decimal::ZERO {
            let back = Refund { id: at.id::<Refund>(), amount: left, ..Refund::default() };
            let payment = refund(tx, at, &payment.id, back, payment.data)?;
            done.push(LetGo { refund: payment.refunds.last().cloned(), payment });
        }
        if payment.captured_at.is_none() {
            let canceled = |it: &mut Payment| it.canceled_at = Some(at.now());
            let payment = PAYMENTS.update(tx, at, &payment.id, canceled)?;
            done.push(LetGo { payment, refund: None });
        }
    }
    PAYMENT_COLLECTIONS
        .update(tx, at, id, |it: &mut PaymentCollection| it.status = CollectionStatus::Canceled)?;
    Ok(done)
}

/// Sums the payments of a collection up.
fn settle(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    let payments = PAYMENTS.table.list_by(tx, &PAYMENTS_BY_COLLECTION, &[id])?;
    let sum = |of: fn(&Payment) -> Decimal| payments.iter().map(of).sum::<Decimal>();
    let (authorized, captured, refunded) =
        (sum(|it| it.amount), sum(Payment::captured), sum(Payment::refunded));
    PAYMENT_COLLECTIONS.update(tx, at, id, |it: &mut PaymentCollection| {
        it.authorized_amount = Some(authorized);
        it.captured_amount = Some(captured);
        it.refunded_amount = Some(refunded);
        it.status = match captured {
            _ if it.status == CollectionStatus::Canceled => CollectionStatus::Canceled,
            _ if captured >= it.amount => CollectionStatus::Completed,
            _ if captured > Decimal::ZERO => CollectionStatus::PartiallyCaptured,
            _ => CollectionStatus::Authorized,
        };
        if it.status == CollectionStatus::Completed && it.completed_at.is_none() {
            it.completed_at = Some(at.now());
        }
    })?;
    Ok(())
}

/// Makes a record of each provider that is linked in; those that no longer are cannot be used.
pub(crate) fn seed(tx: &mut dyn Write, at: &Moment) -> Result<(), RowError> {
    let linked: Vec<&str> = inventory::iter::<PaymentProviderEntry>.into_iter().map(|it| it.0.id()).collect();
    for id in &linked {
        if !PAYMENT_PROVIDERS.table.exists(tx, id)? {
            let provider = ProviderRecord { id: Id::from(*id), ..ProviderRecord::default() };
            PAYMENT_PROVIDERS.create(tx, at, provider)?;
        }
    }
    for provider in PAYMENT_PROVIDERS.table.list_all(tx)? {
        let is_enabled = linked.contains(&&*provider.id);
        PAYMENT_PROVIDERS
            .update(tx, at, &provider.id, |it: &mut ProviderRecord| it.is_enabled = is_enabled)?;
    }
    Ok(())
}

/// May this provider be used?
pub fn is_enabled(tx: &dyn Read, id: &str) -> Result<bool, StoreError> {
    Ok(PAYMENT_PROVIDERS.get(tx, id)?.is_some_and(|it| it.is_enabled))
}
