//! Orders as CSV.

use atoll_catalogue::{Export, OrderFilter};
use atoll_testkit::{Shop, complete};
use serde_json::json;

use super::export;

#[tokio::test]
async fn orders_are_exported_by_channel_and_time_a_row_per_line() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("=Tea", &[&web], 10).await;
    let pot = shop.product("Pot", &[&web], 10).await;
    let cart = json!({
        "region_id": shop.region, "email": "ada@example.com",
        "items": [{ "variant_id": tea.id, "quantity": 2 }, { "variant_id": pot.id, "quantity": 1 }],
    });
    let cart = storefront.post("/store/carts", cart).await.ok();
    complete(&storefront, cart["cart"]["id"].as_str().expect("an id")).await.ok();
    let all = export(&shop.app.ctx, &Export::Orders(OrderFilter::default()));
    let rows: Vec<&str> = all.lines().collect();
    assert_eq!(rows.len(), 3, "{all}");
    assert!(
        rows[1].contains(",Web,pending,")
            && rows[1].contains(",ada@example.com,eur,'=Tea,'=Tea,One,2,10,20,"),
        "{all}"
    );
    assert!(rows[2].contains(",Pot,Pot,One,1,10,10,0,0,0,30,"), "{all}");
    let now = shop.app.now();
    for (filter, n_rows) in [
        (OrderFilter { channel: Some(web.clone()), ..OrderFilter::default() }, 3),
        (OrderFilter { channel: Some("sc_none".into()), ..OrderFilter::default() }, 1),
        (OrderFilter { from: Some(now), until: Some(now.plus_millis(1)), ..OrderFilter::default() }, 3),
        (OrderFilter { until: Some(now), ..OrderFilter::default() }, 1),
    ] {
        assert_eq!(
            export(&shop.app.ctx, &Export::Orders(filter.clone())).lines().count(),
            n_rows,
            "{filter:?}"
        );
    }
}
