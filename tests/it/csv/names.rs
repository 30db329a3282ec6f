//! By what files name channels and locations: an export names each so that an import finds it again.

use atoll_catalogue::{CsvSettings, Export};
use atoll_testkit::Shop;
use serde_json::{Value, json};

use super::{export, import, shop};

async fn create(shop: &Shop, path: &str, one: &str, name: &str, handle: Option<&str>) -> String {
    let metadata = handle.map(|it| json!({ "handle": it }));
    let created = shop.admin.post(path, json!({ "name": name, "metadata": metadata })).await.ok();
    created[one]["id"].as_str().expect("an id").to_owned()
}

/// Locations and channels that are hard to tell apart by their names, each with a stock or a product.
async fn with_twins() -> (Shop, Vec<String>) {
    let shop = shop().await;
    let tea = shop.product("Tea", &[], 1).await;
    let mut locations = Vec::new();
    for (n, (name, handle)) in
        [("berlin", None), ("Shed", Some("berlin")), ("Store", None), ("Store", None), (" Outlet ", None)]
            .into_iter()
            .enumerate()
    {
        let location = create(&shop, "/admin/stock-locations", "stock_location", name, handle).await;
        shop.stock(&tea.item, &location, n as u32 + 10).await;
        locations.push(location);
        let channel = create(&shop, "/admin/sales-channels", "sales_channel", name, handle).await;
        let product = shop.product(&format!("Tea {n}"), &[&channel], 1).await;
        let path = format!("/admin/sales-channels/{channel}/variants/{}", product.id);
        shop.admin.post(&path, json!({ "is_enabled": false })).await.ok();
    }
    (shop, locations)
}

#[tokio::test]
async fn an_export_names_each_so_that_an_import_finds_it() {
    let (shop, locations) = with_twins().await;
    let file = export(&shop.app.ctx, &Export::Stock);
    let named: Vec<&str> = file.lines().skip(1).map(|it| it.split(',').next().expect("a cell")).collect();
    for name in [&*locations[0], "Shed", &*locations[2], &*locations[3], "Outlet"] {
        assert!(named.contains(&name), "{name}: {file}");
    }
    for what in [Export::Stock, Export::Listings] {
        let file = export(&shop.app.ctx, &what);
        let report = import(&shop.app.ctx, &file, CsvSettings::default()).await;
        assert!(!report.changed_anything() && report.problems.is_empty(), "{report}{file}");
    }
}

#[tokio::test]
async fn a_name_of_several_is_a_problem_of_its_row() {
    let (shop, locations) = with_twins().await;
    let file = export(&shop.app.ctx, &Export::Stock);
    let sku =
        file.lines().find(|it| it.starts_with("Shed,")).and_then(|it| it.split(',').nth(1)).expect("a SKU");
    let rows = format!(
        "location,sku,stocked\nStore,{sku},1\nberlin,{sku},77\n{0},{sku},78\nOutlet,{sku},79\n",
        locations[3]
    );
    let report = import(&shop.app.ctx, &rows, CsvSettings::default()).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let ambiguous = "several locations are called `Store`, name it by its id; left out";
    assert_eq!(problems, [format!("products.csv:2, column \"stocked\": {ambiguous}")]);
    // A handle comes before a name.
    let after = export(&shop.app.ctx, &Export::Stock);
    for row in [format!("Shed,{sku},77"), format!("{},{sku},78", locations[3]), format!("Outlet,{sku},79")] {
        assert!(after.lines().any(|it| it == row), "{row}: {after}");
    }
}

#[tokio::test]
async fn quantities_go_to_no_location_that_is_not_the_only_one() {
    let shop = Shop::open(atoll_testkit::TestApp::init().await).await;
    create(&shop, "/admin/stock-locations", "stock_location", "Warehouse", None).await;
    let stores = shop.admin.get("/admin/stores").await.ok();
    assert_eq!(stores["stores"][0]["default_location_id"], Value::Null);
    let text = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,\
                Variant Price\ntea,Tea,Size,S,TEA,shopify,5,1\n";
    let report = import(&shop.app.ctx, text, CsvSettings::default()).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "products.csv:2, column \"Variant Inventory Qty\": the store has no default location, and none is named; left out"
        ]
    );
}
