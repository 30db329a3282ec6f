//! Shipping for admins: profiles, fulfilment sets and zones, shipping options with their rules, types, and
//! the profile of a product.

use atoll_testkit::{Shipping, Shop, id};
use serde_json::{Value, json};

/// What refers to nothing.
const NOWHERE: &str = "01HZZZZZZZZZZZZZZZZZZZZZZZ";

/// The names of the records of a list.
fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().filter_map(|it| it["name"].as_str()).collect()
}

#[tokio::test]
async fn a_shop_begins_with_a_profile_and_a_provider() {
    let (shop, _, _) = Shop::web().await;
    let admin = &shop.admin;
    let list = admin.get("/admin/shipping-profiles").await.ok();
    assert_eq!((&list["count"], &list["limit"]), (&json!(1), &json!(20)));
    let profile = &list["shipping_profiles"][0];
    assert_eq!((&profile["name"], &profile["type"]), (&json!("Default Shipping Profile"), &json!("default")));
    let list = admin.get("/admin/fulfillment-providers").await.ok();
    assert_eq!(list["fulfillment_providers"], json!([{ "id": "manual_manual", "is_enabled": true }]));
    let options = admin.get("/admin/fulfillment-providers/manual_manual/options").await.ok();
    assert_eq!(
        options,
        json!({
            "fulfillment_options": [
                { "id": "manual-fulfillment" }, { "id": "manual-fulfillment-return", "is_return": true }
            ],
            "count": 2, "limit": 2, "offset": 0,
        })
    );
    assert_eq!(
        admin.get("/admin/fulfillment-providers/nope_nope/options").await.error(),
        "404 not_found: Fulfillment provider with id: nope_nope was not found"
    );
}

#[tokio::test]
async fn profiles_are_made_changed_and_deleted_unless_something_has_them() {
    let (shop, web, _) = Shop::web().await;
    let admin = &shop.admin;
    let heavy = json!({ "name": "Heavy", "type": "oversized", "metadata": { "a": 1 } });
    let heavy = admin.post("/admin/shipping-profiles", heavy).await.ok()["shipping_profile"].clone();
    let path = format!("/admin/shipping-profiles/{}", id(&heavy));
    for (name, expect) in [
        ("Heavy", "400 invalid_data: Shipping profile with name: Heavy, already exists."),
        ("", "400 invalid_data: Invalid request: Field 'type' is required"),
    ] {
        let body =
            if name.is_empty() { json!({ "name": "X" }) } else { json!({ "name": name, "type": "x" }) };
        assert_eq!(admin.post("/admin/shipping-profiles", body).await.error(), expect);
    }
    let changed = admin.post(&path, json!({ "name": "Bulky", "metadata": { "b": 2 } })).await.ok();
    assert_eq!(changed["shipping_profile"]["metadata"], json!({ "a": 1, "b": 2 }));
    let found = admin.get("/admin/shipping-profiles?q=bulk&type=oversized").await.ok();
    assert_eq!(names(&found["shipping_profiles"]), ["Bulky"]);

    // Products have it: their relation, the refusal, and what is left when they have it no more.
    let tea = shop.product("Tea", &[&web], 5).await;
    let product = format!("/admin/products/{}?fields=id,*shipping_profile", tea.product);
    let shown = admin.post(&product, json!({ "shipping_profile_id": heavy["id"] })).await.ok();
    assert_eq!(shown["product"]["shipping_profile"]["name"], "Bulky");
    let of_profile = admin.get(&format!("{path}?fields=products.id")).await.ok();
    assert_eq!(of_profile["shipping_profile"]["products"], json!([{ "id": tea.product }]));
    assert_eq!(
        admin.delete(&path).await.error(),
        format!(
            "400 invalid_data: Cannot delete following shipping profiles because they are linked to products: {}",
            tea.product
        )
    );
    let unknown = format!("sp_{NOWHERE}");
    let error = format!(
        "404 not_found: You tried to set relationship shipping_profile_id: {unknown}, but such entity does not exist"
    );
    assert_eq!(admin.post(&product, json!({ "shipping_profile_id": unknown })).await.error(), error);
    let new = json!({ "title": "Cup", "shipping_profile_id": unknown });
    assert_eq!(admin.post("/admin/products", new).await.error(), error);
    let shown = admin.post(&product, json!({ "shipping_profile_id": null })).await.ok();
    assert_eq!(shown["product"].get("shipping_profile").filter(|it| !it.is_null()), None);
    let Shipping { zone, .. } = shop.shipping(&["de"]).await;
    let freight = shop.option(&zone, "Freight", &id(&heavy), json!({})).await;
    assert_eq!(
        admin.delete(&path).await.error(),
        format!(
            "400 invalid_data: Cannot delete following shipping profiles because they are used by shipping options: \
             {freight}"
        )
    );
    admin.delete(&format!("/admin/shipping-options/{freight}")).await.ok();
    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone, json!({ "id": heavy["id"], "object": "shipping_profile", "deleted": true }));
    for answer in [admin.get(&path).await, admin.post(&path, json!({ "name": "Y" })).await] {
        assert!(answer.error().starts_with("404 not_found: Shipping profile with id"));
    }
    assert_eq!(
        admin.delete(&path).await.error(),
        format!("404 not_found: ShippingProfile with id: {} was not found", id(&heavy))
    );
}

#[tokio::test]
async fn zones_belong_to_the_set_of_a_location() {
    let (shop, _, _) = Shop::web().await;
    let admin = &shop.admin;
    let location = format!("/admin/stock-locations/{}", shop.location);
    let sets = format!("{location}/fulfillment-sets");
    let set = json!({ "name": "Parcels", "type": "shipping" });
    let made = admin.post(&format!("{sets}?fields=id,*fulfillment_sets"), set.clone()).await.ok();
    let made = &made["stock_location"]["fulfillment_sets"][0];
    assert_eq!((&made["name"], &made["type"]), (&json!("Parcels"), &json!("shipping")));
    assert_eq!(
        admin.post(&sets, set.clone()).await.error(),
        "400 invalid_data: Fulfillment set with name: Parcels, already exists."
    );
    let nowhere = format!("/admin/stock-locations/sloc_{NOWHERE}/fulfillment-sets");
    assert_eq!(
        admin.post(&nowhere, set).await.error(),
        format!("404 not_found: Stock location with id: sloc_{NOWHERE} was not found")
    );
    let path = format!("/admin/fulfillment-sets/{}", id(made));
    let zones = format!("{path}/service-zones");
    let zone = json!({
        "name": "Europe",
        "geo_zones": [
            { "type": "country", "country_code": "DE" },
            { "type": "city", "country_code": "fr", "province_code": "fr-idf", "city": "Paris", "metadata": { "m": 1 } },
        ],
    });
    let shown = admin.post(&zones, zone.clone()).await.ok()["fulfillment_set"].clone();
    let zone_id = id(&shown["service_zones"][0]);
    let geo_zones = &shown["service_zones"][0]["geo_zones"];
    assert_eq!((&geo_zones[0]["country_code"], &geo_zones[1]["city"]), (&json!("de"), &json!("Paris")));
    assert_eq!(geo_zones[0]["service_zone_id"], json!(zone_id));
    let twice = "400 invalid_data: Service zone with name: Europe, already exists.";
    assert_eq!(admin.post(&zones, zone).await.error(), twice);
    for (geo_zone, error) in [
        (json!({ "type": "planet", "country_code": "de" }), "400 invalid_data: Invalid request: Expected: "),
        (
            json!({ "type": "province", "country_code": "de" }),
            "400 invalid_data: Invalid request: Field 'geo_zones, 0, province_code' is required",
        ),
        (
            json!({ "type": "country", "country_code": "de", "city": "Berlin" }),
            "400 invalid_data: Invalid request: Unrecognized fields: 'geo_zones, 0, city'",
        ),
        (
            json!({ "type": "country", "country_code": "zz" }),
            "400 invalid_data: Country with code zz does not exist",
        ),
        (
            json!({ "id": "fgz_x", "type": "country", "country_code": "de" }),
            "404 not_found: GeoZone with id \"fgz_x\" not found on service zone",
        ),
    ] {
        let got = admin.post(&zones, json!({ "name": "New", "geo_zones": [geo_zone] })).await.error();
        assert!(got.starts_with(error), "{got}");
    }
    assert_eq!(
        admin
            .post(&format!("/admin/fulfillment-sets/fuset_{NOWHERE}/service-zones"), json!({ "name": "Z" }))
            .await
            .error(),
        format!(
            "404 not_found: You tried to set relationship fulfillment_set_id: fuset_{NOWHERE}, but such entity does not exist"
        )
    );

    // One geo zone stays, by its id; the other goes, and a new one comes.
    let one = format!("{zones}/{zone_id}");
    let change = json!({
        "name": "North",
        "geo_zones": [
            { "id": geo_zones[1]["id"], "type": "country", "country_code": "fr" },
            { "type": "country", "country_code": "dk" },
        ],
    });
    let shown = admin.post(&one, change).await.ok()["fulfillment_set"]["service_zones"][0].clone();
    assert_eq!((&shown["name"], &shown["geo_zones"][0]["id"]), (&json!("North"), &geo_zones[1]["id"]));
    assert_eq!(shown["geo_zones"][0]["city"], Value::Null);
    assert_eq!(admin.get(&one).await.ok()["service_zone"]["geo_zones"], shown["geo_zones"]);
    let other = format!("/admin/fulfillment-sets/fuset_{NOWHERE}/service-zones/{zone_id}");
    let not_there = format!("404 not_found: Service zone with id: {zone_id} not found");
    assert_eq!(admin.get(&other).await.error(), not_there);
    for answer in [admin.post(&other, json!({ "name": "Q" })).await, admin.delete(&other).await] {
        assert_eq!(answer.error(), format!("{not_there} on fulfillment set"));
    }
    let gone = admin.delete(&one).await.ok();
    assert_eq!((&gone["object"], &gone["deleted"]), (&json!("service_zone"), &json!(true)));
    assert_eq!((&gone["parent"]["name"], &gone["parent"]["service_zones"]), (&json!("Parcels"), &json!([])));
    assert_eq!(admin.get(&one).await.error(), not_there);
    admin.delete(&path).await.ok();
    assert_eq!(
        admin.delete(&path).await.error(),
        format!("404 not_found: FulfillmentSet with id: {} was not found", id(made))
    );
    let shown = admin.get(&format!("{location}?fields=fulfillment_sets.id")).await.ok();
    assert_eq!(shown["stock_location"]["fulfillment_sets"], json!([]));
}

#[tokio::test]
async fn options_have_prices_rules_and_a_type() {
    let (shop, _, _) = Shop::web().await;
    let admin = &shop.admin;
    let Shipping { set, zone, option } = shop.shipping(&["de", "fr"]).await;
    let profile = shop.default_profile().await;
    let path = format!("/admin/shipping-options/{option}");
    let shown = admin.get(&path).await.ok()["shipping_option"].clone();
    assert_eq!((&shown["price_type"], &shown["provider"]["id"]), (&json!("flat"), &json!("manual_manual")));
    assert_eq!(
        (&shown["service_zone"]["fulfillment_set"]["id"], &shown["shipping_profile"]["id"]),
        (&json!(set), &json!(profile))
    );
    assert_eq!((&shown["type"]["label"], &shown["prices"][0]["amount"]), (&json!("Standard"), &json!(5)));
    let first_type = shown["type"].clone();

    // A price that is named by its id stays, a new one of the region comes, in its currency.
    let price = &shown["prices"][0]["id"];
    let prices = json!([{ "id": price, "amount": 4.5 }, { "region_id": shop.region, "amount": 4 }]);
    let rules = json!([
        { "attribute": "enabled_in_store", "operator": "eq", "value": "true" },
        { "attribute": "is_return", "operator": "eq", "value": "true" },
    ]);
    let change = json!({
        "name": "Slow", "prices": prices, "rules": rules, "data": { "id": "manual-fulfillment" },
        "metadata": { "k": "v" }, "type": { "label": "Slow", "code": "slow" },
    });
    let changed = admin.post(&path, change).await.ok()["shipping_option"].clone();
    assert_eq!((&changed["prices"][0]["id"], &changed["prices"][0]["amount"]), (price, &json!(4.5)));
    let regional = &changed["prices"][1];
    assert_eq!((&regional["currency_code"], &regional["rules_count"]), (&json!("eur"), &json!(1)));
    assert_eq!(regional["price_rules"][0]["value"], json!(shop.region));
    assert_eq!(
        (&changed["type"]["code"], &changed["data"]),
        (&json!("slow"), &json!({ "id": "manual-fulfillment" }))
    );
    // Conditions on the total of the items; those of a price that is named stay, unless the request has some.
    let free = json!([{ "attribute": "item_total", "operator": "gte", "value": 100 }]);
    let prices = json!([{ "currency_code": "eur", "amount": 0, "rules": free }]);
    let shown = admin.post(&path, json!({ "prices": prices })).await.ok()["shipping_option"].clone();
    let rule = &shown["prices"][0]["price_rules"][0];
    assert_eq!(
        (&rule["attribute"], &rule["operator"], &rule["value"]),
        (&json!("item_total"), &json!("gte"), &json!("100"))
    );
    let price = &shown["prices"][0]["id"];
    let kept = json!({ "prices": [{ "id": price, "region_id": shop.region, "amount": 1 }] });
    let shown = admin.post(&path, kept).await.ok()["shipping_option"].clone();
    assert_eq!((&shown["prices"][0]["id"], &shown["prices"][0]["rules_count"]), (price, &json!(2)));
    let none = json!({ "prices": [{ "id": price, "currency_code": "eur", "rules": [] }] });
    let shown = admin.post(&path, none).await.ok()["shipping_option"].clone();
    assert_eq!((&shown["prices"][0]["amount"], &shown["prices"][0]["rules_count"]), (&json!(1), &json!(0)));
    let data = json!({ "data": { "id": "other" } });
    assert_eq!(admin.post(&path, data).await.ok()["shipping_option"]["data"], json!({ "id": "other" }));
    for (query, expect) in [
        ("is_return=true", vec!["Slow"]),
        ("is_return=false", vec![]),
        ("admin_only=true", vec![]),
        ("admin_only=false&q=slo", vec!["Slow"]),
        (&*format!("stock_location_id={}", shop.location), vec!["Slow"]),
        (&*format!("stock_location_id=sloc_{NOWHERE}"), vec![]),
        (&*format!("service_zone_id={zone}&shipping_profile_id={profile}"), vec!["Slow"]),
        (&*format!("shipping_option_type_id={}", id(&first_type)), vec![]),
    ] {
        let list = admin.get(&format!("/admin/shipping-options?{query}&fields=id,name")).await.ok();
        assert_eq!(names(&list["shipping_options"]), expect, "{query}");
        assert_eq!(list["count"], json!(expect.len()), "{query}");
    }

    let first = &changed["rules"][0]["id"];
    let batch = json!({
        "create": [{ "attribute": "city", "operator": "in", "value": ["Berlin", "Bonn"] }],
        "update": [{ "id": changed["rules"][1]["id"], "attribute": "is_return", "operator": "eq", "value": "false" }],
        "delete": [first],
    });
    let rules = format!("{path}/rules/batch");
    let done = admin.post(&rules, batch).await.ok();
    assert_eq!(done["created"][0]["attribute"], "city");
    assert_eq!(
        (&done["updated"][0]["id"], &done["updated"][0]["operator"]),
        (&changed["rules"][1]["id"], &json!("eq"))
    );
    assert_eq!(done["deleted"], json!({ "ids": [first], "object": "shipping_option_rule", "deleted": true }));
    let nothing = admin.post(&rules, json!({ "create": [] })).await.ok();
    assert_eq!(nothing["deleted"]["ids"], json!([]));
    let unknown = json!({ "delete": ["sorul_x"] });
    assert_eq!(
        admin.post(&rules, unknown).await.error(),
        "404 not_found: ShippingOptionRule with id \"sorul_x\" not found"
    );
    let after = admin.get(&format!("{path}?fields=id,*rules")).await.ok()["shipping_option"]["rules"].clone();
    assert_eq!((after.as_array().map(Vec::len), &after[0]["value"]), (Some(2), &json!("false")));
    let kind = format!("/admin/shipping-option-types/{}", id(&changed["type"]));
    assert_eq!(
        admin.delete(&kind).await.error(),
        format!(
            "400 invalid_data: Cannot delete following shipping option types because they are used by shipping options: \
             {option}"
        )
    );
    admin.delete(&format!("/admin/shipping-option-types/{}", id(&first_type))).await.ok();

    // A zone takes its options along, and these their prices.
    admin.delete(&format!("/admin/fulfillment-sets/{set}/service-zones/{zone}")).await.ok();
    for answer in
        [admin.get(&path).await, admin.post(&path, json!({ "name": "q" })).await, admin.delete(&path).await]
    {
        assert_eq!(answer.error(), format!("404 not_found: Shipping Option with id: {option} not found"));
    }
}

#[tokio::test]
async fn an_option_that_nobody_could_ship_by_is_refused() {
    let (shop, _, _) = Shop::web().await;
    let admin = &shop.admin;
    let Shipping { zone, option, .. } = shop.shipping(&["de"]).await;
    let profile = shop.default_profile().await;
    let body = |fields: Value| {
        let mut option = json!({
            "name": "New", "service_zone_id": zone, "shipping_profile_id": profile, "provider_id": "manual_manual",
            "price_type": "flat", "type": { "label": "New", "code": "new" }, "prices": [],
        });
        option.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        option
    };
    let of = |field: &str, id: &str| {
        format!("404 not_found: You tried to set relationship {field}: {id}, but such entity does not exist")
    };
    let rule = |operator: &str, value: Value| json!({ "rules": [{ "attribute": "city", "operator": operator, "value": value }] });
    for (fields, error) in [
        (
            json!({ "type_id": "sotype_x" }),
            "400 invalid_data: Invalid request: Exactly one of 'type' or 'type_id' must be provided, but not both"
                .to_owned(),
        ),
        (json!({ "service_zone_id": "serzo_x" }), of("service_zone_id", "serzo_x")),
        (json!({ "shipping_profile_id": "sp_x" }), of("shipping_profile_id", "sp_x")),
        (
            json!({ "provider_id": "nope_nope" }),
            "400 not_allowed: Providers (nope_nope) are not enabled for the service location".to_owned(),
        ),
        (
            json!({ "price_type": "calculated" }),
            "400 invalid_data: Cannot calculate pricing for: [New] shipping option(s).".to_owned(),
        ),
        (
            json!({ "prices": [{ "region_id": "reg_x", "amount": 1 }] }),
            "400 invalid_data: Cannot create prices for non-existent regions. Region with ids [reg_x] were not found."
                .to_owned(),
        ),
        (
            json!({ "prices": [{ "currency_code": "eur" }] }),
            "400 invalid_data: Invalid request: Field 'prices, 0, amount' is required".to_owned(),
        ),
        (
            json!({ "prices": [{ "amount": 1 }] }),
            "400 invalid_data: Invalid request: Field 'prices, 0, currency_code' is required".to_owned(),
        ),
        (
            rule("eq", json!(["Bonn"])),
            "400 invalid_data: Rule value must be a string, bool, number value for the selected operator eq".to_owned(),
        ),
        (
            rule("nin", json!("Bonn")),
            "400 invalid_data: Rule value must be an array for in/nin operators".to_owned(),
        ),
    ] {
        assert_eq!(admin.post("/admin/shipping-options", body(fields)).await.error(), error);
    }
    let path = format!("/admin/shipping-options/{option}");
    for (change, error) in [
        (
            json!({ "price_type": "calculated" }),
            "400 invalid_data: Cannot calculate pricing for: [Standard] shipping option(s).",
        ),
        (
            json!({ "prices": [{ "id": "price_x", "amount": 1 }] }),
            "400 invalid_data: Price with id: price_x does not exist",
        ),
        (
            json!({ "service_zone_id": zone }),
            "400 invalid_data: Invalid request: Unrecognized fields: 'service_zone_id'",
        ),
        (
            json!({ "type": { "label": "a", "code": "b" }, "type_id": "sotype_x" }),
            "400 invalid_data: Invalid request: Only one of 'type' or 'type_id' can be provided",
        ),
    ] {
        assert_eq!(admin.post(&path, change).await.error(), error);
    }
    // Of what was refused nothing is left: no type that was made before.
    let types = admin.get("/admin/shipping-option-types").await.ok();
    assert_eq!(types["count"], 1);

    // Without the provider at the location no option can be made there.
    let providers = format!("/admin/stock-locations/{}/fulfillment-providers", shop.location);
    admin.post(&providers, json!({ "remove": ["manual_manual"] })).await.ok();
    assert_eq!(
        admin.post("/admin/shipping-options", body(json!({}))).await.error(),
        "400 not_allowed: Providers (manual_manual) are not enabled for the service location"
    );
    for (path, add) in [
        (providers.clone(), "nope_nope"),
        (format!("/admin/stock-locations/sloc_{NOWHERE}/fulfillment-providers"), "manual_manual"),
    ] {
        let error = admin.post(&path, json!({ "add": [add] })).await.error();
        assert!(error.starts_with("404 not_found"), "{error}");
    }
}

#[tokio::test]
async fn a_location_is_deleted_with_what_it_ships() {
    let (shop, _, _) = Shop::web().await;
    let admin = &shop.admin;
    let Shipping { set, zone, option } = shop.shipping(&["de"]).await;
    admin.delete(&format!("/admin/stock-locations/{}", shop.location)).await.ok();
    for path in [
        format!("/admin/shipping-options/{option}"),
        format!("/admin/fulfillment-sets/{set}/service-zones/{zone}"),
    ] {
        assert!(admin.get(&path).await.error().starts_with("404"), "{path}");
    }
    // The names are free again.
    let other = admin.post("/admin/stock-locations", json!({ "name": "Other" })).await.ok();
    let sets = format!("/admin/stock-locations/{}/fulfillment-sets", id(&other["stock_location"]));
    let again = json!({ "name": format!("Parcels of {}", shop.location), "type": "shipping" });
    admin.post(&sets, again).await.ok();
}
