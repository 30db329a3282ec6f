//! What a request causes: its transaction, the flow in it, and the subscriber of its event.

use atoll_kernel::{
    Actor, Fault, flow,
    http::SpanKind,
    saga::{External, Outcome, Run},
};
use serde_json::json;

use crate::Scene;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn a_request_its_transaction_and_the_subscriber_of_its_event_are_one_story() {
    let scene = Scene::open().await;
    let background = scene.shop.app.background().await;
    let admin = scene.shop.admin.clone().with_header("traceparent", &format!("00-{TRACE}-{CALLER}-01"));
    admin.post("/admin/invites", json!({ "email": "ann@mail.test" })).await.ok();
    crate::settled(&scene.shop.app).await;
    let collector = scene.close(background).await;

    let request = collector.only("POST /admin/invites");
    assert_eq!((request.text("traceId"), request.text("parentSpanId")), (TRACE, CALLER));
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/admin/invites"),
        ("http.response.status_code", "200"),
        ("atoll.actor", "admin"),
    ] {
        assert_eq!(request.attribute(key), value);
    }
    let flow = collector.only("create-invite-step");
    let transactions = collector.named("transaction");
    let transaction = transactions.iter().find(|it| it.is_part_of(&request)).expect("a transaction");
    assert!(flow.is_part_of(transaction));
    let subscribers = collector.named("notification.send-mail");
    let subscriber = subscribers.iter().find(|it| it.link() == transaction.place()).expect("a subscriber");
    assert_ne!(subscriber.text("traceId"), TRACE);
    assert_eq!(subscriber.attribute("atoll.event"), "invite.created");
    let all = format!("{:?}", collector.all());
    assert!(!all.contains("mail.test") && !all.contains("invite_"), "{all}");
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_not_recorded() {
    let scene = Scene::open().await;
    let background = scene.shop.app.background().await;
    let admin = scene.shop.admin.clone().with_header("traceparent", &format!("00-{TRACE}-{CALLER}-00"));
    admin.post("/admin/invites", json!({ "email": "ann@mail.test" })).await.ok();
    crate::settled(&scene.shop.app).await;
    let collector = scene.close(background).await;
    assert!(collector.named("POST /admin/invites").is_empty());
    assert!(collector.all().iter().all(|it| it.text("traceId") != TRACE));
}

#[tokio::test]
async fn what_failed_says_so() {
    let scene = Scene::open().await;
    let background = scene.shop.app.background().await;
    let body = json!({ "email": "no address" });
    assert_eq!(scene.shop.admin.post("/admin/invites", body).await.status, 400);
    scene.shop.app.ctx.room().measured(0, 1);
    let body = json!({ "email": "ann@mail.test" });
    assert_eq!(scene.shop.admin.post("/admin/invites", body).await.status, 507);
    scene.shop.app.ctx.room().measured(u64::MAX, 1);
    let collector = scene.close(background).await;
    let requests = collector.named("POST /admin/invites");
    let status: Vec<(String, bool, String)> = requests
        .iter()
        .map(|it| (it.attribute("http.response.status_code"), it.is_error(), it.attribute("error.type")))
        .collect();
    // Of a server, what the client has done wrong is no error.
    assert_eq!(status, [("400".into(), false, String::new()), ("507".into(), true, "507".into())]);
}

flow! {
    /// Hands something over, and says the header that went with it.
    static ERRAND: Saga<(), Option<String>> = "test-errand" (errand);
}

async fn errand(run: &mut Run, (): ()) -> Result<Option<String>, Fault> {
    run.local("note-it", |_| Ok(())).await?;
    run.external(External::new("hand-over", |ctx, _| async move { Ok(ctx.traceparent()) })).await
}

#[tokio::test]
async fn sagas_show_their_steps_and_hand_their_trace_on() {
    let scene = Scene::open().await;
    let background = scene.shop.app.background().await;
    let ctx = &scene.shop.app.ctx;
    let span = ctx.begin_trace("test", SpanKind::Internal, None);
    let outcome = ctx.in_span(span.as_ref()).start(&ERRAND, Actor::System, None, ()).await;
    let Outcome::Done(Some(header), _) = outcome.expect("it is done") else { panic!("it is not traced") };
    drop(span);
    let collector = scene.close(background).await;
    let (whole, step) = (collector.only("test"), collector.only("hand-over"));
    assert!(step.is_part_of(&whole));
    assert_eq!(header, format!("00-{}-{}-01", step.text("traceId"), step.text("spanId")));
    let local = collector.only("note-it");
    let transactions = collector.named("transaction");
    let transaction = transactions.iter().find(|it| local.is_part_of(it)).expect("a transaction");
    assert!(transaction.is_part_of(&whole));
}
