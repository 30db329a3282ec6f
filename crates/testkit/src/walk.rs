//! Walks the pages for people as the admin of a test, from the first page along every link (crawler).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use atoll_pages::{AdminPage, Linked};
use axum::http::{StatusCode, header};

use crate::{Client, TestApp, app::ADMIN};

/// Where the pages of a test are.
const ROOT: &str = "/app";

/// Upper bound of the pages that a walk opens: a small shop has fewer.
const OPENED_MAX: usize = 500;

/// Query strings with which a walk opens one path. Filters and moments would lead on without end.
const QUERIES_MAX: usize = 3;

/// What a walk has seen.
pub struct Walk {
    /// The pages as HTML, by their addresses.
    pub pages: BTreeMap<String, String>,
    /// The paths of the pages that are linked in, and to none of which a link leads: pages of records that
    /// the shop of the test has not.
    pub missed: BTreeSet<&'static str>,
}

impl Walk {
    /// Logs in as the admin, and opens the first page and every page that a link on an opened one leads to.
    ///
    /// # Panics
    /// When one of them is no page, or lacks a header that protects it.
    pub async fn of(app: &TestApp) -> Walk {
        let browser = logged_in(app).await;
        let linked = Linked::of(&app.ctx);
        let mut missed: BTreeSet<&'static str> = linked.pages.iter().map(|it| it.path).collect();
        let (mut pages, mut n_queries) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
        let mut ahead = VecDeque::from([(format!("{ROOT}/"), "the start".to_owned())]);
        while let Some((address, from)) = ahead.pop_front() {
            let path = address.split('?').next().unwrap_or_default().to_owned();
            let n_seen = n_queries.entry(path.clone()).or_default();
            if pages.contains_key(&address) || *n_seen == QUERIES_MAX {
                continue;
            }
            *n_seen += 1;
            let text = open(&browser, &address, &from).await;
            ahead.extend(links(&text).map(|it| (it, address.clone())));
            pages.insert(address, text);
            assert!(pages.len() <= OPENED_MAX, "the walk does not end: {:?}", pages.keys());
            let below = path.strip_prefix(ROOT).unwrap_or_default();
            missed.remove(linked.at(below).map_or("", |it: &AdminPage| it.path));
        }
        Walk { pages, missed }
    }
}

async fn logged_in(app: &TestApp) -> Client {
    let form = format!("email={ADMIN}&password=supersecret");
    let client = app.client().without_type();
    let answer = client.send("POST", &format!("{ROOT}/login"), form.into()).await;
    let cookie = answer.headers.get(header::SET_COOKIE).and_then(|it| it.to_str().ok());
    let cookie = cookie.and_then(|it| it.split(';').next()).expect("the cookie of a session");
    client.with_header("cookie", cookie)
}

/// A page that must be one.
async fn open(browser: &Client, address: &str, from: &str) -> String {
    let answer = browser.get_unchecked(address).await;
    let text = String::from_utf8(answer.body.to_vec()).expect("text");
    assert_eq!(answer.status, StatusCode::OK, "{address}, to which {from} leads: {text}");
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        assert_eq!(answer.headers.get(&name).map(|it| it.as_bytes()), Some(value.as_bytes()), "{address}");
    }
    let policy = answer.headers.get(header::CONTENT_SECURITY_POLICY).and_then(|it| it.to_str().ok());
    let policy = policy.unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{address}: {policy}");
    text
}

/// The links of a page to other pages. Style sheet, script and icon are none.
fn links(text: &str) -> impl Iterator<Item = String> {
    let addresses = text.split(" href=\"").skip(1).filter_map(|it| it.split('"').next());
    let pages = addresses.filter(|it| it.starts_with(ROOT) && !it.starts_with("/app/assets/"));
    pages.map(|it| it.split('#').next().unwrap_or_default().replace("&amp;", "&"))
}
