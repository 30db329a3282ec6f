//! Admin routes: the list of subscriptions, with filters and with fields of other modules' records, which the
//! graph reaches through the links: `/admin/restock-subscriptions?fields=email,variant.product.title`.

use atoll_kernel::{
    Fault,
    http::{Call, Deleted, Param, ParamKind, Params, Reply, Resource},
    routes,
};

use crate::{RESTOCK_SUBSCRIPTION, UNSUBSCRIBE_FROM_RESTOCK, types::unknown};

routes! {
    with "restock";
    of SUBSCRIPTION;
    /// Lists the subscriptions to sold-out variants.
    Get "/admin/restock-subscriptions" (Admin, LIST) => index;
    /// Shows a subscription.
    Get "/admin/restock-subscriptions/:id" (Admin, Params::NONE) => retrieve;
    /// Deletes a subscription. The shopper is not told.
    Delete "/admin/restock-subscriptions/:id" (Admin, Params::NONE) => delete;
}

static SUBSCRIPTION: Resource = Resource {
    entity: RESTOCK_SUBSCRIPTION,
    one: "restock_subscription",
    many: "restock_subscriptions",
    fields: &[
        "id", "variant_id", "sales_channel_id", "customer_id", "email", "quantity", "locale", "status",
        "told_at", "expires_at", "created_at", "updated_at",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = Params {
    own: &[
        Param::new("id", ParamKind::Any),
        Param::new("variant_id", ParamKind::Any),
        Param::new("sales_channel_id", ParamKind::AnyOrNull),
        Param::new("customer_id", ParamKind::AnyOrNull),
        Param::new("email", ParamKind::Any),
        Param::new("status", ParamKind::Any),
        Param::new("created_at", ParamKind::Date),
        Param::new("variant", ParamKind::Nested(&[Param::new("product_id", ParamKind::Any)])),
    ],
    limit: Some(50),
    strict: true,
};

async fn index(call: Call) -> Result<Reply, Fault> {
    SUBSCRIPTION.plan(&call).page(&call.view, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id");
    SUBSCRIPTION.plan(&call).find(&call.view, id)?.ok_or_else(|| unknown(id))
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let gone = Deleted::new(id.as_str(), RESTOCK_SUBSCRIPTION);
    call.app.run(&UNSUBSCRIBE_FROM_RESTOCK, call.pass.actor, id).await?;
    gone.reply()
}
