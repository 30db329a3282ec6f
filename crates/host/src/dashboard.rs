//! `--dashboard`: serves the files of a dashboard that was built for this API (a single-page application),
//! below a path of one's own.

use std::{convert::Infallible, path::PathBuf};

use atoll_app::{AREAS, segments};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use percent_encoding::percent_decode_str;
use tokio::fs::canonicalize;
use tower::{ServiceExt as _, service_fn};
use tower_http::services::{ServeDir, ServeFile};

/// Where dashboards are by default, and where they expect to be.
const PATH: &str = "/dashboard";

/// The page that every address of the dashboard shows, and whose scripts read the address.
const INDEX: &str = "index.html";

/// Its own scripts, styles and fonts, and requests to this server. Pictures may come from anywhere, as those
/// of products do. Styles may stand in pages: the libraries that dashboards are built with write them.
const POLICY: &str = "default-src 'self'; base-uri 'self'; font-src 'self' data:; form-action 'self'; \
                      frame-ancestors 'none'; img-src * data: blob:; object-src 'none'; \
                      style-src 'self' 'unsafe-inline'";

/// Builders put a digest of the content into the names of the files of this folder: they never change. No
/// page is below it.
const ASSETS: &str = "/assets/";

/// A folder and the path that it is served at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dashboard {
    folder: PathBuf,
    path: String,
}

impl Dashboard {
    /// The dashboard in this folder, at this path instead of `/dashboard`. Errors: the folder has no
    /// `index.html`, or the path is none or hides something else.
    pub fn new(folder: &str, path: Option<&str>) -> Result<Dashboard, String> {
        let folder = PathBuf::from(folder);
        if !folder.join(INDEX).is_file() {
            return Err(format!("there is no {INDEX} in it"));
        }
        Ok(Dashboard { folder, path: dashboard_path(path.unwrap_or(PATH))? })
    }

    /// Is its path the same as that of other pages, or above or below it?
    pub(crate) fn meets(&self, other: &str) -> bool {
        let first = |it: &str| it.split('/').nth(1).map(str::to_owned);
        first(&self.path) == first(other)
    }

    /// Its routes.
    pub(crate) fn router(&self) -> Router {
        let index = ServeFile::new(self.folder.join(INDEX));
        let page = service_fn(move |request: Request| {
            let index = index.clone();
            async move {
                // A file that is gone is missed, and not taken for a page.
                let path = request.uri().path();
                let is_named = path.rsplit('/').next().is_some_and(|it| it.contains('.'));
                let response = match is_named || path.starts_with(ASSETS) {
                    true => StatusCode::NOT_FOUND.into_response(),
                    false => index.oneshot(request).await?.map(Body::new),
                };
                Ok::<Response, Infallible>(response)
            }
        });
        let files = ServeDir::new(&self.folder).precompressed_br().precompressed_gzip().fallback(page);
        let start = format!("{}/", self.path);
        let to_start = get(move || async move { Redirect::permanent(&start) });
        let dashboard = self.clone();
        Router::new()
            .nest_service(&format!("{}/", self.path), files)
            .route(&self.path, to_start)
            .layer(from_fn(move |request, next| guarded(dashboard.clone(), request, next)))
    }

    /// False for hidden files (`.env`, `.git`), and where a symbolic link leads out of the folder.
    async fn offers(&self, below: &str) -> bool {
        let path = percent_decode_str(below).decode_utf8_lossy();
        if path.split('/').any(|it| it.starts_with('.')) {
            return false;
        }
        let file = self.folder.join(path.trim_start_matches('/'));
        match (canonicalize(&self.folder).await, canonicalize(file).await) {
            (Ok(folder), Ok(file)) => file.starts_with(folder),
            // There is no such file, so it is not served.
            _ => true,
        }
    }
}

/// Parses the path of a dashboard: segments of letters, digits, `-` and `_`.
pub(crate) fn dashboard_path(text: &str) -> Result<String, String> {
    let Some(segments) = segments(text) else {
        return Err("it must be a path such as `/dashboard`".into());
    };
    match AREAS.iter().find(|it| **it == segments[0]) {
        Some(taken) => Err(format!("`/{taken}` is a path of this server")),
        None => Ok(text.to_owned()),
    }
}

/// Middleware: which files are served, the policy of pages, and how long a file may be kept.
async fn guarded(dashboard: Dashboard, request: Request, next: Next) -> Response {
    let below = request.uri().path().strip_prefix(&dashboard.path).unwrap_or_default().to_owned();
    let mut response = match dashboard.offers(&below).await {
        true => next.run(request).await,
        false => StatusCode::NOT_FOUND.into_response(),
    };
    let is_kept = below.starts_with(ASSETS) && response.status().is_success();
    // Everything else is asked for each time, and answered with 304 while the file is as it was.
    let caching = if is_kept { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut set =
        |name: HeaderName, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
    set(header::CACHE_CONTROL, caching);
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    response
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use http_body_util::BodyExt as _;

    use super::*;

    /// `200 text/html, no-cache: the page` of `GET` this path.
    async fn answer(router: &Router, path: &str) -> String {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let response = router.clone().oneshot(request).await.expect("an answer");
        let said = |name| response.headers().get(name).map_or("-", |it| it.to_str().expect("text"));
        let head = format!(
            "{} {}, {}",
            response.status().as_u16(),
            said(header::CONTENT_TYPE),
            said(header::CACHE_CONTROL)
        );
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        format!("{head}: {}", String::from_utf8_lossy(&body))
    }

    #[tokio::test]
    async fn every_address_shows_the_page_and_only_files_of_the_folder_are_served() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("secret.txt"), "secret").expect("written");
        fs::create_dir_all(at("built/assets")).expect("made");
        fs::write(at("built/index.html"), "the page").expect("written");
        fs::write(at("built/logo.svg"), "a logo").expect("written");
        fs::write(at("built/assets/app-1.js"), "a script").expect("written");
        fs::write(at("built/.env"), "secret").expect("written");
        symlink(at("secret.txt"), at("built/linked.txt")).expect("linked");
        symlink(at("built/logo.svg"), at("built/icon.svg")).expect("linked");
        let built = at("built");
        let dashboard =
            Dashboard::new(built.to_str().expect("text"), Some("/back-office")).expect("a dashboard");
        let router = dashboard.router();
        let page = "200 text/html, no-cache: the page";
        for (path, expected) in [
            ("/back-office/", page),
            ("/back-office/index.html", page),
            ("/back-office/orders/order_1", page),
            ("/back-office/logo.svg", "200 image/svg+xml, no-cache: a logo"),
            (
                "/back-office/assets/app-1.js",
                "200 text/javascript, public, max-age=31536000, immutable: a script",
            ),
            ("/back-office/assets/app-0.js", "404 -, no-cache: "),
            ("/back-office/assets/app", "404 -, no-cache: "),
            ("/back-office/products/assets/new", page),
            ("/back-office/.env", "404 -, no-cache: "),
            ("/back-office/%2eenv", "404 -, no-cache: "),
            ("/back-office/linked.txt", "404 -, no-cache: "),
            ("/back-office/icon.svg", "200 image/svg+xml, no-cache: a logo"),
            ("/back-office/../secret.txt", "404 -, no-cache: "),
            ("/back-office/%2e%2e/secret.txt", "404 -, no-cache: "),
            ("/back-office/..%2fsecret.txt", "404 -, no-cache: "),
            ("/back-office", "308 -, no-cache: "),
        ] {
            assert_eq!(answer(&router, path).await, expected, "{path}");
        }
    }

    #[test]
    fn paths_of_the_server_are_not_hidden() {
        assert_eq!(dashboard_path("/back-office/new_1"), Ok("/back-office/new_1".into()));
        for wrong in ["", "/", "dashboard", "/a//b", "/a/", "/../a", "/:id", "/{*a}"] {
            assert_eq!(
                dashboard_path(wrong),
                Err("it must be a path such as `/dashboard`".into()),
                "{wrong}"
            );
        }
        let dashboard = Dashboard { folder: PathBuf::new(), path: "/office/new".into() };
        assert!(dashboard.meets("/office") && !dashboard.meets("/app"));
        assert_eq!(dashboard_path("/admin/ui"), Err("`/admin` is a path of this server".into()));
        assert_eq!(Dashboard::new("/nowhere", None), Err("there is no index.html in it".into()));
    }
}
