//! Store routes: a shopper subscribes, lists, and unsubscribes, inside the wall of the publishable key; and
//! what the isolation matrix of the tests asks them (`isolation!`).

use std::sync::Arc;

use atoll_kernel::{
    Decimal, Fault,
    data::Node,
    http::{Body, Call, Deleted, Param, ParamKind, Params, Reply, Resource, Type, optional, required},
    isolation,
    query::StoreFields,
    routes,
    storefront::{Made, Subject},
};
use serde::Deserialize;

use crate::{
    RESTOCK_SUBSCRIPTION, RESTOCK_SUBSCRIPTIONS, SUBSCRIBE_TO_RESTOCK, Subscribe, UNSUBSCRIBE_FROM_RESTOCK,
    types::unknown,
};

routes! {
    with "restock";
    of SUBSCRIPTION;
    /// Lists the subscriptions of the customer who asks, in the channels of the key. Guests have no list.
    Get "/store/restock-subscriptions" (Store, LIST) => index;
    /// Subscribes a shopper to a variant that the channel shows, and cannot sell now. Who is not logged in
    /// says an `email`. A key of several channels says which.
    Post "/store/restock-subscriptions" (Store, Params::NONE, SUBSCRIBE) => subscribe;
    /// Deletes a subscription. Who knows its id may do so, with a key of its channel: a link in a mail is
    /// enough.
    Delete "/store/restock-subscriptions/:id" (Store, Params::NONE) => unsubscribe;
}

static SUBSCRIPTION: Resource = Resource {
    entity: RESTOCK_SUBSCRIPTION,
    one: "restock_subscription",
    many: "restock_subscriptions",
    fields: &[
        "id", "variant_id", "sales_channel_id", "email", "quantity", "locale", "status", "told_at",
        "expires_at", "created_at", "variant.id", "variant.title", "variant.product.title",
    ],
    store_fields: Some(StoreFields { whole: &["variant", "variant.product"], parts: &[] }),
    renamed: &[],
};

const LIST: Params = Params {
    own: &[
        Param::new("id", ParamKind::Any),
        Param::new("variant_id", ParamKind::Any),
        Param::new("status", ParamKind::Any),
    ],
    limit: Some(20),
    strict: true,
};
const SUBSCRIBE: Body = &[&[
    required("variant_id", Type::Text),
    optional("email", Type::Email)
        .about("Where to; by default the address of the customer who is logged in."),
    optional("quantity", Type::Positive).about("How many are wanted; one by default."),
    optional("locale", Type::Text).about("The language in which to tell the shopper: `de-CH`."),
    optional("sales_channel_id", Type::Text).about("The channel, if the key has several."),
]];

#[derive(Deserialize)]
struct SubscribeBody {
    variant_id: String,
    email: Option<String>,
    quantity: Option<Decimal>,
    locale: Option<String>,
    sales_channel_id: Option<String>,
}

async fn index(call: Call) -> Result<Reply, Fault> {
    SUBSCRIPTION.plan(&call).page(&call.view, Vec::new())
}

async fn subscribe(mut call: Call) -> Result<Reply, Fault> {
    let SubscribeBody { variant_id, email, quantity, locale, sales_channel_id } = call.read()?;
    let plan = SUBSCRIPTION.plan(&call);
    plan.check(&call.view)?;
    let scope = match sales_channel_id {
        Some(channel) => call.pass.scope()?.in_channels(&[channel])?,
        None => call.pass.scope()?.clone(),
    };
    let quantity = quantity.unwrap_or(Decimal::ONE);
    let input = Subscribe { scope, variant_id, email, quantity, locale };
    let (made, view) = call.app.run(&SUBSCRIBE_TO_RESTOCK, call.pass.actor, input).await?;
    plan.show(&view, Arc::new(made))
}

async fn unsubscribe(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let found: Node = Arc::new(RESTOCK_SUBSCRIPTIONS.get(&call.view, &id)?.ok_or_else(|| unknown(&id))?);
    if !SUBSCRIPTION.plan(&call).admits(&call.view, &found)? {
        return Err(unknown(&id));
    }
    let gone = Deleted::new(id.as_str(), RESTOCK_SUBSCRIPTION);
    call.app.run(&UNSUBSCRIBE_FROM_RESTOCK, call.pass.actor, id).await?;
    gone.reply()
}

isolation! { Subject {
    prefix: "/store/restock-subscriptions",
    made_by: Some(Made {
        by_admin: false,
        path: "/store/restock-subscriptions",
        body: r#"{ "variant_id": "{variant}", "quantity": 100 }"#,
        one: "restock_subscription",
    }),
    bodies: &[(
        "/store/restock-subscriptions",
        r#"{ "variant_id": "{variant}", "email": "a@b.co", "quantity": 100 }"#,
    )],
} }
