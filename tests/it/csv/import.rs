//! CSV in: what becomes of each vocabulary, and what a report says of a file.

use atoll_catalogue::CsvSettings;
use expect_test::{Expect, expect};
use serde_json::json;

use super::{import, import_into_web, product, shop};

/// A file as Shopify's admin exports it, in the older vocabulary.
const LEGACY: &str = "\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Image Src,Image Position,Gift Card,Status
linen-shirt,Linen Shirt,<p>Cool &amp; light.</p>,Tidewater,Shirts,\"summer, linen\",TRUE,Size,S,Colour,White,LIN-S-W,180,shopify,7,deny,49.00,59.00,https://example.com/1.jpg,1,FALSE,active
linen-shirt,,,,,,,,M,,White,LIN-M-W,190,shopify,0,continue,49.00,,https://example.com/2.jpg,2,,
linen-shirt,,,,,,,,,,,,,,,,,,https://example.com/3.jpg,3,,
gift-card,Gift Card,,Tidewater,,,TRUE,Title,Default Title,,,GIFT,0,,0,deny,25.00,,,,TRUE,active
oilskin,Oilskin,,Tidewater,Coats,,FALSE,Title,Default Title,,,OIL,900,,0,deny,120.00,,,,FALSE,archived
";

/// The same in the newer one, as a spreadsheet with `;` writes it.
fn newer() -> String {
    let header = "Title;URL handle;Description;Vendor;Type;Tags;Published on online store;Status;SKU;Option1 name;\
                  Option1 value;Option2 name;Option2 value;Price;Compare-at price;Inventory tracker;\
                  Inventory quantity;Continue selling when out of stock;Weight value (grams);Product image URL;\
                  Image position;Gift card";
    let rows = [
        "Linen Shirt;linen-shirt;\"<p>Cool &amp; light.</p>\";Tidewater;Shirts;summer, linen;TRUE;Active;LIN-S-W;Size;S;\
         Colour;White;49.00;59.00;shopify;7;DENY;180;https://example.com/1.jpg;1;FALSE",
        ";linen-shirt;;;;;;;LIN-M-W;;M;;White;49.00;;shopify;0;CONTINUE;190;https://example.com/2.jpg;2;",
        ";linen-shirt;;;;;;;;;;;;;;;;;;https://example.com/3.jpg;3;",
        "Gift Card;gift-card;;Tidewater;;;TRUE;Active;GIFT;Title;Default Title;;;25.00;;;0;DENY;0;;;TRUE",
        "Oilskin;oilskin;;Tidewater;Coats;;FALSE;Archived;OIL;Title;Default Title;;;120.00;;;0;DENY;900;;;FALSE",
    ];
    format!("\u{feff}{header}\r\n{}\r\n", rows.join("\r\n"))
}

#[tokio::test]
async fn both_vocabularies_of_shopify_make_the_same_products() {
    for text in [LEGACY, &newer()] {
        let shop = shop().await;
        let report = import_into_web(&shop, text).await;
        let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["products.csv:5: gift cards are not sold here; it was left out"]);
        assert_eq!(
            product(&shop, "linen-shirt").await,
            json!({
                "title": "Linen Shirt",
                "description": "<p>Cool &amp; light.</p>",
                "status": "published",
                "metadata": { "vendor": "Tidewater" },
                "type": "Shirts",
                "collection": null,
                "tags": ["summer", "linen"],
                "images": ["https://example.com/1.jpg", "https://example.com/2.jpg", "https://example.com/3.jpg"],
                "channels": ["Web"],
                "options": ["Size", "Colour"],
                "variants": [
                    ["S / White", "LIN-S-W", ["S", "White"], ["49 eur"], 7, false, 180],
                    ["M / White", "LIN-M-W", ["M", "White"], ["49 eur"], 0, true, 190],
                ],
            })
        );
        let oilskin = product(&shop, "oilskin").await;
        assert_eq!((&oilskin["status"], &oilskin["channels"]), (&json!("draft"), &json!([])));
        let again = import_into_web(&shop, text).await;
        assert!(!again.changed_anything(), "{again}");
    }
}

const MEDUSA: &str = "\
Product Handle,Product Title,Product Status,Product Collection Handle,Product Tag 1,Product Tag 2,Variant Title,Variant SKU,Variant Allow Backorder,Variant Manage Inventory,Variant Price EUR,Variant Price USD,Variant Option 1 Name,Variant Option 1 Value,Product Image 1 Url,Product Sales Channel 1 Name
mug,Mug,published,Stoneware,kitchen,gift,White,MUG-W,TRUE,TRUE,12.90,14,Glaze,White,https://example.com/mug.jpg,Web
mug,Mug,published,Stoneware,kitchen,gift,Black,MUG-B,FALSE,FALSE,13.90,,Glaze,Black,https://example.com/mug.jpg,Web
";

#[tokio::test]
async fn a_file_of_medusa_is_imported_and_updates() {
    let shop = shop().await;
    let report = import(&shop.app.ctx, MEDUSA, CsvSettings::default()).await;
    assert_eq!(report.problems, []);
    let mug = product(&shop, "mug").await;
    assert_eq!(
        mug["variants"][0],
        json!(["White", "MUG-W", ["White"], ["12.9 eur", "14 usd"], 0, true, null])
    );
    assert_eq!(mug["variants"][1][3], json!(["13.9 eur"]));
    assert_eq!(
        [&mug["collection"], &mug["channels"], &mug["tags"]],
        [&json!("stoneware"), &json!(["Web"]), &json!(["kitchen", "gift"])]
    );
    let changed =
        MEDUSA.replace("12.90", "11").replace("gift,Black", "gift,Soot").replace("mug,Mug,", "mug,Cup,");
    let report = import(&shop.app.ctx, &changed, CsvSettings::default()).await;
    assert_eq!(report.problems, []);
    let mug = product(&shop, "mug").await;
    assert_eq!((&mug["title"], &mug["variants"][0][3][0]), (&json!("Cup"), &json!("11 eur")));
    assert_eq!(mug["variants"][1][0], "Soot");
}

#[tokio::test]
async fn what_a_file_has_no_column_for_stays() {
    let shop = shop().await;
    import(&shop.app.ctx, MEDUSA, CsvSettings::default()).await;
    let before = product(&shop, "mug").await;
    let titles = "Product Handle,Product Title,Variant SKU,Variant Option 1 Name,Variant Option 1 Value\n\
                  mug,Mug,MUG-W,Glaze,White\nmug,Mug,MUG-B,Glaze,Black\n";
    let report = import(&shop.app.ctx, titles, CsvSettings::default()).await;
    assert_eq!(report.problems, []);
    assert!(!report.changed_anything(), "{report}");
    assert_eq!(product(&shop, "mug").await, before);
}

#[tokio::test]
async fn listings_and_stock_are_imported_by_rows() {
    let shop = shop().await;
    import(&shop.app.ctx, MEDUSA, CsvSettings::default()).await;
    shop.channel("Pop-up").await;
    let listings = "channel,product,variant,from,until,enabled\n\
                    Pop-up,mug,,2026-01-01,2027-01-01T00:00:00Z,true\n\
                    Pop-up,mug,MUG-B,,,false\n\
                    Web,mug,,,,FALSE\n";
    let report = import(&shop.app.ctx, listings, CsvSettings::default()).await;
    assert_eq!((report.problems.len(), report.tallies["listings"].updated), (0, 2));
    assert_eq!(product(&shop, "mug").await["channels"], json!(["Pop-up"]));
    let channels = shop.admin.get("/admin/sales-channels?name=Pop-up").await.ok();
    let path =
        format!("/admin/sales-channels/{}", channels["sales_channels"][0]["id"].as_str().expect("an id"));
    let product_id = shop.admin.get("/admin/products?handle=mug").await.ok()["products"][0]["id"].clone();
    let product_id = product_id.as_str().expect("an id").to_owned();
    let terms = shop.admin.get(&format!("{path}/products/{product_id}")).await.ok();
    assert_eq!(terms["product"]["available_until"], "2027-01-01T00:00:00.000Z");
    let excluded = shop.admin.get(&format!("{path}/excluded-variants")).await.ok();
    assert_eq!(excluded["count"], 1);

    let report =
        import(&shop.app.ctx, "location;sku;stocked\nWarehouse;MUG-W;12\n", CsvSettings::default()).await;
    assert_eq!(report.problems, []);
    assert_eq!(product(&shop, "mug").await["variants"][0][4], 12);
    let report = import(&shop.app.ctx, listings, CsvSettings::default()).await;
    assert!(!report.changed_anything(), "{report}");
}

#[track_caller]
fn check(report: &atoll_catalogue::Report, expect: &Expect) {
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    expect.assert_eq(&problems.join("\n"));
}

#[tokio::test]
async fn problems_have_row_and_column() {
    let shop = shop().await;
    let text = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Qty,Published,Cost per item,Colour,Status,Variant Grams\n\
                tea,Tea,TEA-1,free,shopify,many,maybe,1,red,sold,-1\n\
                Bad Handle,Bad,BAD,1,,,,,,,\n\
                tea,Tea,TEA-2,2,,,,,,,\n\
                pot,Pot,TEA-1,2,shopify,-3,,,,,\n";
    let report = import_into_web(&shop, text).await;
    check(
        &report,
        &expect![[r#"
        products.csv:1, column "Cost per item": nothing here has a place for it; it was left out
        products.csv:1, column "Colour": it is unknown; it was left out
        products.csv:2, column "Published": `maybe` is neither TRUE nor FALSE
        products.csv:2, column "Status": `sold` is no status
        products.csv:2, column "Variant Inventory Qty": `many` is not a number; left out
        products.csv:2, column "Variant Grams": `-1` is not a number of zero or more
        products.csv:2, column "Variant Price": `free` is not a price; left out
        products.csv:2, column "Variant Price": no price; it cannot be put into a cart
        products.csv:3: the handle does not fit into a URL; it was left out
        products.csv:4: rows of product `tea` stand apart from its first ones; left out
        products.csv:5, column "Variant SKU": SKU `TEA-1` belongs to product `tea`; left out
        products.csv:5: none of its variants can be taken; it was left out"#]],
    );
    let first = &report.problems[2];
    assert_eq!((first.row, first.column.as_deref()), (Some(2), Some("Published")));

    let listings = "channel,product,variant,from,until,enabled\n\
                    Moon,tea,,,,true\nWeb,none,,,,true\nWeb,tea,NONE,,,true\nWeb,tea,,soon,,true\nWeb,tea,,,,perhaps\n";
    let report = import(&shop.app.ctx, listings, CsvSettings::default()).await;
    check(
        &report,
        &expect![[r#"
        products.csv:2: channel `Moon` does not exist; not linked
        products.csv:3: product `none` does not exist; left out
        products.csv:4: product `tea` has no variant `NONE`; left out
        products.csv:5, column "from": available_from `soon` is not a date; left as it was
        products.csv:6, column "enabled": `perhaps` is neither TRUE nor FALSE"#]],
    );
    let stock = "location,sku,stocked\nMoon,TEA-1,1\nWarehouse,NONE,1\nWarehouse,TEA-1,a few\n";
    let report = import(&shop.app.ctx, stock, CsvSettings::default()).await;
    check(
        &report,
        &expect![[r#"
        products.csv:2, column "stocked": location `Moon` does not exist; left out
        products.csv:3, column "sku": no inventory item has SKU `NONE`; left out
        products.csv:4, column "stocked": `a few` is not a number; left out"#]],
    );
}

#[tokio::test]
async fn rows_of_a_product_that_stand_apart_are_left_out() {
    let shop = shop().await;
    let text = "Product Handle,Product Title,Variant Title,Variant SKU,Variant Price EUR\n\
                tea,Tea,Green,T-1,1\npot,Pot,One,P-1,2\ntea,Tea,Black,T-2,3\n";
    let report = import(&shop.app.ctx, text, CsvSettings::default()).await;
    check(
        &report,
        &expect!["products.csv:4: rows of product `tea` stand apart from its first ones; left out"],
    );
    assert_eq!(product(&shop, "tea").await["variants"].as_array().expect("variants").len(), 1);
}

#[tokio::test]
async fn cells_that_were_kept_from_being_formulas_come_back_as_they_were() {
    let shop = shop().await;
    let text = "Product Handle,Product Title,Product Description,Variant Title,Variant SKU,Variant Weight\n\
                tea,'=Tea,'+5 °C,'@One,'-T1,5\n";
    import(&shop.app.ctx, text, CsvSettings::default()).await;
    let tea = product(&shop, "tea").await;
    assert_eq!([&tea["title"], &tea["description"]], [&json!("=Tea"), &json!("+5 °C")]);
    assert_eq!(tea["variants"][0][1], "-T1");
}
