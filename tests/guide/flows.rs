//! The examples of docs/flows.md: a flow with points for hooks, and a saga that calls a carrier and waits.

use std::time::Duration;

use atoll_kernel::{
    Actor, Fault,
    data::{Module, Service},
    entity, flow,
    flow::{HookPoint, Local},
    hook, module,
    saga::{External, Outcome, Run},
    stored,
};
use atoll_testkit::TestApp;
use serde::{Deserialize, Serialize};
use serde_json::json;

entity! {
    /// Points that an order has earned.
    pub struct Award = "award" / "awards", "awrd" {
        /// The order, by its id.
        pub order_id: String,
        /// How many.
        pub points: u32,
    }
}

static AWARDS: Service<Award> = Service::new(&[]);

module! { Module { name: "loyalty", summary: "Points for orders", services: &[&AWARDS], ..Module::EMPTY } }

flow! {
    /// Awards points for an order; answers how many. Event: `points.awarded`.
    static AWARD_POINTS: Flow<String, u32> = "award-points" (award), hooks: &[&VALIDATE, &POINTS_AWARDED];
}

/// Before points are awarded: a hook may add some.
static VALIDATE: HookPoint<OfOrder, Bonus> = HookPoint::new("validate");
/// Points were awarded.
static POINTS_AWARDED: HookPoint<Awarded> = HookPoint::new("pointsAwarded");

stored! {
    /// The order that earns points.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct OfOrder {
        order_id: String,
    }
}

stored! {
    /// What a hook adds.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Bonus {
        points: u32,
    }
}

stored! {
    /// What was awarded.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Awarded {
        award: Award,
    }
}

fn award(flow: &mut Local<'_>, order_id: String) -> Result<u32, Fault> {
    let bonuses = flow.hook(&VALIDATE, || OfOrder { order_id: order_id.clone() })?;
    let points = 10 + bonuses.iter().map(|it| it.points).sum::<u32>();
    let award = flow.step("create-award", |tx, at| {
        Ok(AWARDS.create(tx, at, Award { order_id, points, ..Award::default() })?)
    })?;
    flow.emit("points.awarded", json!({ "id": award.id }))?;
    flow.hook(&POINTS_AWARDED, || Awarded { award: award.clone() })?;
    Ok(award.points)
}

hook! { "promotion.double-points" in "award-points.validate" => double_points }

fn double_points(_: &mut Local<'_>, order: &OfOrder) -> Result<Bonus, Fault> {
    Ok(Bonus { points: if order.order_id == "order_2" { 10 } else { 0 } })
}

#[tokio::test]
async fn hook_adds_points() {
    let app = TestApp::init().await;
    let (points, _) = app.ctx.run(&AWARD_POINTS, Actor::System, "order_2".into()).await.expect("a commit");
    assert_eq!(points, 20);
}

#[tokio::test]
async fn flow_writes_its_record_and_its_event_in_one_transaction() {
    let app = TestApp::init().await;
    let (points, view) = app.ctx.run(&AWARD_POINTS, Actor::System, "order_1".into()).await.expect("a commit");
    assert_eq!(points, 10);
    let id = app.events("points.awarded")[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(AWARDS.retrieve(&view, &id).expect("an award").order_id, "order_1");
}

/// An order on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Parcel {
    order_id: String,
    label: String,
    grams: u64,
}

flow! {
    /// Sends an order to the warehouse. Event: `parcel.handed_over`.
    static SHIP_ORDER: Saga<String, Parcel> = "ship-order" (ship), timeout: Some(Duration::from_secs(86_400));
}

async fn ship(run: &mut Run, order_id: String) -> Result<Parcel, Fault> {
    let order = order_id.clone();
    run.local("pack", move |flow| Ok(flow.emit("parcel.packed", json!({ "order_id": order }))?)).await?;
    let label = External::new("print-label", |_, call| print_label(call.key))
        .retries(3, Duration::from_secs(1))
        .timeout(Duration::from_secs(10))
        .undo(|_, call, label: Option<String>| void_label(call.invoke_key, label));
    let label = run.external(label).await?;
    let grams: u64 = run.wait("weigh", Some(Duration::from_secs(3_600))).await?;
    let parcel = Parcel { order_id, label, grams };
    run.finish("hand-over", move |flow| {
        flow.emit("parcel.handed_over", json!({ "parcel": parcel }))?;
        Ok(parcel)
    })
    .await
}

/// Asks the carrier, which prints one label per key.
async fn print_label(key: String) -> Result<String, Fault> {
    Ok(format!("label of {key}"))
}

async fn void_label(_key: String, _label: Option<String>) -> Result<(), Fault> {
    Ok(())
}

#[tokio::test]
async fn saga_waits_for_the_scale_and_hands_the_parcel_over() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let background = app.background().await;
    let shipped = app.ctx.start(&SHIP_ORDER, Actor::System, Some("ship-1"), "order_1".into()).await;
    let Ok(Outcome::Waiting(_)) = shipped else { panic!("it waits for the scale") };
    assert!(app.events("parcel.packed").is_empty(), "events are held back while the run can fail");
    let weighed = json!({ "transaction_id": "ship-1", "step_id": "weigh", "response": 1_200 });
    admin.post("/admin/workflows-executions/ship-order/steps/success", weighed).await.ok();
    app.until(async || !app.events("parcel.handed_over").is_empty()).await;
    assert_eq!(app.events("parcel.handed_over")[0]["parcel"]["grams"], 1_200);
    assert_eq!(app.events("parcel.packed").len(), 1);
    background.stop().await;
}
