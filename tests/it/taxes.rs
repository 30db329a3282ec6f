//! Taxes: tax regions, rates and rules for admins, and the tax lines that follow from them.

use atoll_checkout::{TaxAddress, TaxItem, TaxRequest, TaxShipping};
use atoll_kernel::{Registry, data::Store, limits::TAX_CODE_CHARS_MAX};
use atoll_storage::engines::Counting;
use atoll_tax::{Taxes, taxes};
use atoll_testkit::{Client, Setup, TestApp, id};
use serde_json::{Value, json};

const REGIONS: &str = "/admin/tax-regions";
const RATES: &str = "/admin/tax-rates";

async fn admin() -> (TestApp, Client) {
    TestApp::init().await.with_admin().await
}

async fn region(admin: &Client, body: Value) -> Value {
    admin.post(REGIONS, body).await.ok()["tax_region"].clone()
}

async fn rate(admin: &Client, body: Value) -> Value {
    admin.post(RATES, body).await.ok()["tax_rate"].clone()
}

async fn check(admin: &Client, path: &str, body: Value, expected: &str) {
    assert_eq!(admin.post(path, body.clone()).await.error(), expected, "{path} {body}");
}

/// A country with a default rate.
fn country(code: &str, percent: f64) -> Value {
    let rate = json!({ "name": code, "code": code, "rate": percent });
    json!({ "country_code": code, "provider_id": "tp_system", "default_tax_rate": rate })
}

/// A province with a default rate.
fn province(code: &str, parent: &Value, percent: f64, is_combinable: bool) -> Value {
    let rate = json!({ "name": code, "code": code, "rate": percent, "is_combinable": is_combinable });
    json!({
        "country_code": code.split_once('-').expect("a province").0, "province_code": code,
        "parent_id": id(parent), "default_tax_rate": rate,
    })
}

#[tokio::test]
async fn a_country_has_one_tax_region_and_provinces() {
    let (_app, admin) = admin().await;
    let us = region(&admin, country("US", 2.0)).await;
    assert_eq!((&us["country_code"], &us["province_code"]), (&json!("us"), &Value::Null));
    assert_eq!(us["tax_rates"][0]["is_default"], true);
    check(
        &admin,
        REGIONS,
        country("us", 2.0),
        "400 invalid_data: Tax region with country_code: us, already exists.",
    )
    .await;
    let ca = region(&admin, province("us-CA", &us, 7.25, true)).await;
    assert_eq!((&ca["province_code"], &ca["provider_id"]), (&json!("us-ca"), &Value::Null));
    assert_eq!(ca["parent"]["id"], us["id"]);
    let taken = "400 invalid_data: Tax region with country_code: us, province_code: us-ca, already exists.";
    check(&admin, REGIONS, province("us-ca", &us, 1.0, false), taken).await;

    let no_provider =
        "400 invalid_data: Invalid request: Provider is required when creating a non-province tax region.";
    check(&admin, REGIONS, json!({ "country_code": "de" }), no_provider).await;
    check(&admin, REGIONS, json!({ "country_code": "us", "province_code": "us-nv" }), no_provider).await;
    let unknown =
        "404 not_found: You tried to set relationship provider_id: tp_nope, but such entity does not exist";
    check(&admin, REGIONS, json!({ "country_code": "de", "provider_id": "tp_nope" }), unknown).await;
    for code in ["", "d", "deu", "d1", "é"] {
        let refused = "400 invalid_data: Invalid request: Field 'country_code' must have two letters";
        check(&admin, REGIONS, json!({ "country_code": code, "provider_id": "tp_system" }), refused).await;
    }
    let orphan = "400 invalid_data: Province region must belong to a parent region. You are trying to create a province region with (country: us, province: us-nv) but parent does not exist";
    let nevada = json!({ "country_code": "us", "province_code": "us-nv" });
    let with = |name: &str, value: &str| {
        let mut body = nevada.clone();
        body[name] = value.into();
        body
    };
    check(&admin, REGIONS, with("parent_id", "txreg_x"), orphan).await;
    check(&admin, REGIONS, with("provider_id", "tp_system"), orphan).await;
    let foreign = "400 invalid_data: Province region must belong to a parent region with the same country code. You are trying to create a province region with (country: de, province: de-by) but parent expects (country: us)";
    check(&admin, REGIONS, province("de-by", &us, 1.0, false), foreign).await;
    let deep = format!(
        "400 invalid_data: Invalid request: the parent of a tax region must be a country: {} is a province",
        id(&ca)
    );
    check(&admin, REGIONS, province("us-la", &ca, 1.0, false), &deep).await;
    let no_code = "400 invalid_data: Invalid request: Field 'province_code' is required";
    check(&admin, REGIONS, json!({ "country_code": "us", "parent_id": us["id"] }), no_code).await;
    let long = format!(
        "400 invalid_data: Invalid request: Field 'province_code' must have 1 to {TAX_CODE_CHARS_MAX} characters"
    );
    let endless = format!("us-{}", "x".repeat(TAX_CODE_CHARS_MAX));
    check(&admin, REGIONS, province(&endless, &us, 1.0, false), &long).await;

    // A country stays a country, and a province one.
    let (us_path, ca_path) = (format!("{REGIONS}/{}", id(&us)), format!("{REGIONS}/{}", id(&ca)));
    let is_country =
        "400 invalid_data: Invalid request: Field 'province_code' is not for the tax region of a country";
    check(&admin, &us_path, json!({ "province_code": "us-xx" }), is_country).await;
    check(&admin, &ca_path, json!({ "province_code": null }), no_code).await;
    check(&admin, &ca_path, json!({ "provider_id": "tp_nope" }), unknown).await;
    admin.post(&us_path, json!({ "province_code": null, "metadata": { "a": 1 } })).await.ok();
    assert_eq!(admin.get(&us_path).await.ok()["tax_region"]["metadata"], json!({ "a": 1 }));
    admin.post(&ca_path, json!({ "province_code": "us-ca2" })).await.ok();
    assert_eq!(admin.get(&us_path).await.ok()["tax_region"]["children"][0]["province_code"], "us-ca2");
    let codes = async |query: &str| {
        let list = admin.get(&format!("{REGIONS}?{query}&fields=country_code,province_code")).await.ok();
        let rows = list["tax_regions"].as_array().expect("a list").clone();
        rows.iter().map(|it| it["province_code"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes("parent_id=null").await, ["-"]);
    assert_eq!(codes(&format!("parent_id={}", id(&us))).await, ["us-ca2"]);
    assert_eq!(codes("country_code=us&order=-id").await, ["us-ca2", "-"]);
    assert_eq!(codes("q=us-c").await, ["us-ca2"]);
}

#[tokio::test]
async fn a_tax_region_has_one_default_rate_and_rates_for_what_their_rules_name() {
    let (_app, admin) = admin().await;
    let de = region(&admin, country("de", 19.0)).await;
    let new = |fields: Value| {
        let mut body = json!({ "name": "Food", "code": "food", "rate": 7, "tax_region_id": de["id"] });
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        body
    };
    let taken = format!("400 invalid_data: Tax rate with tax_region_id: {}, already exists.", id(&de));
    check(&admin, RATES, new(json!({ "is_default": true })), &taken).await;
    let unknown =
        "404 not_found: You tried to set relationship tax_region_id: txreg_x, but such entity does not exist";
    check(&admin, RATES, new(json!({ "tax_region_id": "txreg_x" })), unknown).await;
    for (percent, refused) in [
        (
            json!(-1),
            "400 invalid_data: Invalid request: Value for field 'rate' too small, expected at least: '0'",
        ),
        (json!(1000.5), "400 invalid_data: Invalid request: a rate of 1000.5 is not between 0 and 1000"),
    ] {
        check(&admin, RATES, new(json!({ "rate": percent })), refused).await;
    }
    let planet = new(json!({ "rules": [{ "reference": "planet", "reference_id": "earth" }] }));
    assert_eq!(admin.post(RATES, planet).await.status, 400);
    let rule = |reference: &str, id: &str| json!({ "reference": reference, "reference_id": id });
    let food = rate(&admin, new(json!({ "rules": [rule("product", "prod_a")] }))).await;
    assert_eq!(food["rules"][0]["tax_rate_id"], food["id"]);
    assert_eq!(food["rules"][0].get("tax_region_id"), None);
    let path = format!("{RATES}/{}", id(&food));
    check(&admin, &path, json!({ "is_default": true }), &taken).await;
    let twice = format!(
        "400 invalid_data: Tax rate rule with tax_rate_id: {}, reference_id: prod_a, already exists.",
        id(&food)
    );
    check(&admin, &format!("{path}/rules"), rule("product", "prod_a"), &twice).await;
    let unknown =
        "404 not_found: You tried to set relationship tax_rate_id: txr_x, but such entity does not exist";
    check(&admin, &format!("{RATES}/txr_x/rules"), rule("product", "prod_a"), unknown).await;

    // Replacing the rules keeps those that stay.
    let kept = food["rules"][0]["id"].clone();
    let rules = json!([rule("product_type", "ptyp_a"), rule("product", "prod_a")]);
    let named = |rate: &Value| {
        let rules = rate["rules"].as_array().expect("rules").iter();
        let mut ids: Vec<_> =
            rules.map(|it| it["reference_id"].as_str().unwrap_or_default().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let changed =
        admin.post(&path, json!({ "name": "Meals", "rules": rules })).await.ok()["tax_rate"].clone();
    assert_eq!(named(&changed), ["prod_a", "ptyp_a"]);
    assert!(changed["rules"].as_array().expect("rules").iter().any(|it| it["id"] == kept));
    let added = admin.post(&format!("{path}/rules"), rule("product", "prod_b")).await.ok();
    assert_eq!(named(&added["tax_rate"]), ["prod_a", "prod_b", "ptyp_a"]);
    let gone = admin.delete(&format!("{path}/rules/{}", kept.as_str().expect("an id"))).await.ok();
    assert_eq!(
        (&gone["object"], named(&gone["parent"])),
        (&json!("tax_rate_rule"), vec!["prod_b".into(), "ptyp_a".into()])
    );

    // The default rate may go, and another take its place.
    let default = id(&de["tax_rates"][0]);
    admin.delete(&format!("{RATES}/{default}")).await.ok();
    admin.post(&path, json!({ "is_default": true, "rules": [] })).await.ok();
    let rates = admin.get(&format!("{RATES}?tax_region_id={}&is_default=true", id(&de))).await.ok();
    assert_eq!((&rates["count"], &rates["tax_rates"][0]["name"]), (&json!(1), &json!("Meals")));
}

#[tokio::test]
async fn unknown_tax_records_are_404() {
    let (_app, admin) = admin().await;
    let region = "404 not_found: TaxRegion with id \"txreg_x\" not found";
    let rate = "404 not_found: Tax rate with id \"txr_x\" not found";
    for (path, expected) in [(format!("{REGIONS}/txreg_x"), region), (format!("{RATES}/txr_x"), rate)] {
        assert_eq!(admin.get(&path).await.error(), expected);
        check(&admin, &path, json!({ "metadata": {} }), expected).await;
        assert_eq!(admin.delete(&path).await.error(), expected);
    }
    let de = self::region(&admin, country("de", 19.0)).await;
    let path = format!("{RATES}/{}", id(&de["tax_rates"][0]));
    let rule = "404 not_found: Tax rate rule with id \"txrule_x\" not found";
    assert_eq!(admin.delete(&format!("{path}/rules/txrule_x")).await.error(), rule);
    assert_eq!(admin.delete(&format!("{RATES}/txr_x/rules/txrule_x")).await.error(), rate);
    let providers = admin.get("/admin/tax-providers?is_enabled=true").await.ok();
    assert_eq!(providers["tax_providers"], json!([{ "id": "tp_system", "is_enabled": true }]));
    assert_eq!(admin.get("/admin/tax-providers?is_enabled=false").await.ok()["count"], 0);
}

#[tokio::test]
async fn a_deleted_tax_region_takes_its_rates_rules_and_provinces_along() {
    let (_app, admin) = admin().await;
    let us = region(&admin, country("us", 2.0)).await;
    let ca = region(&admin, province("us-ca", &us, 7.25, true)).await;
    let rules = json!([{ "reference": "product", "reference_id": "prod_a" }]);
    let extra = json!({ "name": "x", "code": "x", "rate": 1, "tax_region_id": ca["id"], "rules": rules });
    let extra = rate(&admin, extra).await;
    let gone = admin.delete(&format!("{REGIONS}/{}", id(&us))).await.ok();
    assert_eq!(gone, json!({ "id": us["id"], "object": "tax_region", "deleted": true }));
    for list in [REGIONS, RATES] {
        assert_eq!(admin.get(list).await.ok()["count"], 0, "{list}");
    }
    assert_eq!(admin.get(&format!("{RATES}/{}", id(&extra))).await.status, 404);
    assert_eq!(admin.delete(&format!("{REGIONS}/{}", id(&us))).await.status, 404);
    // Its country is free.
    region(&admin, country("us", 3.0)).await;
}

/// Names and rates of the tax lines, by the id of what they tax: `a: CA 7.25, US 2`.
fn lines(app: &TestApp, request: &TaxRequest) -> Vec<String> {
    let Taxes::Known(lines) = taxes(&app.ctx.view(), app.ctx.registry(), request).expect("taxes") else {
        panic!("the provider is asked outside")
    };
    let shown = |(id, lines): (String, Vec<atoll_checkout::TaxLine>)| {
        assert!(lines.iter().all(|it| it.provider_id.as_deref() == Some("system")));
        let lines: Vec<_> = lines.iter().map(|it| format!("{} {}", it.code, it.rate)).collect();
        format!("{id}: {}", lines.join(", "))
    };
    lines.into_iter().map(shown).collect()
}

fn item(id: &str, product_type: Option<&str>) -> TaxItem {
    TaxItem {
        id: id.into(),
        product_id: Some(format!("prod_{id}")),
        product_type_id: product_type.map(str::to_owned),
        ..TaxItem::default()
    }
}

fn to(country: &str, province: Option<&str>) -> TaxRequest {
    let address = TaxAddress {
        country_code: country.into(),
        province: province.map(str::to_owned),
        ..TaxAddress::default()
    };
    let shipping = TaxShipping {
        id: "ship".into(),
        shipping_option_id: Some("so_parcel".into()),
        ..TaxShipping::default()
    };
    let card = TaxItem { is_giftcard: true, ..item("card", None) };
    TaxRequest {
        address,
        items: vec![item("shirt", Some("ptyp_clothes")), item("novel", Some("ptyp_books")), card],
        shipping: vec![shipping],
        ..TaxRequest::default()
    }
}

#[tokio::test]
async fn tax_lines_follow_the_address() {
    let (app, admin) = admin().await;
    let de = region(&admin, country("de", 19.0)).await;
    let us = region(&admin, country("us", 2.0)).await;
    let ca = region(&admin, province("us-ca", &us, 7.25, true)).await;
    region(&admin, province("us-ny", &us, 8.875, false)).await;
    for (region, code, percent, is_combinable, reference, id) in [
        (&de, "books", 7.0, false, "product_type", "ptyp_books"),
        (&de, "parcel", 5.0, false, "shipping_option", "so_parcel"),
        (&ca, "clothes", 1.5, true, "product", "prod_shirt"),
    ] {
        let body = json!({
            "name": code, "code": code, "rate": percent, "is_combinable": is_combinable,
            "tax_region_id": region["id"], "rules": [{ "reference": reference, "reference_id": id }],
        });
        rate(&admin, body).await;
    }
    for (country, province, expected) in [
        ("DE", None, ["novel: books 7", "ship: parcel 5", "shirt: de 19"]),
        (
            "us",
            Some("US-CA"),
            ["novel: us-CA 7.25, us 2", "ship: us-CA 7.25, us 2", "shirt: clothes 1.5, us 2"],
        ),
        ("us", Some("us-ny"), ["novel: us-ny 8.875", "ship: us-ny 8.875", "shirt: us-ny 8.875"]),
        // A province that the shop does not know has the taxes of its country.
        ("us", Some("ny"), ["novel: us 2", "ship: us 2", "shirt: us 2"]),
    ] {
        let expected = expected.map(|it| it.replace("us-CA", "us-ca"));
        assert_eq!(lines(&app, &to(country, province)), expected, "{country} {province:?}");
    }
    assert!(lines(&app, &to("fr", None)).is_empty());
    assert!(lines(&app, &to("", None)).is_empty());
}

#[tokio::test]
async fn the_keys_read_for_taxes_do_not_grow_with_the_rates_of_a_region() {
    let engine = Counting::default();
    let spaces = Registry::linked().expect("a registry").spaces();
    let store = Store::open(engine.clone(), &spaces).expect("a store");
    let (app, admin) = Setup::default().answers_bytes_max(0).over(store).await.with_admin().await;
    let de = region(&admin, country("de", 19.0)).await;
    let request = TaxRequest {
        items: (0..50).map(|n| item(&n.to_string(), Some("ptyp_a"))).collect(),
        ..to("de", None)
    };
    let n_read = || {
        let before = engine.n_read();
        assert_eq!(lines(&app, &request).len(), 51);
        engine.n_read() - before
    };
    let few = n_read();
    for n in 0..40 {
        let rules = json!([{ "reference": "product", "reference_id": format!("prod_other_{n}") }]);
        let body = json!({ "name": "x", "code": "x", "rate": 1, "tax_region_id": de["id"], "rules": rules });
        rate(&admin, body).await;
    }
    assert_eq!(n_read(), few);
    // A key for each product, one for their type and the option, and those of the region and its default
    // rate.
    assert!(few <= 50 + 10, "{few}");
}
