//! A fulfilment provider that calculates prices: shipping options that ask it, and what they answer.

use std::time::Duration;

use atoll_checkout::{Fulfilling, FulfillmentProvider, ShippingPrice, ShippingRequest};
use atoll_kernel::{Ctx, Decimal, Fault, Metadata, provider};
use atoll_testkit::{Shipping, Shop, complete};
use serde_json::{Map, Value, json};

/// Id of the carrier.
const CARRIER: &str = "test_carrier";

/// It takes two euros per piece, and a half more where a storefront asks for insurance.
struct Carrier;

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

    fn price(&self, _: Ctx, request: ShippingRequest) -> Fulfilling<ShippingPrice> {
        Box::pin(async move {
            let pieces: Decimal = request.items.iter().map(|it| it.quantity).sum();
            let mut amount = pieces * Decimal::from(2_i64);
            match &*text(&request.data, "with") {
                "insurance" => amount += "0.5".parse().expect("a decimal"),
                "silence" => std::future::pending().await,
                "a mistake" => amount = -amount,
                "refusal" => return Err(Fault::invalid("The carrier does not deliver there")),
                _ => {}
            }
            Ok(ShippingPrice { amount, is_tax_inclusive: true })
        })
    }
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
    let line = format!("/store/carts/{cart}/line-items/{}?{fields}", atoll_testkit::id(&shown["items"][0]));
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
