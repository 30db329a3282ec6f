//! `/openapi.json`: every route, as the route table describes it; and `/docs`, where people read that.

use std::sync::OnceLock;

use atoll_kernel::{Answer, Bytes, Call, Fault, Registry, Reply, openapi, routes};

use crate::tables::ONE;

routes! {
    Get "/openapi.json" (Public, ONE) => describe;
    Get "/docs" (Public, ONE) => read: Answer::Html;
}

/// The document, which is written once for as long as the application runs.
#[derive(Default)]
struct Document(OnceLock<Bytes>);

async fn describe(call: Call) -> Result<Reply, Fault> {
    let document = call.app.memory::<Document>();
    let write = || {
        let routes = call.app.routes();
        openapi("Atoll", env!("CARGO_PKG_VERSION"), &routes, Registry::graph()).to_string().into()
    };
    Ok(Reply::raw(document.0.get_or_init(write).clone()))
}

async fn read(_: Call) -> Result<Reply, Fault> {
    Ok(Reply::html(include_str!("docs.html")))
}
