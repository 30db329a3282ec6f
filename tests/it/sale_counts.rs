//! What channels sell and have sold, counted for many of them at once; and what keeps variants from sale,
//! counted by a job.

use atoll_kernel::{Actor, Fault, Moment, Write, data::Side};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS};
use atoll_testkit::{Shop, complete};
use serde_json::{Value, json};

/// What the route says of these channels.
async fn counts(shop: &Shop, channels: &[&str]) -> Value {
    let ids = channels.iter().map(|it| format!("&sales_channel_id[]={it}")).collect::<String>();
    shop.admin.get(&format!("/admin/sales-channel-counts?{}", &ids[1..])).await.ok()["sales_channels"].clone()
}

/// How many variants each reason keeps from sale: `no_stock_location 2, no_price 1`.
fn blocked(counts: &Value) -> String {
    let blocked = counts["variants"]["blocked"].as_array().expect("reasons").iter();
    blocked
        .map(|it| format!("{} {}", it["code"].as_str().expect("a code"), it["count"]))
        .collect::<Vec<_>>()
        .join(", ")
}

#[tokio::test]
async fn variants_are_counted_by_the_first_reason_against_their_sale() {
    let (shop, web, storefront) = Shop::web().await;
    let till = shop.channel("Till").await;
    let tea = shop.product("Tea", &[&web, &till], 5).await;
    shop.product("Cup", &[&web], 0).await;
    shop.product("Pot", &[&web], 0).await;
    shop.product_with("Rug", &[&web], 1, json!({ "prices": [] })).await;
    let ice = shop.product("Ice", &[&web], 1).await;
    let later = json!({ "available_from": "2100-01-01" });
    shop.admin.post(&format!("/admin/sales-channels/{web}/products/{}", ice.product), later).await.ok();
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    complete(&storefront, &cart).await.ok();
    let one = &counts(&shop, &[&web]).await[0];
    assert_eq!(one["products"], json!({ "on_sale": 4, "not_yet": 1, "over": 0, "not_published": 0 }));
    assert_eq!((&one["orders"], &one["variants"]), (&json!(1), &Value::Null));

    shop.app.run_job("availability.count-sales").await;
    let both = counts(&shop, &[&web, "sc_x", &till]).await;
    let variants = &both[0]["variants"];
    assert_eq!((&variants["total"], &variants["on_sale"]), (&json!(5), &json!(1)));
    assert_eq!(variants["currency_code"], "eur");
    assert_eq!(blocked(&both[0]), "no_stock_location 2, no_price 1, product_not_available_yet 1");
    let counted_at = variants["counted_at"].clone();
    assert_eq!((&both[1]["sales_channel_id"], &both[1]["variants"]["on_sale"]), (&json!(till), &json!(1)));
    assert_eq!(both[2], Value::Null, "one that does not exist is left out");

    // It is shown with the moment of the count, until it is counted again.
    shop.app.advance_ms(60_000);
    shop.admin.post(&format!("/admin/sales-channels/{web}"), json!({ "is_disabled": true })).await.ok();
    assert_eq!(counts(&shop, &[&web]).await[0]["variants"]["counted_at"], counted_at);
    shop.app.run_job("availability.count-sales").await;
    let again = counts(&shop, &[&web]).await;
    assert_eq!(blocked(&again[0]), "sales_channel_disabled 5");
    assert_ne!(again[0]["variants"]["counted_at"], counted_at);
}

/// More products than are counted at once.
#[tokio::test]
async fn all_products_of_a_channel_are_counted() {
    let (shop, web, _) = Shop::web().await;
    let channel = web.clone();
    let create = move |tx: &mut dyn Write, at: &Moment| {
        let mut products = Vec::new();
        for n in 0..401 {
            let status = ProductStatus::Published;
            let product = Product { handle: format!("tea-{n}"), status, ..Product::default() };
            let product_id = PRODUCTS.create(tx, at, product)?.id;
            products.push(product_id.to_string());
            VARIANTS.create(tx, at, ProductVariant { product_id, ..ProductVariant::default() })?;
        }
        PRODUCT_SALES_CHANNEL.attach_all(tx, at, Side::Right, &channel, &products)?;
        Ok::<_, Fault>(())
    };
    shop.app.ctx.write(Actor::System, create).await.expect("products");
    shop.app.run_job("availability.count-sales").await;
    let counts = counts(&shop, &[&web]).await;
    assert_eq!(
        (counts[0]["variants"]["total"].clone(), blocked(&counts[0])),
        (json!(401), "no_price 401".to_owned())
    );
}

#[tokio::test]
async fn channels_are_named_and_not_too_many() {
    let (shop, web, _) = Shop::web().await;
    for (query, error) in [
        ("".to_owned(), "400 invalid_data: Invalid request: Field 'sales_channel_id' is required"),
        (
            format!("sales_channel_id={web}&orders_from=soon"),
            "400 invalid_data: Invalid request: Value for field 'orders_from' is not valid: 'soon'",
        ),
        (
            vec!["sales_channel_id[]=x"; 51].join("&"),
            "400 invalid_data: Invalid request: At most 50 sales channels can be counted, got: '51'",
        ),
    ] {
        assert_eq!(shop.admin.get(&format!("/admin/sales-channel-counts?{query}")).await.error(), error);
    }
    let later = format!("/admin/sales-channel-counts?sales_channel_id={web}&orders_from=2100-01-01");
    assert_eq!(shop.admin.get(&later).await.ok()["sales_channels"][0]["orders"], 0);
}
