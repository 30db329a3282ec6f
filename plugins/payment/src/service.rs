//! Payment sessions, authorisation, capture and refund. Invariant: the amounts of a collection are the sums
//! of its payments.

use atoll_checkout::PaymentProvider;
use atoll_kernel::{
    Decimal, Metadata, Moment, Read, StoreError, Write,
    data::{Entity, RowError},
    limits::{FORMER_SESSIONS_MAX, REFUND_NOTE_CHARS_MAX, SESSION_DATA_BYTES_MAX},
    registry::Providers,
};

use crate::{
    Asked, Capture, CollectionStatus, Error, FORMER_BY_COLLECTION, PAYMENT_COLLECTIONS, PAYMENT_PROVIDERS,
    PAYMENTS, PAYMENTS_BY_COLLECTION, Payment, PaymentCollection, PaymentSession, REFUND_REASONS, Refund,
    RefundReason, SessionStatus, former::keep_sessions,
};

/// Captures and refunds of one payment, each: they are stored in its record, and a provider outside is not
/// asked to move money that could not be recorded.
pub const MOVES_MAX: usize = 1_000;

/// Changes the amount of a collection. A session over the earlier amount is removed.
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
    keep_sessions(tx, at, collection)?;
    Ok(PAYMENT_COLLECTIONS.update(tx, at, &collection.id, |it: &mut PaymentCollection| {
        it.amount = amount;
        it.currency_code = currency_code.to_owned();
        it.payment_sessions.clear();
        it.status = CollectionStatus::NotPaid;
    })?)
}

/// Error if what a storefront gives a session is too long.
pub fn check_data(given: &Metadata) -> Result<(), Error> {
    if given.n_bytes() > SESSION_DATA_BYTES_MAX { Err(Error::LongData) } else { Ok(()) }
}

/// Opens a session over the whole amount; it replaces an earlier session.
pub fn open_session(
    tx: &mut dyn Write,
    at: &Moment,
    collection: &PaymentCollection,
    mut session: PaymentSession,
) -> Result<PaymentCollection, Error> {
    check_new_session(tx, collection)?;
    keep_sessions(tx, at, collection)?;
    let id = if session.id.is_empty() { at.id() } else { session.id.clone() };
    session.init(id, at.now());
    session.amount = collection.amount;
    session.currency_code = collection.currency_code.clone();
    session.payment_collection_id = collection.id.to_string();
    Ok(PAYMENT_COLLECTIONS.update(tx, at, &collection.id, |it: &mut PaymentCollection| {
        it.payment_sessions = vec![session];
        it.status = CollectionStatus::Awaiting;
    })?)
}

/// Error if the collection is authorised, paid or cancelled, or has lost [`FORMER_SESSIONS_MAX`] sessions.
pub fn check_new_session(tx: &dyn Read, collection: &PaymentCollection) -> Result<(), Error> {
    check_open(collection)?;
    let n_former = FORMER_BY_COLLECTION.count_up_to(tx, &[&collection.id], FORMER_SESSIONS_MAX)?;
    if n_former >= FORMER_SESSIONS_MAX {
        Err(Error::TooManySessions(collection.id.to_string()))
    } else {
        Ok(())
    }
}

/// Error if the collection is authorised, paid or cancelled.
fn check_open(collection: &PaymentCollection) -> Result<(), Error> {
    match collection.status {
        CollectionStatus::NotPaid | CollectionStatus::Awaiting => Ok(()),
        _ => Err(Error::Settled(collection.id.to_string())),
    }
}

/// Records that the amount of a session was authorised. Errors: the session was changed or replaced
/// meanwhile.
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

/// The payment, unless a request to its provider is in flight (an error).
pub fn open_payment(tx: &dyn Read, id: &str) -> Result<Payment, Error> {
    let payment = PAYMENTS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    if payment.is_busy { Err(Error::Busy(id.to_owned())) } else { Ok(payment) }
}

/// The amount to capture: the requested one, or all that is left.
pub fn capturable(payment: &Payment, amount: Option<Decimal>) -> Result<Decimal, Error> {
    check_room(payment, payment.captures.len())?;
    if payment.canceled_at.is_some() {
        return Err(Error::Canceled(payment.id.to_string()));
    }
    let amount = within(amount, payment.amount - payment.captured(), Error::CaptureTooMuch)?;
    check_answered(payment, Some(&Asked::capture(amount)))?;
    Ok(amount)
}

/// Checks an amount that the provider has captured by itself. It is recorded whatever has become of the
/// payment since: the money is there.
pub fn check_captured(payment: &Payment, amount: Decimal) -> Result<(), Error> {
    check_room(payment, payment.captures.len())?;
    within(Some(amount), payment.amount - payment.captured(), Error::CaptureTooMuch).map(drop)
}

/// The amount to refund: the requested one, or all that was captured.
pub fn refundable(payment: &Payment, amount: Option<Decimal>) -> Result<Decimal, Error> {
    check_room(payment, payment.refunds.len())?;
    let amount = within(amount, payment.captured() - payment.refunded(), Error::RefundTooMuch)?;
    check_answered(payment, Some(&Asked::refund(amount)))?;
    Ok(amount)
}

/// Error if the provider has not answered an earlier request, unless it is asked for the same again.
fn check_answered(payment: &Payment, asked: Option<&Asked>) -> Result<(), Error> {
    match &payment.unanswered {
        Some(earlier) if Some(earlier) != asked => {
            Err(Error::Unanswered { id: payment.id.to_string(), asked: earlier.clone() })
        }
        _ => Ok(()),
    }
}

fn check_room(payment: &Payment, n_moves: usize) -> Result<(), Error> {
    match n_moves < MOVES_MAX {
        true => Ok(()),
        false => Err(Error::TooManyMoves(payment.id.to_string())),
    }
}

fn within(amount: Option<Decimal>, left: Decimal, too_much: Error) -> Result<Decimal, Error> {
    match amount.unwrap_or(left) {
        amount if amount > left => Err(too_much),
        amount if amount <= Decimal::ZERO => Err(Error::NotPositive),
        amount => Ok(amount),
    }
}

/// Notes what the provider is asked for, and that the request is in flight: a lock for one payment.
pub fn note_asked(tx: &mut dyn Write, at: &Moment, id: &str, asked: Asked) -> Result<(), Error> {
    PAYMENTS.update(tx, at, id, |it: &mut Payment| {
        it.is_busy = true;
        it.unanswered = Some(asked);
    })?;
    Ok(())
}

/// No request is in flight any more. What was asked for stays noted, since it may have been done.
pub fn set_free(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    PAYMENTS.update(tx, at, id, |it: &mut Payment| it.is_busy = false)?;
    Ok(())
}

/// The provider has refused what it was asked for.
pub fn forget_asked(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    PAYMENTS.update(tx, at, id, |it: &mut Payment| it.unanswered = None)?;
    Ok(())
}

/// Records a capture.
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
    capture.init(at.id(), at.now());
    let payment = PAYMENTS.update(tx, at, id, |it: &mut Payment| {
        it.captures.push(capture);
        it.data = data;
        it.is_busy = false;
        it.unanswered.take_if(|it| !it.is_refund);
        if it.captured() == it.amount {
            it.captured_at = Some(at.now());
        }
    })?;
    settle(tx, at, &payment.payment_collection_id)?;
    Ok(payment)
}

/// Records a refund.
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
    refund.init(refund_id, at.now());
    let payment = PAYMENTS.update(tx, at, id, |it: &mut Payment| {
        it.refunds.push(refund);
        it.data = data;
        it.is_busy = false;
        it.unanswered.take_if(|it| it.is_refund);
    })?;
    settle(tx, at, &payment.payment_collection_id)?;
    Ok(payment)
}

/// What cancelling a collection did to one of its payments: its authorisation was cancelled, or it was
/// refunded.
#[derive(Clone, Debug, PartialEq)]
pub struct Reversal {
    /// The payment.
    pub payment: Payment,
    /// The refund; `None` if the authorisation was cancelled.
    pub refund: Option<Refund>,
}

/// Cancels a collection: captured amounts are refunded, other authorisations cancelled. What the provider of
/// a cancelled payment has captured since is refunded, too.
pub fn cancel_collection(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Vec<Reversal>, Error> {
    let payments = PAYMENTS.table.list_by(tx, &PAYMENTS_BY_COLLECTION, &[id])?;
    let mut done = Vec::new();
    for payment in payments {
        if payment.is_busy {
            return Err(Error::Busy(payment.id.to_string()));
        }
        check_answered(&payment, None)?;
        let left = payment.captured() - payment.refunded();
        if left > Decimal::ZERO {
            let back = Refund { id: at.id::<Refund>(), amount: left, ..Refund::default() };
            let payment = refund(tx, at, &payment.id, back, payment.data)?;
            done.push(Reversal { refund: payment.refunds.last().cloned(), payment });
        }
        if payment.captured_at.is_none() && payment.canceled_at.is_none() {
            let canceled = |it: &mut Payment| it.canceled_at = Some(at.now());
            let payment = PAYMENTS.update(tx, at, &payment.id, canceled)?;
            done.push(Reversal { payment, refund: None });
        }
    }
    PAYMENT_COLLECTIONS
        .update(tx, at, id, |it: &mut PaymentCollection| it.status = CollectionStatus::Canceled)?;
    Ok(done)
}

/// Error if a collection has a session or a payment.
pub fn check_payable(collection: &PaymentCollection) -> Result<(), Error> {
    match collection.status {
        CollectionStatus::NotPaid => Ok(()),
        _ => Err(Error::NotPayable),
    }
}

/// Records that a collection was paid outside of the shop: an authorised payment through a provider of manual
/// payments, captured. Errors: the collection has a session or a payment.
pub fn pay_by_hand(
    tx: &mut dyn Write,
    at: &Moment,
    collection: &PaymentCollection,
    provider_id: &str,
) -> Result<Payment, Error> {
    check_payable(collection)?;
    let none = || Metadata::default().or_empty();
    let session = PaymentSession {
        id: at.id(),
        provider_id: provider_id.to_owned(),
        data: none(),
        context: none(),
        metadata: none(),
        is_manual: true,
        ..PaymentSession::default()
    };
    let opened = open_session(tx, at, collection, session)?;
    let session = opened.payment_sessions.last().expect("a collection has the session that was opened");
    let payment = authorize(tx, at, session, "", none())?;
    capture(tx, at, &payment.id, payment.amount, payment.data)
}

/// Deletes a collection that nothing was paid of.
pub fn delete_collection(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Error> {
    let collection = PAYMENT_COLLECTIONS.get(tx, id)?.ok_or_else(|| Error::NoCollection(id.to_owned()))?;
    if collection.status != CollectionStatus::NotPaid {
        return Err(Error::NotDeletable);
    }
    PAYMENT_COLLECTIONS.delete(tx, at, id)?;
    Ok(())
}

/// Error if there is no such reason of refunds.
pub fn check_reason(tx: &dyn Read, id: &str) -> Result<(), Error> {
    match REFUND_REASONS.table.exists(tx, id)? {
        true => Ok(()),
        false => Err(Error::NoReason(id.to_owned())),
    }
}

/// Error if the note of a refund is too long.
pub fn check_note(note: &str) -> Result<(), Error> {
    match note.chars().nth(REFUND_NOTE_CHARS_MAX) {
        None => Ok(()),
        Some(_) => Err(Error::LongNote),
    }
}

/// Soft-deletes a reason of refunds: those that have it keep its id. Errors: there is none.
pub fn delete_reason(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<RefundReason>, Error> {
    REFUND_REASONS.retrieve(tx, id)?;
    Ok(REFUND_REASONS.soft_delete(tx, at, id)?)
}

/// Updates the amounts and the status of a collection from its payments.
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

/// Writes the records of the providers.
pub(crate) fn seed(tx: &mut dyn Write, at: &Moment, providers: &Providers) -> Result<(), RowError> {
    providers.record::<dyn PaymentProvider, _>(tx, at, &PAYMENT_PROVIDERS, |it| &mut it.is_enabled)
}

/// Does this provider serve?
pub fn is_enabled(tx: &dyn Read, id: &str) -> Result<bool, StoreError> {
    Ok(PAYMENT_PROVIDERS.get(tx, id)?.is_some_and(|it| it.is_enabled))
}
