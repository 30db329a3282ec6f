//! Carts: lines, stock, prices, completion, limits.

use atoll_testkit::{Client, Shop, complete, pay};
use serde_json::{Value, json};

async fn add(storefront: &Client, cart: &str, variant: &str, quantity: Value) -> String {
    let line = json!({ "variant_id": variant, "quantity": quantity });
    let answer = storefront.post(&format!("/store/carts/{cart}/line-items"), line).await;
    if answer.status.is_success() { print(&answer.json["cart"]) } else { answer.error() }
}

/// `Tea×2=20, Cup×1=10; 30`
fn print(cart: &Value) -> String {
    let line = |it: &Value| format!("{}×{}", it["title"].as_str().unwrap_or("?"), it["quantity"]);
    let lines: Vec<String> = cart["items"].as_array().expect("a list").iter().map(line).collect();
    format!("{}; {}", lines.join(", "), cart["total"])
}

const TOO_FEW: &str =
    "400 not_allowed (insufficient_inventory): Some variant does not have the required inventory";

#[tokio::test]
async fn cart_lines_are_added_merged_updated_and_removed() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let cup = shop.product("Cup", &[&web], 5).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    assert_eq!(add(&storefront, &cart, &tea.id, json!(2)).await, "Tea×3; 30");
    assert_eq!(add(&storefront, &cart, &cup.id, json!(1.5)).await, "Tea×3, Cup×1.5; 45");
    assert_eq!(add(&storefront, &cart, &tea.id, json!(3)).await, TOO_FEW);
    assert_eq!(
        add(&storefront, &cart, &tea.id, json!(0)).await,
        "400 invalid_data: Invalid request: Value for field 'quantity' too small, expected at least: '0'"
    );
    assert_eq!(
        add(&storefront, &cart, "variant_x", json!(1)).await,
        "400 invalid_data: Variants variant_x do not exist or belong to a product that is not published"
    );

    let path = format!("/store/carts/{cart}");
    let line = storefront.get(&path).await.ok()["cart"]["items"][0]["id"].as_str().expect("an id").to_owned();
    let line = format!("{path}/line-items/{line}");
    assert_eq!(storefront.post(&line, json!({ "quantity": 6 })).await.error(), TOO_FEW);
    let changed = storefront.post(&line, json!({ "quantity": 5 })).await.ok();
    assert_eq!(print(&changed["cart"]), "Tea×5, Cup×1.5; 65");
    let noted = storefront.post(&line, json!({ "quantity": 5, "metadata": { "gift": true } })).await.ok();
    assert_eq!(noted["cart"]["items"][0]["metadata"], json!({ "gift": true }));
    let gone = storefront.delete(&line).await.ok();
    assert_eq!((&gone["object"], &gone["deleted"]), (&json!("line-item"), &json!(true)));
    assert_eq!(print(&gone["parent"]), "Cup×1.5; 15");
    let missing = format!("{path}/line-items/cali_x");
    assert_eq!(
        storefront.post(&missing, json!({ "quantity": 1 })).await.error(),
        "404 not_found: Line item with id: cali_x was not found"
    );
}

#[tokio::test]
async fn completing_twice_answers_with_the_same_order() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 5).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    let first = complete(&storefront, &cart).await.ok();
    let second = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    assert_eq!(first, second);
    assert_eq!(shop.reserved(&tea.item).await, "2 of 5");
    assert_eq!(
        add(&storefront, &cart, &tea.id, json!(1)).await,
        format!("400 invalid_data: Cart {cart} is already completed.")
    );
    let order = first["order"]["id"].as_str().expect("an id");
    let shown = shop.admin.get(&format!("/admin/orders/{order}?fields=id,*cart,*sales_channel")).await.ok();
    assert_eq!(shown["order"]["cart"]["id"], json!(cart));
    assert_eq!(shown["order"]["sales_channel"]["id"], json!(web));
}

#[tokio::test]
async fn refused_completion_writes_nothing() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 2).await;
    let cup = shop.product("Cup", &[&web], 2).await;
    let empty = storefront.post("/store/carts", json!({})).await.ok();
    let empty = format!("/store/carts/{}/complete", empty["cart"]["id"].as_str().expect("an id"));
    assert_eq!(
        storefront.post(&empty, json!({})).await.error(),
        "400 invalid_data: Cannot complete a cart with no items"
    );
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    add(&storefront, &cart, &cup.id, json!(2)).await;
    // Another buyer got the last unit of the second line.
    let other = shop.cart(&storefront, &cup.id, 1).await;
    complete(&storefront, &other).await.ok();
    assert_eq!(complete(&storefront, &cart).await.error(), TOO_FEW);
    assert_eq!(shop.reserved(&tea.item).await, "0 of 2");
    assert_eq!(shop.reserved(&cup.item).await, "1 of 2");
    assert_eq!(shop.admin.get("/admin/orders").await.ok()["count"], 1);
    let events = atoll_kernel::jobs::events_after(&shop.app.ctx.view(), 0, 1000).expect("events");
    assert_eq!(events.iter().filter(|(_, event)| event.name == "order.placed").count(), 1);
}

#[tokio::test]
async fn kits_and_lines_share_the_stock_of_an_item() {
    let (shop, web, storefront) = Shop::web().await;
    let candle = shop.product("Candle", &[&web], 7).await;
    let parts = json!({ "inventory_items": [{ "inventory_item_id": candle.item, "required_quantity": 3 }] });
    let kit = shop.product_with("Kit", &[&web], 0, parts).await;
    let path = format!("/store/products/{}?fields=variants.id,variants.inventory_quantity", kit.product);
    assert_eq!(storefront.get(&path).await.ok()["product"]["variants"][0]["inventory_quantity"], 2);

    let cart = shop.cart(&storefront, &kit.id, 2).await;
    assert_eq!(add(&storefront, &cart, &candle.id, json!(2)).await, TOO_FEW);
    assert_eq!(add(&storefront, &cart, &candle.id, json!(1)).await, "Kit×2, Candle×1; 30");
    assert_eq!(add(&storefront, &cart, &kit.id, json!(1)).await, TOO_FEW);
    complete(&storefront, &cart).await.ok();
    assert_eq!(shop.reserved(&candle.item).await, "7 of 7");
    assert_eq!(storefront.get(&path).await.ok()["product"]["variants"][0]["inventory_quantity"], 0);
}

#[tokio::test]
async fn unmanaged_and_backorder_variants_are_always_available() {
    let (shop, web, storefront) = Shop::web().await;
    let guide = shop.product_with("Guide", &[&web], 0, json!({ "manage_inventory": false })).await;
    let stool = shop.product_with("Stool", &[&web], 1, json!({ "allow_backorder": true })).await;
    let bench = shop.product_with("Bench", &[&web], 0, json!({ "allow_backorder": true })).await;
    let cart = shop.cart(&storefront, &guide.id, 100_000).await;
    add(&storefront, &cart, &stool.id, json!(3)).await;
    add(&storefront, &cart, &bench.id, json!(2)).await;
    complete(&storefront, &cart).await.ok();
    assert_eq!(shop.reserved(&stool.item).await, "3 of 1");
    assert_eq!(shop.reserved(&bench.item).await, "2 of 0");
    // Backordered units do not reduce what is available to others.
    let again = shop.cart(&storefront, &stool.id, 1).await;
    complete(&storefront, &again).await.ok();
    assert_eq!(shop.reserved(&stool.item).await, "4 of 1");
}

#[tokio::test]
async fn a_line_is_served_from_several_locations_if_it_must() {
    let (shop, web, storefront) = Shop::web().await;
    let rope = shop.product("Rope", &[&web], 3).await;
    let shed = shop.admin.post("/admin/stock-locations", json!({ "name": "Shed" })).await.ok();
    let shed = shed["stock_location"]["id"].as_str().expect("an id").to_owned();
    shop.stock(&rope.item, &shed, 3).await;
    // The shed is not linked to the channel yet.
    let cart = shop.cart(&storefront, &rope.id, 1).await;
    assert_eq!(add(&storefront, &cart, &rope.id, json!(4)).await, TOO_FEW);
    let link = format!("/admin/stock-locations/{shed}/sales-channels");
    shop.admin.post(&link, json!({ "add": [web] })).await.ok();
    assert_eq!(add(&storefront, &cart, &rope.id, json!(4)).await, "Rope×5; 50");
    complete(&storefront, &cart).await.ok();
    let reservations = shop.admin.get("/admin/reservations?fields=quantity").await.ok();
    let mut quantities: Vec<i64> = reservations["reservations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["quantity"].as_i64().expect("a number"))
        .collect();
    quantities.sort_unstable();
    assert_eq!(quantities, [2, 3]);
}

#[tokio::test]
async fn channel_without_stock_location_is_explained() {
    let (shop, _, _) = Shop::web().await;
    let bare = shop.admin.post("/admin/sales-channels", json!({ "name": "Bare" })).await.ok();
    let bare = bare["sales_channel"]["id"].as_str().expect("an id").to_owned();
    let tea = shop.product("Tea", &[&bare], 5).await;
    let storefront = shop.storefront(&[&bare]).await;
    let items = json!([{ "variant_id": tea.id, "quantity": 1 }]);
    assert_eq!(
        storefront.post("/store/carts", json!({ "items": items })).await.error(),
        format!(
            "400 invalid_data: Sales channel {bare} is not associated with any stock location for variant {}.",
            tea.id
        )
    );
}

#[tokio::test]
async fn a_cart_is_opened_in_a_channel_of_its_key() {
    let (shop, web, one) = Shop::web().await;
    let till = shop.channel("Till").await;
    let two = shop.storefront(&[&web, &till]).await;
    let open = async |storefront: &Client, body: Value| {
        let answer = storefront.post("/store/carts", body).await;
        if answer.status.is_success() {
            return answer.json["cart"]["sales_channel_id"].as_str().expect("an id").to_owned();
        }
        answer.json["errors"][0].as_str().map_or_else(|| answer.clone().error(), str::to_owned)
    };
    assert_eq!(open(&one, json!({})).await, web);
    assert_eq!(open(&one, json!({ "sales_channel_id": null })).await, web);
    assert_eq!(open(&two, json!({ "sales_channel_id": till })).await, till);
    assert_eq!(
        open(&one, json!({ "sales_channel_id": till })).await,
        format!(
            "Sales channel ID in payload {till} is not associated with the Publishable API Key in the header."
        )
    );
    assert_eq!(
        open(&two, json!({})).await,
        "Cannot assign sales channel to cart. The Publishable API Key in the header has multiple associated sales \
         channels. Please provide a sales channel ID in the request body."
    );
    // The store's default is taken only where it is among the channels of the key.
    let stores = shop.admin.get("/admin/stores").await.ok();
    let default = stores["stores"][0]["default_sales_channel_id"].as_str().expect("an id").to_owned();
    let with_default = shop.storefront(&[&web, &default, &till]).await;
    assert_eq!(open(&with_default, json!({})).await, default);
    assert_eq!(open(&with_default, json!({ "sales_channel_id": till })).await, till);
    let path = format!("/admin/sales-channels/{default}");
    shop.admin.post(&path, json!({ "is_disabled": true })).await.ok();
    assert_eq!(
        open(&with_default, json!({})).await,
        "400 invalid_data: Unable to assign cart to disabled Sales Channel: Default Sales Channel"
    );
    assert_eq!(open(&one, json!({ "region_id": "reg_x" })).await, "404 not_found: No regions found");
    assert_eq!(
        open(&one, json!({ "currency_code": "usd" })).await,
        "400 invalid_data: Currency code usd does not match the region's currency code eur"
    );
    assert_eq!(
        open(&one, json!({ "email": "nope" })).await,
        "400 invalid_data: Invalid request: Invalid email address"
    );
}

#[tokio::test]
async fn prices_are_those_of_the_region() {
    let (shop, web, storefront) = Shop::web().await;
    let prices = json!({ "prices": [
        { "currency_code": "eur", "amount": 20 },
        { "currency_code": "eur", "amount": 17.5, "min_quantity": 3 },
        { "currency_code": "usd", "amount": 22 },
    ] });
    let mug = shop.product_with("Mug", &[&web], 9, prices).await;
    let unpriced = shop.product_with("Gift", &[&web], 9, json!({ "prices": [] })).await;
    let cart = shop.cart(&storefront, &mug.id, 2).await;
    assert_eq!(add(&storefront, &cart, &mug.id, json!(1)).await, "Mug×3; 52.5");
    assert_eq!(
        add(&storefront, &cart, &unpriced.id, json!(1)).await,
        format!("400 invalid_data: Variants with IDs {} do not have a price", unpriced.id)
    );
    let path = format!("/store/products/{}?fields=variants.calculated_price", mug.product);
    assert_eq!(
        storefront.get(&path).await.error(),
        "400 invalid_data: Missing required pricing context to calculate prices - region_id"
    );
    let shown = storefront.get(&format!("{path}&region_id={}", shop.region)).await.ok();
    assert_eq!(shown["product"]["variants"][0]["calculated_price"]["calculated_amount"], 20);
}

#[tokio::test]
async fn fractional_quantities_are_sold_to_the_last() {
    let (shop, web, storefront) = Shop::web().await;
    let rope = shop.product("Rope", &[&web], 3).await;
    let cart = shop.cart(&storefront, &rope.id, 1).await;
    assert_eq!(add(&storefront, &cart, &rope.id, json!(0.5)).await, "Rope×1.5; 15");
    complete(&storefront, &cart).await.ok();
    let cart = shop.cart(&storefront, &rope.id, 1).await;
    assert_eq!(add(&storefront, &cart, &rope.id, json!(0.6)).await, TOO_FEW);
    assert_eq!(add(&storefront, &cart, &rope.id, json!(0.5)).await, "Rope×1.5; 15");
    complete(&storefront, &cart).await.ok();
    assert_eq!(shop.reserved(&rope.item).await, "3 of 3");
    assert_eq!(
        add(&storefront, &cart, &rope.id, json!(1e300)).await,
        "400 invalid_data: Invalid request: Value for field 'quantity' has more than 15 digits"
    );
}

#[tokio::test]
async fn unavailable_variants_name_their_reasons() {
    let (shop, web, _) = Shop::web().await;
    let till = shop.channel("Till").await;
    let bare = shop.admin.post("/admin/sales-channels", json!({ "name": "Bare" })).await.ok();
    let bare = bare["sales_channel"]["id"].as_str().expect("an id").to_owned();
    let tea = shop.product("Tea", &[&web, &bare], 2).await;
    let check = |channel: &str, variant: &str, quantity: i64, expect: &str| {
        let view = shop.app.ctx.view();
        let mut shelf = atoll_availability::Shelf::open(&view, channel, shop.app.ctx.now()).expect("a shelf");
        let verdict = shelf.decide(variant, quantity.into(), None).expect("a verdict");
        let reasons: Vec<String> = verdict.reasons.iter().map(|it| format!("{it:?}")).collect();
        assert_eq!(verdict.sellable, reasons.is_empty());
        assert_eq!(format!("{:?} {}", verdict.available, reasons.join(" ")).trim_end(), expect);
    };
    check(&web, &tea.id, 2, "Some(2)");
    check(&web, &tea.id, 3, "Some(2) NotEnough { available: 2 }");
    check(&till, &tea.id, 1, "Some(2) NotInChannel");
    check(&bare, &tea.id, 1, "Some(0) NoLocation");
    check("sc_x", &tea.id, 1, "Some(0) NoChannel NotInChannel NoLocation");
    check(&web, "variant_x", 1, "None NoVariant");
    shop.admin.post(&format!("/admin/products/{}", tea.product), json!({ "status": "draft" })).await.ok();
    shop.admin.post(&format!("/admin/sales-channels/{web}"), json!({ "is_disabled": true })).await.ok();
    check(&web, &tea.id, 1, r#"Some(2) ChannelDisabled NotPublished { status: "draft" }"#);
}

#[tokio::test]
async fn fields_that_cannot_be_shown_refuse_the_write() {
    let (shop, web, storefront) = Shop::web().await;
    let body = json!({ "title": "Tea", "options": [{ "title": "Size", "values": ["S"] }] });
    assert_eq!(
        shop.admin.post("/admin/products?fields=variants.calculated_price", body).await.error(),
        "400 invalid_data: Missing required pricing context to calculate prices - region_id"
    );
    assert_eq!(shop.admin.get("/admin/products").await.ok()["count"], 0);
    let tea = shop.product("Tea", &[&web], 5).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    pay(&storefront, &cart).await;
    let path = format!("/store/carts/{cart}/complete?fields=%2Bitems.variant.calculated_price");
    storefront.post(&path, json!({})).await.ok();
}

#[tokio::test]
async fn backordered_lines_share_missing_stock() {
    let (shop, web, storefront) = Shop::web().await;
    let stool = shop.product_with("Stool", &[&web], 0, json!({ "allow_backorder": true })).await;
    let cart = shop.cart(&storefront, &stool.id, 1).await;
    let line = json!({ "variant_id": stool.id, "quantity": 2, "metadata": { "gift": true } });
    storefront.post(&format!("/store/carts/{cart}/line-items"), line).await.ok();
    complete(&storefront, &cart).await.ok();
    assert_eq!(shop.reserved(&stool.item).await, "3 of 0");
    // An item with reservations cannot be deleted.
    assert_eq!(
        shop.admin.delete(&format!("/admin/products/{}", stool.product)).await.error(),
        format!(
            "400 invalid_data: Cannot remove following inventory item(s) since they have reservations: [{}].",
            stool.item
        )
    );
}

#[tokio::test]
async fn cart_size_is_limited() {
    let (shop, web, storefront) = Shop::web().await;
    let guide = shop.product_with("Guide", &[&web], 0, json!({ "manage_inventory": false })).await;
    let lines = |n: usize| {
        let line = |n: usize| json!({ "variant_id": guide.id, "quantity": 1, "metadata": { "n": n } });
        json!({ "items": (0..n).map(line).collect::<Vec<Value>>() })
    };
    let full = "400 invalid_data: a cart holds at most 100 lines, with at most 16384 bytes of metadata each";
    assert_eq!(storefront.post("/store/carts", lines(101)).await.error(), full);
    let cart = storefront.post("/store/carts", lines(100)).await.ok();
    let cart = cart["cart"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(add(&storefront, &cart, &guide.id, json!(1)).await, full);
    let path = format!("/store/carts/{cart}");
    let line = storefront.get(&path).await.ok()["cart"]["items"][0]["id"].as_str().expect("an id").to_owned();
    let much = json!({ "quantity": 1, "metadata": { "x": "y".repeat(17_000) } });
    assert_eq!(storefront.post(&format!("{path}/line-items/{line}"), much).await.error(), full);
}

#[tokio::test]
async fn kit_with_duplicate_item_is_refused() {
    let (shop, web, storefront) = Shop::web().await;
    let bolt = shop.product("Bolt", &[&web], 10).await;
    let part = |quantity: Value| json!({ "inventory_item_id": bolt.item, "required_quantity": quantity });
    let kit = |parts: Value| {
        json!({
            "title": "Kit", "options": [{ "title": "Size", "values": ["One"] }],
            "variants": [{ "title": "One", "prices": [], "inventory_items": parts }],
            "status": "published", "sales_channels": [{ "id": web }],
        })
    };
    assert_eq!(
        shop.admin.post("/admin/products", kit(json!([part(json!(5)), part(json!(1))]))).await.error(),
        "400 invalid_data: Cannot associate duplicate inventory items to variant(s) One"
    );
    // The smallest quantity, so that the number of kits is unlimited.
    shop.admin.post("/admin/products", kit(json!([part(json!(1e-15))]))).await.ok();
    let list = storefront.get("/store/products?handle=kit&fields=variants.inventory_quantity").await.ok();
    assert!(
        list["products"][0]["variants"][0]["inventory_quantity"].as_f64().is_some_and(|it| it >= 9e15),
        "{list}"
    );
}

#[tokio::test]
async fn cart_without_region_gets_the_default_region() {
    let (shop, web, storefront) = Shop::web().await;
    let prices = json!({ "prices": [{ "currency_code": "eur", "amount": 20 }, { "currency_code": "usd", "amount": 22 }] });
    let mug = shop.product_with("Mug", &[&web], 9, prices).await;
    let america = json!({ "name": "America", "currency_code": "usd", "countries": ["us"] });
    let america = shop.admin.post("/admin/regions", america).await.ok()["region"]["id"].clone();
    let store =
        shop.admin.get("/admin/stores").await.ok()["stores"][0]["id"].as_str().expect("an id").to_owned();
    shop.admin.post(&format!("/admin/stores/{store}"), json!({ "default_region_id": america })).await.ok();
    let cart = storefront.post("/store/carts", json!({})).await.ok();
    assert_eq!(cart["cart"]["currency_code"], "usd");
    let amount = async |query: &str| {
        let path = format!("/store/products/{}?fields=variants.calculated_price{query}", mug.product);
        storefront.get(&path).await.ok()["product"]["variants"][0]["calculated_price"]["calculated_amount"]
            .clone()
    };
    assert_eq!(amount("").await, 22);
    assert_eq!(amount(&format!("&region_id={}", shop.region)).await, 20);
    let europe = storefront.post("/store/carts", json!({ "region_id": shop.region })).await.ok();
    assert_eq!(amount(&format!("&cart_id={}", europe["cart"]["id"].as_str().expect("an id"))).await, 20);
}

/// The published storefront asks how a cart can be sent on every page once it holds something.
#[tokio::test]
async fn shipping_options_of_a_cart_without_goods_are_none() {
    let (shop, _, storefront) = Shop::web().await;
    let till = shop.channel("Till").await;
    let (cart, other) = (
        storefront.post("/store/carts", json!({})).await.ok()["cart"]["id"].clone(),
        shop.storefront(&[&till]).await,
    );
    let path = format!("/store/shipping-options?cart_id={}", cart.as_str().expect("an id"));
    assert_eq!(storefront.get(&path).await.ok(), json!({ "shipping_options": [] }));
    assert!(other.get(&path).await.error().starts_with("404 not_found: Cart id not found: "));
}

#[tokio::test]
async fn cart_lines_show_totals() {
    let (shop, web, storefront) = Shop::web().await;
    let price = json!({ "prices": [{ "currency_code": "eur", "amount": 1.25 }] });
    let tea = shop.product_with("Tea", &[&web], 9, price).await;
    let cart = shop.cart(&storefront, &tea.id, 3).await;
    let line = async |fields: &str| {
        let path = format!("/store/carts/{cart}?fields={fields}");
        storefront.get(&path).await.ok()["cart"]["items"][0].clone()
    };
    for fields in ["%2Bitems.total,%2Bitems.subtotal", "*items", "id,total,*items", "*items,*items.product"] {
        let line = line(fields).await;
        assert_eq!((&line["total"], &line["subtotal"]), (&json!(3.75), &json!(3.75)), "{fields}");
    }
    let all = line("*items").await;
    for name in
        ["tax_total", "discount_total", "discount_subtotal", "discount_tax_total", "original_tax_total"]
    {
        assert_eq!((&all[name], &all[format!("raw_{name}")]["value"]), (&json!(0), &json!("0")), "{name}");
    }
    assert_eq!(all["raw_original_total"], json!({ "value": "3.75", "precision": 20 }));
    assert_eq!(all["raw_unit_price"], json!({ "value": "1.25", "precision": 20 }));
    // As the original, if no total of the cart is selected.
    assert_eq!(line("id,*items").await.get("total"), None);
}

#[tokio::test]
async fn region_with_one_country_sets_the_address_country() {
    let (shop, _, storefront) = Shop::web().await;
    let region = |name: &str, countries: Value| json!({ "name": name, "currency_code": "eur", "countries": countries });
    let isle =
        shop.admin.post("/admin/regions", region("Isle", json!(["gb"]))).await.ok()["region"]["id"].clone();
    let open = async |body: Value| storefront.post("/store/carts", body).await.ok()["cart"].clone();
    let cart = open(json!({ "region_id": isle })).await;
    let address = &cart["shipping_address"];
    assert_eq!((&address["country_code"], &address["city"]), (&json!("gb"), &json!(null)));
    assert_eq!(address["id"], cart["shipping_address_id"]);
    let given = json!({ "region_id": isle, "shipping_address": { "city": "Bern" } });
    let given = open(given).await["shipping_address"].clone();
    assert_eq!(
        (&given["city"], &given["country_code"]),
        (&json!("Bern"), &json!(null)),
        "what is given stays"
    );
    assert_eq!(
        open(json!({ "region_id": shop.region })).await["shipping_address"],
        json!(null),
        "two countries"
    );
}

/// Each line is looked at once, however many there are.
#[tokio::test]
async fn what_a_cart_of_many_lines_reads_is_proportional_to_them() {
    let (shop, web, storefront) = Shop::web().await;
    let mut items = Vec::new();
    for n in 0..40 {
        let variant = shop.product(&format!("Tea {n}"), &[&web], 5).await;
        items.push(json!({ "variant_id": variant.id, "quantity": 1 }));
    }
    let n_read = async || {
        let counters = shop.admin.get("/admin/counters").await.ok();
        counters["writer"]["keys_read"]["sum"].as_u64().expect("a number")
    };
    let mut costs = Vec::new();
    for n in [10, 40] {
        let before = n_read().await;
        storefront.post("/store/carts", json!({ "items": items[..n] })).await.ok();
        costs.push(n_read().await - before);
    }
    assert!(costs[1] < 5 * costs[0], "{costs:?}");
}
