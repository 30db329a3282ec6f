//! Cart expiry: unchanged carts are deleted with their payment collections, and not while they are being paid
//! for.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use atoll_cart::{CARTS, Cart};
use atoll_host::registry;
use atoll_kernel::{
    Actor, Fault, Metadata, Moment, Write,
    data::Store,
    flow::{Point, Probe, When},
    limits::CARTS_EXPIRED_AT_ONCE_MAX,
};
use atoll_links::CART_PAYMENT_COLLECTION;
use atoll_payment::{PAYMENT_COLLECTIONS, authorize};
use atoll_storage::engines::Memory;
use atoll_testkit::{Client, Shop, TestApp, complete, pay};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A shop whose storefront sells tea.
struct Tea {
    shop: Shop,
    storefront: Client,
    variant: String,
}

impl Tea {
    async fn open(app: TestApp) -> Tea {
        let shop = Shop::open(app).await;
        let web = shop.channel("Web").await;
        let (storefront, tea) = (shop.storefront(&[&web]).await, shop.product("Tea", &[&web], 99).await);
        Tea { shop, storefront, variant: tea.id }
    }

    async fn cart(&self) -> String {
        self.shop.cart(&self.storefront, &self.variant, 1).await
    }

    /// A cart with a payment session; its payment collection, too.
    async fn cart_in_payment(&self) -> (String, String) {
        let cart = self.cart().await;
        pay(&self.storefront, &cart).await;
        let collections = CART_PAYMENT_COLLECTION.rights(&self.shop.app.ctx.view(), &cart).expect("a store");
        let [collection] = &collections[..] else { panic!("one collection, and not {collections:?}") };
        (cart, collection.clone())
    }

    async fn touch(&self, cart: &str) {
        let change = json!({ "email": "ann@example.com" });
        self.storefront.post(&format!("/store/carts/{cart}"), change).await.ok();
    }

    async fn pass_days(&self, days: i64) {
        self.shop.app.advance_ms(days * DAY);
        self.shop.app.run_job("cart.delete-expired").await;
    }

    /// The answer of the store route for this id.
    async fn shown(&self, cart: &str) -> String {
        let answer = self.storefront.get(&format!("/store/carts/{cart}")).await;
        if answer.status.is_success() { "there".into() } else { answer.error().replace(cart, "CART") }
    }
}

fn store() -> Store {
    Store::open(Memory::default(), &registry().expect("a registry").spaces()).expect("a store")
}

const GONE: &str = "404 not_found: Cart with id 'CART' not found";

#[tokio::test]
async fn unchanged_cart_is_deleted_with_its_payment_collection_and_links() {
    let tea = Tea::open(TestApp::init().await).await;
    let (left, collection) = tea.cart_in_payment().await;
    let (touched, kept) = tea.cart_in_payment().await;
    tea.pass_days(29).await;
    tea.touch(&touched).await;
    // The cart expires at the end of the thirtieth day.
    tea.pass_days(1).await;
    assert_eq!((tea.shown(&left).await, tea.shown(&touched).await), ("there".into(), "there".into()));
    tea.pass_days(1).await;
    assert_eq!((tea.shown(&left).await, tea.shown(&touched).await), (GONE.into(), "there".into()));
    assert_eq!(tea.shown("cart_x").await, GONE, "as if it had never been");
    let add = async |cart: &str| {
        let line = json!({ "variant_id": tea.variant, "quantity": 1 });
        let added = tea.storefront.post(&format!("/store/carts/{cart}/line-items"), line).await;
        added.error().replace(cart, "CART")
    };
    assert_eq!(add(&left).await, add("cart_x").await);

    let (app, view) = (&tea.shop.app, tea.shop.app.ctx.view());
    assert_eq!(app.events("cart.deleted"), [json!({ "id": left })]);
    let is_there = |id: &str| PAYMENT_COLLECTIONS.table.exists(&view, id).expect("a store");
    assert_eq!((is_there(&collection), is_there(&kept)), (false, true));
    // It is no soft delete: there is nothing to restore.
    assert!(PAYMENT_COLLECTIONS.table.get_deleted(&view, &collection).expect("a store").is_none());
    assert!(CART_PAYMENT_COLLECTION.lefts(&view, &collection).expect("a store").is_empty());
    assert!(CART_PAYMENT_COLLECTION.rights(&view, &left).expect("a store").is_empty());
    assert_eq!(CARTS.table.count(&view).expect("a store"), 1);
    tea.pass_days(29).await;
    assert_eq!(tea.shown(&touched).await, GONE);
}

#[tokio::test]
async fn completed_cart_and_cart_with_a_payment_are_kept() {
    let tea = Tea::open(TestApp::init().await).await;
    let bought = tea.cart().await;
    complete(&tea.storefront, &bought).await.ok();
    let (set_aside, collection) = tea.cart_in_payment().await;
    let (looked_at, _) = tea.cart_in_payment().await;
    let app = &tea.shop.app;
    let authorize = move |tx: &mut dyn Write, at: &Moment| {
        let session = PAYMENT_COLLECTIONS.retrieve(tx, &collection)?.payment_sessions.remove(0);
        Ok(authorize(tx, at, &session, "a key", Metadata::default()).map(drop)?)
    };
    app.ctx.write(Actor::System, authorize).await.expect("a payment");
    tea.pass_days(29).await;
    // Opening a payment session changes the collection, and not the cart.
    pay(&tea.storefront, &looked_at).await;
    tea.pass_days(29).await;
    for cart in [&bought, &set_aside, &looked_at] {
        assert_eq!(tea.shown(cart).await, "there");
    }
    tea.pass_days(300).await;
    for (cart, expected) in [(&bought, "there"), (&set_aside, "there"), (&looked_at, GONE)] {
        assert_eq!(tea.shown(cart).await, expected);
    }
    assert_eq!(app.events("cart.deleted"), [json!({ "id": looked_at })]);
}

#[tokio::test]
async fn cart_days_sets_the_expiry_and_zero_disables_it() {
    for (days, passed, expected) in [(0, 20_000, "there"), (2, 2, "there"), (2, 3, GONE)] {
        let tea = Tea::open(TestApp::keeping_carts(store(), days).await).await;
        let cart = tea.cart().await;
        tea.pass_days(passed).await;
        assert_eq!(tea.shown(&cart).await, expected, "{days} days, after {passed}");
    }
}

/// Counts transactions of the flow.
#[derive(Default)]
struct Batches(AtomicUsize);

impl Probe for Batches {
    fn probe(&self, point: &Point<'_>) -> Result<(), Fault> {
        if (point.step, point.when) == ("delete-expired-carts", When::Before) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[tokio::test]
async fn expired_carts_are_deleted_in_batches() {
    let batches = Arc::new(Batches::default());
    let app = TestApp::over(store(), Some(batches.clone())).await;
    let n_carts = 2 * CARTS_EXPIRED_AT_ONCE_MAX + 1;
    let open = move |tx: &mut dyn Write, at: &Moment| {
        for _ in 0..n_carts {
            CARTS.create(tx, at, Cart { currency_code: "eur".into(), ..Cart::default() })?;
        }
        Ok(())
    };
    app.ctx.write(Actor::System, open).await.expect("carts");
    app.advance_ms(DAY);
    // Opened a day later, they are kept a day longer.
    app.ctx.write(Actor::System, open).await.expect("carts");
    app.advance_ms(30 * DAY);
    app.run_job("cart.delete-expired").await;
    assert_eq!(batches.0.load(Ordering::Relaxed), 3);
    assert_eq!(CARTS.table.count(&app.ctx.view()).expect("a store"), n_carts as u64);
    let deleted: Vec<Value> = app.events("cart.deleted");
    assert_eq!(deleted.len(), n_carts);
}
