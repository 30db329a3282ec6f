//! `/openapi.json`: every route, as the route table describes it; and `/docs`, where people read that.

use atoll_kernel::{Answer, Call, Fault, Registry, Reply, openapi, routes};

use crate::tables::ONE;

routes! {
    Get "/openapi.json" (Public, ONE) => describe;
    Get "/docs" (Public, ONE) => read: Answer::Html;
}

async fn describe(call: Call) -> Result<Reply, Fault> {
    let routes = call.app.routes();
    Ok(Reply::json(&openapi("Atoll", env!("CARGO_PKG_VERSION"), &routes, Registry::graph())))
}

async fn read(_: Call) -> Result<Reply, Fault> {
    Ok(Reply::html(include_str!("docs.html")))
}
