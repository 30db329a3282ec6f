//! A host that follows, as clients see it: it answers everything, over real connections to the one that
//! leads. Skipped where there is no PostgreSQL.

use std::{
    mem,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    client::until,
    cluster::{Shop, groups, log_in, written},
    server::Server,
};

/// After this nobody writes any more, whatever has failed.
const ENOUGH: Duration = Duration::from_secs(60);

/// Sends a request; returns the answer as it came.
fn raw(host: &Server, line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    host.raw(&format!(
        "{line} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

/// The values of a header of an answer.
fn headers<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let named =
        |line: &'a str| line.split_once(": ").filter(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1);
    head.lines().filter_map(named).collect()
}

#[track_caller]
fn check(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

/// What is between these texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}` in {text}"));
    rest.split(after).next().unwrap_or_default()
}

fn two_hosts(shop: &Shop) -> (Server, Server) {
    let first = shop.host("first", &[]);
    first.until_logged("this host leads");
    let second = shop.host("second", &[]);
    (first, second)
}

#[test]
fn follower_answers_everything_and_shows_what_was_written_there() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (first, second) = two_hosts(&shop);
    let token = log_in(&second);
    for n in 0..20 {
        let name = format!("written at the follower {n}");
        // On a busy machine a lease may end, and a replica be late.
        written(&second, &token, &name);
        until("it is read", || groups(&second, &token).contains(&name).then_some(()));
    }
    let bearer = format!("authorization: {token}\r\n");
    let strict = format!("{bearer}atoll-read: strict\r\n");
    for host in [&first, &second] {
        let answer = raw(host, "GET /admin/customer-groups?limit=1", &strict, "");
        check(&answer, 200);
        assert!(answer.contains("\"count\":20"), "{answer}");
    }
    // What another program would write anew, or take for another path.
    for host in [&first, &second] {
        for address in
            ["/admin/customer-groups?q='a'&r={b}|\\", "/admin/../admin/customer-groups/", "/admin//x"]
        {
            let answer = raw(host, &format!("POST {address}"), &bearer, "{}");
            assert!(!answer.contains("atoll-forwarded"), "the mark is of this address: {answer}");
            assert_eq!(headers(&answer, "atoll-after").len(), 1, "{answer}");
        }
    }
    let old = raw(&second, "POST /admin/customer-groups", &bearer, "{}");
    let without_host = second.raw(&format!(
        "POST /admin/customer-groups HTTP/1.0\r\n{bearer}content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    ));
    assert_eq!(old.split("\r\n\r\n").nth(1), without_host.split("\r\n\r\n").nth(1));
    // An ambiguous head is refused as by a host alone.
    check(&raw(&second, "GET /store/regions", "x-request-id: a\r\nx-request-id: b\r\n", ""), 400);
}

#[test]
fn files_are_uploaded_at_a_follower_and_served_by_every_host() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (first, second) = two_hosts(&shop);
    let bearer = format!("authorization: {}\r\n", log_in(&second));
    let content = "a\n".repeat(512 * 1024);
    let form = format!(
        "--XYZ\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\n{content}\r\n--XYZ--\r\n"
    );
    let typed = format!("{bearer}content-type: multipart/form-data; boundary=XYZ\r\n");
    let uploaded = raw(&second, "POST /admin/uploads", &typed, &form);
    check(&uploaded, 200);
    let key = between(&uploaded, "\"id\":\"", "\"");
    for host in [&first, &second] {
        let served = raw(host, &format!("GET /static/{key}"), "", "");
        check(&served, 200);
        assert!(served.ends_with(&content), "{} bytes", served.len());
        check(&raw(host, &format!("GET /admin/uploads/{key}"), &bearer, ""), 200);
    }
}

#[test]
fn people_log_in_and_send_forms_at_a_follower() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (_first, second) = two_hosts(&shop);
    log_in(&second);
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let login = "email=admin%40atoll.test&password=atoll-demo&next=%2Fchannels";
    let answer = raw(&second, "POST /app/login", form, login);
    check(&answer, 303);
    let cookies: Vec<&str> =
        headers(&answer, "set-cookie").into_iter().filter_map(|it| it.split(';').next()).collect();
    assert!(cookies.iter().any(|it| it.starts_with("atoll-after=")), "{cookies:?}");
    let cookie = format!("cookie: {}\r\n", cookies.join("; "));
    let page = raw(&second, "GET /app/channels", &cookie, "");
    check(&page, 200);
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
    let made = format!("do=create&name=Till&description=&csrf={csrf}");
    let answer = raw(&second, "POST /app/channels/new", &format!("{cookie}{form}"), &made);
    check(&answer, 303);
    let shown = raw(&second, &format!("GET {}", headers(&answer, "location")[0]), &cookie, "");
    check(&shown, 200);
    assert!(shown.contains("Till"), "{shown}");
}

#[test]
fn without_a_leader_a_follower_says_that_nothing_happened() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (first, second) = {
        let first = shop.host("first", &[]);
        first.until_logged("this host leads");
        // It answers requests only, and so leads never.
        (first, shop.host("second", &["--role", "server"]))
    };
    let token = log_in(&second);
    written(&second, &token, "before");
    drop(first);
    let bearer = format!("authorization: {token}\r\ncontent-type: application/json\r\n");
    let answer = raw(&second, "POST /admin/customer-groups", &bearer, "{\"name\":\"meanwhile\"}");
    check(&answer, 503);
    assert_eq!(headers(&answer, "retry-after"), ["1"]);
    assert!(answer.contains("\"code\":\"nothing_happened\""), "{answer}");
    assert!(groups(&second, &token).contains("before"), "reads go on");
    let again = shop.host("first", &[]);
    again.until_logged("this host leads");
    written(&second, &token, "after");
    assert_eq!(groups(&second, &token).len(), 2);
}

/// The host that leads refuses it before it has read it.
#[test]
fn large_body_that_is_refused_at_its_head_is_answered_at_a_follower() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (_first, second) = two_hosts(&shop);
    log_in(&second);
    let large = "x".repeat(20 << 20);
    for _ in 0..20 {
        check(&raw(&second, "POST /admin/uploads", "", &large), 401);
    }
}

#[test]
fn stopping_the_host_that_leads_leaves_nobody_without_an_answer() {
    let Some(shop) = Shop::open() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (mut first, mut second) = two_hosts(&shop);
    let token = log_in(&second);
    let bearer = format!("authorization: {token}\r\ncontent-type: application/json\r\n");
    for (round, name) in ["first", "second", "first"].into_iter().enumerate() {
        let (is_over, begun) = (AtomicBool::new(false), Instant::now());
        let (n_begun, n_done) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) && begun.elapsed() < ENOUGH {
                        let name = format!("{round} {}", n_begun.fetch_add(1, Ordering::Relaxed));
                        let group = format!("{{\"name\":\"{name}\"}}");
                        let answer = raw(&second, "POST /admin/customer-groups", &bearer, &group);
                        let is_done = answer.starts_with("HTTP/1.1 200 ");
                        assert!(is_done || answer.contains("\"nothing_happened\""), "{answer}");
                        n_done.fetch_add(u64::from(is_done), Ordering::Relaxed);
                    }
                });
            }
            until("written", || (n_done.load(Ordering::Relaxed) > 50).then_some(()));
            first.signal("-TERM");
            second.until_logged("this host leads");
            let n_before = n_done.load(Ordering::Relaxed);
            until("written", || (n_done.load(Ordering::Relaxed) > n_before + 50).then_some(()));
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(first.wait(), "what ran has ended");
        first = mem::replace(&mut second, shop.host(name, &[]));
    }
}
