//! Hooks that contribute: typed by their point, or with types of their own, in flows and sagas.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use atoll_flows::points::{
    LinePrice, LineToPrice, MethodPrice, MethodToPrice, OrderExtras, OrderToPlace, PLACE_ORDER, PRICE_LINE,
    PRICE_SHIPPING,
};
use atoll_kernel::{
    Actor, Ctx, Decimal, Fault, flow,
    flow::{HookPoint, Local, StepCall},
    hook,
    saga::{Outcome, Run},
    stored,
};
use atoll_testkit::{Shop, TestApp, complete, id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

stored! {
    /// What hooks get.
    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    pub(crate) struct Asked {
        pub(crate) word: String,
        pub(crate) n: u64,
    }
}

stored! {
    /// What hooks say.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Said {
        pub(crate) by: String,
        pub(crate) n: u64,
    }
}

static ASKING: HookPoint<Asked, Said> = HookPoint::new("asking");
static CALLING: HookPoint<Asked, Said> = HookPoint::new("calling");

flow! {
    /// Asks its hooks.
    static ASK: Flow<Asked, Vec<Said>> = "ask" (ask), hooks: &[&ASKING];
}

fn ask(flow: &mut Local<'_>, asked: Asked) -> Result<Vec<Said>, Fault> {
    flow.hook(&ASKING, || asked.clone())
}

flow! {
    /// Asks its hooks at the same point, as a saga; and others, by calls.
    static ASK_OUTSIDE: Saga<Asked, Vec<(String, Said)>> = "ask-outside" (ask_outside),
        hooks: &[&ASKING], external_hooks: &[&CALLING];
}

async fn ask_outside(run: &mut Run, asked: Asked) -> Result<Vec<(String, Said)>, Fault> {
    let mut said = run.hook(&ASKING, asked.clone()).await?;
    said.extend(run.hook(&CALLING, asked).await?);
    Ok(said)
}

hook! { "asked.b-typed" in ASKING => say_typed }
hook! { "asked.a-typed-in-one" in ASKING of ASK => say_in_one }
hook! { "asked.c-named" in "ask.asking" => say_named }
hook! { "asked.d-nothing" in "asking" => say_nothing }
hook! { "asked.e-wrong" in "ask.asking" => say_wrong }
hook! { "asked.f-called" in CALLING => external call_typed }
hook! { "asked.g-called-named" in "ask-outside.calling" => external call_named, undo: uncall }

fn say_typed(_: &mut Local<'_>, asked: &Asked) -> Result<Said, Fault> {
    Ok(Said { by: "typed".into(), n: asked.n })
}

fn say_in_one(_: &mut Local<'_>, asked: &Asked) -> Result<Said, Fault> {
    Ok(Said { by: "typed in one".into(), n: asked.n + 1 })
}

stored! {
    /// A module's own view of what it is asked: fewer fields.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub(crate) struct Number {
        pub(crate) n: u64,
    }
}

stored! {
    /// A module's own view of what it says.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub(crate) struct OwnWords {
        pub(crate) n: u64,
        pub(crate) by: String,
    }
}

fn say_named(_: &mut Local<'_>, asked: &Number) -> Result<OwnWords, Fault> {
    Ok(OwnWords { n: asked.n + 2, by: "named".into() })
}

fn say_nothing(_: &mut Local<'_>, asked: &Value) -> Result<(), Fault> {
    if asked["word"] == "refuse" { Err(Fault::not_allowed("refused")) } else { Ok(()) }
}

/// Nobody can tell at the start what a hook without types says.
fn say_wrong(_: &mut Local<'_>, asked: &Value) -> Result<Value, Fault> {
    Ok(if asked["word"] == "wrong" { json!({ "by": 1 }) } else { Value::Null })
}

async fn call_typed(_: Ctx, _: StepCall, asked: Asked) -> Result<Said, Fault> {
    Ok(Said { by: "called".into(), n: asked.n })
}

async fn call_named(_: Ctx, _: StepCall, asked: Number) -> Result<OwnWords, Fault> {
    if asked.n == 13 {
        return Err(Fault::not_allowed("an unlucky number"));
    }
    Ok(OwnWords { by: "called by name".into(), n: asked.n })
}

async fn uncall(_: Ctx, _: StepCall, answer: Option<OwnWords>) -> Result<(), Fault> {
    assert!(answer.is_none(), "it was never answered");
    UNDONE.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

static UNDONE: AtomicU64 = AtomicU64::new(0);

fn asked(word: &str, n: u64) -> Asked {
    Asked { word: word.into(), n }
}

#[tokio::test]
async fn a_flow_gets_what_its_hooks_contribute_in_the_order_of_their_names() {
    let app = TestApp::init().await;
    let (said, _) = app.ctx.run(&ASK, Actor::System, asked("please", 1)).await.expect("answers");
    let said: Vec<(&str, u64)> = said.iter().map(|it| (&*it.by, it.n)).collect();
    assert_eq!(said, [("typed in one", 2), ("typed", 1), ("named", 3)]);
    let refused =
        app.ctx.run(&ASK, Actor::System, asked("refuse", 1)).await.map(drop).expect_err("a refusal");
    assert_eq!(refused.to_string(), "refused");
    let wrong = app.ctx.run(&ASK, Actor::System, asked("wrong", 1)).await.map(drop).expect_err("an error");
    let causes = wrong.causes();
    assert!(
        causes.starts_with("hook `asked.e-wrong` at `ask.asking` returned what the flow cannot read"),
        "{causes}"
    );
}

#[tokio::test]
async fn a_saga_gets_what_its_hooks_contribute_in_transactions_and_by_calls() {
    let app = TestApp::init().await;
    let run = app.ctx.start(&ASK_OUTSIDE, Actor::System, None, asked("please", 1)).await.expect("a run");
    let Outcome::Done(said, _) = run else { panic!("it waits") };
    let said: Vec<(&str, &str, u64)> = said.iter().map(|(hook, it)| (&**hook, &*it.by, it.n)).collect();
    assert_eq!(
        said,
        [
            ("asked.b-typed", "typed", 1),
            ("asked.f-called", "called", 1),
            ("asked.g-called-named", "called by name", 1),
        ]
    );
    let failed = app.ctx.start(&ASK_OUTSIDE, Actor::System, None, asked("please", 13)).await;
    assert_eq!(failed.map(drop).expect_err("an error").to_string(), "an unlucky number");
    assert_eq!(UNDONE.load(Ordering::Relaxed), 1);
}

hook! { "member.price-line" in PRICE_LINE => member_price }
hook! { "weight.price-line" in "priceLine" => weigh_line }
hook! { "member.price-shipping" in PRICE_SHIPPING => member_shipping }
hook! { "gift.place-order" in PLACE_ORDER => note_gift }

/// The price of members.
static MEMBER_PRICE: Mutex<i64> = Mutex::new(7);

/// Lines with `member` in their metadata have a price of their own.
fn member_price(_: &mut Local<'_>, input: &LineToPrice) -> Result<LinePrice, Fault> {
    let is_member = input.line.metadata.0.as_ref().is_some_and(|it| it.contains_key("member"));
    let price = *MEMBER_PRICE.lock().expect("a price");
    let unit_price = is_member.then(|| Decimal::from(price));
    Ok(LinePrice { unit_price, ..LinePrice::default() })
}

/// Shipping of carts with `member` in their metadata costs a tenth of their items; with `surcharge` it costs
/// one more.
fn member_shipping(_: &mut Local<'_>, input: &MethodToPrice) -> Result<MethodPrice, Fault> {
    let has = |name: &str| input.cart.metadata.0.as_ref().is_some_and(|it| it.contains_key(name));
    let tenth = input.cart.totals().item_total * Decimal::from(10_u64).percent();
    let more = input.method.amount + Decimal::ONE;
    Ok(MethodPrice { amount: has("member").then_some(tenth).or(has("surcharge").then_some(more)) })
}

#[tokio::test]
async fn a_hook_prices_shipping() {
    let (shop, web, storefront) = Shop::web().await;
    let option = shop.shipping(&["de"]).await.option;
    let tea = shop.product("Tea", &[&web], 9).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    let fields = "fields=id,shipping_total,*items";
    let path = format!("/store/carts/{cart}/shipping-methods?{fields}");
    let chosen = storefront.post(&path, json!({ "option_id": option })).await.ok();
    assert_eq!(chosen["cart"]["shipping_total"], 5);
    let path = format!("/store/carts/{cart}?{fields}");
    let shown = storefront.post(&path, json!({ "metadata": { "member": 1 } })).await.ok();
    assert_eq!(shown["cart"]["shipping_total"], 2);
    let line = format!("/store/carts/{cart}/line-items/{}?{fields}", id(&shown["cart"]["items"][0]));
    let shown = storefront.post(&line, json!({ "quantity": 5 })).await.ok();
    assert_eq!(shown["cart"]["shipping_total"], 5);
    assert_eq!(complete(&storefront, &cart).await.ok()["order"]["total"], 55);
}

stored! {
    /// What a module reads of a line.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub(crate) struct Weighed {
        pub(crate) line: WeighedLine,
    }
}

stored! {
    /// The line.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub(crate) struct WeighedLine {
        pub(crate) quantity: Decimal,
        pub(crate) metadata: Option<serde_json::Map<String, Value>>,
    }
}

stored! {
    /// What a module adds to a line.
    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    pub(crate) struct Weight {
        pub(crate) metadata: Option<serde_json::Map<String, Value>>,
    }
}

/// Lines of members get a note.
fn weigh_line(_: &mut Local<'_>, input: &Weighed) -> Result<Weight, Fault> {
    let is_member = input.line.metadata.as_ref().is_some_and(|it| it.contains_key("member"));
    let metadata = is_member.then(|| json!({ "weighs": "much" }).as_object().cloned().unwrap_or_default());
    Ok(Weight { metadata })
}

/// Orders of members say so.
fn note_gift(_: &mut Local<'_>, input: &OrderToPlace) -> Result<OrderExtras, Fault> {
    let is_member =
        |it: &atoll_cart::LineItem| it.metadata.0.as_ref().is_some_and(|it| it.contains_key("member"));
    let metadata = input.cart.items.iter().any(is_member).then(|| json!({ "gift": "tea spoon" }));
    let metadata = metadata.map(|it| serde_json::from_value(it).expect("metadata")).unwrap_or_default();
    Ok(OrderExtras { metadata })
}

#[tokio::test]
async fn hooks_price_lines_and_add_metadata_to_lines_and_orders() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart_of(&storefront, json!([])).await;
    let lines = format!("/store/carts/{cart}/line-items");
    let line = json!({ "variant_id": tea.id, "quantity": 1, "metadata": { "member": true } });
    storefront.post(&lines, line.clone()).await.ok();
    let plain = json!({ "variant_id": tea.id, "quantity": 1 });
    storefront.post(&lines, plain).await.ok();
    // It joins the first line, though a hook has added to the metadata of that.
    let shown = storefront.post(&lines, line).await.ok();
    let items = shown["cart"]["items"].as_array().expect("lines");
    let told: Vec<Value> =
        items.iter().map(|it| json!([it["quantity"], it["unit_price"], it["metadata"]])).collect();
    assert_eq!(told, [json!([2, 7, { "member": true, "weighs": "much" }]), json!([1, 10, {}])], "{items:?}");
    let member = format!("{lines}/{}", items[0]["id"].as_str().expect("an id"));
    let shown = storefront.post(&member, json!({ "quantity": 3 })).await.ok();
    assert_eq!(shown["cart"]["item_total"], 31);

    *MEMBER_PRICE.lock().expect("a price") = 8;
    let error = complete(&storefront, &cart).await.error();
    assert!(error.contains("prices_changed"), "a price that a hook has changed is not paid: {error}");
    let done = complete(&storefront, &cart).await.ok();
    assert_eq!(done["type"], "order", "{done}");
    assert_eq!(done["order"]["total"], 34);
    let order = done["order"]["id"].as_str().expect("an id");
    let order = shop.admin.get(&format!("/admin/orders/{order}?fields=metadata")).await.ok();
    assert_eq!(order["order"]["metadata"], json!({ "gift": "tea spoon" }));
}
