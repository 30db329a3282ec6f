//! The routes that pages name are there: each method and path in code is one of `tests/registry.txt`.

use std::{fs, path::PathBuf};

/// Routes that the registry of the core has not: those of the server itself, and of extensions.
const ELSEWHERE: [&str; 4] = ["/health", "/metrics", "/store/restock-subscriptions", "/admin/webhook"];

/// The part of COMPAT.md about routes that are here; others are about those of the original.
const OWN: &str = "### Routes of our own\n";

fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).expect(path)
}

/// The methods and paths in the code of a page, without their queries.
fn named(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let code = page.split('`').skip(1).step_by(2).filter_map(|it| it.split_once(' '));
    code.filter(|(method, path)| ["GET", "POST", "DELETE"].contains(method) && path.starts_with('/'))
        .map(|(method, path)| (method, path.split('?').next().unwrap_or(path)))
}

/// Is this the path of the route? What the route calls `:id` may be anything.
fn fits(path: &str, route: &str) -> bool {
    let (path, route): (Vec<_>, Vec<_>) = (path.split('/').collect(), route.split('/').collect());
    path.len() == route.len() && path.iter().zip(route).all(|(it, of)| *it == of || of.starts_with(':'))
}

#[test]
fn routes_that_pages_name_are_there() {
    let registry = read("tests/registry.txt");
    let routes = registry.lines().filter_map(|it| it.strip_prefix("route ")?.split_once(' '));
    let routes: Vec<_> =
        routes.map(|(method, rest)| (method, rest.split(' ').next().unwrap_or(rest))).collect();
    let is_there = |method: &str, path: &str| {
        ELSEWHERE.iter().any(|it| path.starts_with(it))
            || routes.iter().any(|route| route.0 == method && fits(path, route.1))
    };
    let summary = read("docs/SUMMARY.md");
    let of_book =
        summary.split("](").skip(1).filter_map(|it| Some(format!("docs/{}", it.split_once(')')?.0)));
    let compat = read("COMPAT.md");
    let (_, own) = compat.split_once(OWN).expect("the routes of our own");
    let own = own.split("\n### ").next().unwrap_or(own).to_owned();
    let pages = of_book.chain(["README.md".to_owned()]).map(|it| (read(&it), it));
    let mut wrong = Vec::new();
    for (text, page) in pages.chain([(own, "COMPAT.md".to_owned())]) {
        let missing = named(&text).filter(|(method, path)| !is_there(method, path));
        wrong.extend(missing.map(|(method, path)| format!("{page}: {method} {path}")));
    }
    assert_eq!(wrong, [""; 0]);
}
