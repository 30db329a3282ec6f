//! A tax provider that is asked outside of the transaction.

use std::{collections::BTreeMap, future, time::Duration};

use atoll_checkout::{TaxAddress, TaxItem, TaxLine, TaxLines, TaxProvider, TaxRequest, Taxing};
use atoll_flows::cart::{ProviderAnswers, RECORD_PROVIDER_ANSWERS};
use atoll_kernel::{Actor, Ctx, Fault, Read, limits::PROVIDERS_TIMEOUT, provider};
use atoll_tax::{Taxes, taxes};
use atoll_testkit::{Client, Shop, TestApp, complete, id, pay};
use serde_json::{Value, json};
use tokio::sync::Notify;

const ABROAD: &str = "tp_abroad";

/// Taxes everything at 10 %, wherever it goes, but towns of which it knows nothing.
struct Abroad;

impl TaxProvider for Abroad {
    fn timeout(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn ask(&self, _: Ctx, request: TaxRequest) -> Taxing {
        Box::pin(async move {
            let rate = match request.address.city.as_deref() {
                Some("Silence") => future::pending().await,
                Some("Nowhere") => return Err(Fault::invalid("Nobody pays taxes there")),
                Some("Madness") => "1001".to_owned(),
                Some("Detail") => format!("10.{}1", "0".repeat(50)),
                _ => "10".to_owned(),
            };
            let rate = rate.parse().expect("a rate");
            let line = TaxLine { code: "abroad".into(), rate, ..TaxLine::default() };
            let items = request.items.into_iter().map(|it| it.id);
            let shipping = request.shipping.into_iter().map(|it| it.id);
            Ok(items.chain(shipping).map(|id| (id, vec![line.clone()])).collect())
        })
    }
}

provider! { dyn TaxProvider: ABROAD => Abroad }

const PATIENT: &str = "tp_patient";

/// Never answers, and does not give up by itself.
struct Patient;

static IS_ASKED: Notify = Notify::const_new();

impl TaxProvider for Patient {
    fn timeout(&self) -> Duration {
        2 * PROVIDERS_TIMEOUT
    }

    fn ask(&self, _: Ctx, _: TaxRequest) -> Taxing {
        IS_ASKED.notify_one();
        Box::pin(future::pending())
    }
}

provider! { dyn TaxProvider: PATIENT => Patient }

const MISTAKEN: &str = "tp_mistaken";

/// Answers at once, and has lost its way: buyers would be paid.
struct Mistaken;

impl TaxProvider for Mistaken {
    fn local(&self, _: &dyn Read, request: &TaxRequest) -> Result<Option<TaxLines>, Fault> {
        let line = || TaxLine { rate: "-150".parse().expect("a rate"), ..TaxLine::default() };
        Ok(Some(request.items.iter().map(|it| (it.id.clone(), vec![line()])).collect()))
    }

    fn ask(&self, _: Ctx, _: TaxRequest) -> Taxing {
        Box::pin(async { Ok(TaxLines::new()) })
    }
}

provider! { dyn TaxProvider: MISTAKEN => Mistaken }

#[tokio::test]
async fn the_provider_of_a_region_is_asked_outside_of_the_transaction() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    for (country, provider) in [("ch", ABROAD), ("de", "tp_system"), ("li", MISTAKEN)] {
        let rate = json!({ "name": "VAT", "code": "vat", "rate": 19 });
        let region = json!({ "country_code": country, "provider_id": provider, "default_tax_rate": rate });
        admin.post("/admin/tax-regions", region).await.ok();
    }
    let to = |country: &str| TaxRequest {
        address: TaxAddress { country_code: country.into(), ..TaxAddress::default() },
        items: vec![TaxItem { id: "line".into(), ..TaxItem::default() }],
        ..TaxRequest::default()
    };
    let (view, registry) = (app.ctx.view(), app.ctx.registry());
    let abroad = to("CH");
    assert_eq!(taxes(&view, registry, &abroad).expect("taxes"), Taxes::Ask(ABROAD.into()));
    let rates = |lines: BTreeMap<String, Vec<TaxLine>>| {
        lines.into_values().flatten().map(|it| it.rate.to_string()).collect::<Vec<_>>()
    };
    let provider = app.ctx.provider::<dyn TaxProvider>(ABROAD).expect("the provider");
    assert_eq!(rates(provider.ask(app.ctx.clone(), abroad).await.expect("lines")), ["10"]);
    match taxes(&view, registry, &to("de")).expect("taxes") {
        Taxes::Known(lines) => assert_eq!(rates(lines), ["19"]),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        taxes(&view, registry, &to("li")).map_err(|it| it.to_string()),
        Err("An unknown error occurred.".into())
    );
    // Where the shop collects no taxes nobody is asked.
    assert_eq!(taxes(&view, registry, &to("fr")).expect("taxes"), Taxes::Known(BTreeMap::new()));
}

#[tokio::test]
async fn a_page_shows_no_taxes_for_which_a_provider_must_be_asked_outside() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    for (country, provider) in [("ch", ABROAD), ("de", "tp_system")] {
        let region = json!({ "country_code": country, "provider_id": provider });
        shop.admin.post("/admin/tax-regions", region).await.ok();
    }
    for (country, expected) in [("ch", None), ("de", Some(&json!(10)))] {
        let region = &shop.region;
        let path = format!("/store/product-variants/{}?region_id={region}&country_code={country}", tea.id);
        let price = storefront.get(&path).await.ok()["variant"]["calculated_price"].clone();
        assert_eq!(price["calculated_amount"], 10, "{country}");
        assert_eq!(price.get("calculated_amount_with_tax"), expected, "{country}");
    }
}

/// A shop that sells tea to a country whose taxes a provider knows, and a cart on its way there.
async fn abroad() -> (Shop, Client, String) {
    let (shop, web, storefront) = Shop::web().await;
    let region = json!({ "name": "Abroad", "currency_code": "eur", "countries": ["ch"], "payment_providers": ["pp_system_default"] });
    let region = id(&shop.admin.post("/admin/regions", region).await.ok()["region"]);
    let taxes = json!({ "country_code": "ch", "provider_id": ABROAD });
    shop.admin.post("/admin/tax-regions", taxes).await.ok();
    let tea = shop.product("Tea", &[&web], 9).await;
    let cart = json!({ "region_id": region, "items": [{ "variant_id": tea.id, "quantity": 1 }] });
    let cart = id(&storefront.post("/store/carts", cart).await.ok()["cart"]);
    (shop, storefront, cart)
}

/// The total of a cart, its taxes, and whether it is stale.
fn sums(cart: &Value) -> String {
    let cart = &cart["cart"];
    format!("{} with {}, stale {}", cart["total"], cart["tax_total"], cart["is_stale"])
}

const SUMS: &str = "fields=total,tax_total,is_stale,*items";

#[tokio::test]
async fn taxes_of_a_cart_are_asked_of_its_provider() {
    let (_, storefront, cart) = abroad().await;
    let path = format!("/store/carts/{cart}?{SUMS}");
    let shown = storefront.get(&path).await.ok();
    assert_eq!(sums(&shown), "11 with 1, stale false");
    let line = format!("/store/carts/{cart}/line-items/{}?{SUMS}", id(&shown["cart"]["items"][0]));
    assert_eq!(sums(&storefront.post(&line, json!({ "quantity": 3 })).await.ok()), "33 with 3, stale false");
    // What taxes do not depend on is not asked for again: the provider would not answer.
    let email = json!({ "email": "ann@test.dev" });
    assert_eq!(sums(&storefront.post(&path, email).await.ok()), "33 with 3, stale false");
    let order = complete(&storefront, &cart).await.ok()["order"].clone();
    assert_eq!((&order["total"], &order["tax_total"]), (&json!(33), &json!(3)));
}

#[tokio::test]
async fn taxes_are_asked_for_when_a_line_is_removed() {
    let (_, storefront, cart) = abroad().await;
    let shown = storefront.get(&format!("/store/carts/{cart}?{SUMS}")).await.ok();
    let more = json!({ "variant_id": shown["cart"]["items"][0]["variant_id"], "quantity": 2, "metadata": { "gift": 1 } });
    let lines = format!("/store/carts/{cart}/line-items");
    let shown = storefront.post(&format!("{lines}?{SUMS}"), more).await.ok();
    assert_eq!(sums(&shown), "33 with 3, stale false");
    let line = format!("{lines}/{}", id(&shown["cart"]["items"][0]));
    storefront.delete(&line).await.ok();
    let left = storefront.get(&format!("/store/carts/{cart}?{SUMS}")).await.ok();
    assert_eq!(sums(&left), "22 with 2, stale false");
}

#[tokio::test]
async fn all_providers_of_a_cart_together_have_a_time_out() {
    let (shop, storefront, cart) = abroad().await;
    shop.admin.post("/admin/tax-regions", json!({ "country_code": "de", "provider_id": PATIENT })).await.ok();
    let path = format!("/store/carts/{cart}?{SUMS}");
    let late = async || {
        IS_ASKED.notified().await;
        shop.app.advance_ms(i64::try_from(PROVIDERS_TIMEOUT.as_millis()).expect("a time-out"));
    };
    let to = json!({ "region_id": shop.region, "shipping_address": { "country_code": "de" } });
    let (changed, ()) = tokio::join!(storefront.post(&path, to), late());
    assert_eq!(sums(&changed.ok()), "10 with 0, stale true");
    let (completed, ()) = tokio::join!(complete(&storefront, &cart), late());
    assert_eq!(completed.error(), "503 unknown_error: The providers of the cart do not answer in time");
}

#[tokio::test]
async fn nothing_is_charged_before_the_taxes_are_known() {
    let (shop, storefront, cart) = abroad().await;
    let path = format!("/store/carts/{cart}?{SUMS}");
    let to = |city: &str| json!({ "shipping_address": { "country_code": "ch", "city": city } });
    for (city, error) in [
        ("Silence", "503 unknown_error: The provider tp_abroad does not answer"),
        ("Nowhere", "400 invalid_data: Nobody pays taxes there"),
        ("Madness", "500 unknown_error (unknown_error): An unknown error occurred."),
        ("Detail", "500 unknown_error (unknown_error): An unknown error occurred."),
    ] {
        assert_eq!(sums(&storefront.post(&path, to(city)).await.ok()), "10 with 0, stale true", "{city}");
        assert_eq!(complete(&storefront, &cart).await.error(), error, "{city}");
        assert_eq!(sums(&storefront.get(&path).await.ok()), "10 with 0, stale true", "{city}");
    }
    // An answer to another question changes nothing.
    let lines = storefront.get(&path).await.ok();
    let taxes =
        [(id(&lines["cart"]["items"][0]), vec![TaxLine { rate: 1_u64.into(), ..TaxLine::default() }])];
    let answers = ProviderAnswers {
        cart_id: cart.clone(),
        taxes: Some(("0123".into(), taxes.into_iter().collect())),
        prices: vec![],
    };
    shop.app.ctx.run(&RECORD_PROVIDER_ANSWERS, Actor::System, answers).await.expect("a cart");
    assert_eq!(sums(&storefront.get(&path).await.ok()), "10 with 0, stale true");

    // As soon as the provider answers the buyer sees the taxes, before anything is paid.
    storefront.post(&path, to("Silence")).await.ok();
    pay(&storefront, &cart).await;
    assert_eq!(sums(&storefront.post(&path, to("Bern")).await.ok()), "11 with 1, stale false");
    let answer = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await;
    assert_eq!(answer.error(), "400 invalid_data: Payment sessions are required to complete cart");
    let order = complete(&storefront, &cart).await.ok()["order"].clone();
    assert_eq!((&order["total"], &order["tax_total"]), (&json!(11), &json!(1)));
}
