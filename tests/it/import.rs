//! Import of a catalogue: atomic, idempotent, with a report of all problems.

use std::{cell::Cell, future::poll_fn, pin::pin, task::Poll};

use atoll_catalogue::{
    ATOMIC_PRODUCTS_MAX, Catalogue, ImportMode, Outline, ProblemKind, Report, import, import_file,
};
use atoll_host::demo_catalogue;
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Read as _, Write,
    data::{Direction, Scan},
    limits::IMPORT_LIST_MAX,
};
use atoll_storage::Span;
use atoll_testkit::{Dump, TestApp, check_drawn, times};
use expect_test::{Expect, expect};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestCaseError};
use serde_json::{Value, json};

use crate::story::{import_into, real_catalogue};

#[tokio::test]
async fn import_of_the_real_catalogue_reports_its_defects() {
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

    // A second import changes nothing, and reports that.
    let before = atoll_kernel::jobs::events_after(&app.ctx.view(), 0, 10_000).expect("events").len();
    let again = import_into(&app.ctx, catalogue).await;
    assert!(!again.changed_anything(), "{again}");
    assert!(again.to_string().ends_with("nothing changed\n"));
    assert_eq!(atoll_kernel::jobs::events_after(&app.ctx.view(), 0, 10_000).expect("events").len(), before);
}

#[tokio::test]
async fn import_dry_run_writes_nothing() {
    let app = TestApp::init().await;
    let dry = |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        let report: Report = import(tx, at, &demo_catalogue().expect("a catalogue"))?;
        assert_eq!(report.tallies["products"].created, 40);
        Err(Fault::invalid("a dry run"))
    };
    assert!(app.ctx.write(Actor::System, dry).await.is_err());
    let (_, admin) = app.with_admin().await;
    assert_eq!(admin.get("/admin/products").await.ok()["count"], 0);
    assert_eq!(admin.get("/admin/sales-channels").await.ok()["count"], 1);
}

#[tokio::test]
async fn import_updates_what_changed() {
    let app = TestApp::init().await;
    let mut catalogue = demo_catalogue().expect("a catalogue");
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
async fn import_adds_variants_to_a_product() {
    let app = TestApp::init().await;
    let mut catalogue = demo_catalogue().expect("a catalogue");
    import_into(&app.ctx, catalogue.clone()).await;
    let mut more = catalogue.products[0].variants[0].clone();
    (more.title, more.sku) = ("5-person".into(), Some("TENT-LAG-5".into()));
    catalogue.products[0].variants.push(more.clone());
    // Variants with the same title are duplicates.
    catalogue.products[0].variants.push(more);
    let report = import_into(&app.ctx, catalogue).await;
    assert_eq!(report.tallies["product_variants"].created, 1);
    let problems: Vec<&str> = report.problems.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(problems, ["a second variant `5-person`; it was left out"]);
}

#[tokio::test]
async fn import_renames_variants() {
    let app = TestApp::init().await;
    let mut catalogue = demo_catalogue().expect("a catalogue");
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

fn read_catalogue(catalogue: &Value) -> Catalogue {
    Catalogue::read(catalogue.to_string().as_bytes()).expect("a catalogue")
}

async fn check(catalogue: Value, expect: Expect) {
    let app = TestApp::init().await;
    let catalogue: Catalogue = read_catalogue(&catalogue);
    let report = import_into(&app.ctx, catalogue).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    expect.assert_eq(&problems.join("\n"));
}

#[tokio::test]
async fn import_reports_every_problem_with_its_position() {
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
                  "listings": [{ "channel": "web", "published": true, "available_from": "2999-01-01", "available_until": "2998-01-01" },
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
            products[0] "tea" › listings[0]: available_from 2999-01-01T00:00:00.000Z is not before available_until 2998-01-01T00:00:00.000Z; left as it was
            products[0] "tea" › listings[1]: channel `till` is not in the file; not linked
            products[0] "tea" › variants[0] › prices[0]: `-1` is not a price; left out
            products[0] "tea" › variants[0] › prices[2]: a second price in EUR, 3; 2 counts
            products[0] "tea" › variants[0] › prices[3]: `x` is not a price; left out
            products[0] "tea" › variants[0] › stock[0]: location `moon` is not in the file; left out
            products[0] "tea" › variants[0] › stock[1]: a stock of -1; left out
            products[1] "kit" › variants[0]: part `Z` × 1 cannot be taken; the kit was left out
            products[1] "kit" › variants[0]: part `A` × 0 cannot be taken; the kit was left out
            products[1] "kit": none of its variants can be taken; it was left out
            products[2] "none": a product needs a handle, a title and a variant; it was left out
            products[3] "Bad Handle": the handle does not fit into a URL; it was left out"#]],
    )
    .await;
}

#[tokio::test]
async fn import_takes_the_first_of_duplicates() {
    let variant = |sku: &str, title: &str| json!({ "sku": sku, "title": title, "manage_inventory": true, "prices": [{ "currency_code": "eur", "amount": "1" }] });
    let product =
        |handle: &str, variants: Value| json!({ "handle": handle, "title": "X", "variants": variants });
    let stock = json!([{ "location": "shed", "stocked_quantity": 1.5 }, { "location": "shed", "stocked_quantity": 2 }]);
    let mut counted = variant("A", "One");
    counted["stock"] = stock;
    counted["prices"] =
        json!([{ "currency_code": "xxx", "amount": "1" }, { "currency_code": "eur", "amount": "1" }]);
    let mut tea =
        product("tea", json!([counted, variant("A", "Two"), variant("B", "One"), variant("C", " ")]));
    tea["listings"] =
        json!([{ "channel": "web", "published": true }, { "channel": "web", "published": false }]);
    check(
        json!({
            "sales_channels": [{ "handle": "web", "name": "Web" }, { "handle": "web", "name": "Other" }],
            "stock_locations": [{ "handle": "shed", "name": "Shed" }, { "handle": "shed", "name": "Other" }],
            "categories": [{ "handle": "a", "name": "A" }, { "handle": "a", "name": "B" }, { "handle": "b" }, { "name": "C" }],
            "collections": [{ "handle": "a", "title": "A" }, { "handle": "a", "title": "B" }, { "handle": "b" }, { "title": "C" }],
            "products": [
                tea,
                product("tea", json!([variant("D", "One")])),
                product("other", json!([variant("A", "One")])),
                product("blank", json!([{ "sku": "", "title": "One" }])),
                product("blanks", json!([{ "sku": "", "title": "One" }])),
                { "handle": "space", "title": "&nbsp;", "variants": [variant("E", "One")] },
            ],
        }),
        expect![[r#"
            sales_channels[1] "web": a second channel `web`; it was left out
            stock_locations[1] "shed": a second location `shed`; it was left out
            categories[1] "a": a second category `a`; it was left out
            categories[2] "b": a category needs a handle and a name; it was left out
            categories[3] "": a category needs a handle and a name; it was left out
            collections[1] "a": a second collection `a`; it was left out
            collections[2] "b": a collection needs a handle and a title; it was left out
            collections[3] "": a collection needs a handle and a title; it was left out
            products[0] "tea" › variants[1]: a second variant with SKU `A`; it was left out
            products[0] "tea" › variants[2]: a second variant `One`; it was left out
            products[0] "tea" › variants[3]: a variant needs a title; it was left out
            products[0] "tea" › listings[1]: a second listing in `web`; it was left out
            products[0] "tea" › variants[0] › prices[0]: currency `xxx` does not exist; left out
            products[0] "tea" › variants[0] › stock[1]: a second stock in `shed`; left out
            products[1] "tea": a second product `tea`; it was left out
            products[2] "other" › variants[0]: SKU `A` belongs to product `tea`; left out
            products[2] "other": none of its variants can be taken; it was left out
            products[3] "blank" › variants[0]: no SKU; the variant is known by its title `One`
            products[3] "blank" › variants[0]: no price; it cannot be put into a cart
            products[4] "blanks" › variants[0]: no SKU; the variant is known by its title `One`
            products[4] "blanks" › variants[0]: no price; it cannot be put into a cart
            products[5] "space": a product needs a handle, a title and a variant; it was left out"#]],
    )
    .await;
}

/// A kit of kits takes the parts of its parts, and none is sold without one of them.
#[tokio::test]
async fn import_expands_kits_of_kits() {
    let kit = |sku: &str, parts: Value| {
        let prices = json!([{ "currency_code": "eur", "amount": "1" }]);
        let variant =
            json!({ "sku": sku, "title": sku, "manage_inventory": true, "prices": prices, "parts": parts });
        json!({ "handle": sku.to_lowercase(), "title": sku, "variants": [variant] })
    };
    let part = |sku: &str, quantity: i64| json!({ "sku": sku, "quantity": quantity });
    let mut free = kit("CARD", json!([]));
    free["variants"][0]["manage_inventory"] = json!(false);
    let catalogue = json!({ "products": [
        kit("CUP", json!([])), kit("TEA", json!([])), free,
        kit("PAIR", json!([part("CUP", 2)])),
        kit("SET", json!([part("PAIR", 3), part("TEA", 1), part("CUP", 1), part("CARD", 1)])),
        kit("EARLY", json!([part("LATE", 1)])), kit("SELF", json!([part("SELF", 1)])), kit("LATE", json!([])),
    ] });
    let catalogue: Catalogue = read_catalogue(&catalogue);
    let (app, admin) = TestApp::init().await.with_admin().await;
    let report = import_into(&app.ctx, catalogue.clone()).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        products[5] "early" › variants[0]: part `LATE` × 1 cannot be taken; the kit was left out
        products[5] "early": none of its variants can be taken; it was left out
        products[6] "self" › variants[0]: part `SELF` × 1 cannot be taken; the kit was left out
        products[6] "self": none of its variants can be taken; it was left out"#]]
    .assert_eq(&problems.join("\n"));
    let fields = "fields=sku,inventory_items.required_quantity,inventory_items.inventory.sku";
    let shown = admin.get(&format!("/admin/product-variants?sku=SET&{fields}")).await.ok();
    let mut takes: Vec<String> = shown["variants"][0]["inventory_items"]
        .as_array()
        .expect("parts")
        .iter()
        .map(|it| format!("{} {}", it["required_quantity"], it["inventory"]["sku"]))
        .collect();
    takes.sort();
    assert_eq!(takes, ["1 \"TEA\"", "7 \"CUP\""]);
    assert!(!import_into(&app.ctx, catalogue).await.changed_anything());
}

/// A product whose only variant is a kit that cannot be created is left out.
#[tokio::test]
async fn import_leaves_no_product_without_variants() {
    let variant = |sku: &str, parts: Value| {
        let prices = json!([{ "currency_code": "eur", "amount": "1" }]);
        json!({ "sku": sku, "title": sku, "manage_inventory": true, "prices": prices, "parts": parts })
    };
    let product =
        |handle: &str, variants: Value| json!({ "handle": handle, "title": handle, "variants": variants });
    let part = |sku: &str, quantity: Value| json!([{ "sku": sku, "quantity": quantity }]);
    let read = |products: Value| read_catalogue(&json!({ "products": products }));
    let (app, admin) = TestApp::init().await.with_admin().await;
    import_into(&app.ctx, read(json!([product("cup", json!([variant("CUP", json!([]))]))]))).await;
    let shown =
        admin.get("/admin/product-variants?sku=CUP&fields=id,product_id,inventory_items.*").await.ok();
    let cup = &shown["variants"][0];
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let (cup_product, cup_id) = (text(&cup["product_id"]), text(&cup["id"]));
    let item = text(&cup["inventory_items"][0]["inventory_item_id"]);
    admin
        .delete(&format!("/admin/products/{cup_product}/variants/{cup_id}/inventory-items/{item}"))
        .await
        .ok();
    let catalogue = read(json!([
        product("pair", json!([variant("PAIR", part("CUP", json!(2)))])),
        // Parts may be created with their kits, and have at most the digits of a number.
        product("tea", json!([variant("TEA", json!([])), variant("BOX", part("TEA", json!(12_345_678)))])),
        product("crate", json!([variant("CRATE", part("BOX", json!(1.234_567_89)))])),
        product("lid", json!([variant("LID", part("CUP", json!(1))), variant("SET", part("LID", json!(1)))])),
    ]));
    let report = import_into(&app.ctx, catalogue.clone()).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        products[0] "pair" › variants[0]: part `CUP` × 2 cannot be taken; the kit was left out
        products[0] "pair": none of its variants can be taken; it was left out
        products[2] "crate" › variants[0]: takes 15241577.63907942 of an item: too many digits; the kit was left out
        products[2] "crate": none of its variants can be taken; it was left out
        products[3] "lid" › variants[0]: part `CUP` × 1 cannot be taken; the kit was left out
        products[3] "lid" › variants[1]: part `LID` × 1 cannot be taken; the kit was left out
        products[3] "lid": none of its variants can be taken; it was left out"#]]
    .assert_eq(&problems.join("\n"));
    let listed = admin.get("/admin/products?fields=handle,variants.sku&order=handle").await.ok();
    let listed = listed["products"].as_array().expect("products").iter();
    let listed: Vec<String> = listed
        .map(|it| format!("{}: {}", it["handle"], it["variants"].as_array().map_or(0, Vec::len)))
        .collect();
    assert_eq!(listed, ["\"cup\": 1", "\"tea\": 2"]);
    assert!(!import_into(&app.ctx, catalogue).await.changed_anything());
    // In the file the cup has managed stock again, so its kit can be created.
    let catalogue = read(json!([
        product("cup", json!([variant("CUP", json!([])), variant("TRIO", part("CUP", json!(3)))])),
        product("pair", json!([variant("PAIR", part("CUP", json!(2)))])),
    ]));
    assert_eq!(import_into(&app.ctx, catalogue).await.problems, []);
}

/// A file of one product with this listing.
fn listed(listing: Value) -> Catalogue {
    let variant =
        json!({ "sku": "TEA", "title": "One", "prices": [{ "currency_code": "eur", "amount": "1" }] });
    let product = json!({ "handle": "tea", "title": "Tea", "variants": [variant], "listings": [listing] });
    // The lists may stand in any order.
    let text =
        format!(r#"{{ "products": [{product}], "sales_channels": [{{ "handle": "web", "name": "Web" }}] }}"#);
    Catalogue::read(text.as_bytes()).expect("a catalogue")
}

/// Windows are those of the file, and open and close by themselves.
#[tokio::test]
async fn import_keeps_the_windows_of_listings() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let opens = app.now().plus_millis(1000);
    let window = json!({ "channel": "web", "published": true, "available_from": opens, "available_until": opens.plus_millis(1000) });
    let report = import_into(&app.ctx, listed(window.clone())).await;
    assert_eq!((report.problems.len(), report.tallies["listings"].created), (0, 1), "{report}");
    let channels = admin.get("/admin/sales-channels?q=Web").await.ok();
    let channel = channels["sales_channels"][0]["id"].as_str().expect("an id").to_owned();
    let key = admin.post("/admin/api-keys", json!({ "title": "web", "type": "publishable" })).await.ok();
    let path = format!("/admin/api-keys/{}/sales-channels", key["api_key"]["id"].as_str().expect("an id"));
    admin.post(&path, json!({ "add": [channel] })).await.ok();
    let storefront = app.storefront(key["api_key"]["token"].as_str().expect("a token"));
    let count = async || storefront.get("/store/products?fields=id").await.ok()["count"].clone();
    assert_eq!(count().await, 0);
    app.advance_ms(1000);
    assert_eq!(count().await, 1);
    assert!(!import_into(&app.ctx, listed(window)).await.changed_anything());
    app.advance_ms(1000);
    assert_eq!(count().await, 0);
    // The window of the file replaces the one before it, and no window removes it.
    let until = json!({ "channel": "web", "published": true, "available_until": "2999-01-01" });
    assert_eq!(import_into(&app.ctx, listed(until)).await.tallies["listings"].updated, 1);
    assert_eq!(count().await, 1);
    let always = json!({ "channel": "web", "published": true });
    assert_eq!(import_into(&app.ctx, listed(always)).await.tallies["listings"].updated, 1);
    let shown = admin.get(&format!("/admin/sales-channels/{channel}/products?fields=handle")).await;
    assert_eq!((shown.status.as_u16(), count().await), (200, json!(1)));
}

/// Without its window a product would be sold at once, or for ever.
#[tokio::test]
async fn import_sells_nothing_whose_window_cannot_be_read() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let windows = async || {
        let path = "/admin/sales-channels?q=Web&fields=id";
        let channel = admin.get(path).await.ok()["sales_channels"][0]["id"].as_str().map(str::to_owned);
        let path = format!("/admin/sales-channels/{}/products?fields=+*", channel.expect("a channel"));
        let list = admin.get(&path).await.ok();
        let columns = |it: &Value| json!([it["available_from"], it["available_until"]]);
        list["products"].as_array().expect("a list").iter().map(columns).collect::<Vec<_>>()
    };
    let wrong = [
        json!({ "channel": "web", "published": true, "available_from": "01.12.2027" }),
        json!({ "channel": "web", "published": true, "available_until": "2027-13-01" }),
        json!({ "channel": "web", "published": true, "available_from": "2999-01-01", "available_until": "2998-01-01" }),
    ];
    for listing in &wrong {
        let report = import_into(&app.ctx, listed(listing.clone())).await;
        assert_eq!((report.problems.len(), windows().await), (1, vec![]), "{report}");
    }
    let right = json!({ "channel": "web", "published": true, "available_from": "2999-01-01" });
    import_into(&app.ctx, listed(right)).await;
    let before = windows().await;
    assert_eq!(before.len(), 1);
    for listing in wrong {
        import_into(&app.ctx, listed(listing)).await;
        assert_eq!(windows().await, before, "an earlier window stays");
    }
}

/// A file of a Mac has letters and accents apart (NFD).
#[tokio::test]
async fn import_finds_handles_in_any_form_of_unicode() {
    let app = TestApp::init().await;
    let (apart, composed) = ("cafe\u{301}", "caf\u{e9}");
    let file = |handle: &str| {
        read_catalogue(&json!({
            "categories": [{ "handle": handle, "name": "Café" },
                           { "handle": "espresso", "name": "Espresso", "parent": handle }],
            "collections": [{ "handle": handle, "title": "Café" }],
            "products": [{ "handle": "cup", "title": "Cup", "category": handle, "collections": [handle],
                "variants": [{ "sku": "CUP", "title": "One", "prices": [{ "currency_code": "eur", "amount": "1" }] }] }],
        }))
    };
    let report = import_into(&app.ctx, file(apart)).await;
    assert_eq!(report.problems, [], "{report}");
    for handle in [apart, composed] {
        let again = import_into(&app.ctx, file(handle)).await;
        assert!(again.problems.is_empty() && !again.changed_anything(), "{again}");
    }
}

/// A file of more than two chunks: duplicates in different chunks, and kits with parts in earlier and in
/// later ones.
fn large_file() -> tempfile::NamedTempFile {
    let prices = json!([{ "currency_code": "eur", "amount": "1" }]);
    let product = |n: usize| {
        let handle = if n == 1100 { "tea-3".to_owned() } else { format!("tea-{n}") };
        let parts = match n {
            700 | 1050 => json!([{ "sku": "SKU-10", "quantity": 2 }]),
            20 => json!([{ "sku": "SKU-900", "quantity": 1 }]),
            _ => json!([]),
        };
        let stock = if n.is_multiple_of(100) {
            json!([])
        } else {
            json!([{ "location": "shed", "stocked_quantity": n }])
        };
        json!({
            "handle": handle, "title": format!("Tea {n}"),
            "listings": [{ "channel": "web", "published": true, "available_until": "2999-01-01" }],
            "variants": [{ "sku": format!("SKU-{n}"), "title": "One", "manage_inventory": true, "prices": prices,
                           "stock": stock, "parts": parts }],
        })
    };
    let products: Vec<Value> = (0..1101).map(product).collect();
    let catalogue = json!({
        "products": products,
        "sales_channels": [{ "handle": "web", "name": "Web", "currency_code": "eur", "country_code": "de" }],
        "stock_locations": [{ "handle": "shed", "name": "Shed", "sales_channels": ["web"] }],
    });
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), catalogue.to_string()).expect("a file");
    file
}

async fn import_chunks(ctx: &Ctx, file: &tempfile::NamedTempFile, progress: &dyn Fn(usize)) -> Report {
    let file = file.reopen().expect("a file");
    let outline = Outline::read(&file).expect("a catalogue");
    import_file(ctx, file, outline, ImportMode::Chunks, progress).await.expect("an import")
}

/// What an import has written, without the ids: a line per product, and the numbers of keys of all spaces.
async fn content(app: TestApp) -> Vec<String> {
    let (app, admin) = app.with_admin().await;
    let fields = "handle,title,status,variants.sku,variants.title,variants.prices.amount,\
                  variants.inventory_items.required_quantity,variants.inventory_items.inventory.sku,\
                  variants.inventory_items.inventory.location_levels.stocked_quantity,\
                  sales_channels_link.available_from,sales_channels_link.available_until";
    let mut lines = Vec::new();
    for offset in [0, 600] {
        let path = format!("/admin/products?order=handle&limit=600&offset={offset}&fields={fields}");
        let page = admin.get(&path).await.ok();
        let without_ids = |it: &Value| {
            let text = it.to_string();
            let words = text.split('"').filter(|it| !it.contains('_') || it.len() < 26);
            words.collect::<Vec<_>>().join("\"")
        };
        lines.extend(page["products"].as_array().expect("products").iter().map(without_ids));
    }
    let view = app.ctx.view();
    for space in app.ctx.registry().spaces() {
        let mut n_keys = 0;
        let span = Span::prefix(&view.prefix(space));
        view.scan(&span, Direction::Ascending, &mut |_, _| {
            n_keys += 1;
            Ok(Scan::Continue(()))
        })
        .expect("a scan");
        lines.push(format!("{space}: {n_keys}"));
    }
    lines
}

/// However it is cut up, and wherever it is interrupted, an import leads to the same shop.
#[tokio::test]
async fn import_in_chunks_is_that_of_one_transaction() {
    let file = large_file();
    let whole = TestApp::init().await;
    let catalogue = Catalogue::read(file.reopen().expect("a file")).expect("a catalogue");
    let expected = import_into(&whole.ctx, catalogue).await;
    let problems: Vec<String> = expected.problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        products[20] "tea-20" › variants[0]: part `SKU-900` × 1 cannot be taken; the kit was left out
        products[20] "tea-20": none of its variants can be taken; it was left out
        products[1050] "tea-1050" › variants[0]: it has no stock of its own; its stock was left out
        products[1100] "tea-3": a second product `tea-3`; it was left out"#]]
    .assert_eq(&problems.join("\n"));
    let whole = content(whole).await;
    assert!(whole.len() > 1098 && whole.concat().contains("2999-01-01"), "{whole:?}");

    let chunked = TestApp::init().await;
    assert_eq!(import_chunks(&chunked.ctx, &file, &|_| {}).await, expected);
    assert_eq!(content(chunked).await, whole);

    for n_chunks in [1, 2] {
        let app = TestApp::init().await;
        let n_imported = Cell::new(0);
        let progress = |n_done: usize| n_imported.set(n_done);
        {
            let mut import = pin!(import_chunks(&app.ctx, &file, &progress));
            // Dropped when it waits for the next chunk.
            poll_fn(|task| match import.as_mut().poll(task) {
                Poll::Ready(report) => panic!("it was not interrupted: {report}"),
                Poll::Pending if n_imported.get() >= n_chunks * 500 => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            })
            .await;
        }
        let report = import_chunks(&app.ctx, &file, &|_| {}).await;
        assert!(report.tallies["products"].unchanged >= n_chunks * 500, "{report}");
        assert_eq!(report.n_problems, expected.n_problems);
        let again = import_chunks(&app.ctx, &file, &|_| {}).await;
        assert!(!again.changed_anything(), "{again}");
        assert_eq!(again.problems, expected.problems);
        assert_eq!(content(app).await, whole, "after {n_chunks} chunks");
    }
}

/// An import in one transaction has a limit, and says so; problems of one kind are counted beyond a limit.
#[tokio::test]
async fn import_states_its_limits() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let products = vec![json!({}); ATOMIC_PRODUCTS_MAX + 1];
    std::fs::write(file.path(), json!({ "products": products }).to_string()).expect("a file");
    let app = TestApp::init().await;
    let outline = Outline::read(file.reopen().expect("a file")).expect("a catalogue");
    let refused =
        import_file(&app.ctx, file.reopen().expect("a file"), outline, ImportMode::Atomic, |_| {}).await;
    let refused = refused.expect_err("it is too large").to_string();
    assert_eq!(refused, "one transaction takes at most 10000 products, and the file has 10001");
    let report = import_chunks(&app.ctx, &file, &|_| {}).await;
    assert_eq!((report.problems.len(), report.n_problems[&ProblemKind::Incomplete]), (100, 10_001));
    assert!(report.to_string().contains("! … and 9901 more: incomplete records\n"), "{report}");
}

/// Numbers that a float would round are read exactly.
#[tokio::test]
async fn import_keeps_decimal_quantities() {
    let text = r#"{ "stock_locations": [{ "handle": "shed", "name": "Shed" }], "products": [
        { "handle": "tea", "title": "Tea", "variants": [{ "sku": "TEA", "title": "Tea", "manage_inventory": true,
          "prices": [{ "currency_code": "eur", "amount": "1" }],
          "stock": [{ "location": "shed", "stocked_quantity": 1.00000000000000001 }] },
        { "sku": "BOX", "title": "Box", "manage_inventory": true, "prices": [{ "currency_code": "eur", "amount": "1" }],
          "parts": [{ "sku": "TEA", "quantity": 2.00000000000000001 }] }] },
        { "handle": "jam", "title": "Jam", "variants": [{ "sku": "JAM", "title": "Jam", "manage_inventory": true,
          "prices": [{ "currency_code": "eur", "amount": "1" }],
          "stock": [{ "location": "shed", "stocked_quantity": 123456789.012345 }] }] }] }"#;
    let catalogue = Catalogue::read(text.as_bytes()).expect("a catalogue");
    let jam = &catalogue.products[1].variants[0].stock[0];
    assert_eq!(jam.stocked_quantity.to_string(), "123456789.012345");
    let report = import_into(&TestApp::init().await.ctx, catalogue).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        products[0] "tea" › variants[1]: part `TEA` × 2.00000000000000001 cannot be taken; the kit was left out
        products[0] "tea" › variants[0] › stock[0]: a stock of 1.00000000000000001; left out"#]]
    .assert_eq(&problems.join("\n"));
    for (number, expect) in [
        ("1e2", Ok("100")),
        ("\"1.5\"", Ok("1.5")),
        ("-0.0", Ok("0")),
        ("true", Err("invalid type: boolean `true`, expected a number, or text that is one")),
        (&"1".repeat(61), Err("is not a decimal number of at most 60 digits")),
    ] {
        let file = format!(r#"{{"products":[{{"variants":[{{"parts":[{{"quantity":{number}}}]}}]}}]}}"#);
        let read = Catalogue::read(file.as_bytes());
        match (read, expect) {
            (Ok(it), Ok(expect)) => {
                assert_eq!(it.products[0].variants[0].parts[0].quantity.to_string(), expect)
            }
            (Err(it), Err(expect)) => assert!(it.to_string().contains(expect), "{it}"),
            (read, _) => panic!("{number}: {read:?}"),
        }
    }
}

#[test]
fn import_refuses_files_of_another_shape() {
    for (text, expect) in [
        ("[]", "invalid type: sequence, expected a catalogue, which is an object"),
        (
            "{\"products\": [[\"tea\", \"Tea\"]]}",
            "invalid type: sequence, expected a record, which is an object",
        ),
        (
            "{\"products\": [{\"variants\": [null]}]}",
            "invalid type: null, expected a record, which is an object",
        ),
        ("{\"products\": 1}", "invalid type: integer `1`, expected a list of records"),
        ("{\"products\": [], \"products\": []}", "duplicate field `products`"),
        ("{} {}", "trailing characters"),
        ("", "EOF while parsing a value"),
    ] {
        let error = Catalogue::read(text.as_bytes()).expect_err("no catalogue").to_string();
        assert!(error.starts_with(expect) && error.contains(" at line 1 column "), "{text}: {error}");
    }
    let marked = "\u{feff}{\"products\": [{\"handle\": \"tea\"}]}";
    assert_eq!(Catalogue::read(marked.as_bytes()).expect("a catalogue").products[0].handle, "tea");
}

/// Records as people type them: duplicate, incomplete, wrong.
fn record(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let named = move |values: Vec<Value>| names.iter().map(|it| it.to_string()).zip(values).collect();
    values.prop_map(named).prop_map(Value::Object).boxed()
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

fn number(numbers: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(numbers).prop_map(|it| serde_json::from_str(it).expect("a number")).boxed()
}

fn some(of: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    option::weighted(0.7, of).prop_map(|it| it.unwrap_or(Value::Null)).boxed()
}

fn list(of: BoxedStrategy<Value>, n: usize) -> BoxedStrategy<Value> {
    vec(of, 0..n).prop_map(Value::Array).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::Bool).boxed()
}

fn file() -> BoxedStrategy<Value> {
    const HANDLES: &[&str] = &["a", "b", "c", "e\u{301}", "é", "", "A b", " "];
    const NAMES: &[&str] = &["One", "Two", "Three", "", "&nbsp;", "&amp;amp; "];
    const SKUS: &[&str] = &["S", "T", "U", "V", "W", "", " "];
    let channel = record(vec![
        ("handle", one_of(HANDLES)),
        ("name", one_of(NAMES)),
        ("description", some(one_of(NAMES))),
        ("is_disabled", flag()),
        ("currency_code", some(one_of(&["eur", "USD", "xxx"]))),
        ("country_code", some(one_of(&["de", "FR", "xx", ""]))),
    ]);
    let location = record(vec![
        ("handle", one_of(HANDLES)),
        ("name", one_of(NAMES)),
        ("sales_channels", list(one_of(HANDLES), 3)),
    ]);
    let category =
        record(vec![("handle", one_of(HANDLES)), ("name", one_of(NAMES)), ("parent", some(one_of(HANDLES)))]);
    let collection = record(vec![("handle", one_of(HANDLES)), ("title", one_of(NAMES))]);
    let price = record(vec![
        ("currency_code", one_of(&["eur", "EUR", "usd", "xxx", ""])),
        ("amount", one_of(&["1", "2.50", "-1", "", "x", "1e9", "12345678901234567"])),
    ]);
    let stock = record(vec![
        ("location", one_of(HANDLES)),
        ("stocked_quantity", number(&["0", "3", "1.5", "-1", "1e30", "7"])),
    ]);
    let part = record(vec![("sku", one_of(SKUS)), ("quantity", number(&["1", "2", "0.5", "0", "-1"]))]);
    let variant = record(vec![
        ("sku", some(one_of(SKUS))),
        ("title", one_of(NAMES)),
        ("manage_inventory", flag()),
        ("allow_backorder", flag()),
        ("prices", list(price, 4)),
        ("stock", list(stock, 4)),
        ("parts", prop_oneof![2 => Just(json!([])), 1 => list(part, 3)].boxed()),
    ]);
    let listing = record(vec![
        ("channel", one_of(HANDLES)),
        ("published", flag()),
        ("available_from", some(one_of(&["2020-01-01", "2999-01-01T00:00:00Z", "soon", ""]))),
        ("available_until", some(one_of(&["2020-01-01", "2998-01-01T00:00:00Z", "3000-01-01"]))),
        ("visible_in_listings", some(flag())),
    ]);
    let product = record(vec![
        ("handle", one_of(HANDLES)),
        ("title", one_of(NAMES)),
        ("description", some(one_of(NAMES))),
        ("type", some(one_of(NAMES))),
        ("category", some(one_of(HANDLES))),
        ("collections", list(one_of(HANDLES), 3)),
        ("images", list(one_of(NAMES), 3)),
        ("listings", list(listing, 4)),
        ("variants", list(variant, 5)),
    ]);
    record(vec![
        ("sales_channels", list(channel, 4)),
        ("stock_locations", list(location, 4)),
        ("categories", list(category, 4)),
        ("collections", list(collection, 4)),
        ("products", list(product, 5)),
    ])
}

/// For any file and any earlier import: a second import writes nothing.
#[test]
fn import_is_idempotent_for_any_file() {
    check_drawn(
        times("ATOLL_FILES", 150),
        || (file(), file()),
        async |(first, second): (Value, Value)| {
            let app = TestApp::init().await;
            for file in [first, second] {
                let catalogue = Catalogue::read(file.to_string().as_bytes());
                let catalogue = catalogue.map_err(|error| TestCaseError::fail(error.to_string()))?;
                import_into(&app.ctx, catalogue.clone()).await;
                let before = Dump::of(&app.ctx, &[]);
                app.advance_ms(1);
                let again = import_into(&app.ctx, catalogue).await;
                prop_assert_eq!(before.difference(&Dump::of(&app.ctx, &[])), [""; 0]);
                prop_assert!(!again.changed_anything(), "{}", again);
            }
            Ok(())
        },
    );
}

/// What is kept in memory until the import has ended is limited; products are not.
#[test]
fn lists_beside_the_products_are_limited() {
    let outline = |list: &str, n: usize| {
        let record = |n| format!(r#"{{ "handle": "h{n}", "name": "N", "title": "T" }}"#);
        let records: Vec<_> = (0..n).map(record).collect();
        Outline::read(format!(r#"{{ "{list}": [{}] }}"#, records.join(",")).as_bytes())
    };
    for list in ["sales_channels", "stock_locations", "categories", "collections"] {
        assert!(outline(list, IMPORT_LIST_MAX).is_ok(), "{list}");
        let error = outline(list, IMPORT_LIST_MAX + 1).err().expect("too many").to_string();
        assert!(error.starts_with(&format!("`{list}` has more than 20000 records at line 1")), "{error}");
    }
    assert_eq!(
        outline("products", IMPORT_LIST_MAX + 1).expect("a catalogue").n_products,
        IMPORT_LIST_MAX + 1
    );
}
