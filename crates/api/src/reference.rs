//! `/openapi.json`: every route, as the route table describes it.

use atoll_kernel::{Call, Fault, Reply, openapi, routes};

use crate::tables::ONE;

routes! {
    Get "/openapi.json" (Public, ONE) => describe;
}

async fn describe(call: Call) -> Result<Reply, Fault> {
    let routes = call.app.routes();
    Ok(Reply::json(&openapi("Atoll", env!("CARGO_PKG_VERSION"), &routes)))
}
