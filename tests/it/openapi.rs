//! The OpenAPI document: texts of routes, parameters and schemas, references, and what store routes show.
//! That answers are what it says, every test checks (`testkit/src/described.rs`).

use atoll_testkit::{TestApp, check_schema};
use serde_json::{Map, Value};

async fn document() -> Value {
    TestApp::init().await.client().get("/openapi.json").await.ok()
}

/// The operations, by method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let of_path = |(path, operations): (&String, &'_ Value)| {
        let operations = operations.as_object().expect("operations");
        operations.keys().map(|verb| format!("{} {path}", verb.to_uppercase())).collect::<Vec<_>>()
    };
    let paths = document["paths"].as_object().expect("paths");
    let names = paths.iter().flat_map(of_path);
    let operations = paths.values().flat_map(|it| it.as_object().expect("operations").values());
    names.zip(operations).collect()
}

/// All values in the document, with their places.
fn walk<'a>(place: &str, value: &'a Value, visit: &mut dyn FnMut(&str, &'a Value)) {
    visit(place, value);
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, it)| walk(&format!("{place}/{name}"), it, visit))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, it)| walk(&format!("{place}/{at}"), it, visit));
        }
        _ => {}
    }
}

fn resolved<'a>(document: &'a Value, it: &'a Value) -> &'a Value {
    let Some(reference) = it["$ref"].as_str() else { return it };
    document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

#[tokio::test]
async fn openapi_document_is_rendered_once() {
    let app = TestApp::init().await;
    let first = app.client().get("/openapi.json").await;
    let second = app.client().get("/openapi.json").await;
    assert!(first.body.len() > 100_000);
    // The very same bytes, and not equal ones.
    assert_eq!(first.body.as_ptr(), second.body.as_ptr());
}

#[tokio::test]
async fn openapi_document_is_compressed_once_for_each_encoding() {
    let app = TestApp::init().await;
    let plain = app.client().get("/openapi.json").await;
    for encoding in ["gzip", "br", "zstd"] {
        let client = app.client().with_header("accept-encoding", encoding);
        let (first, second) = (client.get("/openapi.json").await, client.get("/openapi.json").await);
        assert_eq!(first.headers["content-encoding"], encoding);
        assert!(first.body.len() * 5 < plain.body.len(), "{encoding}: {} bytes", first.body.len());
        assert_eq!(first.body.as_ptr(), second.body.as_ptr(), "{encoding}");
    }
}

#[tokio::test]
async fn every_route_has_a_summary_of_its_own() {
    let document = document().await;
    let mut wrong = Vec::new();
    for (name, operation) in operations(&document) {
        let summary = operation["summary"].as_str().unwrap_or_default();
        let is_sentence = summary.contains(' ') && summary.starts_with(|it: char| it.is_ascii_uppercase());
        let is_path = summary.contains('/') && !summary.contains("`/");
        if !is_sentence || is_path || summary.len() > 160 || summary.ends_with('.') {
            wrong.push(format!("{name}: {summary:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let create = &document["paths"]["/admin/product-tags"]["post"];
    assert_eq!(create["summary"], "Creates a product tag");
    let update = &document["paths"]["/admin/product-tags/{id}"]["post"];
    assert_eq!(update["summary"], "Updates a product tag");
    assert_eq!(update["description"], "Fields that are absent stay as they are.");
}

/// Fields that hold any JSON.
const FREE: [&str; 2] = ["data", "value"];

#[tokio::test]
async fn every_parameter_and_every_field_has_a_type_and_a_description() {
    let document = document().await;
    let mut silent = Vec::new();
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().expect("parameters") {
            let parameter = resolved(&document, parameter);
            if parameter["description"].as_str().unwrap_or_default().is_empty() {
                silent.push(format!("{name} {}", parameter["name"]));
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        if schema["description"].as_str().unwrap_or_default().is_empty() {
            silent.push(name.clone());
        }
        for (field, it) in schema["properties"].as_object().into_iter().flatten() {
            // Relations and exact values are described by the schema that they lead to.
            let leads_on = it.to_string().contains("$ref");
            let is_typed = ["type", "enum", "anyOf"].iter().any(|key| it.get(key).is_some());
            let is_free = FREE.contains(&field.as_str());
            if !leads_on && (it.get("description").is_none() || !(is_typed || is_free)) {
                silent.push(format!("{name}.{field}"));
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[tokio::test]
async fn texts_are_for_readers_of_the_api() {
    let document = document().await;
    let mut wrong = Vec::new();
    walk("", &document, &mut |place, value| {
        let is_text = place.ends_with("/description") || place.ends_with("/summary");
        // Links of rustdoc, and lines of source code, lead nowhere here.
        let text = value.as_str().filter(|_| is_text).unwrap_or_default();
        if ["[`", "](", "::", "`None`", "`Some"].iter().any(|it| text.contains(it)) {
            wrong.push(format!("{place}: {text}"));
        }
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document().await;
    let mut used = Vec::new();
    walk("", &document, &mut |_, value| {
        resolved(&document, value);
        used.extend(value["$ref"].as_str());
    });
    for kind in ["schemas", "parameters", "responses"] {
        for name in document["components"][kind].as_object().expect("components").keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(&reference.as_str()), "{reference} is not used");
        }
    }
}

#[tokio::test]
async fn store_routes_have_schemas_of_what_they_show() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let empty = Map::new();
    let shows = |schema: &str, field: &str| {
        schemas[schema]["properties"].as_object().unwrap_or(&empty).contains_key(field)
    };
    let page =
        &document["paths"]["/store/products"]["get"]["responses"]["200"]["content"]["application/json"];
    let item = &page["schema"]["properties"]["products"]["items"]["$ref"];
    assert_eq!(item, "#/components/schemas/StorefrontProduct");
    for field in ["id", "title", "variants", "collection"] {
        assert!(shows("StorefrontProduct", field) && shows("Product", field), "{field}");
    }
    for field in ["calculated_price", "inventory_quantity", "sku"] {
        assert!(shows("StorefrontProduct.variants", field), "{field}");
    }
    // Fields that only admins see.
    assert!(shows("Product", "sales_channels") && !shows("StorefrontProduct", "sales_channels"));
    assert!(
        shows("ProductVariant", "inventory_items") && !shows("StorefrontProduct.variants", "inventory_items")
    );
    assert!(shows("ProductVariant", "prices") && !shows("StorefrontProduct.variants", "prices"));
    // Some relations offer a few fields only.
    let fields = schemas["StorefrontCart.customer"]["properties"].as_object().expect("fields");
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["email", "groups", "id"]);
    // Categories are recursive.
    let children =
        &schemas["StorefrontProductCategory.category_children"]["properties"]["category_children"]["items"];
    assert_eq!(children["$ref"], "#/components/schemas/StorefrontProductCategory.category_children");
    // No store route shows a record as an admin sees it.
    let mut wrong = Vec::new();
    for (name, operation) in operations(&document).iter().filter(|(_, it)| it["x-area"] == "store") {
        walk(name, &operation["responses"]["200"], &mut |place, value| {
            let reference = value["$ref"].as_str().unwrap_or("#/components/schemas/Storefront");
            if !reference.starts_with("#/components/schemas/Storefront") {
                wrong.push(format!("{place}: {reference}"));
            }
        });
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn examples_fit_the_schemas_of_their_operations() {
    let document = document().await;
    let (mut wrong, mut n_answers) = (Vec::new(), 0);
    for (name, operation) in operations(&document) {
        let request = &operation["requestBody"]["content"]["application/json"];
        let answer = &operation["responses"]["200"]["content"]["application/json"];
        n_answers += usize::from(answer.get("example").is_some());
        for (part, content) in [("request", request), ("answer", answer)] {
            let Some(example) = content.get("example") else { continue };
            if let Err(why) = check_schema(&document, &content["schema"], example) {
                wrong.push(format!("{name}: {part}: {why}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // As many as there are recordings of; `cargo xtask examples` writes them.
    assert!(n_answers > 90, "{n_answers} operations have an example");
}

/// Answers that are remembered have an `ETag`, by which clients ask again.
#[tokio::test]
async fn reads_of_records_and_pages_may_be_not_modified() {
    let document = document().await;
    let all = operations(&document);
    let may_be = |name: &str| {
        let (_, operation) = all.iter().find(|(it, _)| it == name).expect(name);
        operation["responses"].get("304").is_some()
    };
    for name in
        ["GET /store/products", "GET /store/products/{id}", "GET /admin/orders", "GET /store/carts/{id}"]
    {
        assert!(may_be(name), "{name}");
    }
    for name in ["POST /store/carts", "GET /admin/counters", "DELETE /admin/products/{id}"] {
        assert!(!may_be(name), "{name}");
    }
    let component = &document["components"]["responses"]["NotModified"];
    assert!(component.get("content").is_none(), "it has no body: {component}");
}

#[tokio::test]
async fn every_answer_says_its_fields() {
    let document = document().await;
    let mut silent = Vec::new();
    for (name, operation) in operations(&document) {
        let content = &operation["responses"]["200"]["content"];
        let Some(schema) = content.get("application/json").map(|it| &it["schema"]) else { continue };
        let shapes = schema["anyOf"].as_array().map_or(vec![schema], |all| all.iter().collect());
        if shapes.iter().any(|it| it["properties"].as_object().is_none_or(Map::is_empty)) {
            silent.push(name);
        }
    }
    assert_eq!(silent, Vec::<String>::new());
    // A cart that is completed answers with the order, or with the cart and the error of its payment.
    let complete = &document["paths"]["/store/carts/{id}/complete"]["post"]["responses"]["200"];
    let shapes = &complete["content"]["application/json"]["schema"]["anyOf"];
    assert_eq!(shapes[0]["properties"]["order"]["$ref"], "#/components/schemas/StorefrontOrder");
    assert_eq!(shapes[1]["required"], serde_json::json!(["type", "cart", "error"]));
}

/// The fields of a body that are not described, or have no type and say nothing of it, at any depth.
fn silent_fields(place: &str, schema: &Value, silent: &mut Vec<String>) {
    for shape in schema["anyOf"].as_array().into_iter().flatten() {
        silent_fields(place, shape, silent);
    }
    if let Some(items) = schema.get("items") {
        silent_fields(&format!("{place}[]"), items, silent);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        if field["description"].as_str().unwrap_or_default().is_empty() {
            silent.push(place.clone());
        }
        silent_fields(&place, field, silent);
    }
}

#[tokio::test]
async fn fields_of_bodies_are_described_at_any_depth() {
    let document = document().await;
    let body = |path: &str| {
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"].clone()
    };
    let mut silent = Vec::new();
    for (name, operation) in operations(&document) {
        let content = &operation["requestBody"]["content"]["application/json"];
        silent_fields(&name, &content["schema"], &mut silent);
    }
    assert_eq!(silent, Vec::<String>::new());
    let variant = &body("/admin/products")["properties"]["variants"]["items"];
    assert_eq!(variant["required"], serde_json::json!(["title", "prices"]));
    assert_eq!(
        variant["properties"]["sku"]["description"],
        "Stock keeping unit; unique among live variants."
    );
    let price = &variant["properties"]["prices"]["items"];
    assert_eq!(price["required"], serde_json::json!(["currency_code", "amount"]));
    assert_eq!(price["properties"]["amount"]["type"], "number");
    // A variant, though the answer is the product.
    let sku = &body("/admin/products/{id}/variants")["properties"]["sku"];
    assert_eq!(sku["description"], "Stock keeping unit; unique among live variants.");
}

#[tokio::test]
async fn totals_exact_values_and_columns_of_links_have_types() {
    let document = document().await;
    let field = |schema: &str, name: &str| &document["components"]["schemas"][schema]["properties"][name];
    assert_eq!(field("StorefrontCart", "item_total")["type"], "number");
    assert_eq!(field("StorefrontCart", "promotions")["type"], "array");
    assert_eq!(field("LineItem", "raw_unit_price")["$ref"], "#/components/schemas/ExactNumber");
    let price = &field("StorefrontProduct.variants", "calculated_price")["anyOf"][0]["properties"];
    assert_eq!(price["calculated_amount"]["type"], "number");
    assert_eq!(field("Order", "summary")["properties"]["pending_difference"]["type"], "number");
    let safety_stock = field("SalesChannelStockLocation", "safety_stock");
    assert_eq!(safety_stock["type"], "number", "{safety_stock}");
}
