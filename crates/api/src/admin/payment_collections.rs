//! Admin routes of payment collections of orders: `/admin/payment-collections`.

use atoll_flows::payment::{
    CREATE_ORDER_PAYMENT_COLLECTION, DELETE_ORDER_PAYMENT_COLLECTION, MARK_PAYMENT_COLLECTION_AS_PAID,
    MarkPaid, NewCollection,
};
use atoll_kernel::{
    Fault,
    flow::Local,
    http::{Body, Call, Deleted, Params, Reply, Resource, Type, optional, required},
    routes,
};

use crate::{
    reply::{once, perform},
    tables::ONE,
};

routes! {
    of COLLECTION;
    /// Makes a payment collection for an order, of at most what it owes and no other collection of it asks
    /// for.
    Post "/admin/payment-collections" (Admin, ONE, CREATE) => create;
    /// Deletes a payment collection, of which nothing was paid.
    Delete "/admin/payment-collections/:id" (Admin, Params::NONE) => delete;
    /// Records that a payment collection was paid outside of the shop: it gets a manual payment, which is
    /// captured.
    Post "/admin/payment-collections/:id/mark-as-paid" (Admin, ONE, MARK_PAID) => mark_paid;
}

static COLLECTION: Resource = Resource {
    entity: "payment_collection",
    one: "payment_collection",
    many: "payment_collections",
    fields: &[
        "id", "currency_code", "amount", "status", "authorized_amount", "captured_amount", "refunded_amount",
        "*payment_sessions", "*payments",
    ],
    store_fields: None,
    renamed: &[],
};

const CREATE: Body = &[&[
    required("order_id", Type::Text).about("The order that is to be paid."),
    required("amount", Type::Positive).about("What is to be paid."),
]];
const MARK_PAID: Body = &[&[
    required("order_id", Type::Text).about("The order of the collection."),
    optional("provider_id", Type::Text).about("A provider of manual payments; by default the built-in one."),
]];

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let input: NewCollection = call.read()?;
    perform(&COLLECTION, call, move |it| it.run(&CREATE_ORDER_PAYMENT_COLLECTION, input)).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let gone = Deleted::new(id.as_str(), "payment-collection");
    once(call, move |flow: &mut Local<'_>| flow.run(&DELETE_ORDER_PAYMENT_COLLECTION, id)).await?;
    gone.reply()
}

async fn mark_paid(mut call: Call) -> Result<Reply, Fault> {
    let input = MarkPaid { payment_collection_id: call.path("id").to_owned(), ..call.read()? };
    perform(&COLLECTION, call, move |it| it.run(&MARK_PAYMENT_COLLECTION_AS_PAID, input)).await
}
