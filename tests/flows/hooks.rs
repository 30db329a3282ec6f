//! Hooks of the flows behind the admin routes: a hook that refuses aborts the request, and nothing of it is
//! written.

use atoll_kernel::{Fault, flow::Local, hook};
use atoll_testkit::{Dump, Shop, TestApp};
use serde_json::{Value, json};

hook! { "closed.create-api-keys" in "create-api-keys.validate" => refuse_closed }
hook! { "closed.update-stores" in "update-stores.storesUpdated" => refuse_closed }
hook! { "closed.create-stock-locations" in "create-stock-locations-workflow.validate" => refuse_closed }
hook! { "closed.update-stock-locations" in "update-stock-locations-workflow.stockLocationsUpdated" => refuse_closed }
hook! { "closed.create-items" in "create-inventory-items-workflow.inventoryItemsCreated" => refuse_closed }
hook! { "closed.update-items" in "update-inventory-items-workflow.inventoryItemsUpdated" => refuse_closed }
hook! { "closed.update-option-values" in "update-product-option-values.productOptionValuesUpdated" => refuse_closed }
hook! { "closed.link-items" in "link-inventory-items-to-variants.inventoryItemsLinked" => refuse_large }

const CLOSED: &str = "Closed by a hook";
const LARGE: u64 = 4_711;

fn refuse_closed(_: &mut Local<'_>, input: &Value) -> Result<(), Fault> {
    if input.to_string().contains(CLOSED) { Err(Fault::not_allowed("refused by a hook")) } else { Ok(()) }
}

fn refuse_large(_: &mut Local<'_>, input: &Value) -> Result<(), Fault> {
    if input["link"][0]["required_quantity"] == LARGE {
        return Err(Fault::not_allowed("refused by a hook"));
    }
    Ok(())
}

/// The id of the only record of an answer.
fn id(shown: &Value) -> String {
    let record = shown.as_object().and_then(|it| it.values().next()).expect("a record");
    record["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn hook_that_refuses_leaves_nothing_of_an_admin_request() {
    let shop = Shop::open(TestApp::init().await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let admin = &shop.admin;
    let option = json!({ "title": "Cut", "values": ["slim"] });
    let option = admin.post("/admin/product-options", option).await.ok();
    let value = option["product_option"]["values"][0]["id"].as_str().expect("an id");
    let store = admin.get("/admin/stores").await.ok()["stores"][0]["id"].clone();
    let level = json!({ "location_id": shop.location, "stocked_quantity": 4 });
    let entries = [
        ("/admin/api-keys".to_owned(), json!({ "title": CLOSED, "type": "secret" })),
        (format!("/admin/stores/{}", store.as_str().expect("an id")), json!({ "name": CLOSED })),
        ("/admin/stock-locations".into(), json!({ "name": CLOSED })),
        (format!("/admin/stock-locations/{}", shop.location), json!({ "name": CLOSED })),
        ("/admin/inventory-items".into(), json!({ "title": CLOSED, "location_levels": [level] })),
        (format!("/admin/inventory-items/{}", tea.item), json!({ "title": CLOSED })),
        (format!("/admin/product-options/{}/values/{value}", id(&option)), json!({ "value": CLOSED })),
        (
            format!("/admin/products/{}/variants/{}/inventory-items/{}", tea.product, tea.id, tea.item),
            json!({ "required_quantity": LARGE }),
        ),
    ];
    let before = Dump::of(&shop.app.ctx, &[]);
    for (path, body) in entries {
        let error = admin.post(&path, body).await.error();
        assert_eq!(error, "400 not_allowed: refused by a hook", "{path}");
    }
    assert_eq!(before.difference(&Dump::of(&shop.app.ctx, &[])), [""; 0]);
}
