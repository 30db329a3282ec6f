//! Importing a catalogue: all of it, once, with everything that is wrong named.

use atoll_flows::catalogue::{Catalogue, Report, demo, import};
use atoll_kernel::{Actor, Fault, Moment, Write};
use atoll_testkit::TestApp;
use expect_test::{Expect, expect};
use serde_json::json;

use crate::story::{import_into, real_catalogue};

#[tokio::test]
async fn the_real_catalogue_is_read_and_its_dirt_is_named() {
    let Some(catalogue) = real_catalogue() else { return };
    let app = TestApp::init().await;
    let report = import_into(&app.ctx, catalogue.clone()).await;
    let tallies: Vec<String> =
        report.tallies.iter().map(|(kind, it)| format!("{kind} {}", it.created)).collect();
    expect![[r#"
        inventory_levels 56
        listings 64
        product_categories 16
        product_collections 2
        product_types 8
        product_variants 73
        products 32
        regions 2
        sales_channels 2
        stock_locations 1"#]]
    .assert_eq(&tallies.join("\n"));
    let count = |text: &str| report.problems.iter().filter(|it| it.message.contains(text)).count();
    assert_eq!(
        [count("no SKU"), count("HTML entities"), count("in one collection"), count("hidden from lists")],
        [17, 4, 1, 2]
    );
    assert_eq!(report.problems.len(), 24, "{report}");

    // A second run changes nothing, and says so.
    let before = atoll_kernel::events_after(&app.ctx.view(), 0, 10_000).expect("events").len();
    let again = import_into(&app.ctx, catalogue).await;
    assert!(!again.changed_anything(), "{again}");
    assert!(again.to_string().ends_with("nothing changed\n"));
    assert_eq!(atoll_kernel::events_after(&app.ctx.view(), 0, 10_000).expect("events").len(), before);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let app = TestApp::init().await;
    let dry = |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        let report: Report = import(tx, at, &demo::catalogue(), &|| {})?;
        assert_eq!(report.tallies["products"].created, 40);
        Err(Fault::invalid("a dry run"))
    };
    assert!(app.ctx.write(Actor::System, dry).await.is_err());
    let (_, admin) = app.with_admin().await;
    assert_eq!(admin.get("/admin/products").await.ok()["count"], 0);
    assert_eq!(admin.get("/admin/sales-channels").await.ok()["count"], 1);
}

#[tokio::test]
async fn a_changed_file_changes_what_differs() {
    let app = TestApp::init().await;
    let mut catalogue = demo::catalogue();
    import_into(&app.ctx, catalogue.clone()).await;
    catalogue.products[0].title = "Another title".into();
    catalogue.products[0].variants[0].prices[0].amount = "1.25".into();
    catalogue.products[1].listings[0].published = false;
    let report = import_into(&app.ctx, catalogue).await;
    let changed: Vec<String> = report
        .tallies
        .iter()
        .filter(|(_, it)| it.created + it.updated > 0)
        .map(|(kind, it)| format!("{kind} +{} ~{}", it.created, it.updated))
        .collect();
    assert_eq!(changed, ["listings +0 ~1", "price_sets +0 ~1", "products +0 ~1"]);
}

#[tokio::test]
async fn a_product_may_get_more_variants() {
    let app = TestApp::init().await;
    let mut catalogue = demo::catalogue();
    import_into(&app.ctx, catalogue.clone()).await;
    let mut more = catalogue.products[0].variants[0].clone();
    (more.title, more.sku) = ("5-person".into(), Some("TENT-LAG-5".into()));
    catalogue.products[0].variants.push(more.clone());
    // The same title twice cannot be told apart.
    catalogue.products[0].variants.push(more);
    let report = import_into(&app.ctx, catalogue).await;
    assert_eq!(report.tallies["product_variants"].created, 1);
    let problems: Vec<&str> = report.problems.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(problems, ["a second variant `5-person`; it was left out"]);
}

#[tokio::test]
async fn variants_may_change_their_names() {
    let app = TestApp::init().await;
    let mut catalogue = demo::catalogue();
    import_into(&app.ctx, catalogue.clone()).await;
    let product = &mut catalogue.products[0];
    let mut another = product.variants[0].clone();
    product.variants[0].title = "Small".into();
    another.sku = Some("ANOTHER".into());
    product.variants.push(another);
    let report = import_into(&app.ctx, catalogue).await;
    assert_eq!(report.problems, []);
    let variants = report.tallies["product_variants"];
    assert_eq!((variants.created, variants.updated), (1, 1));
}

async fn check(catalogue: serde_json::Value, expect: Expect) {
    let app = TestApp::init().await;
    let catalogue: Catalogue = serde_json::from_value(catalogue).expect("a catalogue");
    let report = import_into(&app.ctx, catalogue).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    expect.assert_eq(&problems.join("\n"));
}

#[tokio::test]
async fn every_problem_is_named_with_its_place() {
    let variant = json!({ "sku": "A", "title": "One", "manage_inventory": true,
        "prices": [{ "currency_code": "eur", "amount": "-1" }, { "currency_code": "eur", "amount": "2" },
                   { "currency_code": "EUR", "amount": "3" }, { "currency_code": "usd", "amount": "x" }],
        "stock": [{ "location": "moon", "stocked_quantity": 1 }, { "location": "shed", "stocked_quantity": -1 }] });
    let kit = json!({ "sku": "K", "title": "Kit", "manage_inventory": true, "parts": [{ "sku": "Z", "quantity": 1 }, { "sku": "A", "quantity": 0 }] });
    check(
        json!({
            "sales_channels": [{ "handle": "web", "name": "Web", "currency_code": "xxx", "country_code": "de" },
                               { "handle": "", "name": "Nobody" }],
            "stock_locations": [{ "name": "Nowhere" }, { "handle": "shed", "name": "Shed", "sales_channels": ["web", "till"] }],
            "categories": [{ "handle": "b", "name": "B", "parent": "a" }],
            "products": [
                { "handle": "tea", "title": "Tea &amp; more", "category": "none", "variants": [variant],
                  "listings": [{ "channel": "web", "published": true, "available_from": "2999-01-01" },
                               { "channel": "till", "published": true }] },
                { "handle": "kit", "title": "Kit", "variants": [kit],
                  "listings": [{ "channel": "web", "published": true, "available_from": "soon" }] },
                { "handle": "none", "title": "None" },
                { "handle": "Bad Handle", "title": "X", "variants": [{ "title": "One" }] },
            ],
        }),
        expect![[r#"
            sales_channels[0] "web": currency with code `xxx` does not exist
            sales_channels[1] "": a channel needs a handle and a name; it was left out
            stock_locations[0] "": a location needs a handle and a name; it was left out
            stock_locations[1] "shed": channel `till` is not in the file; not linked
            categories[0] "b": its parent does not come before it; it was put at the top
            products[0] "tea": title holds HTML entities; they were decoded
            products[0] "tea": category `none` does not exist; it was left out
            products[0] "tea" › listings[0]: available_from 2999-01-01T00:00:00.000Z: not for sale now; not linked
            products[0] "tea" › listings[1]: channel `till` is not in the file; not linked
            products[0] "tea" › variants[0] › prices[0]: `-1` is not a price; left out
            products[0] "tea" › variants[0] › prices[2]: a second price in EUR, 3; 2 counts
            products[0] "tea" › variants[0] › prices[3]: `x` is not a price; left out
            products[0] "tea" › variants[0] › stock[0]: location `moon` is not in the file; left out
            products[0] "tea" › variants[0] › stock[1]: a stock of -1; left out
            products[1] "kit" › listings[0]: available_from `soon` is not a date; it was ignored
            products[1] "kit" › variants[0]: no price; it cannot be put into a cart
            products[1] "kit" › variants[0]: part `Z` × 1 cannot be taken; left out
            products[1] "kit" › variants[0]: part `A` × 0 cannot be taken; left out
            products[2] "none": a product needs a handle, a title and a variant; it was left out
            products[3] "Bad Handle": the handle does not fit into a URL; it was left out"#]],
    )
    .await;
}
