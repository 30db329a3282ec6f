//! Former payment sessions: what a collection has lost is kept, since its provider may still tell that the
//! buyer has paid it. Invariant: a session that is no manual one is in its collection, or here.

use atoll_kernel::{Decimal, Metadata, Moment, Write, data::RowError};

use crate::{
    CollectionStatus, Error, FORMER_BY_COLLECTION, FORMER_SESSIONS, FormerSession, PAYMENT_COLLECTIONS,
    PaymentCollection, PaymentSession,
};

/// Keeps the sessions of a collection, which is about to lose them.
pub(crate) fn keep_sessions(
    tx: &mut dyn Write,
    at: &Moment,
    collection: &PaymentCollection,
) -> Result<(), RowError> {
    for session in collection.payment_sessions.iter().filter(|it| !it.is_manual) {
        let former = FormerSession {
            id: session.id.as_str().into(),
            session: PaymentSession { context: Metadata::default(), ..session.clone() },
            payment_collection_id: collection.id.to_string(),
            ..FormerSession::default()
        };
        FORMER_SESSIONS.create(tx, at, former)?;
    }
    Ok(())
}

/// Removes a session that is not paid from its collection: the buyer chooses again. One that was replaced or
/// authorised is left alone.
pub fn close_session(tx: &mut dyn Write, at: &Moment, session: &PaymentSession) -> Result<(), Error> {
    let collection = PAYMENT_COLLECTIONS.get(tx, &session.payment_collection_id)?;
    let Some(collection) = collection.filter(|it| it.payment_sessions.contains(session)) else {
        return Ok(());
    };
    keep_sessions(tx, at, &collection)?;
    PAYMENT_COLLECTIONS.update(tx, at, &collection.id, |it: &mut PaymentCollection| {
        it.payment_sessions.clear();
        it.status = CollectionStatus::NotPaid;
    })?;
    Ok(())
}

/// Notes that what was captured in all of a former session is given back. Returns how much of it is to be
/// given back now, none if it was before, and how often something was. Error: it is no former session.
pub fn note_returned(
    tx: &mut dyn Write,
    at: &Moment,
    session: &PaymentSession,
    captured: Decimal,
) -> Result<Option<(Decimal, u32)>, Error> {
    let former = FORMER_SESSIONS.get(tx, &session.id)?;
    let Some(FormerSession { id, returned, n_returns, .. }) = former else {
        return Err(Error::Changed(session.payment_collection_id.clone()));
    };
    if captured <= returned {
        return Ok(None);
    }
    FORMER_SESSIONS.update(tx, at, &id, |it: &mut FormerSession| {
        it.returned = captured;
        it.n_returns += 1;
    })?;
    Ok(Some((captured - returned, n_returns)))
}

/// Deletes a collection of which nothing was paid, with its former sessions. Returns its session, unless that
/// is a manual one: the buyer may have authorised it.
pub fn delete_with_sessions(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
) -> Result<Option<PaymentSession>, RowError> {
    for former in FORMER_SESSIONS.table.ids_by(tx, &FORMER_BY_COLLECTION, &[id])? {
        FORMER_SESSIONS.delete(tx, at, &former)?;
    }
    let collection = PAYMENT_COLLECTIONS.delete(tx, at, id)?;
    Ok(collection.and_then(|mut it| it.payment_sessions.pop()).filter(|it| !it.is_manual))
}
