//! Forwarding to a host of which nothing is heard, and questions to a log that does not answer.

use std::sync::Arc;

use atoll_storage::{StoreOptions, engines::Memory};
use axum::body::Body;
use tokio::time::Duration;

use super::*;

/// The other hosts take everything and answer nothing; the log goes so far, if it answers.
struct Silent {
    head: Option<Position>,
}

impl Peers for Silent {
    fn send(&self, _: &str, request: Request) -> Working<Result<Response, PeerError>> {
        drop(request);
        Box::pin(pending())
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
    let hosts = Hosts::new(store, seen.subscribe(), Box::new(Silent { head }), b"key".to_vec(), vec!["/led"]);
    (Arc::new(hosts), seen)
}

/// What became of a write of which nothing is heard, and after how long.
async fn silent(seen: &watch::Sender<Seen>, hosts: Arc<Hosts>, method: Method) -> (Option<String>, Duration) {
    let begun = Instant::now();
    let request = Request::builder().method(method).uri("/").body(Body::from("x")).expect("a request");
    let waiting = tokio::spawn(async move { hosts.forward(LEADER, request).await.err() });
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
    assert_eq!(hosts.n_forwarded(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn silent_leader_is_given_up_soon_after_another_one_leads() {
    let (hosts, seen) = hosts(None);
    let begun = Instant::now();
    let request = Request::post("/").body(Body::from("x")).expect("a request");
    let waiting = tokio::spawn(async move { hosts.forward(LEADER, request).await.err() });
    tokio::task::yield_now().await;
    seen.send_modify(|it| it.leader = Leader::At("http://another".into()));
    let fault = waiting.await.expect("no panic").expect("no answer");
    assert_eq!(fault.body()["code"], "outcome_unknown");
    assert_eq!(begun.elapsed().as_secs(), LEADER_CHANGE_GRACE.as_secs());
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
