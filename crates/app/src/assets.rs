//! The style sheet, the script and the icon of the pages. Their addresses hold a digest of them, so browsers
//! keep them for good.

use std::sync::LazyLock;

use atoll_kernel::http::{digest, header_names};
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset { name: "app.css", kind: "text/css; charset=utf-8", text: include_str!("assets/app.css") },
    Asset { name: "app.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/app.js") },
    Asset { name: "icon.svg", kind: "image/svg+xml", text: include_str!("assets/icon.svg") },
];

static DIGESTS: LazyLock<[String; 3]> = LazyLock::new(|| ASSETS.map(|it| digest(it.text)[..16].to_owned()));

/// The address of an asset below the root of the pages.
pub(crate) fn address(root: &str, name: &str) -> String {
    let at = ASSETS.iter().position(|it| it.name == name).expect("an asset");
    format!("{root}/assets/{}/{name}", DIGESTS[at])
}

/// Serves the assets.
pub(crate) fn routes(root: &str) -> Router {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(&address(root, asset.name), get(move || async move { answer(asset) }))
    })
}

fn answer(asset: &'static Asset) -> Response {
    let headers = [
        (header_names::CONTENT_TYPE, asset.kind),
        (header_names::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header_names::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.text).into_response()
}
