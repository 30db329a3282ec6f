//! `/docs`, the API reference: Scalar, served from the binary, over `/openapi.json`. It loads nothing from
//! another origin, and its policy lets it reach none.

use atoll_kernel::{
    Fault,
    http::{Answer, Bytes, Call, Reply, header_names as header},
    routes,
};

use crate::tables::ONE;

routes! {
    /// Shows the OpenAPI document as a page.
    Get "/docs" (Public, ONE) => read: Answer::Html;
    /// Serves a script of that page.
    Get "/docs/:file" (Public, ONE) => script: Answer::File;
}

/// Scripts of our own origin, and none that stands in the page. Scalar writes its style sheet, and `style`
/// attributes, from its script; its icons are `data:` addresses.
const POLICY: &str = "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; \
                      frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; style-src 'unsafe-inline'";

/// An hour: another version of the program may bring another script.
const CACHED: &str = "public, max-age=3600";

/// Scalar, as `build.rs` has compressed it.
const SCALAR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/scalar.js.gz"));

/// Refuses what is switched off, as if it were not there (404).
fn check(call: &Call) -> Result<(), Fault> {
    match call.app.config().docs {
        true => Ok(()),
        false => Err(Fault::not_found("The API reference is switched off")),
    }
}

async fn read(call: Call) -> Result<Reply, Fault> {
    check(&call)?;
    let page = Reply::raw(include_str!("page.html"))
        .with_header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .with_header(header::CONTENT_SECURITY_POLICY, POLICY)
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with_header(header::REFERRER_POLICY, "no-referrer");
    Ok(page)
}

async fn script(call: Call) -> Result<Reply, Fault> {
    check(&call)?;
    let reply = match call.path("file") {
        "start.js" => Reply::raw(include_str!("start.js")),
        // Every browser takes gzip; who does not is a program, and can.
        "scalar.js" => Reply::raw(Bytes::from_static(SCALAR)).with_header(header::CONTENT_ENCODING, "gzip"),
        file => return Err(Fault::not_found(format!("File with id: {file} was not found"))),
    };
    let reply = reply
        .with_header(header::CACHE_CONTROL, CACHED)
        .with_header(header::CONTENT_TYPE, "text/javascript; charset=utf-8")
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    Ok(reply)
}
