//! End-to-end test: a real catalogue sold through several channels, on both engines.

use std::path::PathBuf;

use atoll_catalogue::{Catalogue, Report, import};
use atoll_kernel::{Actor, Ctx, Moment, Write};
use atoll_testkit::{Engine, Shop, TestApp, complete};
use serde_json::{Value, json};

/// The real catalogue, if it lies beside the project.
pub(crate) fn real_catalogue() -> Option<Catalogue> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/catalogue.json");
    let Ok(text) = std::fs::read(&beside) else {
        eprintln!("skipped: there is no catalogue at {}", beside.display());
        return None;
    };
    Some(Catalogue::read(&text[..]).expect("a catalogue"))
}

pub(crate) async fn import_into(ctx: &Ctx, catalogue: Catalogue) -> Report {
    let run = move |tx: &mut dyn Write, at: &Moment| import(tx, at, &catalogue);
    ctx.write(Actor::System, run).await.expect("an import").0
}

fn ids(list: &Value) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_catalogue_is_sold_through_several_channels() {
    let Some(catalogue) = real_catalogue() else { return };
    for engine in Engine::ALL {
        story(TestApp::on(engine).await, catalogue.clone()).await;
    }
}

async fn story(app: TestApp, catalogue: Catalogue) {
    let (app, admin) = app.with_admin().await;
    let report = import_into(&app.ctx, catalogue).await;
    assert_eq!(report.tallies["products"].created, 32);

    // A second channel, with half of the products of the first.
    let channels = admin.get("/admin/sales-channels?q=Channel-USD").await.ok();
    let whole = ids(&channels["sales_channels"]).remove(0);
    let path = format!("/admin/products?sales_channel_id[]={whole}&fields=id&limit=100");
    let products = ids(&admin.get(&path).await.ok()["products"]);
    let (half, other_half) = products.split_at(products.len() / 2);
    let channel = json!({ "name": "Pop-up shop" });
    let channel = admin.post("/admin/sales-channels", channel).await.ok();
    let channel = channel["sales_channel"]["id"].as_str().expect("an id").to_owned();
    admin.post(&format!("/admin/sales-channels/{channel}/products"), json!({ "add": half })).await.ok();
    let location = &ids(&admin.get("/admin/stock-locations").await.ok()["stock_locations"])[0];
    let path = format!("/admin/stock-locations/{location}/sales-channels");
    admin.post(&path, json!({ "add": [channel] })).await.ok();

    // Each key lists and counts the products of its channel.
    let mut storefronts = Vec::new();
    for of in [&whole, &channel] {
        let key = json!({ "title": "storefront", "type": "publishable" });
        let key = &admin.post("/admin/api-keys", key).await.ok()["api_key"];
        let path = format!("/admin/api-keys/{}/sales-channels", key["id"].as_str().expect("an id"));
        admin.post(&path, json!({ "add": [of] })).await.ok();
        storefronts.push(app.storefront(key["token"].as_str().expect("a token")));
    }
    let [everything, pop_up] = &storefronts[..] else { panic!("two storefronts") };
    let list = everything.get("/store/products?limit=5&fields=id").await.ok();
    assert_eq!((list["count"].as_u64(), ids(&list["products"]).len()), (Some(products.len() as u64), 5));
    let list = pop_up.get("/store/products?limit=100&fields=id").await.ok();
    assert_eq!(list["count"].as_u64(), Some(half.len() as u64));
    assert_eq!(ids(&list["products"]), half);

    // Products of other channels do not exist in the pop-up shop.
    let foreign = format!("/store/products/{}?fields=id,variants.id", other_half[0]);
    let foreign_variant = &everything.get(&foreign).await.ok()["product"]["variants"][0]["id"];
    assert_eq!(
        pop_up.get(&foreign).await.error(),
        format!("404 not_found: Product with id: {} was not found", other_half[0])
    );
    let cart =
        pop_up.post("/store/carts", json!({})).await.ok()["cart"]["id"].as_str().expect("an id").to_owned();
    let lines = format!("/store/carts/{cart}/line-items");
    let line = json!({ "variant_id": foreign_variant, "quantity": 1 });
    let variant = foreign_variant.as_str().expect("an id");
    assert_eq!(
        pop_up.post(&lines, line).await.error(),
        format!(
            "400 invalid_data: Variants {variant} do not exist or belong to a product that is not published"
        )
    );

    // Sold out, through both channels.
    let own = "/store/products?handle=headless-omnichannel-commerce\
               &fields=id,variants.id,variants.inventory_quantity";
    let variant = &pop_up.get(own).await.ok()["products"][0]["variants"][0];
    let there = variant["inventory_quantity"].as_u64().expect("a number");
    let buy = async |storefront: &atoll_testkit::Client, quantity: u64| {
        let items = json!([{ "variant_id": variant["id"], "quantity": quantity }]);
        let cart = storefront.post("/store/carts", json!({ "items": items })).await;
        if !cart.status.is_success() {
            return cart;
        }
        let cart = cart.json["cart"]["id"].as_str().expect("an id").to_owned();
        complete(storefront, &cart).await
    };
    let channel_of = async |placed: &Value| {
        let id = placed["order"]["id"].as_str().expect("an id");
        let order = admin.get(&format!("/admin/orders/{id}?fields=sales_channel_id")).await.ok();
        order["order"]["sales_channel_id"].clone()
    };
    let first = buy(pop_up, there - 1).await.ok();
    assert_eq!(first["type"], "order");
    assert_eq!(channel_of(&first).await, json!(channel));
    let second = buy(everything, 1).await.ok();
    assert_eq!(channel_of(&second).await, json!(whole));
    for storefront in [pop_up, everything] {
        assert_eq!(
            buy(storefront, 1).await.error(),
            "400 not_allowed (insufficient_inventory): Some variant does not have the required inventory"
        );
        let left = &storefront.get(own).await.ok()["products"][0]["variants"][0]["inventory_quantity"];
        assert_eq!(*left, 0);
    }

    // Admins see the channel of each order.
    for (of, order) in [(&channel, &first["order"]), (&whole, &second["order"])] {
        let path = format!("/admin/orders?sales_channel_id[]={of}&fields=id,*sales_channel");
        let list = admin.get(&path).await.ok();
        assert_eq!((list["count"].as_u64(), &list["orders"][0]["id"]), (Some(1), &order["id"]));
        assert_eq!(list["orders"][0]["sales_channel"]["id"], json!(of));
    }
    let foreign_order = format!("/store/orders/{}", first["order"]["id"].as_str().expect("an id"));
    assert_eq!(pop_up.get(&foreign_order).await.ok()["order"]["display_id"], 1);
    assert!(everything.get(&foreign_order).await.error().starts_with("404 not_found: Order id not found"));
}

#[tokio::test]
async fn testkit_shop_sells() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 3).await;
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    let order = complete(&storefront, &cart).await.ok();
    assert_eq!(order["order"]["total"], 20);
    assert_eq!(shop.reserved(&tea.item).await, "2 of 3");
}
