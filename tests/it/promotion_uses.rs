//! Uses of promotions: limits and budgets are held by orders that are placed at the same time, and what is
//! used is given back.

use std::sync::Arc;

use atoll_checkout::{Attributes, NotApplied, Priced, PricedCart, PromotionUse};
use atoll_kernel::{Actor, Ctx, Decimal, Fault, Moment, Write};
use atoll_promotion::{Offers, PROMOTIONS, Promotion, Usage, apply, give_back, use_promotion};
use atoll_testkit::{Client, Engine, Shop, TestApp, id};
use serde_json::{Value, json};
use tokio::sync::Barrier;

const N_BUYERS: usize = 64;

/// Half off all items, with other fields.
async fn half(admin: &Client, code: &str, fields: Value) -> String {
    let method = json!({ "type": "percentage", "value": 50, "target_type": "items", "allocation": "across" });
    let mut body =
        json!({ "code": code, "type": "standard", "status": "active", "application_method": method });
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    id(&admin.post("/admin/promotions", body).await.ok()["promotion"])
}

fn in_campaign(budget: Value) -> Value {
    json!({ "campaign": { "name": "Sale", "campaign_identifier": "sale", "budget": budget } })
}

/// A cart of a buyer, with a line of 12.
fn cart(email: Option<&str>) -> PricedCart {
    let twelve = Decimal::from(12_u64);
    let line = Priced {
        id: "line".into(),
        quantity: Decimal::ONE,
        subtotal: twelve,
        total: twelve,
        is_discountable: true,
        ..Priced::default()
    };
    PricedCart {
        currency_code: "eur".into(),
        attributes: Attributes::default().with_some("email", email),
        lines: vec![line],
        ..PricedCart::default()
    }
}

/// Why a code is not applied to the cart of a buyer, as the store is now.
fn why_not(ctx: &Ctx, code: &str, email: Option<&str>) -> Option<NotApplied> {
    let (view, cart) = (ctx.view(), cart(email));
    let offers = Offers::read(&view, "eur", &cart.attributes, &[code.to_owned()]).expect("the store");
    let promoted = apply(&cart, &offers, ctx.now());
    let outcome = promoted.outcomes.iter().find(|it| it.code == code).expect("an outcome");
    outcome.discount.err()
}

/// Counts a use as an order of this buyer, with a discount of six.
async fn buy(ctx: &Ctx, promotion: &str, email: Option<&str>) -> Result<PromotionUse, Fault> {
    let (promotion, cart) = (promotion.to_owned(), cart(email));
    let body = move |tx: &mut dyn Write, at: &Moment| {
        let usage = Usage { promotion_id: &promotion, amount: Decimal::from(6_u64), currency_code: "eur" };
        Ok(use_promotion(tx, at, &usage, &cart.attributes)?)
    };
    Ok(ctx.write(Actor::System, body).await?.0)
}

async fn cancel(ctx: &Ctx, used: PromotionUse) {
    let body = move |tx: &mut dyn Write, at: &Moment| Ok(give_back(tx, at, &used)?);
    ctx.write(Actor::System, body).await.expect("a use to give back");
}

/// The invariant after the race: how many got the promotion, how many were refused, and how often it is used.
fn check(n_got: usize, n_refused: usize, used: &Value) -> Result<(), String> {
    let got = (n_got, n_refused, used.to_string());
    if got == (1, N_BUYERS - 1, "1".into()) {
        Ok(())
    } else {
        Err(format!("given too often, or lost: {got:?}"))
    }
}

async fn used(admin: &Client, promotion: &str) -> Value {
    admin.get(&format!("/admin/promotions/{promotion}")).await.ok()["promotion"]["used"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_buyers_with_the_last_use_one_gets_it() {
    for engine in Engine::ALL {
        for (fields, refusal) in [
            (json!({ "limit": 1 }), "was used as often as it may be"),
            (
                in_campaign(json!({ "type": "usage", "limit": 1 })),
                "belongs to a campaign whose budget is spent",
            ),
            (
                in_campaign(json!({ "type": "spend", "limit": 11, "currency_code": "eur" })),
                "belongs to a campaign whose budget is spent",
            ),
            (
                in_campaign(json!({ "type": "use_by_attribute", "limit": 1, "attribute": "customer_email" })),
                "belongs to a campaign whose budget is spent",
            ),
        ] {
            let shop = Shop::open(TestApp::on(engine).await).await;
            // No orders are placed here, which a verification misses.
            shop.app.is_damaged();
            let promotion = half(&shop.admin, "LAST", fields).await;
            let together = Arc::new(Barrier::new(N_BUYERS));
            let buyers: Vec<_> = (0..N_BUYERS)
                .map(|_| {
                    let (ctx, promotion, together) =
                        (shop.app.ctx.clone(), promotion.clone(), together.clone());
                    tokio::spawn(async move {
                        together.wait().await;
                        buy(&ctx, &promotion, Some("a@b.co")).await.map_err(|it| it.to_string())
                    })
                })
                .collect();
            let (mut n_got, mut n_refused) = (0, 0);
            for buyer in buyers {
                match buyer.await.expect("a buyer") {
                    Ok(_) => n_got += 1,
                    Err(why) => {
                        assert_eq!(why, format!("The promotion code LAST {refusal}"));
                        n_refused += 1;
                    }
                }
            }
            let used = used(&shop.admin, &promotion).await;
            assert_eq!(check(n_got, n_refused, &used), Ok(()), "{engine:?}: {refusal}");
        }
    }
}

/// Negative control: with the check before the transaction, the checker detects that it is given too often.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_outside_the_transaction_gives_the_last_use_to_many() {
    let shop = Shop::open(TestApp::init().await).await;
    shop.app.is_damaged();
    let promotion = half(&shop.admin, "LAST", json!({ "limit": 1 })).await;
    let together = Arc::new(Barrier::new(N_BUYERS));
    let buyers: Vec<_> = (0..N_BUYERS)
        .map(|_| {
            let (ctx, promotion, together) = (shop.app.ctx.clone(), promotion.clone(), together.clone());
            tokio::spawn(async move {
                let refused = why_not(&ctx, "LAST", Some("a@b.co"));
                together.wait().await;
                if refused.is_some() {
                    return false;
                }
                let count = move |tx: &mut dyn Write, at: &Moment| {
                    let more = |it: &mut Promotion| it.used += 1;
                    Ok::<_, Fault>(PROMOTIONS.update(tx, at, &promotion, more).map(drop)?)
                };
                ctx.write(Actor::System, count).await.is_ok()
            })
        })
        .collect();
    let mut n_got = 0;
    for buyer in buyers {
        n_got += usize::from(buyer.await.expect("a buyer"));
    }
    let used = used(&shop.admin, &promotion).await;
    assert_eq!(
        check(n_got, N_BUYERS - n_got, &used),
        Err("given too often, or lost: (64, 0, \"64\")".into())
    );
}

#[tokio::test]
async fn budgets_are_counted_per_buyer_and_given_back() {
    let shop = Shop::open(TestApp::init().await).await;
    let (admin, ctx) = (&shop.admin, &shop.app.ctx);
    let budget = json!({ "type": "spend_by_attribute", "limit": 10, "currency_code": "eur", "attribute": "customer_email" });
    let promotion = half(admin, "MINE", in_campaign(budget)).await;
    let (ann, bob) = (Some("ann@b.co"), Some("bob@b.co"));
    assert_eq!(why_not(ctx, "MINE", ann), None);
    assert_eq!(why_not(ctx, "MINE", None), Some(NotApplied::BuyerUnknown));
    let of_ann = buy(ctx, &promotion, ann).await.expect("a use");
    assert_eq!(of_ann.attribute_value.as_deref(), ann);
    buy(ctx, &promotion, bob).await.expect("a use");
    assert_eq!(why_not(ctx, "MINE", ann), Some(NotApplied::BudgetSpent));
    // She does not become another buyer by typing her address in other letters.
    assert_eq!(why_not(ctx, "MINE", Some(" Ann@B.co")), Some(NotApplied::BudgetSpent));
    assert_eq!(
        buy(ctx, &promotion, ann).await.map_err(|it| it.to_string()),
        Err("The promotion code MINE belongs to a campaign whose budget is spent".into())
    );
    let campaign = of_ann.campaign_id.clone().expect("a campaign");
    let path = format!("/admin/campaigns/{campaign}?fields=*budget,*budget.usages");
    let budget = async || admin.get(&path).await.ok()["campaign"]["budget"].clone();
    let usages = |budget: &Value| {
        let rows = budget["usages"].as_array().expect("usages").clone();
        rows.iter()
            .map(|it| format!("{} {}", it["attribute_value"], it["raw_used"]["value"]))
            .collect::<Vec<_>>()
    };
    let spent = budget().await;
    assert_eq!(
        (&spent["used"], usages(&spent)),
        (&json!(12), vec![r#""ann@b.co" "6""#.to_owned(), r#""bob@b.co" "6""#.to_owned(),])
    );
    assert_eq!(used(admin, &promotion).await, 2);
    cancel(ctx, of_ann.clone()).await;
    let spent = budget().await;
    assert_eq!(
        (&spent["used"], usages(&spent)),
        (&json!(6), vec![r#""ann@b.co" "0""#.to_owned(), r#""bob@b.co" "6""#.to_owned(),])
    );
    assert_eq!((used(admin, &promotion).await, why_not(ctx, "MINE", ann)), (json!(1), None));

    // What a promotion is when it is given back does not matter: it may be in another campaign, or gone.
    let again = buy(ctx, &promotion, ann).await.expect("a use");
    admin.post(&format!("/admin/promotions/{promotion}"), json!({ "campaign_id": null })).await.ok();
    cancel(ctx, again).await;
    assert_eq!(budget().await["used"], 6);
    assert_eq!(used(admin, &promotion).await, 1);
    admin.delete(&format!("/admin/promotions/{promotion}")).await.ok();
    admin.delete(&format!("/admin/campaigns/{campaign}")).await.ok();
    cancel(ctx, of_ann).await;
    assert_eq!(why_not(ctx, "MINE", ann), Some(NotApplied::Unknown));
}

#[tokio::test]
async fn codes_and_automatic_promotions_are_found_at_their_time() {
    let shop = Shop::open(TestApp::init().await).await;
    let (admin, ctx) = (&shop.admin, &shop.app.ctx);
    half(admin, "AUTO", json!({ "is_automatic": true })).await;
    half(admin, "CODE", json!({})).await;
    let campaign = |starts: i64, ends: i64| {
        let at = |millis| shop.app.now().plus_millis(millis).to_string();
        json!({ "campaign": {
            "name": "Sale", "campaign_identifier": starts.to_string(), "starts_at": at(starts), "ends_at": at(ends),
        } })
    };
    half(admin, "LATER", campaign(1_000, 2_000)).await;
    let applied = |codes: &[&str]| {
        let codes: Vec<String> = codes.iter().map(|it| (*it).to_owned()).collect();
        let (view, cart) = (ctx.view(), cart(None));
        let offers = Offers::read(&view, "eur", &cart.attributes, &codes).expect("the store");
        apply(&cart, &offers, ctx.now()).lines.into_iter().map(|it| it.code).collect::<Vec<_>>()
    };
    assert_eq!(applied(&[]), ["AUTO"]);
    assert_eq!(applied(&["CODE", "code", "AUTO", "CODE"]), ["AUTO", "CODE"]);
    // To the millisecond.
    for (advance, expect) in
        [(999, Some(NotApplied::NotYet)), (1, None), (999, None), (1, Some(NotApplied::Past))]
    {
        shop.app.advance_ms(advance);
        assert_eq!(why_not(ctx, "LATER", None), expect);
    }
    let codes = admin.get("/admin/promotions?q=auto").await.ok();
    let path = format!("/admin/promotions/{}", id(&codes["promotions"][0]));
    admin.post(&path, json!({ "status": "inactive" })).await.ok();
    assert_eq!(applied(&[]), [""; 0]);
}
