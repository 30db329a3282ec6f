//! A module of a third party with store routes: requests to be told when a variant is back in stock.

use std::sync::Arc;

use atoll_kernel::{
    Decimal, Fault,
    data::{End, Index, Module, Service},
    entity, flow,
    flow::Local,
    http::{Answer, Body, Call, Param, ParamKind, Params, Part, Reply, Resource, Type, required},
    isolation, link, module,
    query::{Relation, Resolve, StoreFields, Visibility},
    routes,
    serde_json::{Map, json},
    storefront::{Made, Scope, Subject},
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
    hidden [email]
}

const BY_EMAIL: Index<StockRequest> =
    Index::on("stock_request.by_email", &["email"], |it, keys| keys.add(&[&it.email]));

/// The service of requests. Whoever sees the variant of a request sees the request.
pub(crate) static STOCK_REQUESTS: Service<StockRequest> =
    Service::new(&[BY_EMAIL]).visible(Visibility::With(&["variant"]));

module! { Module {
    name: "waitlist",
    summary: "Requests to be told when a variant is back in stock",
    services: &[&STOCK_REQUESTS],
    // Searches of products find the titles of their collections, too.
    relations: &[Relation {
        searched: true,
        ..Relation::one("product", "series", "product_collection", Resolve::Field("collection_id"))
    }],
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
    Get "/store/stock-requests/:id" (Store, Params::NONE) => retrieve;
    /// Creates a request for a variant that the channel shows, and cannot sell now.
    Post "/store/stock-requests" (Store, Params::NONE, CREATE) => create;
}

routes! {
    /// Tells what a variant costs, and whether it can be bought now.
    Get "/store/stock-quotes/:variant_id" (Store, Params::NONE) => quote: Answer::Object(QUOTE);
}

static STOCK_REQUEST: Resource = Resource {
    entity: "stock_request",
    one: "stock_request",
    many: "stock_requests",
    fields: &["id", "quantity", "created_at", "variant.id", "variant.title"],
    store_fields: Some(StoreFields { whole: &["variant", "variant.product"], parts: &[] }),
    renamed: &[],
};

const QUOTE: &[Part] = &[
    Part::value("amount", Type::Any, "The price of one; null if it has none."),
    Part::value("can_be_bought", Type::Bool, "Does the channel sell one now?"),
];
const LIST: Params = Params { own: &[Param::new("id", ParamKind::Any)], limit: Some(20), strict: true };
const CREATE: Body = &[&[
    required("variant_id", Type::Text),
    required("email", Type::Email),
    required("quantity", Type::Positive),
]];

#[derive(Deserialize)]
struct RequestBody {
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

async fn quote(call: Call) -> Result<Reply, Fault> {
    let (scope, variant) = (call.pass.scope()?, call.path("variant_id"));
    let price = scope.price(&call.view, variant, None)?;
    let verdict = scope.decide(&call.view, variant, Decimal::ONE)?;
    Ok(Reply::json(&json!({ "amount": price.map(|it| it.amount), "can_be_bought": verdict.sellable })))
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let RequestBody { variant_id, email, quantity } = call.read()?;
    let plan = STOCK_REQUEST.plan(&call);
    plan.check(&call.view)?;
    let input = NewStockRequest { scope: call.pass.scope()?.clone(), variant_id, email, quantity };
    let (request, view) = call.app.run(&CREATE_STOCK_REQUEST, call.pass.actor, input).await?;
    plan.show(&view, Arc::new(request))
}

/// A request to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewStockRequest {
    scope: Arc<dyn Scope>,
    variant_id: String,
    email: String,
    quantity: Decimal,
}

flow! {
    /// Creates a request for a variant that the channel shows, and cannot sell now.
    pub(crate) static CREATE_STOCK_REQUEST: Flow<NewStockRequest, StockRequest> =
        "create-stock-request" (create_request), hooks: &[];
}

fn create_request(flow: &mut Local<'_>, input: NewStockRequest) -> Result<StockRequest, Fault> {
    let NewStockRequest { scope, variant_id, email, quantity } = input;
    scope.must_show(flow.tx, &variant_id)?;
    if scope.decide(flow.tx, &variant_id, quantity)?.sellable {
        return Err(Fault::invalid(format!("{quantity} of {variant_id} can be bought now")));
    }
    let request = StockRequest { email, quantity, ..StockRequest::default() };
    let request = STOCK_REQUESTS.create(flow.tx, flow.at, request)?;
    STOCK_REQUEST_VARIANT.attach(flow.tx, flow.at, &request.id, &variant_id, Map::new())?;
    Ok(request)
}

isolation! { Subject {
    prefix: "/store/stock-requests",
    made_by: Some(Made {
        by_admin: false,
        path: "/store/stock-requests",
        body: r#"{ "variant_id": "{variant}", "email": "a@b.co", "quantity": 100 }"#,
        one: "stock_request",
    }),
    bodies: &[(
        "/store/stock-requests",
        r#"{ "variant_id": "{variant}", "email": "a@b.co", "quantity": 100 }"#,
    )],
} }

isolation! { Subject { prefix: "/store/stock-quotes", made_by: None, bodies: &[] } }
