//! Compensation of local steps: a saga whose input lists its steps, with concurrent changes by others.

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Read, Write, flow,
    flow::Local,
    jobs::events_after,
    saga::{ExecutionState, Outcome, Run, WorkflowExecution},
    serde_json::{Map, Value, json},
};
use atoll_links::{PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_PRICE_SET};
use atoll_product::{PRODUCTS, Product, ProductType, TYPES, delete_product, restore_product};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_storage::{KeyBuf, WriteKeys, decode, encode, with_names};
use atoll_testkit::{Dump, Shop, TestApp};
use serde::{Deserialize, Serialize};

use crate::{sagas::calls, world};

/// A step of the saga of these tests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Two products exchange their handles.
    Exchange(String, String),
    /// A product gets a title.
    Title(String, String),
    /// The same, with a compensation function that emits an event.
    TitleUndoneBy(String, String),
    /// A product loses its type.
    Untype(String),
    /// A new type, with this id.
    NewType(String),
    /// A product leaves a channel.
    Leave(String, String),
    /// A variant loses its prices.
    Unprice(String),
    /// A product is soft-deleted, with its variants and options.
    Delete(String),
    /// A soft-deleted product is restored, with them.
    Restore(String),
    /// A channel gets a name.
    Rename(String),
    /// An external call; the saga continues if it fails.
    Call,
    /// An external call that always fails.
    Refused,
    /// A part; the saga continues if it fails.
    Part(Vec<Op>),
    /// The saga fails.
    Fail,
    /// The saga waits.
    Wait,
}

flow! {
    /// The saga.
    pub(crate) static SCRIPT: Saga<(String, Vec<Op>), ()> = "script" (script);
}

async fn script(run: &mut Run, (test, ops): (String, Vec<Op>)) -> Result<(), Fault> {
    for op in ops {
        match op {
            Op::Call => drop(run.external(calls(&test, "call")).await),
            Op::Refused => {
                world::let_fail(&test, "refused", 1);
                run.external(calls(&test, "refused")).await.map(drop)?;
            }
            Op::Part(ops) => drop(run.run(&SCRIPT, (test.clone(), ops)).await),
            Op::Fail => return Err(Fault::not_allowed("enough")),
            Op::Wait => run.wait("approval", None).await?,
            Op::TitleUndoneBy(product, title) => {
                let (made, undone) = (product.clone(), product);
                let set = move |local: &mut Local<'_>| set_title(local, &made, &title);
                let undo = move |local: &mut Local<'_>, before: String| {
                    local.emit("title.undone", json!({}))?;
                    set_title(local, &undone, &before).map(drop)
                };
                run.local_undone_by("title-undone-by", set, undo).await.map(drop)?;
            }
            op => run.local("change", move |local| change(local, &op)).await?,
        }
    }
    Ok(())
}

/// Returns the former title.
fn set_title(local: &mut Local<'_>, product: &str, title: &str) -> Result<String, Fault> {
    let before = PRODUCTS.retrieve(local.tx, product)?.title;
    PRODUCTS.update(local.tx, local.at, product, |it: &mut Product| it.title = title.to_owned())?;
    local.emit("title.set", json!({ "id": product }))?;
    Ok(before)
}

fn change(local: &mut Local<'_>, op: &Op) -> Result<(), Fault> {
    let handle = |tx: &dyn Read, id: &str| PRODUCTS.retrieve(tx, id).map(|it| it.handle);
    match op {
        Op::Exchange(a, b) => {
            let (of_a, of_b) = (handle(local.tx, a)?, handle(local.tx, b)?);
            for (product, handle) in [(a, "between".to_owned()), (b, of_a), (a, of_b)] {
                let set = |it: &mut Product| it.handle = handle;
                PRODUCTS.update(local.tx, local.at, product, set)?;
            }
        }
        Op::Title(product, title) => drop(set_title(local, product, title)?),
        Op::Untype(product) => {
            PRODUCTS.update(local.tx, local.at, product, |it: &mut Product| it.type_id = None)?;
        }
        Op::NewType(id) => {
            let new = ProductType { id: id.as_str().into(), value: "New".into(), ..ProductType::default() };
            TYPES.create(local.tx, local.at, new)?;
        }
        Op::Leave(product, channel) => {
            PRODUCT_SALES_CHANNEL.detach(local.tx, local.at, product, channel)?;
        }
        Op::Unprice(variant) => {
            for set in PRODUCT_VARIANT_PRICE_SET.rights(local.tx, variant)? {
                PRODUCT_VARIANT_PRICE_SET.detach(local.tx, local.at, variant, &set)?;
            }
        }
        Op::Delete(product) => {
            delete_product(local.tx, local.at, product).map_err(Fault::unexpected)?;
        }
        Op::Restore(product) => {
            restore_product(local.tx, local.at, product).map_err(Fault::unexpected)?;
        }
        Op::Rename(channel) => {
            let set = |it: &mut SalesChannel| it.name = "Renamed".into();
            SALES_CHANNELS.update(local.tx, local.at, channel, set)?;
        }
        Op::TitleUndoneBy(..) | Op::Call | Op::Refused | Op::Part(_) | Op::Fail | Op::Wait => {}
    }
    Ok(())
}

/// Two products in a channel, one of which has a type.
struct Stage {
    shop: Shop,
    test: String,
    web: String,
    tea: atoll_testkit::Variant,
    cup: atoll_testkit::Variant,
    kind: String,
    /// A product that was soft-deleted.
    gone: String,
}

impl Stage {
    async fn new() -> Stage {
        let shop = Shop::open(TestApp::init().await).await;
        let web = shop.channel("Web").await;
        let (tea, cup) = (shop.product("Tea", &[&web], 1).await, shop.product("Cup", &[&web], 1).await);
        let kind = shop.admin.post("/admin/product-types", json!({ "value": "Hot" })).await.ok();
        let kind = kind["product_type"]["id"].as_str().expect("a type").to_owned();
        let path = format!("/admin/products/{}", tea.product);
        shop.admin.post(&path, json!({ "type_id": kind })).await.ok();
        let gone = shop.product("Pot", &[&web], 1).await.product;
        shop.admin.delete(&format!("/admin/products/{gone}")).await.ok();
        Stage { shop, test: world::new_test(), web, tea, cup, kind, gone }
    }

    fn ctx(&self) -> &Ctx {
        &self.shop.app.ctx
    }

    async fn write(&self, body: impl Fn(&mut dyn Write, &Moment) -> Result<(), Fault> + Send + 'static) {
        self.ctx().write(Actor::System, body).await.expect("a write");
    }

    async fn go(&self, ops: Vec<Op>) -> Result<Outcome<()>, Fault> {
        self.ctx().start(&SCRIPT, Actor::System, Some("one"), (self.test.clone(), ops)).await
    }

    fn run(&self) -> WorkflowExecution {
        WorkflowExecution::find(&self.ctx().view(), "script", "one").expect("a read").expect("a run")
    }

    fn dump(&self) -> Dump {
        Dump::after_undoing(self.ctx())
    }

    /// Runs these steps, then the changes of others, then compensation. Returns the error of the
    /// compensation, if any.
    async fn undone(&self, ops: Vec<Op>, others: impl AsyncFnOnce(&Stage)) -> Option<String> {
        let waits = self.go([ops, vec![Op::Wait]].concat()).await.expect("a run");
        assert!(matches!(waits, Outcome::Waiting(_)), "it waits");
        others(self).await;
        let fails = self.ctx().finish_step("script", "one", "approval", Err("no".into()));
        fails.await.expect("it is finished");
        let mut commits = self.ctx().store().commits();
        while !self.run().has_ended() {
            commits.changed().await.expect("a commit");
        }
        let run = self.run();
        assert_eq!(run.undo_error.is_some(), run.state == ExecutionState::Failed);
        run.undo_error.map(|it| it.cause.unwrap_or(it.message))
    }

    fn title(&self) -> String {
        PRODUCTS.retrieve(&self.ctx().view(), &self.tea.product).expect("a product").title
    }
}

#[tokio::test]
async fn random_operations_are_undone_byte_for_byte() {
    async fn check(ops: fn(&Stage) -> Vec<Op>) {
        let stage = Stage::new().await;
        // As another version would have written it, with an unknown field.
        let web = stage.web.clone();
        let older = move |tx: &mut dyn Write, _: &Moment| {
            let key = KeyBuf::new(tx.prefix("sales_channel")).tail(web.as_bytes()).into_bytes();
            let bytes = tx.get(&key)?.expect("a channel");
            let named = with_names(&bytes).expect("its shape is known");
            let mut record: Map<String, Value> = decode("sales_channel", &web, &named)?;
            record.insert("older".into(), Value::from(1));
            tx.put(key, encode(&record));
            Ok(())
        };
        stage.write(older).await;
        let (before, ops) = (stage.dump(), ops(&stage));
        assert_eq!(stage.undone(ops.clone(), async |_| {}).await, None, "{ops:?}");
        assert_eq!(before.difference(&stage.dump()), [""; 0], "{ops:?}");
    }
    check(|it| vec![Op::Exchange(it.tea.product.clone(), it.cup.product.clone())]).await;
    check(|it| vec![Op::Exchange(it.cup.product.clone(), it.tea.product.clone())]).await;
    check(|it| vec![Op::Untype(it.tea.product.clone()), Op::NewType("ptyp_new".into())]).await;
    check(|it| vec![Op::Leave(it.tea.product.clone(), it.web.clone()), Op::Unprice(it.tea.id.clone())]).await;
    check(|it| vec![Op::Rename(it.web.clone())]).await;
    check(|it| vec![Op::Delete(it.tea.product.clone())]).await;
    check(|it| vec![Op::Restore(it.gone.clone())]).await;
    check(|it| {
        let (tea, gone) = (&it.tea.product, &it.gone);
        vec![
            Op::Delete(tea.clone()),
            Op::Restore(gone.clone()),
            Op::Restore(tea.clone()),
            Op::Delete(gone.clone()),
        ]
    })
    .await;
    // One record, changed by steps of both kinds.
    check(|it| {
        let tea = &it.tea.product;
        vec![
            Op::Title(tea.clone(), "a".into()),
            Op::TitleUndoneBy(tea.clone(), "b".into()),
            Op::Title(tea.clone(), "c".into()),
            Op::TitleUndoneBy(tea.clone(), "d".into()),
            Op::TitleUndoneBy(tea.clone(), "e".into()),
        ]
    })
    .await;
}

#[tokio::test]
async fn undo_conflicts_with_records_that_build_on_it() {
    async fn check(ops: fn(&Stage) -> Vec<Op>, others: impl AsyncFnOnce(&Stage), expect: &str) {
        let stage = Stage::new().await;
        let ops = ops(&stage);
        let conflict = stage.undone(ops.clone(), others).await.unwrap_or_default();
        let names = [
            ("TEA", &stage.tea.product),
            ("VARIANT", &stage.tea.id),
            ("WEB", &stage.web),
            ("TYPE", &stage.kind),
        ];
        let conflict = names.iter().fold(conflict, |text, (name, id)| text.replace(id.as_str(), name));
        assert!(
            conflict.starts_with("cannot be undone: ") && conflict.contains(expect),
            "{ops:?}: {conflict}"
        );
    }
    check(
        |it| vec![Op::Unprice(it.tea.id.clone())],
        async |it| {
            let (tea, cup) = (it.tea.id.clone(), it.cup.id.clone());
            it.write(move |tx, at| {
                let set = PRODUCT_VARIANT_PRICE_SET.rights(tx, &cup)?.remove(0);
                PRODUCT_VARIANT_PRICE_SET.detach(tx, at, &cup, &set)?;
                PRODUCT_VARIANT_PRICE_SET.attach(tx, at, &tea, &set, Map::new())?;
                Ok(())
            })
            .await;
        },
        "Cannot create multiple links between 'product_variant' and 'price_set'",
    )
    .await;
    check(
        |it| vec![Op::Leave(it.tea.product.clone(), it.web.clone())],
        async |it| drop(it.shop.admin.delete(&format!("/admin/sales-channels/{}", it.web)).await.ok()),
        "product_sales_channel TEA WEB: Sales channel with id: WEB was not found",
    )
    .await;
    check(
        |it| vec![Op::Untype(it.tea.product.clone())],
        async |it| drop(it.shop.admin.delete(&format!("/admin/product-types/{}", it.kind)).await.ok()),
        "product_type TYPE was removed since",
    )
    .await;
    check(
        |_| vec![Op::NewType("ptyp_new".into())],
        async |it| {
            let path = format!("/admin/products/{}", it.tea.product);
            it.shop.admin.post(&path, json!({ "type_id": "ptyp_new" })).await.ok();
        },
        "product_type ptyp_new was named by a product since",
    )
    .await;
    check(
        |it| vec![Op::Exchange(it.tea.product.clone(), it.cup.product.clone())],
        async |it| {
            let path = format!("/admin/products/{}", it.tea.product);
            it.shop.admin.post(&path, json!({ "title": "Changed since" })).await.ok();
        },
        "product TEA was changed since",
    )
    .await;
    // A compensation function does not conflict with its own earlier writes.
    let title = |it: &Stage| {
        vec![
            Op::Title(it.tea.product.clone(), "a".into()),
            Op::TitleUndoneBy(it.tea.product.clone(), "b".into()),
        ]
    };
    check(
        title,
        async |it| {
            it.shop.app.advance_ms(1);
            let path = format!("/admin/products/{}", it.tea.product);
            it.shop.admin.post(&path, json!({ "title": "Changed since" })).await.ok();
        },
        "product TEA was changed since",
    )
    .await;
}

/// A failed part is compensated before the saga continues: the run succeeds, and nothing of the part is left.
#[tokio::test]
async fn caught_failure_of_a_part_is_compensated() {
    let title = |it: &Stage, title: &str| Op::Title(it.tea.product.clone(), title.into());
    let undone_by = |it: &Stage| Op::TitleUndoneBy(it.tea.product.clone(), "part".into());
    let stage = Stage::new().await;
    world::let_fail(&stage.test, "call", 1);
    stage.go(vec![Op::Call, Op::Call]).await.map(drop).expect("it goes on");
    assert_eq!(world::calls(&stage.test), ["call", "undo call", "call"]);

    for part in [Op::Refused, Op::Fail, Op::Part(vec![Op::Fail])] {
        let stage = Stage::new().await;
        let is_whole = matches!(part, Op::Part(_));
        let inner = vec![title(&stage, "in the part"), undone_by(&stage), Op::Call, part];
        let n_events = events_after(&stage.ctx().view(), 0, usize::MAX).expect("events").len();
        let ops = vec![title(&stage, "before"), Op::Part(inner), Op::Wait, Op::Call];
        stage.go(ops).await.map(drop).expect("it waits");
        let title = if is_whole { "part" } else { "before" };
        assert_eq!(stage.title(), title);
        stage.ctx().finish_step("script", "one", "approval", Ok(Value::Null)).await.expect("an end");
        let mut commits = stage.ctx().store().commits();
        while !stage.run().has_ended() {
            commits.changed().await.expect("a commit");
        }
        assert_eq!((stage.run().state, stage.title().as_str()), (ExecutionState::Done, title));
        let events = events_after(&stage.ctx().view(), 0, usize::MAX).expect("events");
        let told = events.iter().skip(n_events).filter(|(_, it)| it.name.starts_with("title.")).count();
        assert_eq!(told, if is_whole { 3 } else { 1 }, "what was undone is not told of");
        let undone = world::calls(&stage.test).iter().filter(|it| *it == "undo call 1").count();
        assert_eq!(undone, usize::from(!is_whole));
    }
}
