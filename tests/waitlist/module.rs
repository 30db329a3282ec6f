//! A module of a third party with store routes: requests to be told when a variant is back in stock.

use std::sync::Arc;

use atoll_kernel::{
    Decimal, Fault, Moment, Write,
    data::{End, Index, Module, Service},
    entity,
    http::{Body, Call, Param, ParamKind, Params, Reply, Resource, Type, required},
    link, module,
    query::{StoreFields, Visibility},
    routes,
    serde_json::Map,
};
use serde::Deserialize;

entity! {
    /// A request to be told when a variant is back in stock.
    pub struct StockRequest = "stock_request" / "stock_requests", "stkreq" {
        /// Where to.
        pub email: String,
        /// How many are wanted.
        pub quantity: Decimal,
    }
}

const BY_EMAIL: Index<StockRequest> =
    Index::on("stock_request.by_email", &["email"], |it, keys| keys.add(&[&it.email]));

pub(crate) static STOCK_REQUESTS: Service<StockRequest> =
    Service::new(&[BY_EMAIL]).visible(Visibility::With(&["variant"]));

module! { Module {
    name: "waitlist",
    summary: "Requests to be told when a variant is back in stock",
    services: &[&STOCK_REQUESTS],
    ..Module::EMPTY
} }

link! {
    /// A request is for a variant, and goes with it.
    pub static STOCK_REQUEST_VARIANT: Link("stock_request_variant", "stkreqvar") = {
        left: End {
            entity: "stock_request", key: "stock_request_id", alias: "stock_request", others: Some("variant"),
            rows: "variant_link", many: false, cascade: true,
        },
        right: End {
            entity: "product_variant", key: "variant_id", alias: "variant", others: Some("stock_requests"),
            rows: "stock_requests_link", many: true, cascade: false,
        },
    };
}

routes! {
    of STOCK_REQUEST;
    /// Lists the requests.
    Get "/store/stock-requests" (Store, LIST) => index;
    /// Shows a request.
    Get "/store/stock-requests/:id" (Store, ONE) => retrieve;
    /// Creates a request.
    Post "/store/stock-requests" (Store, ONE, CREATE) => create;
}

static STOCK_REQUEST: Resource = Resource {
    entity: "stock_request",
    one: "stock_request",
    many: "stock_requests",
    fields: &["id", "quantity", "created_at", "variant.id", "variant.title"],
    store_fields: Some(StoreFields { whole: &["variant", "variant.product"], parts: &[] }),
    renamed: &[],
};

const ONE: Params = Params { own: &[], limit: None, strict: true };
const LIST: Params = Params { own: &[Param::new("id", ParamKind::Any)], limit: Some(20), strict: true };
const CREATE: Body = &[&[
    required("variant_id", Type::Text),
    required("email", Type::Email),
    required("quantity", Type::Positive),
]];

#[derive(Clone, Deserialize)]
struct NewRequest {
    variant_id: String,
    email: String,
    quantity: Decimal,
}

async fn index(call: Call) -> Result<Reply, Fault> {
    STOCK_REQUEST.plan(&call).page(&call.view, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id");
    let found = STOCK_REQUEST.plan(&call).find(&call.view, id)?;
    found.ok_or_else(|| Fault::not_found(format!("Stock request with id: {id} was not found")))
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let input: NewRequest = call.read()?;
    let plan = STOCK_REQUEST.plan(&call);
    plan.check(&call.view)?;
    let body = move |tx: &mut dyn Write, at: &Moment| create_request(tx, at, input);
    let (request, view) = call.app.write(call.pass.actor, body).await?;
    plan.show(&view, Arc::new(request))
}

fn create_request(tx: &mut dyn Write, at: &Moment, input: NewRequest) -> Result<StockRequest, Fault> {
    let NewRequest { variant_id, email, quantity } = input;
    let request =
        STOCK_REQUESTS.create(tx, at, StockRequest { email, quantity, ..StockRequest::default() })?;
    STOCK_REQUEST_VARIANT.attach(tx, at, &request.id, &variant_id, Map::new())?;
    Ok(request)
}
