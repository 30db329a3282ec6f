//! The field `restock_state`, which storefronts may ask for on store routes of the core.

use atoll_host::registry;
use atoll_kernel::data::Store;
use atoll_storage::engines::Counting;
use atoll_testkit::{Client, Setup, Shop};
use serde_json::{Value, json};

use crate::{Bench, deliver};

/// The states of the tea: on the list of products, on the product itself, and on the list of variants.
async fn states(bench: &Bench, client: &Client) -> Vec<Value> {
    let product = &bench.tea.product;
    let list = client.get("/store/products?fields=id,%2Bvariants.restock_state").await.ok();
    let one =
        client.get(&format!("/store/products/{product}?fields=id,%2Bvariants.restock_state")).await.ok();
    let variants = client.get("/store/product-variants?fields=id,%2Brestock_state").await.ok();
    [&list["products"][0]["variants"][0], &one["product"]["variants"][0], &variants["variants"][0]]
        .map(|it| it["restock_state"].clone())
        .to_vec()
}

#[tokio::test]
async fn storefronts_show_whether_to_subscribe_each_in_its_channel() {
    let bench = Bench::new().await;
    let bob = bench.shop.customer(&bench.storefront, "bob@test.dev").await;
    let till = bench.shop.channel("Till").await;
    let add = json!({ "add": [bench.tea.product] });
    bench.shop.admin.post(&format!("/admin/sales-channels/{till}/products"), add).await.ok();
    let at_till = bench.shop.storefront(&[&till]).await;
    let bob_at_till = bench.shop.log_in(&at_till, "/auth/customer/emailpass", "bob@test.dev").await;
    bench.ask(&bob, json!({})).await.ok();
    for (client, state) in [
        (&bob, "subscribed"),
        (&bench.storefront, "sold_out"),
        (&at_till, "sold_out"),
        // Bob waits in the other channel, of which this one knows nothing.
        (&bob_at_till, "sold_out"),
    ] {
        assert_eq!(states(&bench, client).await, [state; 3]);
    }
    bench.stock(5).await;
    deliver(&bench.shop.app).await;
    assert_eq!(states(&bench, &bob).await, ["available"; 3]);
    bench.stock(0).await;
    // He was told, and waits no more.
    assert_eq!(states(&bench, &bob).await, ["sold_out"; 3]);
}

#[tokio::test]
async fn only_who_asks_gets_the_state() {
    let bench = Bench::new().await;
    for path in ["/store/products", "/store/products?fields=*variants", "/store/product-variants"] {
        let shown = bench.storefront.get(path).await.ok();
        assert_eq!(shown["count"], 1);
        assert!(!shown.to_string().contains("restock_state"), "{path}: {shown}");
    }
    // It is a state of shoppers.
    let shown = bench.shop.admin.get("/admin/products?fields=id,variants.restock_state").await.ok();
    assert!(!shown.to_string().contains("restock_state"), "{shown}");
}

/// Keys that a page of 20 products reads, without and with the state, in a shop of `n` products, each with a
/// shopper who waits for it.
async fn keys(n: usize) -> [usize; 2] {
    let engine = Counting::default();
    let spaces = registry().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    let shop = Shop::open(Setup::default().answers_bytes_max(0).over(store).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let bob = shop.customer(&storefront, "bob@test.dev").await;
    for n in 0..n {
        let tea = shop.product(&format!("Tea {n}"), &[&web], 0).await;
        bob.post("/store/restock-subscriptions", json!({ "variant_id": tea.id })).await.ok();
    }
    let mut keys = [0; 2];
    for (n, fields) in [(0, "id,variants.id"), (1, "id,variants.id,%2Bvariants.restock_state")] {
        let before = engine.n_read();
        let shown = bob.get(&format!("/store/products?limit=20&fields={fields}")).await.ok();
        assert_eq!(shown["products"].as_array().map(Vec::len), Some(20));
        keys[n] = engine.n_read() - before;
    }
    keys
}

#[tokio::test]
async fn the_state_costs_what_its_page_has() {
    let (small, large) = (keys(30).await, keys(90).await);
    let costs = [small, large].map(|[without, with]| with - without);
    assert_eq!(costs[0], costs[1]);
    // For each variant: itself, its product, its rows of channel, exclusion and item, the stock, the index.
    assert!(costs[0] <= 20 * 12, "{costs:?}");
}
