//! CSV out: an import of an export changes nothing, and makes the same shop elsewhere.

use atoll_catalogue::{CsvSettings, Export, Vocabulary};
use atoll_testkit::{Shop, check_drawn, times};
use expect_test::expect;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{export, import, shop};
use crate::story::{import_into, real_catalogue};

fn products(vocabulary: Vocabulary) -> Export {
    Export::Products { vocabulary, currency: None, location: None, ids: None }
}

/// A shop with a mug in two glazes, of which one is left out by a channel.
async fn with_mug() -> Shop {
    let shop = shop().await;
    let text = "Product Handle,Product Title,Product Description,Product Status,Product Tag 1,Variant Title,Variant SKU,\
                Variant Price EUR,Variant Price USD,Variant Option 1 Name,Variant Option 1 Value,Product Image 1 Url,\
                Product Sales Channel 1 Name\n\
                mug,'=Mug,\"a \"\"mug\"\",\nhot\",published,kitchen,White,MUG-W,12.9,14,Glaze,White,https://example.com/m.jpg,Web\n\
                mug,'=Mug,,published,kitchen,Black,MUG-B,13.9,,Glaze,Black,https://example.com/m.jpg,Web\n";
    assert_eq!(import(&shop.app.ctx, text, CsvSettings::default()).await.problems, []);
    let rows = "location,sku,stocked\nWarehouse,MUG-W,12\n";
    assert_eq!(import(&shop.app.ctx, rows, CsvSettings::default()).await.problems, []);
    let rows =
        "channel,product,variant,from,until,enabled\nWeb,mug,,2026-01-01,,true\nWeb,mug,MUG-B,,,false\n";
    assert_eq!(import(&shop.app.ctx, rows, CsvSettings::default()).await.problems, []);
    shop
}

#[tokio::test]
async fn exports_have_these_columns() {
    let shop = with_mug().await;
    expect![[r#"
        Title,URL handle,Description,Vendor,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Option2 name,Option2 value,Option3 name,Option3 value,Price,Compare-at price,Inventory tracker,Inventory quantity,Continue selling when out of stock,Weight value (grams),Product image URL,Image position
        '=Mug,mug,"a ""mug"",
        hot",,,kitchen,TRUE,active,MUG-W,,Glaze,White,,,,,12.9,,shopify,12,deny,,https://example.com/m.jpg,1
        ,mug,,,,,,,MUG-B,,,Black,,,,,13.9,,shopify,,deny,,,
    "#]].assert_eq(&export(&shop.app.ctx, &products(Vocabulary::Shopify)));
    expect![[r#"
        Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Position,Status
        mug,'=Mug,"a ""mug"",
        hot",,,kitchen,TRUE,Glaze,White,,,,,MUG-W,,shopify,12,deny,12.9,,,https://example.com/m.jpg,1,active
        mug,,,,,,,,Black,,,,,MUG-B,,shopify,,deny,13.9,,,,,
    "#]].assert_eq(&export(&shop.app.ctx, &products(Vocabulary::ShopifyLegacy)));
    expect![[r#"
        channel,product,variant,from,until,enabled
        Web,mug,,2026-01-01T00:00:00.000Z,,TRUE
        Web,mug,MUG-B,,,FALSE
    "#]]
    .assert_eq(&export(&shop.app.ctx, &Export::Listings));
    expect![[r#"
        location,sku,stocked
        Warehouse,MUG-W,12
    "#]]
    .assert_eq(&export(&shop.app.ctx, &Export::Stock));
    let medusa = export(&shop.app.ctx, &products(Vocabulary::Medusa));
    expect!["Product Id,Product Handle,Product Title,Product Subtitle,Product Description,Product Status,Product Thumbnail,Product Weight,Product Length,Product Width,Product Height,Product HS Code,Product Origin Country,Product MID Code,Product Material,Product External Id,Product Discountable,Product Collection Handle,Product Type,Product Tag 1,Variant Id,Variant Title,Variant SKU,Variant Barcode,Variant EAN,Variant UPC,Variant Allow Backorder,Variant Manage Inventory,Variant Weight,Variant Length,Variant Width,Variant Height,Variant HS Code,Variant Origin Country,Variant MID Code,Variant Material,Variant Price EUR,Variant Price USD,Variant Option 1 Name,Variant Option 1 Value,Product Image 1 Url,Product Sales Channel 1 Name"].assert_eq(medusa.lines().next().expect("a header"));
}

/// The files of a shop, in this order: they refer to what those before them have.
fn files(shop: &Shop, vocabulary: Vocabulary) -> Vec<String> {
    [products(vocabulary), Export::Listings, Export::Stock]
        .iter()
        .map(|it| export(&shop.app.ctx, it))
        .collect()
}

/// Without the ids, which each shop gives its own.
fn without_ids(file: &str) -> String {
    let is_id = |it: &str| it.starts_with("prod_") || it.starts_with("variant_");
    let cells =
        |line: &str| line.split(',').map(|it| if is_id(it) { "" } else { it }.to_owned()).collect::<Vec<_>>();
    file.lines().map(|line| cells(line).join(",")).collect::<Vec<_>>().join("\n")
}

async fn comes_back(from: &Shop, vocabulary: Vocabulary) -> Result<(), TestCaseError> {
    let files_of = files(from, vocabulary);
    for file in &files_of {
        let report = import(&from.app.ctx, file, CsvSettings::default()).await;
        prop_assert!(!report.changed_anything(), "{}{}", report, file);
    }
    let to = shop().await;
    for file in &files_of {
        import(&to.app.ctx, file, CsvSettings::default()).await;
    }
    for (before, after) in files_of.iter().zip(files(&to, vocabulary)) {
        prop_assert_eq!(without_ids(before), without_ids(&after));
    }
    Ok(())
}

const VOCABULARIES: [Vocabulary; 3] = [Vocabulary::Shopify, Vocabulary::ShopifyLegacy, Vocabulary::Medusa];

#[tokio::test]
async fn an_export_is_imported_without_a_change_and_makes_the_same_shop_elsewhere() {
    let shop = with_mug().await;
    for vocabulary in VOCABULARIES {
        comes_back(&shop, vocabulary).await.expect("the same");
    }
}

/// Text as people and formulas write it.
fn text() -> impl Strategy<Value = String> {
    "['=+@-]{0,2}[a-zA-Zäß&;,\"\n ]{0,6}[a-z]"
}

fn drawn_product() -> impl Strategy<Value = Value> {
    let variant = (option::of("[a-z]{1,3}"), 0..5_000u32, any::<bool>(), option::of(0..900u32));
    let status = select(&["draft", "published"][..]);
    (text(), option::of(text()), status, vec("[=a-z]{1,4}", 0..3), vec(variant, 1..4)).prop_map(
        |(title, description, status, tags, variants)| {
            let variants: Vec<Value> = variants
                .iter()
                .enumerate()
                .map(|(n, (sku, price, backorder, weight))| {
                    json!({
                        "title": format!("V{n}"), "options": { "Size": format!("={n}") },
                        "sku": sku.as_ref().map(|it| format!("={it}{n}")),
                        "allow_backorder": backorder, "weight": weight,
                        "prices": [{ "currency_code": "eur", "amount": f64::from(*price) / 100.0 }],
                    })
                })
                .collect();
            let values: Vec<String> = (0..variants.len()).map(|n| format!("={n}")).collect();
            let tags: std::collections::BTreeSet<String> = tags.into_iter().collect();
            json!({
                "title": title, "handle": "drawn", "description": description, "status": status,
                "options": [{ "title": "Size", "values": values }], "variants": variants, "tags": tags,
            })
        },
    )
}

#[test]
fn any_product_comes_back() {
    check_drawn(times("ATOLL_CSV", 40), drawn_product, async |mut product: Value| {
        let shop = shop().await;
        let mut tags = Vec::new();
        for value in product["tags"].as_array().into_iter().flatten() {
            let tag = shop.admin.post("/admin/product-tags", json!({ "value": value })).await.ok();
            tags.push(json!({ "id": tag["product_tag"]["id"] }));
        }
        product["tags"] = json!(tags);
        shop.admin.post("/admin/products", product).await.ok();
        for vocabulary in VOCABULARIES {
            comes_back(&shop, vocabulary).await?;
        }
        Ok(())
    });
}

/// Several values are one cell: an empty text and none, the number 5 and the text 5.
#[tokio::test]
async fn values_that_are_written_alike_stay_what_they_are() {
    let shop = shop().await;
    let variants = json!([
        { "title": "Full", "options": { "Size": "1" }, "prices": [], "ean": "", "barcode": " 4 ", "metadata": { "compare_at_price": 5 } },
        { "title": "Odd", "options": { "Size": "2" }, "prices": [], "metadata": { "compare_at_price": "=1+1" } },
    ]);
    let product = json!({
        "title": "Empty", "handle": "empty", "description": "", "subtitle": "", "thumbnail": "",
        "metadata": { "vendor": { "name": "A" } },
        "options": [{ "title": "Size", "values": ["1", "2"] }], "variants": variants,
    });
    shop.admin.post("/admin/products", product).await.ok();
    for vocabulary in VOCABULARIES {
        let file = export(&shop.app.ctx, &products(vocabulary));
        let report = import(&shop.app.ctx, &file, CsvSettings::default()).await;
        assert!(!report.changed_anything(), "{vocabulary}: {report}");
    }
    let file = export(&shop.app.ctx, &products(Vocabulary::Shopify));
    assert!(file.contains(",5,") && file.contains(",'=1+1,"), "{file}");
}

#[tokio::test]
async fn the_real_catalogue_comes_back() {
    let Some(catalogue) = real_catalogue() else { return };
    let shop = shop().await;
    import_into(&shop.app.ctx, catalogue).await;
    for vocabulary in VOCABULARIES {
        for file in files(&shop, vocabulary) {
            let report = import(&shop.app.ctx, &file, CsvSettings::default()).await;
            assert!(!report.changed_anything(), "{vocabulary}: {report}");
        }
    }
}
