//! Placed orders: changes, fulfilments and their cancellation, completion, archiving.

use atoll_inventory::{ReservationItem, ReservationItemPatch, reserve, update_reservation};
use atoll_kernel::{Actor, Decimal, Moment, Write};
use atoll_testkit::{Client, Shop, TestApp, Variant, complete, id};
use serde_json::{Value, json};

/// A shop that sells tea at 10 from a warehouse, where there are 9, and a shed, where there are 4.
struct Bench {
    shop: Shop,
    storefront: Client,
    tea: Variant,
    shed: String,
}

impl Bench {
    async fn open() -> Bench {
        let shop = Shop::open(TestApp::init().await).await;
        let web = shop.channel("Web").await;
        let tea = shop.product("Tea", &[&web], 9).await;
        let shed = shop.admin.post("/admin/stock-locations", json!({ "name": "Shed" })).await.ok();
        let shed = id(&shed["stock_location"]);
        shop.stock(&tea.item, &shed, 4).await;
        let storefront = shop.storefront(&[&web]).await;
        Bench { shop, storefront, tea, shed }
    }

    /// The same shop through a channel of its own, which sells a card whose stock is not managed.
    async fn selling_cards() -> (Bench, Variant) {
        let bench = Bench::open().await;
        let cards = bench.shop.channel("Cards").await;
        let free = json!({ "manage_inventory": false });
        let card = bench.shop.product_with("Card", &[&cards], 0, free).await;
        (Bench { storefront: bench.shop.storefront(&[&cards]).await, ..bench }, card)
    }

    /// Places an order of this quantity. Returns its path.
    async fn order(&self, variant: &str, quantity: u32) -> String {
        let cart = self.shop.cart(&self.storefront, variant, quantity).await;
        let path = format!("/store/carts/{cart}");
        let address = json!({ "first_name": "Ada", "city": "Berlin", "country_code": "de" });
        self.storefront
            .post(&path, json!({ "email": "ada@test.dev", "shipping_address": address }))
            .await
            .ok();
        format!("/admin/orders/{}", id(&complete(&self.storefront, &cart).await.ok()["order"]))
    }

    async fn ask(&self, order: &str, what: &str, body: Value) -> atoll_testkit::Answer {
        self.shop.admin.post(&format!("{order}{what}"), body).await
    }

    /// Fulfils this quantity of the first line.
    async fn send(&self, order: &str, quantity: i64, location: Option<&str>) -> atoll_testkit::Answer {
        let line = id(&self.shop.admin.get(order).await.ok()["order"]["items"][0]);
        let body = json!({ "items": [{ "id": line, "quantity": quantity }], "location_id": location });
        self.ask(order, "/fulfillments", body).await
    }

    /// Paths that cancel the fulfilments of an order.
    async fn call_backs(&self, order: &str) -> Vec<String> {
        let order = self.shop.admin.get(order).await.ok()["order"].clone();
        let parcels = order["fulfillments"].as_array().into_iter().flatten();
        let out = parcels.filter(|it| it["canceled_at"].is_null());
        out.map(|it| format!("/fulfillments/{}/cancel", id(it))).collect()
    }

    /// `pending partially_fulfilled v2: 1 of 3 sent`.
    async fn stand(&self, order: &str) -> String {
        let order = &self.shop.admin.get(order).await.ok()["order"];
        let detail = &order["items"][0]["detail"];
        assert_eq!(detail["version"], order["version"]);
        format!(
            "{} {} v{}: {} of {} sent",
            order["status"].as_str().unwrap_or_default(),
            order["fulfillment_status"].as_str().unwrap_or_default(),
            order["version"],
            detail["fulfilled_quantity"],
            detail["quantity"],
        )
    }

    /// Reserved and stocked quantities in the warehouse and in the shed: `3/9 0/4`.
    async fn levels(&self, item: &str) -> String {
        let path = format!("/admin/inventory-items/{item}/location-levels");
        let levels = self.shop.admin.get(&path).await.ok()["inventory_levels"].clone();
        let at = |place: &str| {
            let levels = levels.as_array().into_iter().flatten();
            let level = levels.clone().find(|it| it["location_id"] == *place);
            level.map(|it| format!("{}/{}", it["reserved_quantity"], it["stocked_quantity"]))
        };
        [at(&self.shop.location), at(&self.shed)].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn order_has_email_and_shipping_address() {
    let bench = Bench::open().await;
    let order = bench.order(&bench.tea.id, 2).await;
    let before = bench.shop.admin.get(&order).await.ok()["order"].clone();
    let body = json!({
        "email": "eve@test.dev", "shipping_address": { "city": "Bonn" },
        "billing_address": { "country_code": "fr" }, "metadata": { "gift": true },
    });
    let after = bench.ask(&order, "", body).await.ok()["order"].clone();
    assert_eq!((&after["metadata"], &after["version"]), (&json!({ "gift": true }), &json!(1)));
    let (was, is) = (&before["shipping_address"], &after["shipping_address"]);
    assert_eq!((&is["id"], &is["first_name"], &is["city"]), (&was["id"], &json!("Ada"), &json!("Bonn")));
    assert!(after["billing_address"]["id"].as_str().is_some_and(|it| it.starts_with("ordaddr_")));
    let email = bench.shop.admin.get(&format!("{order}?fields=email")).await.ok();
    assert_eq!(email["order"]["email"], "eve@test.dev");
    for (body, error) in [
        (
            json!({ "sales_channel_id": "sc_x" }),
            "400 invalid_data: Invalid request: Unrecognized fields: 'sales_channel_id'",
        ),
        (
            json!({ "shipping_address": { "country_code": "fr" } }),
            "400 invalid_data: Country code cannot be changed",
        ),
        (
            json!({ "email": 1 }),
            "400 invalid_data: Invalid request: Expected type: 'string' for field 'email', got: '1'",
        ),
    ] {
        assert_eq!(bench.ask(&order, "", body).await.error(), error);
    }
    let unknown = bench.ask("/admin/orders/order_x", "", json!({})).await.error();
    assert_eq!(unknown, "404 not_found: Order id not found: order_x");
    bench.ask(&order, "/cancel", json!({})).await.ok();
    let called_off = bench.ask(&order, "", json!({ "email": "a@b.co" })).await.error();
    assert_eq!(called_off, format!("400 invalid_data: Order with id {} has been canceled.", &order[14..]));
}

#[tokio::test]
async fn fulfilment_takes_stock_and_cancelling_returns_it() {
    let bench = Bench::open().await;
    let order = bench.order(&bench.tea.id, 3).await;
    let line = id(&bench.shop.admin.get(&order).await.ok()["order"]["items"][0]);
    let too_many =
        format!("400 invalid_data: Quantity to fulfill exceeds the reserved quantity for the item: {line}");
    assert_eq!(bench.levels(&bench.tea.item).await, "3/9 0/4");
    assert_eq!(bench.send(&order, 4, None).await.error(), too_many);
    bench.send(&order, 1, None).await.ok();
    assert_eq!(bench.levels(&bench.tea.item).await, "2/8 0/4");
    assert_eq!(bench.stand(&order).await, "pending partially_fulfilled v2: 1 of 3 sent");
    assert_eq!(bench.send(&order, 3, None).await.error(), too_many, "one of them is gone");

    // Fulfilled from a location without its reservation: no reservation is left behind.
    bench.send(&order, 2, Some(&bench.shed)).await.ok();
    assert_eq!(bench.levels(&bench.tea.item).await, "0/8 0/2");
    assert_eq!(bench.stand(&order).await, "pending fulfilled v3: 3 of 3 sent");
    let shown = bench.shop.admin.get(&order).await.ok()["order"].clone();
    let total = |name: &str| shown["items"][0][name].clone();
    assert_eq!((total("fulfilled_total"), total("total")), (json!(30), json!(30)));
    let sent = shown["fulfillments"].as_array().expect("fulfilments");
    let sent = sent.iter().find(|it| it["location_id"] == *bench.shed).expect("one from the shed");

    let refused = "400 not_allowed: All fulfillments must be canceled before canceling an order";
    assert_eq!(bench.ask(&order, "/cancel", json!({})).await.error(), refused);
    let call_back = format!("/fulfillments/{}/cancel", id(sent));
    bench.ask(&order, &call_back, json!({})).await.ok();
    assert_eq!(bench.levels(&bench.tea.item).await, "0/8 2/4");
    assert_eq!(bench.stand(&order).await, "pending partially_fulfilled v4: 1 of 3 sent");
    assert_eq!(
        bench.ask(&order, &call_back, json!({})).await.error(),
        "400 not_allowed: The fulfillment is already canceled"
    );
    assert_eq!(
        bench.ask(&order, "/fulfillments/ful_x/cancel", json!({})).await.error(),
        "400 invalid_data: Fulfillment with id ful_x not found in the order",
    );
    let first = shown["fulfillments"].as_array().expect("fulfilments").iter().find(|it| *it != sent);
    let call_back = format!("/fulfillments/{}/cancel", id(first.expect("two")));
    bench.ask(&order, &call_back, json!({})).await.ok();
    assert_eq!(bench.stand(&order).await, "pending canceled v5: 0 of 3 sent");
    bench.ask(&order, "/cancel", json!({})).await.ok();
    assert_eq!(bench.levels(&bench.tea.item).await, "0/9 0/4");
    let again = bench.send(&order, 1, None).await.error();
    assert_eq!(again, format!("400 invalid_data: Order with id {} has been canceled.", &order[14..]));
}

/// A fulfilment takes neither stock that is reserved for others, at any location, nor stock that is not
/// there.
#[tokio::test]
async fn fulfilment_leaves_reservations_of_others() {
    let bench = Bench::open().await;
    let (first, _others) = (bench.order(&bench.tea.id, 3).await, bench.order(&bench.tea.id, 4).await);
    let promise = json!({
        "inventory_item_id": bench.tea.item, "location_id": bench.shed, "quantity": 3,
    });
    bench.shop.admin.post("/admin/reservations", promise).await.ok();
    let item = &bench.tea.item;
    assert_eq!(bench.levels(item).await, "7/9 3/4");
    assert_eq!(
        bench.send(&first, 2, Some(&bench.shed)).await.error(),
        format!("400 not_allowed: Not enough stock available for item {item} at location {}", bench.shed),
    );
    assert_eq!(bench.levels(item).await, "7/9 3/4", "nothing of it was done");
    bench.send(&first, 1, Some(&bench.shed)).await.ok();
    assert_eq!(bench.levels(item).await, "6/9 3/3");

    let web = bench.shop.channel("Back").await;
    let back = json!({ "allow_backorder": true, "sku": "Late" });
    let late = bench.shop.product_with("Late", &[&web], 1, back).await;
    let storefront = bench.shop.storefront(&[&web]).await;
    let bench = Bench { storefront, ..bench };
    let order = bench.order(&late.id, 2).await;
    let none = format!("400 not_allowed: Not enough stock available for item {}", late.item);
    assert!(bench.send(&order, 2, None).await.error().starts_with(&none));
    assert!(bench.ask(&order, "/complete", json!({})).await.error().starts_with(&none));
    bench.send(&order, 1, None).await.ok();
    assert_eq!(bench.levels(&late.item).await, "1/0");
}

#[tokio::test]
async fn fulfilling_a_kit_takes_all_its_items_from_stock() {
    let bench = Bench::open().await;
    let web = bench.shop.channel("Kits").await;
    let cup = bench.shop.product("Cup", &[&web], 9).await;
    let parts = json!([
        { "inventory_item_id": bench.tea.item, "required_quantity": 2 },
        { "inventory_item_id": cup.item, "required_quantity": 1 },
    ]);
    let kit = bench.shop.product_with("Kit", &[&web], 0, json!({ "inventory_items": parts })).await;
    let free = json!({ "manage_inventory": false });
    let card = bench.shop.product_with("Card", &[&web], 0, free).await;
    let storefront = bench.shop.storefront(&[&web]).await;
    let bench = Bench { storefront, ..bench };
    let order = bench.order(&kit.id, 2).await;
    assert_eq!([bench.levels(&bench.tea.item).await, bench.levels(&cup.item).await], ["4/9 0/4", "2/9"]);
    bench.send(&order, 1, None).await.ok();
    assert_eq!([bench.levels(&bench.tea.item).await, bench.levels(&cup.item).await], ["2/7 0/4", "1/8"]);
    let items = bench.shop.admin.get(&format!("{order}?fields=*fulfillments.items")).await.ok();
    let items = items["order"]["fulfillments"][0]["items"].as_array().expect("items").clone();
    assert_eq!(items.iter().map(|it| it["quantity"].clone()).collect::<Vec<_>>(), [json!(2), json!(1)]);

    // Unmanaged stock is fulfilled, up to the ordered quantity.
    let order = bench.order(&card.id, 2).await;
    let over = bench.send(&order, 3, None).await.error();
    assert!(over.starts_with("400 invalid_data: Cannot fulfill more items than what was ordered"), "{over}");
    bench.send(&order, 2, None).await.ok();
    assert_eq!(bench.stand(&order).await, "pending fulfilled v2: 2 of 2 sent");
    let foreign = json!({ "items": [{ "id": "ordli_x", "quantity": 1 }] });
    assert_eq!(
        bench.ask(&order, "/fulfillments", foreign).await.error(),
        format!("400 invalid_data: Items with ids ordli_x does not exist in order with id {}.", &order[14..]),
    );
}

#[tokio::test]
async fn completing_an_order_fulfils_what_is_left() {
    let bench = Bench::open().await;
    let order = bench.order(&bench.tea.id, 3).await;
    let not_yet = format!(
        "400 invalid_data: Orders {} are completed, canceled, or in draft and cannot be archived",
        &order[14..]
    );
    assert_eq!(bench.ask(&order, "/archive", json!({})).await.error(), not_yet);
    bench.send(&order, 1, None).await.ok();
    let done = bench.ask(&order, "/complete", json!({})).await.ok();
    assert_eq!(done["order"]["status"], "completed");
    assert_eq!(bench.stand(&order).await, "completed fulfilled v3: 3 of 3 sent");
    assert_eq!(bench.levels(&bench.tea.item).await, "0/6 0/4");
    let events = atoll_kernel::jobs::events_after(&bench.shop.app.ctx.view(), 0, 1000).expect("events");
    let told = events.iter().map(|(_, event)| event.name.as_str()).filter(|it| it.starts_with("order."));
    assert_eq!(
        told.collect::<Vec<_>>(),
        ["order.placed", "order.fulfillment_created", "order.fulfillment_created", "order.completed"]
    );
    let refused = "400 not_allowed: Cannot cancel a completed order. Please use the return process to handle \
                   refunds or exchanges.";
    assert_eq!(bench.ask(&order, "/cancel", json!({})).await.error(), refused);
    let archived = bench.ask(&order, "/archive", json!({})).await.ok();
    assert_eq!(archived["order"]["status"], "archived");
    let off = bench.order(&bench.tea.id, 1).await;
    bench.ask(&off, "/cancel", json!({})).await.ok();
    assert_eq!(
        bench.ask(&off, "/complete", json!({})).await.error(),
        format!("400 invalid_data: Orders {} are canceled and cannot be completed", &off[14..]),
    );
}

/// Reservations of a line are limited to what it needs and was not fulfilled: neither another reservation nor
/// a larger one exceeds it.
#[tokio::test]
async fn reservations_of_a_line_are_limited_to_what_it_needs() {
    let bench = Bench::open().await;
    let (admin, item) = (&bench.shop.admin, &bench.tea.item);
    let cup = bench.shop.product("Cup", &[], 9).await;
    let order = bench.order(&bench.tea.id, 3).await;
    let line = id(&admin.get(&order).await.ok()["order"]["items"][0]);
    let promise = json!({ "line_item_id": line, "inventory_item_id": item, "location_id": bench.shed });
    let reserve = async |item: &str, quantity: i64| {
        let mut body = promise.clone();
        (body["inventory_item_id"], body["quantity"]) = (item.into(), quantity.into());
        admin.post("/admin/reservations", body).await
    };
    let no_more = |item: &str, more: i64, left: i64| {
        format!(
            "400 invalid_data: Cannot reserve {more} more of item {item} for line item {line}: {left} is outstanding"
        )
    };
    let all = async || {
        let all =
            admin.get(&format!("/admin/reservations?line_item_id={line}&fields=id,quantity")).await.ok();
        let all = all["reservations"].as_array().expect("a list").clone();
        all.iter()
            .map(|it| (format!("/admin/reservations/{}", id(it)), it["quantity"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(reserve(item, 1).await.error(), no_more(item, 1, 0));
    assert_eq!(reserve(&cup.item, 1).await.error(), no_more(&cup.item, 1, 0), "the line takes none of it");
    let (first, _) = all().await.remove(0);
    assert_eq!(admin.post(&first, json!({ "quantity": 4 })).await.error(), no_more(item, 1, 0));
    assert_eq!(bench.levels(item).await, "3/9 0/4");

    // Moved to another location, and split between two.
    admin.post(&first, json!({ "location_id": bench.shed, "description": "from the shed" })).await.ok();
    assert_eq!(bench.levels(item).await, "0/9 3/4");
    admin.post(&first, json!({ "quantity": 1, "location_id": bench.shop.location })).await.ok();
    assert_eq!(reserve(item, 3).await.error(), no_more(item, 3, 2));
    reserve(item, 1).await.ok();
    assert_eq!(reserve(item, 2).await.error(), no_more(item, 2, 1));
    let second = all().await.into_iter().find(|(path, _)| *path != first).expect("another one").0;
    assert_eq!(admin.post(&second, json!({ "quantity": 3 })).await.error(), no_more(item, 2, 1));
    admin.post(&second, json!({ "quantity": 2 })).await.ok();
    assert_eq!(bench.levels(item).await, "1/9 2/4");

    // Fulfilled units are not reserved; cancelling the fulfilment reserves them again.
    bench.send(&order, 2, None).await.ok();
    assert_eq!(reserve(item, 1).await.error(), no_more(item, 1, 0));
    for (path, _) in all().await {
        admin.delete(&path).await.ok();
    }
    assert_eq!(reserve(item, 2).await.error(), no_more(item, 2, 1));
    reserve(item, 1).await.ok();
    bench.send(&order, 1, None).await.ok();
    assert_eq!(bench.stand(&order).await, "pending fulfilled v3: 3 of 3 sent");
    assert_eq!(reserve(item, 1).await.error(), no_more(item, 1, 0), "all of it is sent");
    for call_back in bench.call_backs(&order).await {
        bench.ask(&order, &call_back, json!({})).await.ok();
    }
    let back: i64 = all().await.iter().map(|(_, it)| it.as_i64().expect("a quantity")).sum();
    assert_eq!((back, reserve(item, 1).await.error()), (3, no_more(item, 1, 0)));
    bench.ask(&order, "/cancel", json!({})).await.ok();
    let called_off = format!("400 invalid_data: Order with id {} has been canceled.", &order[14..]);
    assert_eq!(reserve(item, 1).await.error(), called_off);
    bench.ask(&order, "/archive", json!({})).await.ok();
    assert_eq!(reserve(item, 1).await.error(), called_off);
    // Reservations for lines of other systems are not checked.
    let mut foreign = promise.clone();
    (foreign["line_item_id"], foreign["quantity"]) = ("till-7".into(), 4.into());
    admin.post("/admin/reservations", foreign).await.ok();
    assert_eq!(bench.levels(item).await, "0/9 4/4");
}

/// A line that was bought with unmanaged stock takes what is reserved for it by hand, one unit per piece:
/// pieces with a reservation are fulfilled first, and the others take nothing.
#[tokio::test]
async fn unmanaged_lines_are_fulfilled_by_their_reservations() {
    let (bench, card) = Bench::selling_cards().await;
    let (admin, item) = (bench.shop.admin.clone(), bench.tea.item.clone());
    let reserve = async |order: &str, place: &str, quantity: i64| {
        let line = id(&admin.get(order).await.ok()["order"]["items"][0]);
        let promise = json!({ "line_item_id": line, "inventory_item_id": item, "location_id": place, "quantity": quantity });
        admin.post("/admin/reservations", promise).await
    };
    let order = bench.order(&card.id, 3).await;
    assert!(reserve(&order, &bench.shed, 4).await.error().ends_with(": 3 is outstanding"));
    reserve(&order, &bench.shop.location, 1).await.ok();
    reserve(&order, &bench.shed, 1).await.ok();
    assert_eq!(bench.levels(&item).await, "1/9 1/4");
    bench.send(&order, 1, None).await.ok();
    assert!(["0/8 1/4", "1/9 0/3"].contains(&&*bench.levels(&item).await), "one of those that are reserved");
    assert_eq!(bench.stand(&order).await, "pending partially_fulfilled v2: 1 of 3 sent");
    assert!(reserve(&order, &bench.shed, 2).await.error().ends_with(": 1 is outstanding"));
    bench.send(&order, 2, None).await.ok();
    assert_eq!(bench.levels(&item).await, "0/8 0/3");
    assert_eq!(bench.stand(&order).await, "pending fulfilled v3: 3 of 3 sent");
    assert!(reserve(&order, &bench.shed, 1).await.error().ends_with(": 0 is outstanding"));
    for call_back in bench.call_backs(&order).await {
        bench.ask(&order, &call_back, json!({})).await.ok();
    }
    assert_eq!(bench.levels(&item).await, "1/9 1/4", "promised to the line again");
    assert_eq!(bench.stand(&order).await, "pending canceled v5: 0 of 3 sent");
    bench.ask(&order, "/complete", json!({})).await.ok();
    assert_eq!(bench.levels(&item).await, "0/8 0/3");
    assert_eq!(bench.stand(&order).await, "completed fulfilled v6: 3 of 3 sent");

    // After one was fulfilled without a reservation; and for all, of which a kit needs no more than one each.
    for (n_before, n_reserved) in [(1, 1), (0, 2)] {
        let (order, before) = (bench.order(&card.id, 2).await, bench.levels(&item).await);
        if n_before > 0 {
            bench.send(&order, n_before, None).await.ok();
        }
        reserve(&order, &bench.shop.location, n_reserved).await.ok();
        for n in n_before..2 {
            bench.send(&order, 1, None).await.ok();
            assert!(bench.stand(&order).await.ends_with(&format!(": {} of 2 sent", n + 1)));
        }
        let n_left = before[2..3].parse::<i64>().expect("a number") - n_reserved;
        assert_eq!(bench.levels(&item).await, format!("0/{n_left} 0/3"));
    }
}

/// A line that was not counted when it was bought, with reservations by hand at two places: each fulfilment
/// holds the pieces of its place, so that one of them can be called back by itself.
#[tokio::test]
async fn uncounted_pieces_are_counted_by_the_location_that_sent_them() {
    let (bench, card) = Bench::selling_cards().await;
    let (admin, item) = (bench.shop.admin.clone(), bench.tea.item.clone());
    // By the place whose fulfilment is called back: 3 pieces, of which 2 are reserved, and 3 that all are. A
    // piece without a reservation goes with the first fulfilment.
    for (n_reserved, sent) in [([1, 1], [1, 2]), ([1, 2], [2, 1]), ([2, 1], [1, 2])] {
        for called_back in [0, 1] {
            let order = bench.order(&card.id, 3).await;
            let line = id(&admin.get(&order).await.ok()["order"]["items"][0]);
            let places = [bench.shop.location.clone(), bench.shed.clone()];
            for (place, quantity) in places.iter().zip(n_reserved) {
                let promise = json!({
                    "line_item_id": line, "inventory_item_id": item, "location_id": place, "quantity": quantity,
                });
                admin.post("/admin/reservations", promise).await.ok();
            }
            bench.send(&order, 3, None).await.ok();
            assert_eq!(bench.stand(&order).await, "pending fulfilled v2: 3 of 3 sent");
            let shown = admin.get(&order).await.ok()["order"].clone();
            let parcels = shown["fulfillments"].as_array().expect("a list").clone();
            let at = |place: &str| parcels.iter().find(|it| it["location_id"] == *place).expect("a parcel");
            let path = format!("/fulfillments/{}/cancel", id(at(&places[called_back])));
            bench.ask(&order, &path, json!({})).await.ok();
            let expected = format!("pending partially_fulfilled v3: {} of 3 sent", sent[called_back]);
            assert_eq!(bench.stand(&order).await, expected, "{n_reserved:?}, {called_back} called back");
            let left = 3 - sent[called_back];
            bench.send(&order, left + 1, None).await.error();
            bench.send(&order, left, None).await.ok();
            assert_eq!(bench.stand(&order).await, "pending fulfilled v4: 3 of 3 sent");
            for call_back in bench.call_backs(&order).await {
                bench.ask(&order, &call_back, json!({})).await.ok();
            }
            bench.ask(&order, "/cancel", json!({})).await.ok();
            assert_eq!(bench.levels(&item).await, "0/9 0/4");
        }
    }
}

/// "Allocate items" of the dashboard: a kit that was not counted when it was bought is promised what its
/// pieces take today, and sent by that.
#[tokio::test]
async fn uncounted_kit_is_promised_what_its_pieces_take_today() {
    let bench = Bench::open().await;
    let (admin, item) = (bench.shop.admin.clone(), bench.tea.item.clone());
    let web = bench.shop.channel("Kits").await;
    let parts = json!([{ "inventory_item_id": item, "required_quantity": 2 }]);
    let parts = json!({ "manage_inventory": false, "inventory_items": parts });
    let kit = bench.shop.product_with("Kit", &[&web], 0, parts).await;
    let bench = Bench { storefront: bench.shop.storefront(&[&web]).await, ..bench };
    let reserve = async |order: &str, item: &str, place: &str, quantity: i64| {
        let line = id(&admin.get(order).await.ok()["order"]["items"][0]);
        let promise = json!({
            "line_item_id": line, "inventory_item_id": item, "location_id": place, "quantity": quantity,
        });
        admin.post("/admin/reservations", promise).await
    };
    let order = bench.order(&kit.id, 3).await;
    assert!(reserve(&order, &item, &bench.shed, 7).await.error().ends_with(": 6 is outstanding"));
    reserve(&order, &item, &bench.shop.location, 3).await.ok();
    reserve(&order, &item, &bench.shed, 3).await.ok();
    assert!(reserve(&order, &item, &bench.shed, 1).await.error().ends_with(": 0 is outstanding"));
    bench.send(&order, 1, None).await.ok();
    assert_eq!(bench.levels(&item).await, "1/7 3/4", "two for a piece");
    bench.send(&order, 2, None).await.ok();
    assert_eq!(bench.levels(&item).await, "0/6 0/1");
    for call_back in bench.call_backs(&order).await {
        bench.ask(&order, &call_back, json!({})).await.ok();
    }
    assert_eq!(bench.levels(&item).await, "3/9 3/4");
    bench.ask(&order, "/cancel", json!({})).await.ok();
    assert_eq!(bench.levels(&item).await, "0/9 0/4");

    // For two of four pieces, after one was sent without any: these go with two each, the last with none.
    let order = bench.order(&kit.id, 4).await;
    bench.send(&order, 1, None).await.ok();
    assert!(reserve(&order, &item, &bench.shop.location, 7).await.error().ends_with(": 6 is outstanding"));
    reserve(&order, &item, &bench.shop.location, 4).await.ok();
    for (n, levels) in [(2, "2/7 0/4"), (3, "0/5 0/4"), (4, "0/5 0/4")] {
        bench.send(&order, 1, None).await.ok();
        assert!(bench.stand(&order).await.ends_with(&format!(": {n} of 4 sent")));
        assert_eq!(bench.levels(&item).await, levels);
    }

    // A kit that takes less since: what was promised is sent all the same, and may be moved and reduced.
    let order = bench.order(&kit.id, 2).await;
    reserve(&order, &item, &bench.shed, 3).await.ok();
    let parts = format!("/admin/products/{}/variants/{}/inventory-items", kit.product, kit.id);
    admin.delete(&format!("{parts}/{item}")).await.ok();
    assert!(reserve(&order, &item, &bench.shed, 1).await.error().ends_with(": 0 is outstanding"));
    let line = id(&admin.get(&order).await.ok()["order"]["items"][0]);
    let promises = admin.get(&format!("/admin/reservations?line_item_id={line}")).await.ok();
    let promise = format!("/admin/reservations/{}", id(&promises["reservations"][0]));
    admin.post(&promise, json!({ "location_id": bench.shop.location })).await.ok();
    bench.send(&order, 1, None).await.ok();
    assert_eq!(bench.levels(&item).await, "1/3 0/4");
    bench.send(&order, 1, None).await.ok();
    assert_eq!(bench.levels(&item).await, "0/2 0/4");

    // What was counted takes what it was sold with, whatever it was replaced by.
    let cup = bench.shop.product("Cup", &[], 9).await;
    let web = bench.shop.channel("Tea").await;
    let bag = bench.shop.product("Bag", &[&web], 9).await;
    let bench = Bench { storefront: bench.shop.storefront(&[&web]).await, ..bench };
    let order = bench.order(&bag.id, 1).await;
    let parts = format!("/admin/products/{}/variants/{}/inventory-items", bag.product, bag.id);
    let part = json!({ "inventory_item_id": cup.item, "required_quantity": 2 });
    admin.post(&parts, part).await.ok();
    let refused = reserve(&order, &cup.item, &bench.shop.location, 2).await.error();
    assert!(refused.ends_with(": 0 is outstanding"), "{refused}");
}

/// Reservations beyond the ordered quantity, which earlier versions allowed, are released when the order is
/// completed, and not fulfilled.
#[tokio::test]
async fn fulfilment_beyond_the_ordered_quantity_is_refused() {
    let bench = Bench::open().await;
    let (admin, item) = (&bench.shop.admin, &bench.tea.item);
    let shed = bench.shed.clone();
    for (n_sent, stand) in
        [(0, "completed fulfilled v2: 2 of 2 sent"), (1, "completed fulfilled v3: 2 of 2 sent")]
    {
        let before = bench.levels(item).await;
        let order = bench.order(&bench.tea.id, 2).await;
        let line = id(&admin.get(&order).await.ok()["order"]["items"][0]);
        let promises = admin.get(&format!("/admin/reservations?line_item_id={line}")).await.ok();
        let promise = id(&promises["reservations"][0]);
        let extra = ReservationItem {
            inventory_item_id: item.as_str().into(),
            location_id: shed.clone(),
            quantity: Decimal::ONE,
            line_item_id: Some(line),
            ..ReservationItem::default()
        };
        let promise_more = move |tx: &mut dyn Write, at: &Moment| {
            let to_four = ReservationItemPatch {
                quantity: Some(Decimal::from(4_i64)),
                ..ReservationItemPatch::default()
            };
            update_reservation(tx, at, &promise, to_four)?;
            reserve(tx, at, extra.clone())?;
            Ok(())
        };
        bench.shop.app.ctx.write(Actor::System, promise_more).await.expect("more is promised");
        assert_eq!(bench.shop.app.verify().n_findings, 2, "each of them is one too many");
        if n_sent > 0 {
            bench.send(&order, n_sent, None).await.ok();
        }
        bench.ask(&order, "/complete", json!({})).await.ok();
        assert_eq!(bench.stand(&order).await, stand);
        assert_eq!(bench.shop.app.verify().n_findings, 0);
        let after = if before == "0/9 0/4" { "0/7 0/4" } else { "0/5 0/4" };
        assert_eq!(bench.levels(item).await, after, "two of {before} were ordered");
        // Its fulfilment and the order can be cancelled like others.
        if n_sent > 0 {
            for call_back in bench.call_backs(&order).await {
                bench.ask(&order, &call_back, json!({})).await.ok();
            }
            bench.ask(&order, "/cancel", json!({})).await.ok();
            assert_eq!(bench.levels(item).await, "0/7 0/4");
        }
    }
}

/// A line with two locations is fulfilled and cancelled at each by itself.
#[tokio::test]
async fn fulfilments_are_cancelled_per_location() {
    let bench = Bench::open().await;
    let shop = &bench.shop;
    let both = shop.channel("Both").await;
    let path = format!("/admin/stock-locations/{}/sales-channels", bench.shed);
    shop.admin.post(&path, json!({ "add": [both] })).await.ok();
    let cup = shop.product("Cup", &[&both], 1).await;
    shop.stock(&cup.item, &bench.shed, 1).await;
    let bench = Bench { storefront: bench.shop.storefront(&[&both]).await, ..bench };
    for first in [0, 1] {
        let order = bench.order(&cup.id, 2).await;
        assert_eq!(bench.levels(&cup.item).await, "1/1 1/1");
        bench.send(&order, 2, None).await.ok();
        bench.ask(&order, &bench.call_backs(&order).await[first], json!({})).await.ok();
        assert_eq!(bench.stand(&order).await, "pending partially_fulfilled v3: 1 of 2 sent");
        let refused = "400 not_allowed: All fulfillments must be canceled before canceling an order";
        assert_eq!(bench.ask(&order, "/cancel", json!({})).await.error(), refused, "one of them is out");
        bench.send(&order, 1, None).await.ok();
        assert_eq!(bench.stand(&order).await, "pending fulfilled v4: 2 of 2 sent");
        assert_eq!(bench.levels(&cup.item).await, "0/0 0/0");
        for call_back in bench.call_backs(&order).await {
            bench.ask(&order, &call_back, json!({})).await.ok();
        }
        bench.ask(&order, "/cancel", json!({})).await.ok();
        assert_eq!(bench.levels(&cup.item).await, "0/1 0/1");
    }
}

/// A fulfilment takes what was reserved, whatever the variant needs by then.
#[tokio::test]
async fn fulfilment_takes_what_was_reserved_when_ordered() {
    let bench = Bench::open().await;
    let variant = format!("/admin/products/{}/variants/{}", bench.tea.product, bench.tea.id);
    let part = format!("{variant}/inventory-items");
    let (item, admin) = (&bench.tea.item, &bench.shop.admin);
    let orders = [bench.order(&bench.tea.id, 1).await, bench.order(&bench.tea.id, 2).await];
    admin.post(&variant, json!({ "manage_inventory": false })).await.ok();
    bench.send(&orders[0], 1, None).await.ok();
    assert_eq!(bench.levels(item).await, "2/8 0/4", "it is not counted any more, and was promised");
    admin.delete(&format!("{part}/{item}")).await.ok();
    bench.send(&orders[1], 1, None).await.ok();
    assert_eq!(bench.levels(item).await, "1/7 0/4", "it is taken no longer, and was promised");
    // A line that was bought with unmanaged stock takes nothing, also if the stock is managed again.
    let free = bench.order(&bench.tea.id, 3).await;
    admin.post(&variant, json!({ "manage_inventory": true })).await.ok();
    admin.post(&part, json!({ "inventory_item_id": item, "required_quantity": 5 })).await.ok();
    bench.send(&free, 2, None).await.ok();
    bench.send(&orders[1], 1, None).await.ok();
    assert_eq!(bench.levels(item).await, "0/6 0/4");
    let over = bench.send(&free, 2, None).await.error();
    assert!(over.starts_with("400 invalid_data: Cannot fulfill more items than what was ordered"), "{over}");
}

/// A cancelled fulfilment has to be fulfilled again: the order is not completed any more, and can be
/// cancelled.
#[tokio::test]
async fn cancelled_fulfilment_reopens_a_completed_order() {
    let bench = Bench::open().await;
    let canceled = "are canceled and cannot be completed";
    for archived in [false, true] {
        let order = bench.order(&bench.tea.id, 3).await;
        bench.ask(&order, "/complete", json!({})).await.ok();
        if archived {
            bench.ask(&order, "/archive", json!({})).await.ok();
        }
        let refused = "400 not_allowed: Cannot cancel a completed order. Please use the return process to handle \
                       refunds or exchanges.";
        assert_eq!(bench.ask(&order, "/cancel", json!({})).await.error(), refused);
        bench.ask(&order, &bench.call_backs(&order).await[0], json!({})).await.ok();
        assert_eq!(bench.stand(&order).await, "pending canceled v3: 0 of 3 sent");
        assert_eq!(bench.levels(&bench.tea.item).await, "3/9 0/4");
        bench.ask(&order, "/cancel", json!({})).await.ok();
        assert_eq!(bench.levels(&bench.tea.item).await, "0/9 0/4");
        // Archived or not, it stays cancelled.
        bench.ask(&order, "/archive", json!({})).await.ok();
        let error = bench.ask(&order, "/complete", json!({})).await.error();
        assert!(error.ends_with(canceled), "{error}");
        let error = bench.send(&order, 1, None).await.error();
        assert!(error.ends_with("has been canceled."), "{error}");
        let error = bench.ask(&order, "/cancel", json!({})).await.error();
        assert!(error.ends_with("has been canceled."), "{error}");
    }
}

/// Cancelled units return to the location that they came from, while it exists.
#[tokio::test]
async fn cancelled_fulfilment_needs_a_location_to_return_to() {
    let bench = Bench::open().await;
    let (item, admin) = (&bench.tea.item, &bench.shop.admin);
    let gone = async |place: &str| {
        let path = format!("/admin/inventory-items/{item}/location-levels");
        let levels = admin.get(&path).await.ok()["inventory_levels"].clone();
        let level = levels.as_array().into_iter().flatten().find(|it| it["location_id"] == *place).map(id);
        let body = json!({ "delete": [level.expect("a level")], "force": true });
        admin.post("/admin/inventory-items/location-levels/batch", body).await.ok();
    };
    let send = async |place: &str| {
        let order = bench.order(&bench.tea.id, 2).await;
        bench.send(&order, 2, Some(place)).await.ok();
        let call_back = bench.call_backs(&order).await.remove(0);
        (order, call_back)
    };
    let (order, call_back) = send(&bench.shed).await;
    gone(&bench.shed).await;
    bench.ask(&order, &call_back, json!({})).await.ok();
    assert_eq!(bench.levels(item).await, "0/9 2/2", "it is stocked there again");
    bench.ask(&order, "/cancel", json!({})).await.ok();

    let (order, call_back) = send(&bench.shed).await;
    admin.delete(&format!("/admin/stock-locations/{}", bench.shed)).await.ok();
    assert_eq!(
        bench.ask(&order, &call_back, json!({})).await.error(),
        format!(
            "400 not_allowed: Stock location {} does not exist anymore: nothing can come back to it",
            bench.shed
        ),
    );
    assert_eq!(bench.stand(&order).await, "pending fulfilled v2: 2 of 2 sent");
    assert_eq!(
        bench.send(&order, 1, Some("sloc_x")).await.error(),
        "404 not_found: StockLocation id not found: sloc_x",
    );

    let (order, call_back) = send(&bench.shop.location).await;
    admin.delete(&format!("/admin/inventory-items/{item}")).await.ok();
    bench.ask(&order, &call_back, json!({})).await.ok();
    bench.send(&order, 2, None).await.ok();
    assert_eq!(bench.stand(&order).await, "pending fulfilled v4: 2 of 2 sent", "nobody counts it any more");
}

/// Store orders are those of the customer in the channels of the key.
#[tokio::test]
async fn store_orders_are_limited_to_customer_and_channel() {
    let bench = Bench::open().await;
    let (shop, tea) = (&bench.shop, &bench.tea);
    let web = shop.admin.get("/admin/sales-channels?name=Web").await.ok()["sales_channels"][0].clone();
    let till = shop.channel("Till").await;
    let listed = format!("/admin/sales-channels/{till}/products");
    shop.admin.post(&listed, json!({ "add": [tea.product] })).await.ok();
    let buy = async |client: &Client| {
        let cart = shop.cart(client, &tea.id, 1).await;
        id(&complete(client, &cart).await.ok()["order"])
    };
    let ada = shop.customer(&bench.storefront, "ada@test.dev").await;
    let eve = shop.customer(&bench.storefront, "eve@test.dev").await;
    assert_eq!(ada.get("/store/orders").await.ok()["count"], 0);
    let (first, _others) = (buy(&ada).await, buy(&eve).await);
    buy(&bench.storefront).await;
    let ada_at = async |channels: &[&str]| {
        let storefront = shop.storefront(channels).await;
        let login = json!({ "email": "ada@test.dev", "password": "supersecret" });
        let token = storefront.post("/auth/customer/emailpass", login).await.ok();
        let token = token["token"].as_str().expect("a token").to_owned();
        storefront.with_header("authorization", &format!("Bearer {token}"))
    };
    let at_till = ada_at(&[&till]).await;
    let second = buy(&at_till).await;
    let ids = async |client: &Client, query: &str| {
        let list = client.get(&format!("/store/orders{query}")).await.ok();
        list["orders"].as_array().expect("orders").iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&ada, "").await, std::slice::from_ref(&first));
    assert_eq!(ids(&at_till, "").await, std::slice::from_ref(&second));
    let both = ada_at(&[&till, &id(&web)]).await;
    assert_eq!(ids(&both, "?order=created_at").await, [first.clone(), second.clone()]);
    assert_eq!(ids(&both, &format!("?id={second}&status=pending")).await, [second]);
    assert_eq!(ids(&both, "?status=canceled").await, [""; 0]);
    let shown = ada.get("/store/orders?fields=id,*sales_channel,*customer").await.ok()["orders"][0].clone();
    assert_eq!(
        (&shown["items"][0]["detail"]["quantity"], &shown["sales_channel"]),
        (&json!(1), &Value::Null)
    );
    assert!(bench.storefront.get("/store/orders").await.error().starts_with("401"));
    assert!(shop.admin.get("/store/orders").await.error().starts_with("400"));
}

/// An order shows its statuses with any `fields`.
#[tokio::test]
async fn order_lists_are_filtered_and_show_statuses() {
    let bench = Bench::open().await;
    let (one, two) = (bench.order(&bench.tea.id, 1).await, bench.order(&bench.tea.id, 2).await);
    bench.ask(&two, "/complete", json!({})).await.ok();
    let names = |record: &Value| record.as_object().expect("a record").keys().cloned().collect::<Vec<_>>();
    let list = async |query: &str| bench.shop.admin.get(&format!("/admin/orders?{query}")).await.ok();
    let shown = list("fields=id&limit=1").await["orders"][0].clone();
    assert_eq!(names(&shown), ["fulfillment_status", "id", "items", "payment_status", "status", "version"]);
    let shown = bench.shop.admin.get(&format!("{one}?fields=id")).await.ok()["order"].clone();
    let always = [
        "fulfillment_status", "fulfillments", "id", "payment_collections", "payment_status", "status",
        "version",
    ];
    assert_eq!(names(&shown), always);
    let shown = bench.shop.admin.get(&format!("{one}?fields=id,*items")).await.ok()["order"].clone();
    assert_eq!(
        (&shown["items"][0]["detail"]["quantity"], &shown["items"][0]["total"]),
        (&json!(1), &Value::Null)
    );
    let region = &bench.shop.region;
    for (query, n) in [
        ("status=completed".to_owned(), 1),
        ("status[]=completed&status[]=pending".to_owned(), 2),
        ("fulfillment_status[]=fulfilled".to_owned(), 1),
        ("fulfillment_status=not_fulfilled".to_owned(), 1),
        ("payment_status[]=authorized".to_owned(), 2),
        ("payment_status[]=captured".to_owned(), 0),
        (format!("region_id[]={region}"), 2),
        ("region_id=reg_x".to_owned(), 0),
        ("q=ada@test".to_owned(), 2),
        ("q=bonn".to_owned(), 0),
        ("created_at[$gt]=2100-01-01".to_owned(), 0),
        ("sales_channel_id[]=sc_x".to_owned(), 0),
    ] {
        assert_eq!(list(&query).await["count"], n, "{query}");
    }
}

#[tokio::test]
async fn admin_order_answers_the_fields_of_the_dashboard() {
    let bench = Bench::open().await;
    let order = bench.order(&bench.tea.id, 3).await;
    let get = async |what: &str| bench.shop.admin.get(&format!("{order}{what}")).await;
    let shown = get("").await.ok();
    assert_eq!(get("?version=1").await.ok(), shown);
    let other = get("?version=2").await.error();
    assert!(other.starts_with("404 not_found: Order id not found in this version: order_"), "{other}");
    assert!(get("?version=x").await.error().starts_with("400 invalid_data"));
    bench.send(&order, 1, None).await.ok();
    assert!(get("?version=1").await.error().starts_with("404"), "earlier versions are not kept");
    get("?version=2").await.ok();

    let preview = get("/preview").await.ok()["order"].clone();
    assert_eq!(preview.get("order_change"), Some(&json!(null)));
    assert_eq!((&preview["id"], &preview["total"]), (&shown["order"]["id"], &json!(30)));
    assert_eq!(preview["items"][0]["total"], 30);
    assert_eq!(shown["order"].get("order_change"), None);
    let unknown = bench.shop.admin.get("/admin/orders/order_x/preview").await.error();
    assert_eq!(unknown, "404 not_found: Order id not found: order_x");

    assert_eq!(get("?fields=*customer").await.ok()["order"]["customer"]["email"], "ada@test.dev");
    for fields in ["*items", "id,total,*items"] {
        let line = get(&format!("?fields={fields}")).await.ok()["order"]["items"][0].clone();
        assert_eq!((&line["total"], &line["fulfilled_total"]), (&json!(30), &json!(10)), "{fields}");
    }
    for fields in ["id,*items", "id,+*items", "id,%2B*items", "id&expand=items"] {
        let line = get(&format!("?fields={fields}")).await.ok()["order"]["items"][0].clone();
        assert_eq!(line["detail"]["fulfilled_quantity"], 1, "{fields}");
    }
    assert_eq!(get("?fields=,").await.ok(), get("").await.ok(), "commas name nothing");
    let list =
        bench.shop.admin.get("/admin/orders?fields=id,total,*customer").await.ok()["orders"][0].clone();
    assert_eq!(
        (&list["customer"]["email"], &list["items"][0]["total"]),
        (&json!("ada@test.dev"), &json!(30))
    );
}

#[tokio::test]
async fn store_orders_show_payment_status() {
    let bench = Bench::open().await;
    let order = bench.order(&bench.tea.id, 3).await.replace("/admin/", "/store/");
    let path = format!("{order}?fields=*payment_collections.payments,*items,*items.metadata");
    let shown = bench.storefront.get(&path).await.ok()["order"].clone();
    let payment = &shown["payment_collections"][0]["payments"][0];
    assert_eq!((&payment["amount"], &payment["provider_id"]), (&json!(30), &json!("pp_system_default")));
    assert_eq!(payment.get("authorized_by"), None);
    assert_eq!((&shown["items"][0]["total"], &shown["items"][0]["quantity"]), (&json!(30), &json!(3)));
    let till = bench.shop.channel("Till").await;
    let other = bench.shop.storefront(&[&till]).await;
    assert!(other.get(&path).await.error().starts_with("404 not_found"));
}
