//! Store routes of payment collections and sessions: `/store/payment-collections`.

use std::sync::Arc;

use atoll_flows::{
    cart::Scoped,
    payment::{CREATE_PAYMENT_COLLECTION, CREATE_PAYMENT_SESSIONS, NewSession, SessionInput},
};
use atoll_kernel::{
    Fault, FaultKind, Moment,
    http::{Body, Call, Reply, Resource, Type, optional, required},
    query::StoreFields,
    routes,
    saga::Outcome,
};
use atoll_payment::PAYMENT_COLLECTIONS;
use serde::Deserialize;

use crate::{
    gate::scope,
    reply::{perform, show_written},
    tables::ONE,
};

routes! {
    of COLLECTION;
    /// Creates the payment collection of a cart: what is to be paid for it. A cart that has one is answered
    /// with it.
    Post "/store/payment-collections" (Store, ONE, CREATE) => create;
    /// Opens a payment session with a provider. It replaces the earlier session.
    Post "/store/payment-collections/:id/payment-sessions" (Store, ONE, CHOOSE) => choose;
}

static COLLECTION: Resource = Resource {
    entity: "payment_collection",
    one: "payment_collection",
    many: "payment_collections",
    fields: &["id", "currency_code", "amount", "*payment_sessions", "*payment_sessions.payment"],
    store_fields: Some(StoreFields { whole: &["payment_sessions", "payment_sessions.payment"], parts: &[] }),
    renamed: &[],
};

const CREATE: Body = &[&[required("cart_id", Type::Text).about("The cart that is to be paid.")]];
const CHOOSE: Body = &[&[
    required("provider_id", Type::Text),
    optional("data", Type::Record).or_null(),
    optional("context", Type::Record).or_null(),
]];

#[derive(Deserialize)]
struct OfCart {
    cart_id: String,
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let OfCart { cart_id } = call.read()?;
    let input = Scoped { scope: scope(&call).clone(), input: cart_id };
    perform(&COLLECTION, call, move |it| it.run(&CREATE_PAYMENT_COLLECTION, input)).await
}

async fn choose(mut call: Call) -> Result<Reply, Fault> {
    let session: SessionInput = call.read()?;
    let (plan, id) = (COLLECTION.plan(&call), call.path("id").to_owned());
    plan.check(&call.view)?;
    let at = Moment::new(call.app.now(), call.pass.actor.clone());
    let Some(input) = NewSession::of(scope(&call), &call.view, &at, &id, session)? else {
        return Err(Fault::not_found(format!("PaymentCollection id not found: {id}")));
    };
    let Call { app, pass, view, .. } = call;
    drop(view);
    let transaction = input.transaction_id().to_owned();
    let outcome = app.start(&CREATE_PAYMENT_SESSIONS, pass.actor, Some(&transaction), input).await?;
    let Outcome::Done(_, view) = outcome else {
        return Err(Fault::new(FaultKind::Conflict, format!("Payment collection {id} is being changed")));
    };
    show_written(&app, &view, &plan, Arc::new(PAYMENT_COLLECTIONS.retrieve(&view, &id)?)).await
}
