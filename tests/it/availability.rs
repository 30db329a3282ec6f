//! Availability of many variants in many channels at once: its cells are those of the explanation, and say
//! until when they hold.

use atoll_testkit::{Shop, Variant};
use serde_json::{Value, json};

/// A shop whose first channel sells two teas, and the second one of them.
async fn shop() -> (Shop, [String; 2], [Variant; 2]) {
    let (shop, web, _) = Shop::web().await;
    let till = shop.channel("Till").await;
    let green = shop.product("Green tea", &[&web, &till], 5).await;
    let black = shop.product("Black tea", &[&web], 1).await;
    (shop, [web, till], [green, black])
}

/// The table of some channels.
async fn table(shop: &Shop, channels: &[&String], query: &str) -> Value {
    let columns = channels.iter().map(|it| format!("&sales_channel_id[]={it}")).collect::<String>();
    shop.admin.get(&format!("/admin/availability?{query}{columns}")).await.ok()
}

/// The reason of each cell, or how many are available: `5 sales_channel_disabled/…`.
fn cells(table: &Value) -> String {
    let rows = table["variants"].as_array().expect("rows").iter();
    let cell = |it: &Value| match it["reason"]["code"].as_str() {
        Some(code) => code.to_owned(),
        None => it["available_quantity"].to_string(),
    };
    let cells =
        |row: &Value| row["cells"].as_array().expect("cells").iter().map(cell).collect::<Vec<_>>().join(" ");
    rows.map(cells).collect::<Vec<_>>().join(" / ")
}

#[tokio::test]
async fn variants_are_rows_and_channels_are_columns() {
    let (shop, [web, till], [green, black]) = shop().await;
    let both = [&web, &till];
    let shown = table(&shop, &both, "quantity=2").await;
    assert_eq!(cells(&shown), "5 5 / insufficient_inventory product_not_in_sales_channel");
    let columns = shown["sales_channels"].as_array().expect("columns");
    let names: Vec<&str> = columns.iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["Web", "Till"]);
    assert_eq!((&shown["count"], &shown["limit"]), (&json!(2), &json!(20)));
    let row = &shown["variants"][1];
    assert_eq!((&row["product_title"], &row["product_id"]), (&json!("Black tea"), &json!(black.product)));
    let reason = &row["cells"][1]["reason"];
    assert_eq!(reason["message"], "the product is not in the sales channel");
    assert_eq!((&reason["entity"], &reason["id"]), (&json!("product"), &json!(black.product)));
    let disabled = json!({ "is_disabled": true });
    shop.admin.post(&format!("/admin/sales-channels/{till}"), disabled).await.ok();
    assert_eq!(
        cells(&table(&shop, &both, &format!("variant_id={}", green.id)).await),
        "5 sales_channel_disabled"
    );
    let one = format!("product_id={}&quantity=6", green.product);
    assert_eq!(cells(&table(&shop, &[&web], &one).await), "insufficient_inventory");
    assert_eq!(cells(&table(&shop, &[&"none".into()], "product[title]=Black%20tea").await), "");
    let all = shop.admin.get("/admin/availability").await.ok();
    let n_columns = |it: &Value| it["sales_channels"].as_array().map(Vec::len);
    assert_eq!(n_columns(&all), n_columns(&shop.admin.get("/admin/sales-channels").await.ok()));
}

#[tokio::test]
async fn cells_are_the_explanations_with_their_first_reason() {
    let (shop, [web, till], [green, black]) = shop().await;
    let region = &shop.region;
    shop.admin
        .post(&format!("/admin/sales-channels/{web}/variants/{}", green.id), json!({ "is_enabled": false }))
        .await
        .ok();
    for query in
        [String::new(), "quantity=9".into(), format!("region_id={region}"), "currency_code=sek".into()]
    {
        let shown = table(&shop, &[&web, &till], &query).await;
        for (row, variant) in [&green, &black].into_iter().enumerate() {
            for (column, channel) in [&web, &till].into_iter().enumerate() {
                let cell = &shown["variants"][row]["cells"][column];
                let path =
                    format!("/admin/sales-channels/{channel}/availability?variant_id={}&{query}", variant.id);
                let explained = &shop.admin.get(&path).await.ok()["availability"];
                for name in ["sales_channel_id", "variant_id", "sellable", "available_quantity", "changes_at"]
                {
                    assert_eq!(cell[name], explained[name], "{name} of {path}");
                }
                assert_eq!(cell["reason"], explained["reasons"][0], "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_cell_says_until_when_it_holds() {
    let (shop, [web, till], [green, _]) = shop().await;
    let now = shop.app.ctx.now();
    let (from, until) = (now.plus_millis(1_000), now.plus_millis(2_000));
    let window = json!({ "available_from": from, "available_until": until });
    let path = format!("/admin/sales-channels/{till}/products/{}", green.product);
    shop.admin.post(&path, window).await.ok();
    let check = async |at: i64, expect: &str, changes_at: Value| {
        let at = now.plus_millis(at);
        for query in [format!("at={at}"), String::new()] {
            let query = format!("variant_id={}&{query}", green.id);
            let shown = table(&shop, &[&web, &till], &query).await;
            assert_eq!((cells(&shown).as_str(), &shown["changes_at"]), (expect, &changes_at), "{query}");
            assert_eq!(shown["variants"][0]["cells"][0]["changes_at"], Value::Null);
            assert_eq!(shown["variants"][0]["cells"][1]["changes_at"], changes_at);
            shop.app.advance_ms(at.millis() - shop.app.ctx.now().millis());
        }
    };
    check(0, "5 product_not_available_yet", json!(from)).await;
    check(999, "5 product_not_available_yet", json!(from)).await;
    check(1_000, "5 5", json!(until)).await;
    check(2_000, "5 product_no_longer_available", Value::Null).await;
    // A price list that ends changes the price, and so perhaps whether there is one.
    let price = json!({ "variant_id": green.id, "currency_code": "eur", "amount": 1 });
    let ends = shop.app.ctx.now().plus_millis(5_000);
    let list = json!({
        "title": "Sale", "description": "d", "status": "active", "ends_at": ends, "prices": [price],
    });
    shop.admin.post("/admin/price-lists", list).await.ok();
    let priced = format!("variant_id={}&region_id={}", green.id, shop.region);
    assert_eq!(table(&shop, &[&web], &priced).await["changes_at"], json!(ends));
}

#[tokio::test]
async fn a_table_has_at_most_1000_cells() {
    let (shop, [web, _], _) = shop().await;
    let error = shop.admin.get("/admin/availability?limit=334").await.error();
    assert_eq!(
        error,
        "400 invalid_data: Invalid request: 334 variants in 3 sales channels are more than 1000 cells: lower \
         `limit`, or name sales channels"
    );
    table(&shop, &[&web], "limit=1000").await;
    assert_eq!(
        shop.admin.get("/admin/availability?quantity=0").await.error(),
        "400 invalid_data: Invalid request: Value for field 'quantity' too small, expected at least: '0'"
    );
}
