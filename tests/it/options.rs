//! Product options: exclusive ones of a product, and shared ones.

use atoll_kernel::limits::{OPTION_VALUES_MAX, PRODUCT_OPTIONS_MAX, VARIANT_PRICES_MAX, VARIANTS_MAX};
use atoll_testkit::{Client, Shop, TestApp};
use serde_json::{Value, json};

async fn shop() -> Shop {
    Shop::open(TestApp::init().await).await
}

/// Creates a shared option.
async fn option(admin: &Client, title: &str, values: &[&str]) -> Value {
    let body = json!({ "title": title, "values": values });
    admin.post("/admin/product-options", body).await.ok()["product_option"].clone()
}

/// Creates a product with these options, and a variant with these values.
async fn product(admin: &Client, title: &str, options: Value, choice: Value) -> Value {
    let variant = json!({ "title": title, "prices": [], "options": choice });
    let body = json!({ "title": title, "options": options, "variants": [variant] });
    admin.post("/admin/products", body).await.ok()["product"].clone()
}

fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {record}"))
}

fn words<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().filter_map(|it| it[field].as_str()).collect()
}

#[tokio::test]
async fn options_and_their_values_are_made_changed_and_deleted() {
    let admin = shop().await.admin;
    let body =
        json!({ "title": "Size", "values": ["S", "M", "S"], "ranks": { "M": 1 }, "metadata": { "a": 1 } });
    let size = admin.post("/admin/product-options", body).await.ok()["product_option"].clone();
    assert_eq!((&size["is_exclusive"], &size["metadata"]), (&json!(false), &json!({ "a": 1 })));
    assert_eq!(words(&size["values"], "value"), ["S", "M"]);
    assert_eq!((&size["values"][0]["rank"], &size["values"][1]["rank"]), (&Value::Null, &json!(1)));
    let path = format!("/admin/product-options/{}", id(&size));
    let changed = json!({ "title": "Sizes", "values": ["M", "L"], "ranks": { "L": 2 } });
    let changed = admin.post(&path, changed).await.ok()["product_option"].clone();
    assert_eq!(
        (changed["title"].as_str(), words(&changed["values"], "value")),
        (Some("Sizes"), vec!["M", "L"])
    );
    assert_eq!(changed["values"][0]["id"], size["values"][1]["id"], "what stays is what it was");
    assert_eq!(admin.get(&path).await.ok()["product_option"], changed);

    option(&admin, "Colour", &["red"]).await;
    for (query, expect) in [
        ("", vec!["Sizes", "Colour"]),
        ("?q=col", vec!["Colour"]),
        ("?title=Sizes", vec!["Sizes"]),
        ("?is_exclusive=true", vec![]),
        ("?values[value]=red", vec!["Colour"]),
        ("?order=-title&limit=1", vec!["Sizes"]),
    ] {
        let list = admin.get(&format!("/admin/product-options{query}")).await.ok();
        assert_eq!(words(&list["product_options"], "title"), expect, "{query}");
    }

    let values = format!("{path}/values");
    let list = admin.get(&format!("{values}?value=L")).await.ok();
    assert_eq!((&list["count"], &list["product_option_values"][0]["rank"]), (&json!(1), &json!(2)));
    let large = format!("{values}/{}", id(&list["product_option_values"][0]));
    admin.post(&large, json!({ "value": "XL", "metadata": { "b": 2 } })).await.ok();
    let shown = admin.get(&large).await.ok()["product_option_value"].clone();
    assert_eq!((&shown["value"], &shown["metadata"]), (&json!("XL"), &json!({ "b": 2 })));
    let gone = admin.delete(&large).await.ok();
    assert_eq!((&gone["object"], &gone["deleted"]), (&json!("product_option_value"), &json!(true)));
    assert_eq!(words(&gone["parent"]["values"], "value"), ["M"]);
    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone, json!({ "id": size["id"], "object": "product_option", "deleted": true }));
    assert_eq!(
        admin.get(&path).await.error(),
        format!("404 not_found: Product option with id: {} was not found", id(&size))
    );
}

#[tokio::test]
async fn products_share_options_and_keep_their_own() {
    let admin = shop().await.admin;
    let size = option(&admin, "Size", &["S", "M"]).await;
    let both = json!([{ "id": size["id"] }, { "title": "Cut", "values": ["slim"] }]);
    let tee = product(&admin, "Tee", both, json!({ "Size": "S", "Cut": "slim" })).await;
    assert_eq!(words(&tee["options"], "title"), ["Size", "Cut"]);
    let cap = product(&admin, "Cap", json!([{ "id": size["id"] }]), json!({ "Size": "M" })).await;
    let cut = id(&tee["options"][1]).to_owned();
    let of_tee = admin.get(&format!("/admin/products/{}/options?is_exclusive=true", id(&tee))).await.ok();
    assert_eq!((words(&of_tee["product_options"], "title"), &of_tee["count"]), (vec!["Cut"], &json!(1)));
    let path = format!("/admin/product-options/{}?fields=title,products.title", id(&size));
    assert_eq!(words(&admin.get(&path).await.ok()["product_option"]["products"], "title"), ["Tee", "Cap"]);

    let path = |it: &Value| format!("/admin/product-options/{}", id(it));
    let batch = |it: &Value| format!("/admin/products/{}/options/batch", id(it));
    let chosen = format!("{}/values/{}", path(&size), id(&size["values"][0]));
    let nothing = json!({});
    for (what, route, body, expect) in [
        ("delete", path(&size), &nothing, "Product option Size is in use by products and cannot be deleted"),
        ("delete", chosen, &nothing, "Product option value S is in use by variants and cannot be deleted"),
        (
            "post",
            path(&size),
            &json!({ "values": ["M"] }),
            "Product option value S is in use by variants and cannot be deleted",
        ),
        (
            "post",
            path(&size),
            &json!({ "is_exclusive": true }),
            "Product option Size is shared by several products",
        ),
        ("post", batch(&cap), &json!({ "add": [cut] }), "Product option Cut is exclusive to another product"),
        (
            "post",
            batch(&cap),
            &json!({ "remove": [size["id"]] }),
            "Cannot unassign product option Size from product which has variants for that option",
        ),
        ("post", batch(&cap), &json!({ "add": ["opt_x"] }), "ProductOption with id: opt_x does not exist"),
        (
            "post",
            batch(&cap),
            &json!({ "update": [{ "product_option_id": size["id"], "remove": [size["values"][1]["id"]] }] }),
            "Values of the shared product option Size cannot be removed here",
        ),
        (
            "post",
            batch(&cap),
            &json!({ "add": [{ "title": "No values" }] }),
            "Invalid request: Field 'add, 0, values' is required",
        ),
        (
            "post",
            format!("/admin/products/{}", id(&cap)),
            &json!({ "options": [] }),
            "Invalid request: The 'options' property was removed in version 2.16.0. Please remove it from your request \
             payload.",
        ),
    ] {
        let answer = if what == "delete" {
            admin.delete(&route).await
        } else {
            admin.post(&route, body.clone()).await
        };
        assert_eq!(answer.error(), format!("400 invalid_data: {expect}"), "{what} {route} {body}");
    }
    for (route, body) in [
        (batch(&json!({ "id": "prod_x" })), json!({})),
        (batch(&tee), json!({ "update": [{ "product_option_id": "opt_x" }] })),
        (batch(&tee), json!({ "update": [{ "product_option_id": cut, "remove": ["optval_x"] }] })),
        (format!("{}/values/optval_x", path(&size)), json!({})),
    ] {
        assert_eq!(admin.post(&route, body).await.status, 404, "{route}");
    }

    // An exclusive option is deleted with its product, a shared one stays.
    admin.delete(&format!("/admin/products/{}", id(&tee))).await.ok();
    let left = admin.get("/admin/product-options").await.ok();
    assert_eq!(words(&left["product_options"], "title"), ["Size"]);
}

#[tokio::test]
async fn a_product_gets_and_loses_options() {
    let admin = shop().await.admin;
    let size = option(&admin, "Size", &["S", "M"]).await;
    let plain = json!({ "title": "Mug", "options": [{ "title": "Kind", "values": ["plain", "red"] }] });
    let mug = admin.post("/admin/products", plain).await.ok()["product"].clone();
    let kind = &mug["options"][0];
    let path = format!("/admin/products/{}", id(&mug));
    let titles = async || {
        let shown = admin.get(&format!("{path}?fields=options.title")).await.ok();
        words(&shown["product"]["options"], "title").join(" ")
    };
    admin.post(&format!("{path}/options"), json!({ "title": "Glaze", "values": ["matt"] })).await.ok();
    assert_eq!(titles().await, "Kind Glaze");
    let links = json!({
        "add": [size["id"], { "title": "Handle", "values": ["left"] }],
        "update": [{
            "product_option_id": kind["id"], "add": [{ "value": "blue" }, kind["values"][0]["id"]],
            "remove": [kind["values"][1]["id"]],
        }],
    });
    let linked = admin.post(&format!("{path}/options/batch"), links).await.ok()["product"].clone();
    assert_eq!(words(&linked["options"], "title"), ["Kind", "Glaze", "Size", "Handle"]);
    assert_eq!(words(&linked["options"][0]["values"], "value"), ["plain", "blue"]);

    // The values in a new order; the product's own value that is left out is deleted.
    admin.post(&path, json!({ "option_ids": [size["id"], kind["id"]] })).await.ok();
    assert_eq!(titles().await, "Size Kind");
    let left = admin.get("/admin/product-options?order=title").await.ok();
    assert_eq!(words(&left["product_options"], "title"), ["Kind", "Size"]);
    admin.post(&format!("{path}/options/batch"), json!({ "remove": [size["id"]] })).await.ok();
    assert_eq!(titles().await, "Kind");
    // A request with an error writes nothing.
    let wrong =
        json!({ "add": [size["id"]], "remove": ["opt_x"], "update": [{ "product_option_id": "opt_x" }] });
    assert_eq!(admin.post(&format!("{path}/options/batch"), wrong).await.status, 404);
    assert_eq!(titles().await, "Kind");
}

/// Each of them is read for each variant that is created, or for each cart that changes.
#[tokio::test]
async fn values_options_variants_and_their_prices_are_limited() {
    let admin = shop().await.admin;
    let values = |n: usize| (0..n).map(|it| it.to_string()).collect::<Vec<_>>();
    let body = json!({ "title": "Size", "values": values(OPTION_VALUES_MAX + 1) });
    let refused = admin.post("/admin/product-options", body).await.error();
    assert_eq!(refused, "400 invalid_data: A product option has at most 1000 values");

    let size = json!({ "title": "Size", "values": values(OPTION_VALUES_MAX) });
    let variant =
        |n: usize| json!({ "title": n.to_string(), "prices": [], "options": { "Size": n.to_string() } });
    let variants: Vec<Value> = (0..VARIANTS_MAX - 1).map(variant).collect();
    let body = json!({ "title": "Tea", "options": [size], "variants": variants });
    let tea = admin.post("/admin/products?fields=id,options.id", body).await.ok()["product"].clone();
    let path = format!("/admin/products/{}", id(&tea));
    let twin = admin.post(&format!("{path}/variants"), variant(0)).await.error();
    assert_eq!(twin, "400 invalid_data: Variant (0) with provided options already exists.");
    admin.post(&format!("{path}/variants"), variant(VARIANTS_MAX - 1)).await.ok();
    let one_more = json!({ "title": "one more", "prices": [], "options": {} });
    let refused = admin.post(&format!("{path}/variants"), one_more).await.error();
    assert_eq!(refused, "400 invalid_data: A product has at most 1000 variants");

    let option = |n: usize| json!({ "title": n.to_string(), "values": ["a"] });
    let options: Vec<Value> = (0..=PRODUCT_OPTIONS_MAX).map(option).collect();
    let body = json!({ "title": "Cup", "options": options });
    let refused = admin.post("/admin/products", body).await.error();
    assert_eq!(refused, "400 invalid_data: A product has at most 50 options");

    let prices = |n| vec![json!({ "currency_code": "eur", "amount": 1 }); n];
    let dear =
        json!({ "title": "dear", "prices": prices(VARIANT_PRICES_MAX + 1), "options": { "Size": "S" } });
    let body =
        json!({ "title": "Pot", "options": [{ "title": "Size", "values": ["S"] }], "variants": [dear] });
    let refused = admin.post("/admin/products", body).await.error();
    assert_eq!(refused, "400 invalid_data: A variant has at most 1000 prices");
    let body = json!({ "prices": prices(VARIANT_PRICES_MAX + 1) });
    let shown = admin.get(&format!("{path}?fields=variants.id")).await.ok();
    let variant = format!("{path}/variants/{}", id(&shown["product"]["variants"][0]));
    let refused = admin.post(&variant, body).await.error();
    assert_eq!(refused, "400 invalid_data: A variant has at most 1000 prices");
}
