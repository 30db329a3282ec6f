//! Promotions and campaigns for admins: what is made, changed, shown and refused; and how uses are counted.

use atoll_testkit::{Client, Shop, TestApp, id};
use serde_json::{Value, json};

async fn shop() -> Shop {
    Shop::open(TestApp::init().await).await
}

/// Ten per cent of all items.
fn ten(code: &str) -> Value {
    with(code, json!({}))
}

/// As `ten`, with other fields.
fn with(code: &str, fields: Value) -> Value {
    let method = json!({ "type": "percentage", "value": 10, "target_type": "items", "allocation": "across" });
    let mut body =
        json!({ "code": code, "type": "standard", "status": "active", "application_method": method });
    merge(&mut body, fields);
    body
}

fn merge(body: &mut Value, fields: Value) {
    match (body, fields) {
        (Value::Object(body), Value::Object(fields)) => {
            for (name, value) in fields {
                merge(body.entry(name).or_insert(Value::Null), value);
            }
        }
        (body, fields) => *body = fields,
    }
}

async fn create(admin: &Client, body: Value) -> Value {
    admin.post("/admin/promotions", body).await.ok()["promotion"].clone()
}

fn codes(list: &Value) -> Vec<&str> {
    list["promotions"].as_array().expect("a list").iter().filter_map(|it| it["code"].as_str()).collect()
}

#[tokio::test]
async fn promotions_are_made_shown_changed_and_deleted() {
    let shop = shop().await;
    let admin = &shop.admin;
    let fields = json!({
        "metadata": { "a": 1 }, "limit": 3.0,
        "rules": [{ "attribute": "region.id", "operator": "in", "values": shop.region }],
        "campaign": { "name": "Sale", "campaign_identifier": "sale", "budget": { "type": "usage", "limit": 5 } },
        "application_method": { "type": "fixed", "value": 2.5, "currency_code": "EUR", "description": "x" },
    });
    let made = create(admin, with("SALE", fields)).await;
    let method = &made["application_method"];
    assert_eq!(
        (&made["limit"], &made["used"], &made["metadata"], &made["is_automatic"]),
        (&json!(3), &json!(0), &json!({ "a": 1 }), &json!(false))
    );
    assert_eq!(
        (&method["value"], &method["raw_value"], &method["currency_code"], &method["promotion_id"]),
        (&json!(2.5), &json!({ "value": "2.5", "precision": 20 }), &json!("eur"), &made["id"])
    );
    assert_eq!((&method["target_rules"], &method["buy_rules"]), (&json!([]), &json!([])));
    let rules = json!([{
        "id": made["rules"][0]["id"], "attribute": "region.id", "operator": "in",
        "values": [{ "value": shop.region }],
    }]);
    assert_eq!(made["rules"], rules);
    let budget = &made["campaign"]["budget"];
    assert_eq!((&budget["limit"], &budget["used"], &budget["type"]), (&json!(5), &json!(0), &json!("usage")));
    assert_eq!(
        (&budget["campaign_id"], &made["campaign"]["id"]),
        (&made["campaign_id"], &made["campaign_id"])
    );

    let path = format!("/admin/promotions/{}", id(&made));
    for path in [&path, "/admin/promotions/SALE"] {
        assert_eq!(admin.get(path).await.ok()["promotion"], made);
    }
    assert_eq!(
        admin.get("/admin/promotions/sale").await.error(),
        "404 not_found: Promotion with id or code: sale was not found"
    );
    let changes = json!({
        "code": "SALE2", "limit": null, "metadata": { "b": 2 }, "status": "inactive",
        "application_method": { "value": 3, "allocation": "each", "max_quantity": 2 },
    });
    let changed = admin.post(&path, changes).await.ok()["promotion"].clone();
    assert_eq!(
        (&changed["code"], &changed["limit"], &changed["metadata"], &changed["status"]),
        (&json!("SALE2"), &Value::Null, &json!({ "a": 1, "b": 2 }), &json!("inactive"))
    );
    let method = &changed["application_method"];
    assert_eq!(
        (&method["value"], &method["max_quantity"], &method["type"]),
        (&json!(3), &json!(2), &json!("fixed"))
    );
    assert_eq!(changed["rules"], made["rules"]);
    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone, json!({ "id": made["id"], "object": "promotion", "deleted": true }));
    assert_eq!(
        admin.get(&path).await.error(),
        format!("404 not_found: Promotion with id or code: {} was not found", id(&made))
    );
    assert_eq!(
        admin.delete(&path).await.error(),
        format!("404 not_found: Promotion id not found: {}", id(&made))
    );
    // The code is free again.
    create(admin, ten("SALE2")).await;
}

#[tokio::test]
async fn promotions_are_listed_by_code_campaign_and_currency() {
    let admin = shop().await.admin;
    let fixed = json!({ "application_method": { "type": "fixed", "value": 1, "currency_code": "usd" } });
    for body in [ten("SHIP10"), ten("TEN"), with("USD", fixed)] {
        create(&admin, body).await;
    }
    let campaign = json!({ "campaign": { "name": "Sale", "campaign_identifier": "sale" } });
    let campaign = create(&admin, with("INSALE", campaign)).await["campaign_id"].clone();
    let campaign = campaign.as_str().expect("an id");
    for (query, expect) in [
        ("", vec!["SHIP10", "TEN", "USD", "INSALE"]),
        ("?q=ship", vec!["SHIP10"]),
        ("?code[]=TEN&code[]=USD", vec!["TEN", "USD"]),
        ("?application_method[currency_code]=usd", vec!["USD"]),
        (&format!("?campaign_id={campaign}"), vec!["INSALE"]),
        ("?order=-code&limit=2&offset=1", vec!["TEN", "SHIP10"]),
    ] {
        let list = admin.get(&format!("/admin/promotions{query}")).await.ok();
        assert_eq!(codes(&list), expect, "{query}");
    }
    let of_campaign = format!("/admin/campaigns/{campaign}?fields=id,promotions.code");
    assert_eq!(codes(&admin.get(&of_campaign).await.ok()["campaign"]), ["INSALE"]);
    assert_eq!(
        admin.get("/admin/promotions?nope=1").await.error(),
        "400 invalid_data: Invalid request: Unrecognized fields: 'nope'"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let admin = shop().await.admin;
    create(&admin, ten("TAKEN")).await;
    let method = |fields: Value| json!({ "application_method": fields });
    let rule = |attribute: &str, operator: &str, values: Value| json!([{ "attribute": attribute, "operator": operator, "values": values }]);
    let product = rule("items.product.id", "eq", json!("prod_1"));
    for (fields, expect) in [
        (
            method(json!({ "value": 101 })),
            "Application Method value should be a percentage number between 0 and 100",
        ),
        (
            method(json!({ "value": 0 })),
            "Application Method value should be a percentage number between 0 and 100",
        ),
        (method(json!({ "type": "fixed", "value": 0 })), "application_method.value must be above 0"),
        (
            method(json!({ "type": "fixed" })),
            "application_method.currency_code is required when application_method.type is 'fixed'",
        ),
        (
            method(json!({ "allocation": "each" })),
            "application_method.max_quantity is required when application_method.allocation is 'each OR once'",
        ),
        (
            method(json!({ "max_quantity": 2 })),
            "application_method.max_quantity is not allowed to be set for allocation (across)",
        ),
        (
            method(json!({ "allocation": "once", "max_quantity": 0 })),
            "application_method.max_quantity must be above 0",
        ),
        (
            method(json!({ "target_type": "order", "target_rules": product })),
            "Target rules for application method with target type (order) is not allowed",
        ),
        (method(json!({ "buy_rules": product })), "Can't add buy rules to a standard promotion"),
        (
            json!({ "type": "buyget" }),
            "Invalid request: Buyget promotions require at least one buy rule and quantities to be defined",
        ),
        (
            json!({ "type": "buyget", "application_method": {
                "target_type": "shipping_methods", "buy_rules": product, "apply_to_quantity": 1,
                "buy_rules_min_quantity": 1,
            } }),
            "Buyget promotions require application_method.target_type to be 'items'",
        ),
        (
            json!({ "is_automatic": true, "limit": 3 }),
            "Invalid request: Automatic promotions cannot have a usage limit",
        ),
        (json!({ "limit": 0 }), "Invalid request: Value for field 'limit' too small, expected at least: '1'"),
        (json!({ "limit": 1.5 }), "Invalid request: Value for field 'limit' must be a whole number"),
        (json!({ "code": "  " }), "code must not be empty"),
        (json!({ "code": "x".repeat(201) }), "code has more than 200 characters"),
        (json!({ "code": "TAKEN" }), "Promotion with code: TAKEN, already exists."),
        (json!({ "code": "taken" }), "Promotion with code: TAKEN, already exists."),
        (
            json!({ "rules": rule("planet", "eq", json!("a")) }),
            "Invalid rule attribute - planet. Those that a cart has are: customer.groups.id, customer.id, email, \
             region.id, shipping_address.country_code, shipping_address.province, shipping_address.postal_code, \
             sales_channel_id, currency_code, item_total, item_subtotal",
        ),
        (json!({ "rules": rule("region.id", "eq", json!([])) }), "The rule on region.id has no values"),
        (
            json!({ "rules": rule("region.id", "gt", json!("1")) }),
            "The rule on region.id cannot compare by 'gt'",
        ),
        (
            json!({ "rules": rule("item_total", "gt", json!(["1", "2"])) }),
            "The rule on item_total compares by 'gt' with one value",
        ),
        (
            json!({ "rules": rule("item_total", "gt", json!("much")) }),
            "The rule on item_total compares with a number, not much",
        ),
        (
            json!({ "rules": rule("region.id", "in", json!(vec!["reg"; 2_001])) }),
            "The rules of a promotion may have at most 2000 values",
        ),
        (
            json!({ "rules": vec![json!({ "attribute": "region.id", "operator": "in", "values": "r" }); 51] }),
            "A promotion may have at most 50 rules",
        ),
        (
            json!({ "campaign_id": "procamp_x", "campaign": { "name": "x", "campaign_identifier": "x" } }),
            "Exactly one of 'campaign' or 'campaign_id' may be provided, but not both",
        ),
    ] {
        let body = with("NEW", fields);
        let refused = admin.post("/admin/promotions", body.clone()).await.error();
        assert_eq!(refused, format!("400 invalid_data: {expect}"), "{body}");
    }
    let lost = admin.post("/admin/promotions", with("NEW", json!({ "campaign_id": "procamp_x" }))).await;
    assert_eq!(lost.error(), "404 not_found: Could not find campaign with id - procamp_x");
    // Changes are held to the same rules, as the promotion is after them.
    let made = create(&admin, with("NEW", json!({ "limit": 3 }))).await;
    let path = format!("/admin/promotions/{}", id(&made));
    for (changes, expect) in [
        (json!({ "is_automatic": true }), "Invalid request: Automatic promotions cannot have a usage limit"),
        (json!({ "code": "TAKEN" }), "Promotion with code: TAKEN, already exists."),
        (
            method(json!({ "type": "fixed" })),
            "application_method.currency_code is required when application_method.type is 'fixed'",
        ),
    ] {
        assert_eq!(admin.post(&path, changes).await.error(), format!("400 invalid_data: {expect}"));
    }
    // Its own code, in another case, is not another's.
    assert_eq!(admin.post(&path, json!({ "code": "New" })).await.ok()["promotion"]["code"], "New");
    assert_eq!(
        admin.post("/admin/promotions/promo_x", json!({ "code": "q" })).await.error(),
        "404 not_found: Promotion id not found: promo_x"
    );
}

#[tokio::test]
async fn rules_are_changed_in_batches_and_shown_with_labels() {
    let shop = shop().await;
    let admin = &shop.admin;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 1).await;
    let method = json!({
        "value": 100, "allocation": "each", "max_quantity": 1, "apply_to_quantity": 1, "buy_rules_min_quantity": 2,
        "buy_rules": [{ "attribute": "items.product.id", "operator": "eq", "values": [tea.product] }],
    });
    let made = create(admin, with("B2G1", json!({ "type": "buyget", "application_method": method }))).await;
    let path = format!("/admin/promotions/{}", id(&made));
    let two = json!([
        { "attribute": "region.id", "operator": "in", "values": [shop.region] },
        { "attribute": "item_total", "operator": "gte", "values": "50", "description": "a minimum" },
    ]);
    let done = admin.post(&format!("{path}/rules/batch"), json!({ "create": two })).await.ok();
    let (region, minimum) = (done["created"][0].clone(), done["created"][1].clone());
    assert_eq!(
        minimum,
        json!({
            "id": minimum["id"], "description": "a minimum", "attribute": "item_total", "operator": "gte",
            "values": [{ "value": "50" }],
        })
    );
    assert_eq!(
        (&done["updated"], &done["deleted"]),
        (&json!([]), &json!({ "ids": [], "object": "promotion-rule", "deleted": true }))
    );
    let batch = json!({
        "update": [{ "id": region["id"], "values": ["reg_x", shop.region], "operator": "ne" }],
        "delete": [minimum["id"]],
    });
    let done = admin.post(&format!("{path}/rules/batch"), batch).await.ok();
    assert_eq!(done["updated"][0]["values"], json!([{ "value": "reg_x" }, { "value": shop.region }]));
    assert_eq!(done["deleted"]["ids"], json!([minimum["id"]]));

    let rules = admin.get(&format!("{path}/rules")).await.ok()["rules"].clone();
    let values = json!([{ "value": "reg_x", "label": "reg_x" }, { "value": shop.region, "label": "Europe" }]);
    assert_eq!(
        (&rules[0]["values"], &rules[0]["attribute_label"], &rules[0]["operator_label"]),
        (&values, &json!("Region"), &json!("Not In"))
    );
    let rules = admin.get("/admin/promotions/B2G1/buy-rules").await.ok()["rules"].clone();
    assert_eq!(
        (&rules[0]["attribute"], &rules[0]["values"], &rules[0]["disguised"]),
        (&json!("buy_rules_min_quantity"), &json!(2), &json!(true))
    );
    assert_eq!(rules[1]["values"], json!([{ "value": tea.product, "label": "Tea" }]));
    let buy = json!({ "delete": [rules[1]["id"]] });
    for (route, body, expect) in [
        (
            "rules/batch",
            json!({ "update": [{ "id": "prorul_x", "values": ["a"] }] }),
            "400 invalid_data: Promotion rules with id - prorul_x not found",
        ),
        (
            "buy-rules/batch",
            buy,
            "400 invalid_data: Invalid request: Buyget promotions require at least one buy rule and quantities to \
             be defined",
        ),
    ] {
        assert_eq!(admin.post(&format!("{path}/{route}"), body).await.error(), expect);
    }
    let standard = create(admin, ten("TEN")).await;
    let buy = json!({ "create": [{ "attribute": "items.product.id", "operator": "in", "values": ["a"] }] });
    let path = format!("/admin/promotions/{}/buy-rules/batch", id(&standard));
    assert_eq!(
        admin.post(&path, buy).await.error(),
        "400 invalid_data: Can't add buy rules to a standard promotion"
    );
    assert_eq!(
        admin.get("/admin/promotions/TEN/nope").await.error(),
        "400 invalid_data: Invalid param rule_type (nope)"
    );
}

#[tokio::test]
async fn dashboards_are_offered_attributes_and_values() {
    let shop = shop().await;
    let admin = &shop.admin;
    shop.channel("Web").await;
    let offered = |query: &str| format!("/admin/promotions/rule-attribute-options/{query}");
    let ids = async |query: &str| {
        let shown = admin.get(&offered(query)).await.ok();
        let all = shown["attributes"].as_array().expect("a list").clone();
        all.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("rules").await, ["customer_group", "region", "country", "sales_channel", "currency_code"]);
    let items = ["product", "product_category", "product_collection", "product_type", "product_tag"];
    assert_eq!(ids("target-rules").await, items);
    assert_eq!(ids("buy-rules?promotion_type=buyget").await[5], "buy_rules_min_quantity");
    assert_eq!(ids("target-rules?promotion_type=buyget").await[5], "apply_to_quantity");
    assert_eq!(
        ids("target-rules?application_method_target_type=shipping_methods").await,
        ["shipping_option_type"]
    );
    let fixed = admin.get(&offered("rules?application_method_type=fixed")).await.ok();
    assert_eq!(fixed["attributes"][4]["required"], true);
    assert_eq!(
        admin.get(&offered("nope-rules")).await.error(),
        "400 invalid_data: Invalid param rule_type (nope-rules)"
    );
    let values = |query: &str| format!("/admin/promotions/rule-value-options/{query}");
    for (query, count, first) in [
        ("rules/currency_code?q=eur", 1, json!({ "label": "Euro", "value": "eur" })),
        ("rules/country?q=ger&limit=1", 4, json!({ "label": "Germany", "value": "de" })),
        ("rules/country?value=fr", 1, json!({ "label": "France", "value": "fr" })),
        ("rules/region", 1, json!({ "label": "Europe", "value": shop.region })),
    ] {
        let shown = admin.get(&values(query)).await.ok();
        assert_eq!((&shown["count"], &shown["values"][0]), (&json!(count), &first), "{query}");
    }
    let shown = admin.get(&values("rules/sales_channel?limit=1&offset=1&order=name")).await.ok();
    assert_eq!((&shown["values"][0]["label"], &shown["offset"]), (&json!("Web"), &json!(1)));
    assert_eq!(
        admin.get(&values("rules/planet")).await.error(),
        "400 invalid_data: Invalid rule attribute - planet"
    );
}

#[tokio::test]
async fn campaigns_are_made_changed_joined_and_deleted() {
    let admin = shop().await.admin;
    let budget = json!({ "type": "spend", "limit": 10, "currency_code": "EUR" });
    let body = json!({
        "name": "Sale", "campaign_identifier": "sale", "budget": budget, "starts_at": "2020-01-01T00:00:00Z",
    });
    let made = admin.post("/admin/campaigns", body.clone()).await.ok()["campaign"].clone();
    assert_eq!(
        (&made["budget"]["currency_code"], &made["budget"]["raw_limit"], &made["ends_at"]),
        (&json!("eur"), &json!({ "value": "10", "precision": 20 }), &Value::Null)
    );
    let path = format!("/admin/campaigns/{}", id(&made));
    let changes = json!({ "name": "Sales", "budget": { "limit": 20 }, "ends_at": "2099-01-01T00:00:00Z" });
    let changed = admin.post(&path, changes).await.ok()["campaign"].clone();
    assert_eq!((&changed["name"], &changed["budget"]["limit"]), (&json!("Sales"), &json!(20)));
    let list = admin.get("/admin/campaigns?budget[currency_code]=eur&q=sales").await.ok();
    assert_eq!((&list["count"], &list["campaigns"][0]["id"]), (&json!(1), &made["id"]));

    let usage = |fields: Value| json!({ "name": "x", "campaign_identifier": "x", "budget": fields });
    for (body, expect) in [
        (body.clone(), "Promotion campaign with campaign_identifier: sale, already exists."),
        (
            json!({ "name": "x", "campaign_identifier": "x", "starts_at": "2031-01-01", "ends_at": "2030-01-01" }),
            "ends_at must be after starts_at",
        ),
        (
            usage(json!({ "type": "spend" })),
            "Invalid request: currency_code is required when budget type is spend",
        ),
        (
            usage(json!({ "type": "usage", "currency_code": "eur" })),
            "Invalid request: currency_code should not be present when budget type is usage",
        ),
        (
            usage(json!({ "type": "use_by_attribute" })),
            "Invalid request: campaign budget attribute is required when budget type is USE_BY_ATTRIBUTE or \
             SPEND_BY_ATTRIBUTE",
        ),
        (
            usage(json!({ "type": "use_by_attribute", "attribute": "shoe_size" })),
            "budget.attribute shoe_size is not one of: customer_id, customer_email, promotion_code",
        ),
        (json!({ "name": "x", "campaign_identifier": "" }), "campaign_identifier must not be empty"),
    ] {
        assert_eq!(admin.post("/admin/campaigns", body).await.error(), format!("400 invalid_data: {expect}"));
    }
    let unbudgeted = json!({ "name": "x", "campaign_identifier": "x" });
    let unbudgeted = id(&admin.post("/admin/campaigns", unbudgeted).await.ok()["campaign"]);
    assert_eq!(
        admin
            .post(&format!("/admin/campaigns/{unbudgeted}"), json!({ "budget": { "limit": 1 } }))
            .await
            .error(),
        "400 invalid_data: The campaign has no budget whose limit could change"
    );

    let fixed = json!({ "application_method": { "type": "fixed", "value": 1, "currency_code": "usd" } });
    let (first, dollars) = (create(&admin, ten("ONE")).await, create(&admin, with("USD", fixed)).await);
    let promotions = format!("{path}/promotions");
    admin.post(&promotions, json!({ "add": [first["id"]] })).await.ok();
    let campaign_of = async |code: &str| {
        admin.get(&format!("/admin/promotions/{code}")).await.ok()["promotion"]["campaign_id"].clone()
    };
    assert_eq!(campaign_of("ONE").await, made["id"]);
    assert_eq!(
        admin.post(&promotions, json!({ "add": [dollars["id"]] })).await.error(),
        "400 invalid_data: A promotion in usd cannot be in a campaign whose budget is in eur"
    );
    assert_eq!(
        admin.post(&promotions, json!({ "add": ["promo_x"] })).await.error(),
        "404 not_found: Promotion id not found: promo_x"
    );
    // One campaign takes it from another; only its own campaign gives it up.
    admin
        .post(&format!("/admin/campaigns/{unbudgeted}/promotions"), json!({ "add": [first["id"]] }))
        .await
        .ok();
    assert_eq!(campaign_of("ONE").await, json!(unbudgeted));
    admin.post(&promotions, json!({ "remove": [first["id"]] })).await.ok();
    assert_eq!(campaign_of("ONE").await, json!(unbudgeted));
    admin
        .post(&format!("/admin/campaigns/{unbudgeted}/promotions"), json!({ "remove": [first["id"]] }))
        .await
        .ok();
    assert_eq!(campaign_of("ONE").await, Value::Null);

    admin.post(&promotions, json!({ "add": [first["id"]] })).await.ok();
    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone, json!({ "id": made["id"], "object": "campaign", "deleted": true }));
    assert_eq!(campaign_of("ONE").await, made["id"], "it does not become one without an end and a budget");
    for answer in [admin.delete(&path).await, admin.post(&path, json!({ "name": "x" })).await] {
        assert_eq!(answer.error(), format!("404 not_found: Campaign with id \"{}\" not found", id(&made)));
    }
    assert_eq!(
        admin.get(&path).await.error(),
        format!("404 not_found: Campaign with id: {} was not found", id(&made))
    );
}

#[tokio::test]
async fn at_most_100_automatic_promotions_are_active() {
    let admin = shop().await.admin;
    let automatic =
        |n: usize, status: &str| with(&format!("AUTO{n}"), json!({ "is_automatic": true, "status": status }));
    for n in 0..100 {
        create(&admin, automatic(n, "active")).await;
    }
    let refused = "400 invalid_data: At most 100 automatic promotions can be active at a time";
    assert_eq!(admin.post("/admin/promotions", automatic(100, "active")).await.error(), refused);
    let draft = create(&admin, automatic(100, "draft")).await;
    let path = format!("/admin/promotions/{}", id(&draft));
    assert_eq!(admin.post(&path, json!({ "status": "active" })).await.error(), refused);
    let first = id(&admin.get("/admin/promotions/AUTO0").await.ok()["promotion"]);
    // One that is active may change.
    admin.post(&format!("/admin/promotions/{first}"), json!({ "metadata": { "a": 1 } })).await.ok();
    admin.post(&format!("/admin/promotions/{first}"), json!({ "status": "inactive" })).await.ok();
    admin.post(&path, json!({ "status": "active" })).await.ok();
}
