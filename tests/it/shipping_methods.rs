//! Shipping methods of carts: which a buyer may choose, what they cost, when they go, and when completing a
//! cart demands them.

use atoll_flows::cart::unable_to_ship;
use atoll_testkit::{Client, Shipping, Shop, complete, id, pay};
use serde_json::{Value, json};

const REFUSED: &str = "400 invalid_data: Shipping Options are invalid for cart.";

/// A shop with tea and sofas, which ships them in two ways.
struct Scene {
    shop: Shop,
    storefront: Client,
    web: String,
    standard: String,
    freight: String,
    zone: String,
    tea: String,
    sofa: String,
}

impl Scene {
    async fn new() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let Shipping { zone, option: standard, .. } = shop.shipping(&["de"]).await;
        let heavy = shop.heavy_profile().await;
        let price = json!({ "prices": [{ "currency_code": "eur", "amount": 49 }] });
        let freight = shop.option(&zone, "Freight", &heavy, price).await;
        let profile = shop.default_profile().await;
        let (tea, sofa) =
            (goods(&shop, &web, "Tea", &profile).await, goods(&shop, &web, "Sofa", &heavy).await);
        Scene { shop, storefront, web, standard, freight, zone, tea, sofa }
    }

    async fn cart(&self, variants: &[&str]) -> String {
        let line = |it: &&str| json!({ "variant_id": it, "quantity": 1 });
        self.shop.cart_of(&self.storefront, variants.iter().map(line).collect()).await
    }

    /// Chooses options; the methods of the cart as `name amount`, or the error.
    async fn choose(&self, cart: &str, body: Value) -> Result<Vec<String>, String> {
        let path = format!("/store/carts/{cart}/shipping-methods?fields=id,*shipping_methods");
        let answer = self.storefront.post(&path, body).await;
        if answer.status.is_success() { Ok(methods(&answer.ok()["cart"])) } else { Err(answer.error()) }
    }

    async fn one(&self, cart: &str, option: &str) -> Result<Vec<String>, String> {
        self.choose(cart, json!({ "option_id": option })).await
    }

    /// The cart after a change.
    async fn change(&self, path: &str, body: Value) -> Vec<String> {
        let path = format!("/store/carts/{path}?fields=id,*shipping_methods");
        methods(&self.storefront.post(&path, body).await.ok()["cart"])
    }

    async fn address(&self, cart: &str, country: &str) -> Vec<String> {
        self.change(cart, json!({ "shipping_address": { "country_code": country } })).await
    }

    async fn totals(&self, cart: &str) -> Value {
        let fields = "total,item_total,shipping_total,shipping_methods.amount";
        let cart = self.storefront.get(&format!("/store/carts/{cart}?fields={fields}")).await.ok();
        let mut totals = cart["cart"].clone();
        let methods = totals["shipping_methods"].as_array_mut().expect("methods");
        methods.iter_mut().for_each(|it| *it = it["amount"].take());
        totals.as_object_mut().expect("totals").remove("id");
        totals
    }

    async fn set_store(&self, fields: Value) {
        let stores = self.shop.admin.get("/admin/stores?fields=id").await.ok();
        let path = format!("/admin/stores/{}", id(&stores["stores"][0]));
        self.shop.admin.post(&path, fields).await.ok();
    }
}

/// A variant of a product of this profile.
async fn goods(shop: &Shop, web: &str, title: &str, profile: &str) -> String {
    let goods = shop.product(title, &[web], 99).await;
    shop.ship_as(&goods.product, profile).await;
    goods.id
}

fn methods(cart: &Value) -> Vec<String> {
    let methods = cart["shipping_methods"].as_array().expect("methods").iter();
    methods.map(|it| format!("{} {}", it["name"].as_str().expect("a name"), it["amount"])).collect()
}

#[tokio::test]
async fn chosen_methods_are_charged_and_ordered() {
    let scene = Scene::new().await;
    let Scene { shop, storefront, standard, freight, .. } = &scene;
    let express = shop.option(&scene.zone, "Express", &shop.default_profile().await, json!({})).await;
    let cart = scene.cart(&[&scene.tea, &scene.sofa]).await;
    assert_eq!(scene.one(&cart, standard).await, Ok(vec!["Standard 5".into()]));
    let totals = scene.totals(&cart).await;
    assert_eq!((&totals["item_total"], &totals["shipping_total"]), (&json!(20), &json!(5)), "{totals}");
    assert_eq!(totals["total"], json!(25));
    // One of each shipping profile.
    assert_eq!(scene.one(&cart, &express).await, Ok(vec!["Express 5".into()]));
    let both = vec!["Express 5".to_owned(), "Freight 49".to_owned()];
    assert_eq!(scene.one(&cart, freight).await, Ok(both));
    let list = json!([{ "option_id": freight }, { "option_id": express }, { "option_id": standard }]);
    let both = vec!["Freight 49".to_owned(), "Standard 5".to_owned()];
    assert_eq!(scene.choose(&cart, list).await, Ok(both.clone()));
    // Something was open to be paid: it follows.
    pay(storefront, &cart).await;
    let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
    let order = &order["order"];
    assert_eq!((&order["total"], &order["shipping_total"]), (&json!(74), &json!(54)), "{order}");
    let path = format!("/admin/orders/{}?fields=id,*shipping_methods,*payment_collections", id(order));
    let order = shop.admin.get(&path).await.ok();
    assert_eq!(methods(&order["order"]), both);
    assert_eq!(order["order"]["payment_collections"][0]["amount"], json!(74));
    let completed = format!("400 invalid_data: Cart {cart} is already completed.");
    assert_eq!(scene.one(&cart, standard).await, Err(completed));
}

#[tokio::test]
async fn options_that_the_cart_may_not_have_are_refused() {
    let scene = Scene::new().await;
    let Scene { shop, standard, zone, .. } = &scene;
    let profile = shop.default_profile().await;
    let cart = scene.cart(&[&scene.tea]).await;
    let rule = |attribute: &str, value: &str| json!({ "rules": [{ "attribute": attribute, "operator": "eq", "value": value }] });
    let staff = shop.option(zone, "Staff", &profile, rule("enabled_in_store", "false")).await;
    let back = shop.option(zone, "Return", &profile, rule("is_return", "true")).await;
    let dollars = json!({ "prices": [{ "currency_code": "usd", "amount": 5 }] });
    let dollars = shop.option(zone, "Dollars", &profile, dollars).await;
    let depot = shop.admin.post("/admin/stock-locations", json!({ "name": "Depot" })).await.ok();
    let elsewhere = shop.shipping_from(&id(&depot["stock_location"]), &["de"]).await.option;
    for option in ["so_x", &scene.freight, &staff, &back, &dollars, &elsewhere] {
        assert_eq!(scene.one(&cart, option).await, Err(REFUSED.to_owned()), "{option}");
        // Of several none is chosen.
        let both = json!([{ "option_id": standard }, { "option_id": option }]);
        assert_eq!(scene.choose(&cart, both).await, Err(REFUSED.to_owned()), "{option}");
    }
    let required = "400 invalid_data: Invalid request: Field 'option_id' is required".to_owned();
    assert_eq!(scene.choose(&cart, json!({})).await, Err(required.clone()));
    assert_eq!(scene.choose(&cart, json!([])).await, Err(required));
    let many: Vec<Value> = vec![json!({ "option_id": standard }); 21];
    assert_eq!(
        scene.choose(&cart, json!(many)).await,
        Err("400 invalid_data: At most 20 shipping options can be chosen at once".to_owned())
    );
    assert_eq!(
        scene.one("cart_x", standard).await,
        Err("404 not_found: Cart id not found: cart_x".to_owned())
    );
    assert_eq!(scene.totals(&cart).await["shipping_methods"], json!([]));
}

#[tokio::test]
async fn methods_follow_the_cart() {
    let scene = Scene::new().await;
    let Scene { shop, standard, .. } = &scene;
    let free = json!({ "attribute": "item_total", "operator": "gte", "value": 25 });
    let prices = json!([
        { "currency_code": "eur", "amount": 5 },
        { "currency_code": "eur", "amount": 0, "rules": [free] },
    ]);
    shop.admin.post(&format!("/admin/shipping-options/{standard}"), json!({ "prices": prices })).await.ok();
    let cart = scene.cart(&[&scene.tea]).await;
    let lines = format!("{cart}/line-items");
    assert_eq!(scene.one(&cart, standard).await, Ok(vec!["Standard 5".into()]));
    let more = json!({ "variant_id": scene.tea, "quantity": 2 });
    assert_eq!(scene.change(&lines, more).await, ["Standard 0"]);
    let line = scene.storefront.get(&format!("/store/carts/{cart}")).await.ok();
    let line = id(&line["cart"]["items"][0]);
    assert_eq!(scene.change(&format!("{lines}/{line}"), json!({ "quantity": 2 })).await, ["Standard 5"]);

    // It goes where the option does not serve any more.
    assert_eq!(scene.address(&cart, "de").await, ["Standard 5"]);
    assert_eq!(scene.address(&cart, "fr").await, [""; 0]);
    assert_eq!(scene.address(&cart, "de").await, [""; 0], "what is gone does not come back by itself");
    assert_eq!(scene.one(&cart, standard).await, Ok(vec!["Standard 5".into()]));
    let sofa = json!({ "variant_id": scene.sofa, "quantity": 1 });
    assert_eq!(scene.change(&lines, sofa).await, ["Standard 0"]);
    scene.storefront.delete(&format!("/store/carts/{lines}/{line}")).await.ok();
    assert_eq!(scene.address(&cart, "de").await, [""; 0], "nothing is left that it sends");
}

/// What changes in the shop after a method was chosen is seen when the cart is completed.
#[tokio::test]
async fn buyers_pay_no_shipping_that_they_were_not_shown() {
    let changed = "409 prices_changed (prices_changed): Prices in cart {} have changed since they were shown. \
                   Show the cart again, and pay what it comes to.";
    for what in ["price", "location", "provider", "option"] {
        let scene = Scene::new().await;
        let Scene { shop, standard, .. } = &scene;
        let cart = scene.cart(&[&scene.tea]).await;
        scene.one(&cart, standard).await.expect("a method");
        pay(&scene.storefront, &cart).await;
        let (option, location) = (
            format!("/admin/shipping-options/{standard}"),
            format!("/admin/stock-locations/{}", shop.location),
        );
        match what {
            "price" => {
                let prices = json!({ "prices": [{ "currency_code": "eur", "amount": 6 }] });
                shop.admin.post(&option, prices).await.ok();
            }
            "location" => {
                let other = shop.admin.post("/admin/stock-locations", json!({ "name": "Other" })).await.ok();
                let other = id(&other["stock_location"]);
                let channels = format!("/admin/stock-locations/{other}/sales-channels");
                shop.admin.post(&channels, json!({ "add": [scene.web] })).await.ok();
                let items = shop.admin.get("/admin/inventory-items?sku=Tea&fields=id").await.ok();
                shop.stock(&id(&items["inventory_items"][0]), &other, 9).await;
                let channels = format!("{location}/sales-channels");
                shop.admin.post(&channels, json!({ "remove": [scene.web] })).await.ok();
            }
            "provider" => {
                let providers = format!("{location}/fulfillment-providers");
                shop.admin.post(&providers, json!({ "remove": ["manual_manual"] })).await.ok();
            }
            _ => {
                shop.admin.delete(&option).await.ok();
            }
        }
        let answer = scene.storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await;
        assert_eq!(answer.error(), changed.replace("{}", &cart), "{what}");
        let shown = scene.totals(&cart).await;
        let expected = if what == "price" { json!([6]) } else { json!([]) };
        assert_eq!(shown["shipping_methods"], expected, "{what}");
    }
}

#[tokio::test]
async fn completing_demands_methods_where_the_channel_ships() {
    let scene = Scene::new().await;
    let Scene { shop, storefront, web, .. } = &scene;
    let none =
        "400 invalid_data: No shipping method selected but the cart contains items that require shipping.";
    let other = "400 invalid_data: The cart items require shipping profiles that are not satisfied by the \
                 current shipping methods";
    let file = shop.product_with("File", &[web], 0, json!({ "manage_inventory": false })).await.id;
    let paid = async |variants: &[&str], options: &[&str]| {
        let cart = scene.cart(variants).await;
        for option in options {
            scene.one(&cart, option).await.expect("a method");
        }
        pay(storefront, &cart).await;
        cart
    };
    for (variants, options, expected) in [
        (vec![&scene.tea], vec![], Err(none)),
        (vec![&scene.tea], vec![&*scene.standard], Ok(())),
        (vec![&scene.tea, &scene.sofa], vec![&scene.standard], Err(other)),
        (vec![&scene.tea, &scene.sofa], vec![&scene.standard, &scene.freight], Ok(())),
        // What is downloaded is not shipped.
        (vec![&file], vec![], Ok(())),
        (vec![&file, &scene.tea], vec![], Err(none)),
    ] {
        let variants: Vec<&str> = variants.into_iter().map(String::as_str).collect();
        let cart = paid(&variants, &options).await;
        let answer = complete(storefront, &cart).await;
        match expected {
            Ok(()) => drop(answer.ok()),
            Err(error) => assert_eq!(answer.error(), error, "{variants:?} {options:?}"),
        }
    }
    // A channel that ships nothing sells without methods, unless the store demands them; and a store may do
    // without them.
    let till = shop.channel("Till").await;
    let depot = shop.admin.post("/admin/stock-locations", json!({ "name": "Depot" })).await.ok();
    let channels = format!("/admin/stock-locations/{}/sales-channels", id(&depot["stock_location"]));
    shop.admin.post(&channels, json!({ "add": [till] })).await.ok();
    let channels = format!("/admin/stock-locations/{}/sales-channels", shop.location);
    shop.admin.post(&channels, json!({ "remove": [till] })).await.ok();
    let coffee = shop.product("Coffee", &[&till, web], 0).await;
    shop.stock(&coffee.item, &id(&depot["stock_location"]), 9).await;
    shop.stock(&coffee.item, &shop.location, 9).await;
    let at_till = shop.storefront(&[&till]).await;
    for (demanded, in_web, in_till) in [
        (Value::Null, false, true),
        (json!(true), false, false),
        (json!(false), true, true),
        (Value::Null, false, true),
    ] {
        scene.set_store(json!({ "require_shipping": demanded })).await;
        for (client, is_sold) in [(storefront, in_web), (&at_till, in_till)] {
            let cart = shop.cart(client, &coffee.id, 1).await;
            let answer = complete(client, &cart).await;
            match is_sold {
                true => drop(answer.ok()),
                false => assert_eq!(answer.error(), none, "{demanded}"),
            }
        }
    }
}

/// The history of a cart has no effect on what it costs.
#[tokio::test]
async fn the_same_cart_always_costs_the_same() {
    let scene = Scene::new().await;
    let there = scene.cart(&[&scene.tea]).await;
    scene.address(&there, "de").await;
    scene.one(&there, &scene.standard).await.expect("a method");
    let back = scene.cart(&[&scene.tea, &scene.sofa]).await;
    scene.one(&back, &scene.standard).await.expect("a method");
    scene.address(&back, "de").await;
    let lines = scene.storefront.get(&format!("/store/carts/{back}")).await.ok();
    let sofa = lines["cart"]["items"].as_array().expect("lines").iter().find(|it| it["title"] == "Sofa");
    let path = format!("/store/carts/{back}/line-items/{}", id(sofa.expect("a sofa")));
    scene.storefront.delete(&path).await.ok();
    assert_eq!(scene.totals(&there).await, scene.totals(&back).await);
}

/// What a start and a migration tell the operator.
#[tokio::test]
async fn channels_that_demand_shipping_and_have_none_are_named() {
    let scene = Scene::new().await;
    let Scene { shop, standard, freight, .. } = &scene;
    let named = || {
        let channels = unable_to_ship(&shop.app.ctx.view(), shop.app.ctx.now()).expect("channels");
        channels.into_iter().map(|it| it.name).collect::<Vec<_>>()
    };
    assert_eq!(named(), [""; 0]);
    // Nobody demands anything of the default channel, which has no location.
    scene.set_store(json!({ "require_shipping": true })).await;
    assert_eq!(named(), ["Default Sales Channel"]);
    scene.set_store(json!({ "require_shipping": null })).await;
    let providers = format!("/admin/stock-locations/{}/fulfillment-providers", shop.location);
    shop.admin.post(&providers, json!({ "remove": ["manual_manual"] })).await.ok();
    assert_eq!(named(), ["Web"]);
    shop.admin.post(&providers, json!({ "add": ["manual_manual"] })).await.ok();
    assert_eq!(named(), [""; 0]);
    for option in [standard, freight] {
        let path = format!("/admin/shipping-options/{option}");
        shop.admin.post(&path, json!({ "prices": [] })).await.ok();
    }
    assert_eq!(named(), ["Web"]);
    scene.set_store(json!({ "require_shipping": false })).await;
    assert_eq!(named(), [""; 0]);
}

#[tokio::test]
async fn a_promotion_may_name_an_option_or_a_type_of_options() {
    let it = Scene::new().await;
    let option = it.shop.admin.get(&format!("/admin/shipping-options/{}", it.standard)).await.ok();
    let kind = option["shipping_option"]["type"]["id"].clone();
    let other = json!("sotype_other");
    for (n, (attribute, value, total)) in [
        ("shipping_methods.shipping_option_id", json!(it.standard), 0),
        ("shipping_methods.shipping_option.shipping_option_type_id", kind, 0),
        ("shipping_methods.shipping_option.shipping_option_type_id", other, 5),
    ]
    .into_iter()
    .enumerate()
    {
        let code = format!("FREE{n}");
        let method = json!({
            "type": "percentage", "target_type": "shipping_methods", "value": 100, "allocation": "across",
            "target_rules": [{ "attribute": attribute, "operator": "eq", "values": [value] }],
        });
        let free =
            json!({ "code": code, "type": "standard", "status": "active", "application_method": method });
        it.shop.admin.post("/admin/promotions", free).await.ok();
        let cart = it.cart(&[&it.tea]).await;
        it.one(&cart, &it.standard).await.expect("a method");
        let path = format!("/store/carts/{cart}/promotions");
        let shown = it.storefront.post(&path, json!({ "promo_codes": [code] })).await.ok();
        assert_eq!(shown["cart"]["shipping_total"], total, "{attribute} {n}");
    }
}
