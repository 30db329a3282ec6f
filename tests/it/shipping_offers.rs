//! Which shipping options a cart may have: those that ship its goods to its address, from the locations of
//! its channel; and the explanation for admins, which agrees with what storefronts are shown.

use atoll_testkit::{Client, Shipping, Shop, id};
use serde_json::{Value, json};

/// A shop that ships two kinds of goods from its warehouse.
struct Scene {
    shop: Shop,
    web: String,
    storefront: Client,
    zone: String,
    standard: String,
    heavy: String,
}

impl Scene {
    async fn new() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let Shipping { zone, option: standard, .. } = shop.shipping(&["de"]).await;
        let heavy = shop.heavy_profile().await;
        shop.option(&zone, "Freight", &heavy, json!({})).await;
        Scene { shop, web, storefront, zone, standard, heavy }
    }

    /// A variant of a product of this profile.
    async fn goods(&self, title: &str, profile: Option<&str>) -> String {
        let goods = self.shop.product(title, &[&self.web], 9).await;
        if let Some(profile) = profile {
            self.shop.ship_as(&goods.product, profile).await;
        }
        goods.id
    }

    async fn cart(&self, variants: &[&String]) -> String {
        let line = |it: &&String| json!({ "variant_id": it, "quantity": 1 });
        self.shop.cart_of(&self.storefront, variants.iter().map(line).collect()).await
    }

    async fn option_with_rule(&self, name: &str, attribute: &str, operator: &str, value: &str) {
        let profile = self.shop.default_profile().await;
        let rules = json!([{ "attribute": attribute, "operator": operator, "value": value }]);
        self.shop.option(&self.zone, name, &profile, json!({ "rules": rules })).await;
    }

    /// The options of a cart, as the storefront is shown them.
    async fn offered(&self, cart: &str, query: &str) -> Vec<Value> {
        let path = format!("/store/shipping-options?cart_id={cart}{query}");
        let list = self.storefront.get(&path).await.ok();
        list["shipping_options"].as_array().expect("a list").clone()
    }

    /// The names of the options of a cart. What admins are told of every option agrees with them.
    async fn names(&self, cart: &str) -> Vec<String> {
        let name = |it: &Value| it["name"].as_str().expect("a name").to_owned();
        let names: Vec<String> = self.offered(cart, "").await.iter().map(name).collect();
        let all = self.shop.admin.get("/admin/shipping-options?fields=id,name&limit=100").await.ok();
        for option in all["shipping_options"].as_array().expect("a list") {
            let told = self.told(cart, &id(option)).await;
            assert_eq!(told["offered"], json!(names.contains(&name(option))), "{told}");
            assert_eq!(told["reasons"] == json!([]), told["offered"] == json!(true), "{told}");
        }
        names
    }

    /// What admins are told of an option.
    async fn told(&self, cart: &str, option: &str) -> Value {
        let path = format!("/admin/shipping-options/{option}/availability?cart_id={cart}");
        self.shop.admin.get(&path).await.ok()
    }

    /// The codes of the reasons against an option.
    async fn reasons(&self, cart: &str, option: &str) -> Vec<String> {
        let told = self.told(cart, option).await;
        let reasons = told["reasons"].as_array().expect("reasons").iter();
        reasons.map(|it| it["code"].as_str().expect("a code").to_owned()).collect()
    }
}

#[tokio::test]
async fn options_ship_the_goods_of_the_cart() {
    let scene = Scene::new().await;
    let profile = scene.shop.default_profile().await;
    let tea = scene.goods("Tea", Some(&profile)).await;
    let sofa = scene.goods("Sofa", Some(&scene.heavy)).await;
    let book = scene.goods("Book", None).await;
    for (goods, expect) in [
        (vec![&tea], vec!["Standard"]),
        (vec![&sofa], vec!["Freight"]),
        (vec![&tea, &sofa], vec!["Standard", "Freight"]),
        // Goods without a profile are shipped by any option.
        (vec![&book], vec!["Standard", "Freight"]),
        (vec![], vec![]),
    ] {
        assert_eq!(scene.names(&scene.cart(&goods).await).await, expect, "{goods:?}");
    }
    let cart = scene.cart(&[&sofa]).await;
    assert_eq!(scene.reasons(&cart, &scene.standard).await, ["no_goods_of_shipping_profile"]);
    // The profile is that which the product has now.
    let product = scene.shop.admin.get("/admin/products?title=Sofa&fields=id").await.ok();
    scene.shop.ship_as(&id(&product["products"][0]), &profile).await;
    assert_eq!(scene.names(&cart).await, ["Standard"]);
}

#[tokio::test]
async fn options_serve_the_address() {
    let scene = Scene::new().await;
    let profile = scene.shop.default_profile().await;
    let tea = scene.goods("Tea", Some(&profile)).await;
    let sets = format!("/admin/stock-locations/{}?fields=fulfillment_sets.id", scene.shop.location);
    let set = scene.shop.admin.get(&sets).await.ok();
    let set = id(&set["stock_location"]["fulfillment_sets"][0]);
    for (name, geo_zone) in [
        (
            "Paris",
            json!({ "type": "city", "country_code": "fr", "province_code": "fr-idf", "city": "Paris" }),
        ),
        (
            "Courier",
            json!({
                "type": "zip", "country_code": "de", "province_code": "de-be", "city": "Berlin",
                "postal_expression": { "type": "regex", "exp": "10\\d{3}" },
            }),
        ),
    ] {
        let zone = json!({ "name": name, "geo_zones": [geo_zone] });
        let zones = format!("/admin/fulfillment-sets/{set}/service-zones");
        let zones =
            scene.shop.admin.post(&zones, zone).await.ok()["fulfillment_set"]["service_zones"].clone();
        let zone = zones.as_array().expect("zones").iter().find(|it| it["name"] == name).expect("the zone");
        scene.shop.option(&id(zone), name, &profile, json!({})).await;
    }
    let cart = scene.cart(&[&tea]).await;
    // Nobody knows yet where it goes.
    assert_eq!(scene.names(&cart).await, ["Standard", "Paris", "Courier"]);
    for (address, expect) in [
        (json!({ "country_code": "de" }), vec!["Standard"]),
        (json!({ "country_code": "fr" }), vec![]),
        (json!({ "country_code": "fr", "province": "FR-IDF", "city": "paris" }), vec!["Paris"]),
        (
            json!({ "country_code": "de", "province": "de-be", "city": "Berlin", "postal_code": "10119" }),
            vec!["Standard", "Courier"],
        ),
        (
            json!({ "country_code": "de", "province": "de-be", "city": "Berlin", "postal_code": "12345" }),
            vec!["Standard"],
        ),
    ] {
        let path = format!("/store/carts/{cart}");
        scene.storefront.post(&path, json!({ "shipping_address": address })).await.ok();
        assert_eq!(scene.names(&cart).await, expect, "{address}");
    }
    let path = format!("/store/carts/{cart}");
    let france = json!({ "shipping_address": { "country_code": "fr" } });
    scene.storefront.post(&path, france).await.ok();
    let told = scene.told(&cart, &scene.standard).await;
    let reason = &told["reasons"][0];
    assert_eq!(
        (&reason["code"], &reason["id"]),
        (&json!("address_outside_service_zone"), &json!(scene.zone))
    );
    assert_eq!(reason["value"]["country_code"], "fr");
}

#[tokio::test]
async fn options_are_those_of_the_channel_and_of_providers_that_ship_from_there() {
    let scene = Scene::new().await;
    let Scene { shop, storefront, .. } = &scene;
    let tea = scene.goods("Tea", Some(&shop.default_profile().await)).await;
    let cart = scene.cart(&[&tea]).await;
    let depot = shop.admin.post("/admin/stock-locations", json!({ "name": "Depot" })).await.ok();
    let depot = id(&depot["stock_location"]);
    let of_depot = shop.shipping_from(&depot, &["de"]).await.option;
    assert_eq!(scene.offered(&cart, "").await.len(), 1);
    assert_eq!(scene.reasons(&cart, &of_depot).await, ["location_not_in_sales_channel"]);
    let channels = format!("/admin/stock-locations/{depot}/sales-channels");
    shop.admin.post(&channels, json!({ "add": [scene.web] })).await.ok();
    let both = scene.offered(&cart, "").await;
    assert_eq!(both.len(), 2);
    let location = |it: &Value| it["service_zone"]["fulfillment_set"]["location"]["id"].clone();
    assert_eq!((location(&both[0]), location(&both[1])), (json!(shop.location), json!(depot)));
    // What the depot alone cannot supply, it says.
    assert_eq!(both[0]["insufficient_inventory"], false);
    assert_eq!(both[1]["insufficient_inventory"], true);

    let providers = format!("/admin/stock-locations/{depot}/fulfillment-providers");
    shop.admin.post(&providers, json!({ "remove": ["manual_manual"] })).await.ok();
    assert_eq!(scene.offered(&cart, "").await.len(), 1);
    assert_eq!(scene.reasons(&cart, &of_depot).await, ["provider_not_at_location"]);
    shop.admin.post(&providers, json!({ "add": ["manual_manual"] })).await.ok();
    assert_eq!(scene.offered(&cart, "").await.len(), 2);

    // Another key does not know the cart, and its own cart not the options.
    let app = shop.channel("App").await;
    shop.admin.post(&channels, json!({ "add": [app] })).await.ok();
    let other = shop.storefront(&[&app]).await;
    let path = format!("/store/shipping-options?cart_id={cart}");
    assert_eq!(other.get(&path).await.error(), format!("404 not_found: Cart id not found: {cart}"));
    let calculate = format!("/store/shipping-options/{of_depot}/calculate");
    assert_eq!(
        other.post(&calculate, json!({ "cart_id": cart })).await.error(),
        format!("404 not_found: Cart id not found: {cart}")
    );
    // A disabled channel ships nothing.
    let channel = format!("/admin/sales-channels/{}", scene.web);
    shop.admin.post(&channel, json!({ "is_disabled": true })).await.ok();
    assert_eq!(scene.reasons(&cart, &of_depot).await, ["sales_channel_disabled"]);
    let list = storefront.get(&path).await.ok();
    assert_eq!(list["shipping_options"], json!([]));
}

#[tokio::test]
async fn options_hold_their_rules() {
    let scene = Scene::new().await;
    let tea = scene.goods("Tea", Some(&scene.shop.default_profile().await)).await;
    let cart = scene.cart(&[&tea]).await;
    scene.option_with_rule("Staff", "enabled_in_store", "eq", "false").await;
    scene.option_with_rule("Return", "is_return", "eq", "true").await;
    scene.option_with_rule("Away", "is_return", "ne", "true").await;
    // What nobody says of a cart fits no rule.
    scene.option_with_rule("Light", "weight", "lt", "100").await;
    assert_eq!(scene.names(&cart).await, ["Standard", "Away"]);
    let names = |all: Vec<Value>| all.iter().map(|it| it["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(scene.offered(&cart, "&is_return=true").await), ["Standard", "Return"]);
    let all = scene.shop.admin.get("/admin/shipping-options?q=staff&fields=id,*rules").await.ok();
    let staff = &all["shipping_options"][0];
    let told = scene.told(&cart, &id(staff)).await;
    assert_eq!(
        told["reasons"],
        json!([{
            "code": "rule_does_not_hold", "entity": "shipping_option_rule", "id": staff["rules"][0]["id"],
            "field": "value", "value": "true",
        }])
    );
}

#[tokio::test]
async fn the_answer_has_prices_and_the_address_of_the_location() {
    let scene = Scene::new().await;
    let Scene { shop, storefront, standard, .. } = &scene;
    let tea = scene.goods("Tea", Some(&shop.default_profile().await)).await;
    let cart = scene.cart(&[&tea]).await;
    let location = format!("/admin/stock-locations/{}", shop.location);
    let address = json!({ "address_1": "Pier 1", "city": "Bonn", "country_code": "de" });
    shop.admin.post(&location, json!({ "address": address })).await.ok();
    let shown = &scene.offered(&cart, "&fields=id").await[0];
    assert_eq!((&shown["amount"], &shown["prices"][0]["amount"]), (&json!(5), &json!(5)));
    assert_eq!(shown["calculated_price"]["calculated_amount"], json!(5));
    let set = &shown["service_zone"]["fulfillment_set"];
    assert_eq!((&set["type"], &set["location"]["address"]["city"]), (&json!("shipping"), &json!("Bonn")));
    assert_eq!(shown["provider"], json!({ "id": "manual_manual", "is_enabled": true }));
    // The price of the region comes first; one in another currency is none.
    let path = format!("/admin/shipping-options/{standard}");
    let regional =
        json!([{ "currency_code": "eur", "amount": 5 }, { "region_id": shop.region, "amount": 4.5 }]);
    shop.admin.post(&path, json!({ "prices": regional })).await.ok();
    assert_eq!(scene.offered(&cart, "").await[0]["amount"], json!(4.5));
    shop.admin.post(&path, json!({ "prices": [{ "currency_code": "usd", "amount": 6 }] })).await.ok();
    let shown = &scene.offered(&cart, "").await[0];
    assert_eq!((shown.get("amount"), &shown["calculated_price"]), (None, &Value::Null));

    for (path, body, error) in [
        (
            "/store/shipping-options?cart_id=cart_x",
            Value::Null,
            "404 not_found: Cart id not found: cart_x".to_owned(),
        ),
        (
            "/store/shipping-options",
            Value::Null,
            "400 invalid_data: Invalid request: Field 'cart_id' is required".to_owned(),
        ),
        (
            &format!("/store/shipping-options/{standard}/calculate"),
            json!({ "cart_id": cart }),
            format!("400 invalid_data: The price of shipping option {standard} is not calculated"),
        ),
        (
            "/store/shipping-options/so_x/calculate",
            json!({ "cart_id": cart }),
            "404 not_found: Shipping Option with id: so_x not found".to_owned(),
        ),
        (
            "/store/shipping-options/so_x/calculate",
            json!({}),
            "400 invalid_data: Invalid request: Field 'cart_id' is required".to_owned(),
        ),
    ] {
        let answer = match body {
            Value::Null => storefront.get(path).await,
            body => storefront.post(path, body).await,
        };
        assert_eq!(answer.error(), error, "{path}");
    }
    let admin = &shop.admin;
    let path = format!("/admin/shipping-options/{standard}/availability");
    assert_eq!(
        admin.get(&path).await.error(),
        "400 invalid_data: Invalid request: Field 'cart_id' is required"
    );
    assert_eq!(
        admin.get(&format!("{path}?cart_id=cart_x")).await.error(),
        "404 not_found: Cart id not found: cart_x"
    );
}
