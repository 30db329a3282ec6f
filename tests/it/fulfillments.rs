//! Fulfilments of orders: who ships them, by which option and to where; labels, shipments and deliveries, and
//! the states of the order that follow.

use atoll_testkit::{Answer, Client, Shipping, Shop, Variant, complete, id};
use serde_json::{Value, json};

/// A shop that sells tea, and ships it to Germany from its location.
struct Scene {
    shop: Shop,
    web: String,
    storefront: Client,
    tea: Variant,
    shipping: Shipping,
}

impl Scene {
    async fn open() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let tea = shop.product("Tea", &[&web], 9).await;
        let shipping = shop.shipping(&["de"]).await;
        Scene { shop, web, storefront, tea, shipping }
    }

    /// Places an order of these variants by these shipping options; returns its path.
    async fn order(&self, variants: &[(&str, u32)], options: &[&str]) -> String {
        let items: Vec<Value> =
            variants.iter().map(|(id, n)| json!({ "variant_id": id, "quantity": n })).collect();
        let cart = self.shop.cart_of(&self.storefront, json!(items)).await;
        let path = format!("/store/carts/{cart}");
        let address = json!({ "first_name": "Ada", "city": "Berlin", "country_code": "de" });
        self.storefront.post(&path, json!({ "shipping_address": address })).await.ok();
        for option in options {
            let chosen = json!({ "option_id": option });
            self.storefront.post(&format!("{path}/shipping-methods"), chosen).await.ok();
        }
        format!("/admin/orders/{}", id(&complete(&self.storefront, &cart).await.ok()["order"]))
    }

    async fn show(&self, order: &str) -> Value {
        let fields = "id,*items,*items.detail,*fulfillments,*fulfillments.labels,\
                      *fulfillments.delivery_address,*fulfillments.items,fulfillment_status,version,\
                      fulfillments.provider.id,fulfillments.shipping_option.name";
        self.shop.admin.get(&format!("{order}?fields={fields}")).await.ok()["order"].clone()
    }

    /// Fulfils quantities of lines, by their place, with these additional fields.
    async fn fulfil(&self, order: &str, lines: &[(usize, i64)], fields: Value) -> Answer {
        let shown = self.show(order).await;
        let item = |(line, n): &(usize, i64)| json!({ "id": shown["items"][line]["id"], "quantity": n });
        let mut body = json!({ "items": lines.iter().map(item).collect::<Vec<_>>() });
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
            body.extend(fields);
        }
        self.shop.admin.post(&format!("{order}/fulfillments"), body).await
    }

    /// `partially_shipped v3: 2 fulfilled, 1 shipped, 0 delivered`.
    async fn stand(&self, order: &str) -> String {
        let order = self.show(order).await;
        let detail = &order["items"][0]["detail"];
        format!(
            "{} v{}: {} fulfilled, {} shipped, {} delivered",
            order["fulfillment_status"].as_str().unwrap_or_default(),
            order["version"],
            detail["fulfilled_quantity"],
            detail["shipped_quantity"],
            detail["delivered_quantity"],
        )
    }
}

fn label() -> Value {
    json!({ "tracking_number": "T1", "tracking_url": "https://t.dev/T1", "label_url": "https://t.dev/T1.pdf" })
}

#[tokio::test]
async fn quantities_and_status_follow_shipments_and_deliveries() {
    let scene = Scene::open().await;
    let Scene { shop, tea, shipping, .. } = &scene;
    let order = scene.order(&[(&tea.id, 3)], &[&shipping.option]).await;
    scene.fulfil(&order, &[(0, 1)], json!({ "metadata": { "a": 1 } })).await.ok();
    assert_eq!(scene.stand(&order).await, "partially_fulfilled v2: 1 fulfilled, 0 shipped, 0 delivered");
    let shown = scene.show(&order).await;
    let (line, first) = (id(&shown["items"][0]), shown["fulfillments"][0].clone());
    assert_eq!(first["provider"], json!({ "id": "manual_manual" }));
    assert_eq!(first["shipping_option"]["name"], "Standard");
    assert_eq!((&first["location_id"], &first["data"]), (&json!(shop.location), &json!({})));
    assert_eq!(first["delivery_address"]["first_name"], "Ada");
    assert_eq!((&first["requires_shipping"], &first["metadata"]), (&json!(true), &json!({ "a": 1 })));
    let parcel = format!("{order}/fulfillments/{}", id(&first));
    let post = async |path: String, body: Value| shop.admin.post(&path, body).await;

    let ship = |n: i64, url: &str| {
        let mut label = label();
        label["tracking_url"] = url.into();
        json!({ "items": [{ "id": line, "quantity": n }], "labels": [label] })
    };
    assert_eq!(
        post(format!("{parcel}/shipments"), ship(1, "javascript:alert(1)")).await.error(),
        "400 invalid_data: Invalid request: URL must use http: or https: scheme"
    );
    assert_eq!(
        post(format!("{parcel}/shipments"), ship(2, "https://t.dev")).await.error(),
        format!("400 invalid_data: A fulfillment is shipped as a whole: 1 of item {line} are packed")
    );
    assert_eq!(
        post(format!("{order}/fulfillments/ful_x/shipments"), ship(1, "https://t.dev")).await.error(),
        "400 invalid_data: Fulfillment with id ful_x not found in the order"
    );
    post(format!("{parcel}/shipments"), ship(1, "https://t.dev/T1")).await.ok();
    assert_eq!(scene.stand(&order).await, "partially_shipped v3: 1 fulfilled, 1 shipped, 0 delivered");
    let shown = scene.show(&order).await;
    let first = &shown["fulfillments"][0];
    assert!(first["shipped_at"].is_string() && first["marked_shipped_by"].is_string(), "{first}");
    assert_eq!(first["labels"][0]["tracking_number"], "T1");
    assert_eq!(
        post(format!("{parcel}/shipments"), ship(1, "https://t.dev")).await.error(),
        "400 not_allowed: Shipment has already been created"
    );
    assert_eq!(
        post(format!("{parcel}/cancel"), json!({})).await.error(),
        "400 not_allowed: The fulfillment has already been shipped. Shipped fulfillments cannot be canceled"
    );

    // A line that is shipped has a total of its own.
    let totals = shop.admin.get(&format!("{order}?fields=*items,total")).await.ok();
    assert_eq!(totals["order"]["items"][0]["shipped_total"], 10, "{totals}");

    post(format!("{parcel}/mark-as-delivered"), json!({})).await.ok();
    assert_eq!(scene.stand(&order).await, "partially_delivered v4: 1 fulfilled, 1 shipped, 1 delivered");
    assert_eq!(
        post(format!("{parcel}/mark-as-delivered"), json!({})).await.error(),
        "400 not_allowed: Fulfillment has already been marked delivered"
    );

    // The rest is handed over at the door: no shipment.
    scene.fulfil(&order, &[(0, 2)], json!({})).await.ok();
    let shown = scene.show(&order).await;
    let second = format!("{order}/fulfillments/{}", id(&shown["fulfillments"][1]));
    post(format!("{second}/mark-as-delivered"), json!({ "no_notification": true })).await.ok();
    assert_eq!(scene.stand(&order).await, "delivered v6: 3 fulfilled, 1 shipped, 3 delivered");
    assert_eq!(
        post(format!("{second}/cancel"), json!({})).await.error(),
        "400 not_allowed: The fulfillment has already been delivered. Delivered fulfillments cannot be canceled"
    );
    let events = shop.app.events("delivery.created");
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["no_notification"], json!(true), "{events:?}");
    assert_eq!(shop.app.events("shipment.created").len(), 1);

    // The buyer sees where the parcel is, and not who packed it from where.
    let path = order.replace("/admin", "/store");
    let seen = scene.storefront.get(&format!("{path}?fields=fulfillments.labels.tracking_url")).await.ok();
    let labels = &seen["order"]["fulfillments"][0]["labels"];
    assert_eq!(labels[0]["tracking_url"], "https://t.dev/T1", "{seen}");
    let seen = scene.storefront.get(&format!("{path}?fields=id,*fulfillments.provider")).await.ok();
    assert_eq!(seen["order"]["fulfillments"][0].get("provider"), None, "{seen}");
}

#[tokio::test]
async fn canceled_fulfilments_are_neither_shipped_nor_delivered() {
    let scene = Scene::open().await;
    let order = scene.order(&[(&scene.tea.id, 1)], &[&scene.shipping.option]).await;
    scene.fulfil(&order, &[(0, 1)], json!({})).await.ok();
    let shown = scene.show(&order).await;
    let parcel = format!("{order}/fulfillments/{}", id(&shown["fulfillments"][0]));
    let item = json!([{ "id": shown["items"][0]["id"], "quantity": 1 }]);
    let post = async |what: &str, body| scene.shop.admin.post(&format!("{parcel}{what}"), body).await;
    post("/cancel", json!({})).await.ok();
    assert_eq!(scene.stand(&order).await, "canceled v3: 0 fulfilled, 0 shipped, 0 delivered");
    for (what, body, error) in [
        ("/shipments", json!({ "items": item }), "A canceled fulfillment cannot be shipped"),
        ("/mark-as-delivered", json!({}), "A canceled fulfillment cannot be delivered"),
        ("/cancel", json!({}), "The fulfillment is already canceled"),
    ] {
        assert_eq!(post(what, body).await.error(), format!("400 not_allowed: {error}"));
    }
}

#[tokio::test]
async fn goods_are_shipped_by_the_option_that_the_buyer_chose_for_them() {
    let scene = Scene::open().await;
    let Scene { shop, web, tea, shipping, .. } = &scene;
    let heavy = shop.heavy_profile().await;
    let freight = shop.option(&shipping.zone, "Freight", &heavy, json!({})).await;
    let free = json!({ "manage_inventory": false });
    let sofa = shop.product_with("Sofa", &[web], 0, free.clone()).await;
    shop.ship_as(&tea.product, &shop.default_profile().await).await;
    shop.ship_as(&sofa.product, &heavy).await;
    let book = shop.product_with("E-book", &[web], 0, free).await;
    let lines = [(&*tea.id, 1), (&*sofa.id, 2), (&*book.id, 1)];
    let order = scene.order(&lines, &[&shipping.option, &freight]).await;
    let shown = scene.show(&order).await;
    let place = |title: &str| {
        let lines = shown["items"].as_array().expect("lines");
        lines.iter().position(|it| it["title"] == title).expect("a line")
    };
    let (tea, sofa, book) = (place("Tea"), place("Sofa"), place("E-book"));
    assert_eq!(shown["items"][book]["requires_shipping"], json!(false), "{shown}");

    let mixed = scene.fulfil(&order, &[(tea, 1), (book, 1)], json!({})).await.error();
    assert!(mixed.starts_with("400 invalid_data: The items of a fulfillment must all require"), "{mixed}");
    for line in [tea, sofa, book] {
        scene.fulfil(&order, &[(line, 1)], json!({})).await.ok();
    }
    // One more of the sofa, otherwise than chosen, and to another address.
    let other = json!({
        "shipping_option_id": shipping.option, "delivery_address": { "first_name": "Bea" },
    });
    scene.fulfil(&order, &[(sofa, 1)], other).await.ok();
    let shown = scene.show(&order).await;
    let seen = |place: usize| {
        let it = &shown["fulfillments"][place];
        let (option, name) = (&it["shipping_option"]["name"], &it["delivery_address"]["first_name"]);
        json!([option, it["provider"]["id"], it["requires_shipping"], name, it["location_id"]])
    };
    let here = &shop.location;
    assert_eq!(seen(0), json!(["Standard", "manual_manual", true, "Ada", here]));
    // The location of what is not in stock anywhere is that of the option.
    assert_eq!(seen(1), json!(["Freight", "manual_manual", true, "Ada", here]));
    assert_eq!(seen(2), json!([null, null, false, "Ada", null]));
    assert_eq!(seen(3), json!(["Standard", "manual_manual", true, "Bea", here]));
    assert_eq!(
        scene.fulfil(&order, &[(tea, 1)], json!({ "shipping_option_id": "so_x" })).await.error(),
        "404 not_found: Shipping Option with id: so_x not found"
    );

    // What needs no shipping does not keep an order from being shipped.
    for place in [0, 1, 3] {
        let parcel = &shown["fulfillments"][place];
        let path = format!("/admin/fulfillments/{}/shipment", id(parcel));
        shop.admin.post(&path, json!({ "labels": [] })).await.ok();
    }
    assert_eq!(scene.show(&order).await["fulfillment_status"], "shipped");
}

#[tokio::test]
async fn fulfilments_have_routes_of_their_own() {
    let scene = Scene::open().await;
    let Scene { shop, tea, shipping, .. } = &scene;
    let order = scene.order(&[(&tea.id, 3)], &[&shipping.option]).await;
    let line = id(&scene.show(&order).await["items"][0]);
    let new = |provider: &str, location: &str, n: i64| {
        json!({
            "order_id": order.replace("/admin/orders/", ""), "provider_id": provider, "location_id": location,
            "items": [{ "line_item_id": line, "quantity": n, "title": "Tea", "sku": "T", "barcode": "" }],
            "labels": [label()], "data": { "a": 1 }, "metadata": null,
        })
    };
    let post =
        async |path: &str, body: Value| shop.admin.post(&format!("/admin/fulfillments{path}"), body).await;
    assert_eq!(
        post("", new("nope_nope", &shop.location, 1)).await.error(),
        "400 invalid_data: The fulfillment provider nope_nope is not enabled"
    );
    assert_eq!(
        post("", new("manual_manual", "sloc_x", 1)).await.error(),
        "404 not_found: StockLocation id not found: sloc_x"
    );
    let mut foreign = new("manual_manual", &shop.location, 1);
    foreign["order_id"] = "order_x".into();
    assert_eq!(post("", foreign).await.error(), "404 not_found: Order id not found: order_x");
    let too_many = post("", new("manual_manual", &shop.location, 4)).await.error();
    assert!(too_many.starts_with("400 invalid_data: Quantity to fulfill exceeds"), "{too_many}");

    let made = post("", new("manual_manual", &shop.location, 1)).await.ok()["fulfillment"].clone();
    assert_eq!((&made["provider_id"], &made["data"]), (&json!("manual_manual"), &json!({ "a": 1 })));
    assert_eq!(made["labels"][0]["label_url"], "https://t.dev/T1.pdf");
    assert_eq!((&made["items"][0]["title"], &made["items"][0]["quantity"]), (&json!("Tea"), &json!(1)));
    assert_eq!(scene.stand(&order).await, "partially_fulfilled v2: 1 fulfilled, 0 shipped, 0 delivered");
    let canceled = post(&format!("/{}/cancel", id(&made)), json!({})).await.ok();
    assert!(canceled["fulfillment"]["canceled_at"].is_string(), "{canceled}");
    assert_eq!(scene.stand(&order).await, "canceled v3: 0 fulfilled, 0 shipped, 0 delivered");

    let made = post("", new("manual_manual", &shop.location, 3)).await.ok()["fulfillment"].clone();
    let shipped = post(&format!("/{}/shipment", id(&made)), json!({ "labels": [label()] })).await.ok();
    assert_eq!(shipped["fulfillment"]["labels"].as_array().map(Vec::len), Some(2), "{shipped}");
    assert_eq!(scene.stand(&order).await, "shipped v5: 3 fulfilled, 3 shipped, 0 delivered");
    for what in ["cancel", "shipment"] {
        let body = if what == "cancel" { json!({}) } else { json!({ "labels": [] }) };
        assert_eq!(
            post(&format!("/ful_x/{what}"), body).await.error(),
            "404 not_found: Fulfillment with id: ful_x was not found"
        );
    }
    let labels: Vec<Value> = (0..101).map(|_| label()).collect();
    let mut many = new("manual_manual", &shop.location, 1);
    many["labels"] = json!(labels);
    let order = scene.order(&[(&tea.id, 1)], &[&shipping.option]).await;
    let shown = scene.show(&order).await;
    (many["order_id"], many["items"][0]["line_item_id"]) =
        (shown["id"].clone(), shown["items"][0]["id"].clone());
    assert_eq!(post("", many).await.error(), "400 invalid_data: A fulfillment can have at most 100 labels");
}
