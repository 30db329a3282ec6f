//! Store routes whose author forgot everything that can be forgotten: the resources are for admins, the
//! context is one without a wall, and the answers name no resource.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Resource, Type, optional},
    isolation, resources, routes,
    storefront::Subject,
};

routes! {
    /// Lists stock.
    Get "/store/careless/levels" (Store, LIST) => levels: LISTED;
    /// Lists keys.
    Get "/store/careless/keys" (Store, LIST) => keys: LISTED;
    /// Lists orders.
    Get "/store/careless/orders" (Store, LIST) => orders: LISTED;
    /// Lists variants.
    Get "/store/careless/variants" (Store, LIST) => variants: LISTED;
}

const LISTED: Answer = Answer::Object(&[
    Part::Value(optional("levels", Type::List(&Type::Record)).about("The stock.")),
    Part::Value(optional("keys", Type::List(&Type::Record)).about("The keys.")),
    Part::Value(optional("orders", Type::List(&Type::Record)).about("The orders.")),
    Part::Value(optional("variants", Type::List(&Type::Record)).about("The variants.")),
    Part::value("count", Type::NotNegative, "How many there are."),
    Part::value("offset", Type::NotNegative, "How many were skipped."),
    Part::value("limit", Type::NotNegative, "The size of the page."),
]);

isolation! { Subject { prefix: "/store/careless", made_by: None, bodies: &[] } }

resources! { LEVEL, KEY, ORDER, VARIANT }

static LEVEL: Resource = Resource {
    entity: "inventory_level",
    one: "level",
    many: "levels",
    fields: &["id", "stocked_quantity"],
    store_fields: None,
    renamed: &[],
};

pub(crate) static KEY: Resource =
    Resource { entity: "api_key", one: "key", many: "keys", fields: &["id", "token"], ..LEVEL };

static ORDER: Resource =
    Resource { entity: "order", one: "order", many: "orders", fields: &["id", "email"], ..LEVEL };

static VARIANT: Resource = Resource {
    entity: "product_variant",
    one: "variant",
    many: "variants",
    fields: &["id", "title", "prices", "*product", "product.sales_channels.publishable_api_keys.token"],
    ..LEVEL
};

const LIST: Params = Params { own: &[], limit: Some(20), strict: true };

async fn list(call: Call, resource: &'static Resource) -> Result<Reply, Fault> {
    resource.plan_in(&call, call.app.unconfined(call.app.now())).page(&call.view, Vec::new())
}

async fn levels(call: Call) -> Result<Reply, Fault> {
    list(call, &LEVEL).await
}

async fn keys(call: Call) -> Result<Reply, Fault> {
    list(call, &KEY).await
}

async fn orders(call: Call) -> Result<Reply, Fault> {
    list(call, &ORDER).await
}

async fn variants(call: Call) -> Result<Reply, Fault> {
    list(call, &VARIANT).await
}
