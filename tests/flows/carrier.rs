//! A fulfilment provider outside of the process: shipping options that ask it for a price, and fulfilments
//! that it takes over and gives back.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use atoll_checkout::{
    Fulfilling, FulfillmentProvider, Parcel, ParcelLabel, ParcelRequest, ShippingPrice, ShippingRequest,
};
use atoll_flows::order::CANCEL_ORDER;
use atoll_kernel::{
    Actor, Ctx, Decimal, Fault, Metadata, Moment, Registry, Write, data::Store, jobs::emit, provider,
};
use atoll_storage::engines::Counting;
use atoll_testkit::{Answer, Client, Setup, Shipping, Shop, Variant, complete, id};
use serde_json::{Map, Value, json};

/// Id of the carrier.
pub(crate) const CARRIER: &str = "test_carrier";

/// It takes two euros per piece, and a half more where a storefront asks for insurance.
struct Carrier;

/// What the carrier was asked, by the id of the order: `create 2 to Ada`, `cancel parcel-1`.
static ASKED: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Notes a request.
fn note(order: &str, what: String) {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).entry(order.to_owned()).or_default().push(what);
}

/// The engine of the test that wants to know how many snapshots are held while the carrier is asked.
static COUNTED: Mutex<Option<Counting>> = Mutex::new(None);

/// The number of snapshots, after another commit.
async fn n_snapshots(ctx: &Ctx) -> Result<Decimal, Fault> {
    let happen = |tx: &mut dyn Write, at: &Moment| Ok(emit(tx, at, "test.happened", Value::Null)?);
    ctx.write(Actor::System, happen).await?;
    let counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Decimal::from(counted.as_ref().map_or(0, |it| it.n_snapshots() as i64)))
}

fn data(value: &Value) -> Metadata {
    Metadata(value.as_object().cloned())
}

fn text(data: &Metadata, name: &str) -> String {
    let value = data.0.as_ref().and_then(|it: &Map<String, Value>| it.get(name));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl FulfillmentProvider for Carrier {
    fn timeout(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn options(&self, _: Ctx) -> Fulfilling<Vec<Metadata>> {
        Box::pin(async { Ok(vec![data(&json!({ "id": "parcel" })), data(&json!({ "id": "letter" }))]) })
    }

    fn can_calculate(&self, option_data: &Metadata) -> bool {
        text(option_data, "id") == "parcel"
    }

    fn validate(&self, _: Ctx, request: ShippingRequest) -> Fulfilling<Metadata> {
        Box::pin(async move {
            match &*text(&request.data, "with") {
                "a typo" => Err(Fault::invalid("The carrier has no such service")),
                with => Ok(data(&json!({ "with": with, "checked": true }))),
            }
        })
    }

    fn price(&self, ctx: Ctx, request: ShippingRequest) -> Fulfilling<ShippingPrice> {
        Box::pin(async move {
            let pieces: Decimal = request.items.iter().map(|it| it.quantity).sum();
            let mut amount = pieces * Decimal::from(2_i64);
            match &*text(&request.data, "with") {
                "insurance" => amount += "0.5".parse().expect("a decimal"),
                "silence" => std::future::pending().await,
                "a count" => amount = n_snapshots(&ctx).await?,
                "a mistake" => amount = -amount,
                "refusal" => return Err(Fault::invalid("The carrier does not deliver there")),
                _ => {}
            }
            Ok(ShippingPrice { amount, is_tax_inclusive: true })
        })
    }

    fn create(&self, ctx: Ctx, request: ParcelRequest) -> Fulfilling<Parcel> {
        Box::pin(async move {
            let pieces: Decimal = request.items.iter().map(|it| it.quantity).sum();
            let name = request.address.and_then(|it| it.first_name).unwrap_or_default();
            let service = text(&request.option_data, "id");
            note(&request.order_id, format!("create {pieces} by {service} to {name}"));
            match &*text(&request.data, "with") {
                "refusal" => return Err(Fault::invalid("The carrier does not take it")),
                "silence" => std::future::pending().await,
                // While the carrier is asked, the order is called off.
                "a race" => {
                    ctx.run(&CANCEL_ORDER, Actor::System, request.order_id).await?;
                }
                _ => {}
            }
            // The same for a repeated request.
            let number = format!("parcel-{pieces}");
            let url = format!("https://carrier.test/{number}");
            let label =
                ParcelLabel { tracking_number: number.clone(), tracking_url: url.clone(), label_url: url };
            Ok(Parcel { data: data(&json!({ "number": number })), labels: vec![label] })
        })
    }

    fn cancel(&self, _: Ctx, request: ParcelRequest) -> Fulfilling<()> {
        Box::pin(async move {
            let number = text(&request.data, "number");
            let what = if number.is_empty() { "what it has" } else { &number };
            note(&request.order_id, format!("cancel {what}"));
            match request.items.iter().any(|it| it.quantity > Decimal::from(2_i64)) {
                true => Err(Fault::invalid("The carrier has it already")),
                false => Ok(()),
            }
        })
    }
}

/// A shop that ships by the carrier.
struct Scene {
    shop: Shop,
    storefront: Client,
    tea: Variant,
    option: String,
}

impl Scene {
    async fn open() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let tea = shop.product("Tea", &[&web], 9).await;
        let option = option_by_carrier(&shop).await;
        Scene { shop, storefront, tea, option }
    }

    /// An order of tea, with this data for the carrier; returns its id.
    async fn order(&self, quantity: u32, with: &str) -> String {
        let cart = self.shop.cart(&self.storefront, &self.tea.id, quantity).await;
        let path = format!("/store/carts/{cart}");
        let address = json!({ "first_name": "Ada", "country_code": "de" });
        self.storefront.post(&path, json!({ "shipping_address": address })).await.ok();
        let chosen = json!({ "option_id": self.option, "data": { "with": with } });
        self.storefront.post(&format!("{path}/shipping-methods"), chosen).await.ok();
        id(&complete(&self.storefront, &cart).await.ok()["order"])
    }

    async fn fulfil(&self, order: &str, quantity: i64) -> Answer {
        let path = format!("/admin/orders/{order}");
        let line = id(&self.shop.admin.get(&path).await.ok()["order"]["items"][0]);
        let body = json!({ "items": [{ "id": line, "quantity": quantity }] });
        self.shop.admin.post(&format!("{path}/fulfillments"), body).await
    }

    /// The state of an order, of its fulfilments and of the stock; what the carrier was asked.
    async fn stand(&self, order: &str) -> (String, Vec<String>) {
        let fields = "fulfillment_status,*fulfillments,fulfillments.labels.tracking_number";
        let path = format!("/admin/orders/{order}?fields={fields}");
        let shown = self.shop.admin.get(&path).await.ok()["order"].clone();
        let parcel = |it: &Value| {
            let is_out = if it["canceled_at"].is_null() { "out" } else { "back" };
            format!(" {}{}{is_out}", it["data"], it["labels"][0]["tracking_number"])
        };
        let parcels: String = shown["fulfillments"].as_array().expect("a list").iter().map(parcel).collect();
        let path = format!("/admin/inventory-items/{}/location-levels", self.tea.item);
        let level = self.shop.admin.get(&path).await.ok()["inventory_levels"][0].clone();
        let status = shown["fulfillment_status"].as_str().unwrap_or_default();
        let stand = format!("{status}{parcels} {}/{}", level["reserved_quantity"], level["stocked_quantity"]);
        let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner).remove(order);
        (stand, asked.unwrap_or_default())
    }
}

/// A shipping option by the carrier, from the location of the shop, at 5 euros.
pub(crate) async fn option_by_carrier(shop: &Shop) -> String {
    let Shipping { zone, .. } = shop.shipping(&["de"]).await;
    let providers = format!("/admin/stock-locations/{}/fulfillment-providers", shop.location);
    shop.admin.post(&providers, json!({ "add": [CARRIER] })).await.ok();
    let fields = json!({ "provider_id": CARRIER, "data": { "id": "parcel" } });
    shop.option(&zone, "By carrier", &shop.default_profile().await, fields).await
}

provider! { dyn FulfillmentProvider: CARRIER => Carrier }

#[tokio::test]
async fn price_of_an_option_is_asked_of_its_provider() {
    let (shop, web, storefront) = Shop::web().await;
    let Shipping { zone, .. } = shop.shipping(&["de"]).await;
    let providers = format!("/admin/stock-locations/{}/fulfillment-providers", shop.location);
    shop.admin.post(&providers, json!({ "add": [CARRIER] })).await.ok();
    let services = shop.admin.get(&format!("/admin/fulfillment-providers/{CARRIER}/options")).await.ok();
    assert_eq!(services["fulfillment_options"], json!([{ "id": "parcel" }, { "id": "letter" }]));
    let calculated = |service: &str| json!({ "provider_id": CARRIER, "price_type": "calculated", "prices": [], "data": { "id": service } });
    let profile = shop.default_profile().await;
    let option = shop.option(&zone, "Parcel", &profile, calculated("parcel")).await;
    let mut letter = calculated("letter");
    letter.as_object_mut().expect("an object").extend(
        json!({
            "name": "Letter", "service_zone_id": zone, "shipping_profile_id": profile,
            "type": { "label": "Letter", "code": "letter" },
        })
        .as_object()
        .expect("an object")
        .clone(),
    );
    assert_eq!(
        shop.admin.post("/admin/shipping-options", letter).await.error(),
        "400 invalid_data: Cannot calculate pricing for: [Letter] shipping option(s)."
    );

    let tea = shop.product("Tea", &[&web], 9).await;
    let cart = shop.cart(&storefront, &tea.id, 3).await;
    let list = storefront.get(&format!("/store/shipping-options?cart_id={cart}")).await.ok();
    let shown = &list["shipping_options"][1];
    assert_eq!((&shown["name"], &shown["price_type"]), (&json!("Parcel"), &json!("calculated")));
    assert_eq!((shown.get("amount"), &shown["calculated_price"]), (None, &Value::Null));
    let calculate = async |with: &str| {
        let body = json!({ "cart_id": cart, "data": { "with": with } });
        storefront.post(&format!("/store/shipping-options/{option}/calculate"), body).await
    };
    for (with, amount) in [("nothing", json!(6)), ("insurance", json!(6.5))] {
        let shown = calculate(with).await.ok()["shipping_option"].clone();
        assert_eq!((&shown["amount"], &shown["is_tax_inclusive"]), (&amount, &json!(true)), "{with}");
        assert_eq!(shown["calculated_price"]["calculated_amount"], amount, "{with}");
    }
    for (with, error) in [
        ("refusal", "400 invalid_data: The carrier does not deliver there"),
        ("silence", "503 unknown_error: The provider test_carrier does not answer"),
        ("a mistake", "500 unknown_error (unknown_error): An unknown error occurred."),
    ] {
        let answer = calculate(with).await;
        assert_eq!(answer.error(), error, "{with}");
    }
    // Nothing is asked for an option that the cart cannot have.
    shop.admin.post(&providers, json!({ "remove": [CARRIER] })).await.ok();
    assert_eq!(
        calculate("nothing").await.error(),
        format!("404 not_found: Shipping Option with id: {option} not found")
    );
}

/// Whoever holds one keeps the database from reusing space, and a carrier may take half a minute.
#[tokio::test]
async fn no_snapshot_is_held_while_a_provider_is_asked() {
    let engine = Counting::default();
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    let shop = Shop::open(Setup::default().over(store).await).await;
    let web = shop.channel("Web").await;
    let storefront = shop.storefront(&[&web]).await;
    let Shipping { zone, .. } = shop.shipping(&["de"]).await;
    let providers = format!("/admin/stock-locations/{}/fulfillment-providers", shop.location);
    shop.admin.post(&providers, json!({ "add": [CARRIER] })).await.ok();
    let parcel = json!({
        "provider_id": CARRIER, "price_type": "calculated", "prices": [], "data": { "id": "parcel" },
    });
    let option = shop.option(&zone, "Parcel", &shop.default_profile().await, parcel).await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    *COUNTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(engine);

    let chosen = json!({ "cart_id": cart, "data": { "with": "a count" } });
    let path = format!("/store/shipping-options/{option}/calculate");
    assert_eq!(storefront.post(&path, chosen).await.ok()["shipping_option"]["amount"], 1);
    let path = format!("/store/carts/{cart}");
    let chosen = json!({ "option_id": option, "data": { "with": "a count" } });
    storefront.post(&format!("{path}/shipping-methods"), chosen).await.ok();
    // The carrier is asked again for more of them.
    let line = json!({ "variant_id": tea.id, "quantity": 1 });
    let more = storefront.post(&format!("{path}/line-items?fields=*shipping_methods"), line).await.ok();
    assert_eq!(more["cart"]["shipping_methods"][0]["amount"], 1);
}

#[tokio::test]
async fn price_of_a_chosen_method_is_asked_of_its_provider() {
    let (shop, web, storefront) = Shop::web().await;
    let Shipping { zone, option: standard, .. } = shop.shipping(&["de"]).await;
    let providers = format!("/admin/stock-locations/{}/fulfillment-providers", shop.location);
    shop.admin.post(&providers, json!({ "add": [CARRIER] })).await.ok();
    let profile = shop.default_profile().await;
    let parcel = json!({
        "provider_id": CARRIER, "price_type": "calculated", "prices": [], "data": { "id": "parcel" },
    });
    let option = shop.option(&zone, "Parcel", &profile, parcel).await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let fields = "fields=id,total,is_stale,*shipping_methods,*items";
    let choose = async |option: &str, with: &str| {
        let body = json!({ "option_id": option, "data": { "with": with } });
        storefront.post(&format!("/store/carts/{cart}/shipping-methods?{fields}"), body).await
    };
    // Nothing is chosen that the carrier does not take.
    for (with, error) in [
        ("a typo", "400 invalid_data: The carrier has no such service"),
        ("refusal", "400 invalid_data: The carrier does not deliver there"),
        ("silence", "503 unknown_error: The provider test_carrier does not answer"),
        ("a mistake", "500 unknown_error (unknown_error): An unknown error occurred."),
    ] {
        assert_eq!(choose(&option, with).await.error(), error, "{with}");
    }
    let shown = choose(&option, "insurance").await.ok()["cart"].clone();
    let method = &shown["shipping_methods"][0];
    assert_eq!((&method["amount"], &method["is_tax_inclusive"]), (&json!(2.5), &json!(true)), "{shown}");
    assert_eq!(method["data"], json!({ "with": "insurance", "checked": true }));
    assert_eq!((&shown["total"], &shown["is_stale"]), (&json!(12.5), &json!(false)));

    // The carrier is asked for what is in the cart now.
    let line = format!("/store/carts/{cart}/line-items/{}?{fields}", id(&shown["items"][0]));
    let shown = storefront.post(&line, json!({ "quantity": 3 })).await.ok()["cart"].clone();
    assert_eq!((&shown["total"], &shown["is_stale"]), (&json!(36.5), &json!(false)), "{shown}");
    let order = complete(&storefront, &cart).await.ok()["order"].clone();
    assert_eq!((&order["total"], &order["shipping_total"]), (&json!(36.5), &json!(6.5)));

    // A method of the shop's own replaces it, and costs what the shop says.
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    for (option, total) in [(&option, 12), (&standard, 15)] {
        let path = format!("/store/carts/{cart}/shipping-methods?{fields}");
        let shown = storefront.post(&path, json!({ "option_id": option })).await.ok();
        assert_eq!(shown["cart"]["total"], json!(total));
    }
}

#[tokio::test]
async fn provider_takes_over_what_is_fulfilled_and_gives_it_back() {
    let scene = Scene::open().await;
    let order = scene.order(2, "care").await;
    scene.fulfil(&order, 1).await.ok();
    let out = r#"partially_fulfilled {"number":"parcel-1"}"parcel-1"out 1/8"#.to_owned();
    assert_eq!(scene.stand(&order).await, (out, vec!["create 1 by parcel to Ada".into()]));
    let path = format!("/admin/orders/{order}");
    let shown = scene.shop.admin.get(&path).await.ok();
    let parcel = format!("{path}/fulfillments/{}/cancel", id(&shown["order"]["fulfillments"][0]));
    scene.shop.admin.post(&parcel, json!({})).await.ok();
    let back = r#"canceled {"number":"parcel-1"}"parcel-1"back 2/9"#.to_owned();
    assert_eq!(scene.stand(&order).await, (back.clone(), vec!["cancel parcel-1".into()]));
    // What cannot be cancelled is not asked for.
    let again = scene.shop.admin.post(&parcel, json!({})).await;
    assert_eq!(again.error(), "400 not_allowed: The fulfillment is already canceled");
    assert_eq!(scene.stand(&order).await, (back, vec![]));

    // The rest of a completed order is said to have left: nobody is asked.
    scene.shop.admin.post(&format!("{path}/complete"), json!({})).await.ok();
    let (stand, asked) = scene.stand(&order).await;
    assert!(
        stand.starts_with("fulfilled ") && stand.ends_with(" 0/7") && asked.is_empty(),
        "{stand} {asked:?}"
    );
}

#[tokio::test]
async fn refused_fulfilment_leaves_stock_and_order_as_they_were() {
    let scene = Scene::open().await;
    for (with, error) in [
        ("refusal", "400 invalid_data: The carrier does not take it"),
        ("silence", "500 unknown_error (unknown_error): An unknown error occurred."),
    ] {
        let order = scene.order(1, with).await;
        assert_eq!(scene.fulfil(&order, 1).await.error(), error);
        // It may have had an effect, so it is taken back.
        let asked = vec!["create 1 by parcel to Ada".to_owned(), "cancel what it has".to_owned()];
        let (stand, seen) = scene.stand(&order).await;
        assert_eq!(seen, asked, "{with}");
        assert!(stand.starts_with("not_fulfilled ") && stand.ends_with("/9"), "{stand}");
        scene.shop.admin.post(&format!("/admin/orders/{order}/cancel"), json!({})).await.ok();
    }
    // Nobody is asked about goods that cannot be fulfilled anyway.
    let order = scene.order(1, "care").await;
    let too_many = scene.fulfil(&order, 5).await.error();
    assert!(too_many.starts_with("400 invalid_data: Quantity to fulfill exceeds"), "{too_many}");
    assert_eq!(scene.stand(&order).await, ("not_fulfilled 1/9".into(), vec![]));
}

#[tokio::test]
async fn parcel_of_an_order_that_was_cancelled_meanwhile_is_taken_back() {
    let scene = Scene::open().await;
    let order = scene.order(1, "a race").await;
    let error = scene.fulfil(&order, 1).await.error();
    assert_eq!(error, format!("400 invalid_data: Order with id {order} has been canceled."));
    let asked = vec!["create 1 by parcel to Ada".into(), "cancel parcel-1".into()];
    assert_eq!(scene.stand(&order).await, ("not_fulfilled 0/9".into(), asked));
}

#[tokio::test]
async fn fulfilment_that_the_provider_keeps_is_not_cancelled() {
    let scene = Scene::open().await;
    let order = scene.order(3, "care").await;
    scene.fulfil(&order, 3).await.ok();
    let path = format!("/admin/orders/{order}");
    let shown = scene.shop.admin.get(&path).await.ok()["order"].clone();
    let parcel = format!("{path}/fulfillments/{}", id(&shown["fulfillments"][0]));
    let refused = scene.shop.admin.post(&format!("{parcel}/cancel"), json!({})).await;
    assert_eq!(refused.error(), "400 invalid_data: The carrier has it already");
    // It is not locked either: it can be shipped.
    let items = json!({ "items": [{ "id": shown["items"][0]["id"], "quantity": 3 }] });
    scene.shop.admin.post(&format!("{parcel}/shipments"), items).await.ok();
    let (stand, _) = scene.stand(&order).await;
    assert!(stand.starts_with("shipped ") && stand.ends_with("out 0/6"), "{stand}");
}

#[tokio::test]
async fn hooks_start_from_the_price_that_the_provider_says() {
    let (shop, web, storefront) = Shop::web().await;
    let Shipping { zone, .. } = shop.shipping(&["de"]).await;
    let providers = format!("/admin/stock-locations/{}/fulfillment-providers", shop.location);
    shop.admin.post(&providers, json!({ "add": [CARRIER] })).await.ok();
    let parcel = json!({
        "provider_id": CARRIER, "price_type": "calculated", "prices": [], "data": { "id": "parcel" },
    });
    let option = shop.option(&zone, "Parcel", &shop.default_profile().await, parcel).await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    let methods = format!("/store/carts/{cart}/shipping-methods");
    let chosen = storefront.post(&methods, json!({ "option_id": option })).await.ok();
    assert_eq!(chosen["cart"]["shipping_total"], 2);
    // The hook of members sets another price; one that they are told of again is that of the provider.
    for (metadata, expected) in [
        (json!({ "member": 1 }), json!(1)),
        (json!({ "member": "" }), json!(2)),
        (json!({ "surcharge": 1 }), json!(3)),
        (json!({ "surcharge": 2 }), json!(3)),
        (json!({ "surcharge": "" }), json!(2)),
    ] {
        let shown =
            storefront.post(&format!("/store/carts/{cart}"), json!({ "metadata": metadata })).await.ok();
        assert_eq!(shown["cart"]["shipping_total"], expected, "{metadata}");
    }
    assert_eq!(complete(&storefront, &cart).await.ok()["order"]["total"], 12);
}
