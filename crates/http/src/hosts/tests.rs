//! Forwarding to a host of which nothing is heard, and questions to a log that does not answer.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use atoll_storage::{StoreOptions, engines::Memory};
use axum::{Router, body::Bytes, middleware::from_fn};
use http_body::Frame;
use http_body_util::BodyExt as _;
use tokio::time::Duration;
use tower::ServiceExt as _;

use super::*;

/// The other hosts take everything and answer nothing, while it arrives; the log goes so far, if it answers.
struct Silent {
    head: Option<Position>,
}

impl Peers for Silent {
    fn send(&self, _: &str, request: Request) -> Working<Result<Response, PeerError>> {
        Box::pin(async move {
            match request.into_body().collect().await {
                Ok(_) => pending().await,
                Err(error) => Err(PeerError::NoAnswer(error.to_string())),
            }
        })
    }

    fn head(&self) -> Working<Result<Position, String>> {
        match self.head {
            Some(head) => Box::pin(async move { Ok(head) }),
            None => Box::pin(async { Err("connect to db.internal: refused".into()) }),
        }
    }
}

const LEADER: &str = "http://leader";

fn hosts(head: Option<Position>) -> (Arc<Hosts>, watch::Sender<Seen>) {
    let store = Store::open_replica(Memory::default(), &[], StoreOptions::default()).expect("a store");
    let seen = watch::Sender::new(Seen { leader: Leader::At(LEADER.into()), ..Seen::default() });
    let led = vec![LedPath { prefix: "/led", if_missing: false }];
    let hosts = Hosts::new(store, seen.subscribe(), Box::new(Silent { head }), b"key".to_vec(), led);
    (Arc::new(hosts), seen)
}

/// What became of a write of which nothing is heard, and after how long.
async fn silent(seen: &watch::Sender<Seen>, hosts: Arc<Hosts>, method: Method) -> (Option<String>, Duration) {
    let begun = Instant::now();
    let request = Request::builder().method(method).uri("/").body(Body::from("x")).expect("a request");
    let waiting =
        tokio::spawn(async move { hosts.forward(LEADER, &Observed::default(), request).await.err() });
    tokio::task::yield_now().await;
    // For one late beat a host is taken for gone.
    seen.send_modify(|it| it.leader = Leader::Nobody);
    tokio::task::yield_now().await;
    seen.send_modify(|it| it.leader = Leader::At(LEADER.into()));
    let fault = waiting.await.expect("no panic").expect("no answer");
    (fault.body()["code"].as_str().map(str::to_owned), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn silent_leader_is_waited_for_as_long_as_it_leads() {
    let (hosts, seen) = hosts(None);
    let (code, took) = silent(&seen, hosts.clone(), Method::POST).await;
    assert_eq!(code.as_deref(), Some("outcome_unknown"));
    assert_eq!(took.as_secs(), FORWARDED_ANSWER_TIMEOUT.as_secs(), "its answer is overdue then");
    // What is only read can be asked again.
    let (code, _) = silent(&seen, hosts.clone(), Method::GET).await;
    assert_eq!(code.as_deref(), Some("nothing_happened"));
    assert_eq!(hosts.n_forwarded(), Forwarded { answered: 0, not_answered: 2 });
}

#[tokio::test(start_paused = true)]
async fn silent_leader_is_given_up_soon_after_another_one_leads() {
    let (hosts, seen) = hosts(None);
    let begun = Instant::now();
    let request = Request::post("/").body(Body::from("x")).expect("a request");
    let waiting =
        tokio::spawn(async move { hosts.forward(LEADER, &Observed::default(), request).await.err() });
    tokio::task::yield_now().await;
    seen.send_modify(|it| it.leader = Leader::At("http://another".into()));
    let fault = waiting.await.expect("no panic").expect("no answer");
    assert_eq!(fault.body()["code"], "outcome_unknown");
    assert_eq!(begun.elapsed().as_secs(), LEADER_CHANGE_GRACE.as_secs());
}

/// A body whose client goes away.
struct BreaksOff;

impl http_body::Body for BreaksOff {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Poll::Ready(Some(Err(axum::Error::new("connection reset"))))
    }
}

#[tokio::test]
async fn client_that_breaks_off_is_no_failure_of_the_host_that_leads() {
    let (hosts, _seen) = hosts(None);
    let request = Request::post("/").body(Body::new(BreaksOff)).expect("a request");
    let fault = hosts.forward(LEADER, &Observed::default(), request).await.expect_err("it is not whole");
    assert_eq!(fault.status(), StatusCode::BAD_REQUEST);
    assert_eq!(hosts.n_forwarded(), Forwarded::default());
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_host_that_leads_are_bounded() {
    let (hosts, _seen) = hosts(None);
    let forward = async || {
        let request = Request::post("/").body(Body::empty()).expect("a request");
        hosts.forward(LEADER, &Observed::default(), request).await.expect_err("it is silent")
    };
    let others = hosts.forwarding.try_acquire_many(FORWARDED_MAX as u32 - 1).expect("there are none");
    assert_eq!(forward().await.limit(), None, "it is sent");
    let last = hosts.forwarding.try_acquire().expect("it is there no more");
    let refused = forward().await;
    assert_eq!(
        (refused.limit(), &refused.body()["code"]),
        (Some("forwarded_max"), &"nothing_happened".into())
    );
    drop((others, last));
}

/// What one cannot know, one does not say; and of the log a client hears nothing.
#[tokio::test]
async fn log_that_does_not_answer_refuses_strict_requests_alone() {
    let wanted = |after, is_strict| Wanted { after: Position(after), is_by_cookie: false, is_strict };
    let (silent, _seen) = hosts(None);
    let refused = silent.reach(wanted(0, true)).await.expect_err("it is not known");
    assert_eq!(
        refused.to_string(),
        "Whether this host has seen every commit is not known: the log does not answer"
    );
    assert!(!silent.reach(wanted(0, false)).await.expect("it is there"));
    let (answering, _seen) = hosts(Some(Position(0)));
    assert!(!answering.reach(wanted(0, true)).await.expect("it has all"));
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_commits_are_bounded() {
    let wanted = || Wanted { after: Position(1), ..Wanted::default() };
    let (hosts, _seen) = hosts(Some(Position(1)));
    let code = async || hosts.reach(wanted()).await.expect_err("it is not there").to_string();
    let waiting = hosts.waiting.try_acquire_many(READS_AFTER_MAX as u32 - 1).expect("nobody waits");
    assert!(code().await.starts_with("This host has not seen the commit 1 yet"));
    let last = hosts.waiting.try_acquire().expect("it waits no more");
    assert_eq!(code().await, "Too many requests wait for commits");
    drop((waiting, last));
}

/// A page asks for several things, of which the first may have been done.
#[tokio::test]
async fn after_a_part_that_was_done_nobody_says_that_nothing_happened() {
    let (hosts, seen) = hosts(None);
    seen.send_modify(|it| it.leader = Leader::Nobody);
    let observed = Observed::default();
    let part = async || {
        let (hosts, observed) = (hosts.clone(), observed.clone());
        let at_hosts = from_fn(move |request: Request, next: Next| {
            let (hosts, observed) = (hosts.clone(), observed.clone());
            async move {
                let answer = hosts.answer_part(&observed, request, next).await;
                answer.unwrap_or_else(|fault| Response::new(Body::from(fault.body()["code"].to_string())))
            }
        });
        let router = Router::new().fallback(async || "done").layer(at_hosts);
        let request = Request::post("/").body(Body::empty()).expect("a request");
        let body = router.oneshot(request).await.expect("an answer").into_body();
        body.collect().await.expect("a body").to_bytes()
    };
    assert_eq!(part().await, "\"nothing_happened\"");
    observed.commits();
    assert_eq!(part().await, "\"outcome_unknown\"");
}

#[test]
fn paths_are_below_others_by_whole_segments() {
    assert!(is_below("/led", "/led") && is_below("/led/a", "/led") && is_below("/led/", "/led"));
    assert!(!is_below("/leds", "/led") && !is_below("/le", "/led"));
    let (hosts, _seen) = hosts(None);
    let is_led = |method: &str, path: &str| {
        hosts.is_for_leader(
            &Request::builder().method(method).uri(path).body(Body::empty()).expect("a request"),
        )
    };
    for method in ["GET", "HEAD", "POST"] {
        assert!(is_led(method, "/led/a"), "{method}");
    }
    assert!(is_led("DELETE", "/other") && !is_led("GET", "/other") && !is_led("OPTIONS", "/led"));
}

#[test]
fn highest_number_of_headers_and_cookies_counts() {
    let wanted = |headers: &[(&str, &str)]| {
        let mut request = Request::builder().uri("/store/products");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        Wanted::by(&head).map(|it| (it.after.0, it.is_by_cookie)).map_err(|it| it.status().as_u16())
    };
    assert_eq!(wanted(&[("atoll-after", "700"), ("cookie", "a=b; atoll-after=812")]), Ok((812, true)));
    assert_eq!(wanted(&[("atoll-after", "812"), ("cookie", "atoll-after=700")]), Ok((812, false)));
    assert_eq!(wanted(&[("atoll-after", "700"), ("atoll-after", "812")]), Ok((812, false)));
    assert_eq!(wanted(&[("atoll-after", "812, 700")]), Ok((812, false)));
    assert_eq!(wanted(&[("cookie", "atoll-after=7; atoll-after=9")]), Ok((9, true)));
    assert_eq!(wanted(&[("cookie", "atoll-after=soon")]), Ok((0, false)));
    assert_eq!(wanted(&[("atoll-after", "7, soon")]), Err(400));
}
