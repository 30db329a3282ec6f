//! What is too much in a file is a problem of its row, or of the file, and of no other product.

use atoll_catalogue::{CsvSettings, NotACatalogue, Outline, ProblemKind};
use atoll_kernel::limits::{
    CSV_COLUMNS_MAX, CSV_PRODUCT_ROWS_MAX, CSV_ROWS_MAX, CSV_TAGS_MAX, OPTION_VALUES_MAX,
    PRODUCT_OPTIONS_MAX, VARIANTS_MAX,
};
use serde_json::json;

use super::{import, product, shop};

const HEADER: &str = "Product Handle,Product Title,Variant Title,Variant SKU,Variant Price EUR,Variant Option 1 Name,\
                      Variant Option 1 Value";

/// A product of so many rows, and another one.
fn rows_of_tea(n: usize) -> String {
    let rows: String = (0..n).map(|n| format!("tea,Tea,{n},TEA-{n},1,Size,{n}\n")).collect();
    format!("{HEADER}\n{rows}pot,Pot,One,POT,1,Size,One\n")
}

/// The messages of a kind that an import of this file is to report.
async fn problems(text: &str, kind: ProblemKind) -> (Vec<String>, usize) {
    let shop = shop().await;
    let report = import(&shop.app.ctx, text, CsvSettings::default()).await;
    assert_eq!(product(&shop, "pot").await["title"], "Pot", "the others are imported: {report}");
    let told = report.problems.iter().map(ToString::to_string).filter(|it| it.contains(" at most "));
    (told.collect(), report.n_problems.get(&kind).copied().unwrap_or_default())
}

#[tokio::test]
async fn a_product_with_a_variant_too_many_is_told_by_its_row() {
    let (told, n) = problems(&rows_of_tea(VARIANTS_MAX + 2), ProblemKind::Limit).await;
    let message = |row| format!("products.csv:{row}: a product has at most 1000 variants; it was left out");
    assert_eq!((told, n), (vec![message(1002), message(1003)], 2));
}

/// One that is there already has as many values as an option may have.
#[tokio::test]
async fn a_value_too_many_is_told_by_its_row() {
    let shop = shop().await;
    let values: Vec<String> = (0..OPTION_VALUES_MAX).map(|it| it.to_string()).collect();
    let tea = json!({
        "title": "Tea", "handle": "tea", "options": [{ "title": "Size", "values": values }],
        "variants": [{ "title": "0", "sku": "TEA-0", "options": { "Size": "0" }, "prices": [] }],
    });
    shop.admin.post("/admin/products", tea).await.ok();
    let text = format!(
        "{HEADER}\ntea,Tea,0,TEA-0,1,Size,new\ntea,Tea,1,TEA-1,1,Size,1\ntea,Tea,new,TEA-2,1,Size,newer\n"
    );
    let report = import(&shop.app.ctx, &text, CsvSettings::default()).await;
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "products.csv:2: A product option has at most 1000 values; its option values stay",
            "products.csv:4: A product option has at most 1000 values; it was left out",
        ]
    );
    assert_eq!(product(&shop, "tea").await["variants"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_tag_too_many_is_left_out() {
    let tags: Vec<String> = (0..=CSV_TAGS_MAX).map(|it| format!("t{it}")).collect();
    let tags = tags.join(",");
    let text =
        format!("Handle,Title,Variant SKU,Variant Price,Tags\ntea,Tea,TEA,1,\"{tags}\"\npot,Pot,POT,1,\n");
    let (told, _) = problems(&text, ProblemKind::Limit).await;
    let message =
        "products.csv:2, column \"Tags\": a product has at most 1000 tags; the others were left out";
    assert_eq!(told, [message]);
}

#[tokio::test]
async fn a_product_with_an_option_too_many_is_left_out() {
    let options = 1..=PRODUCT_OPTIONS_MAX + 1;
    let header: String =
        options.clone().map(|n| format!(",Variant Option {n} Name,Variant Option {n} Value")).collect();
    let cells: String = options.map(|n| format!(",O{n},{n}")).collect();
    let header =
        format!("Product Handle,Product Title,Variant Title,Variant SKU,Variant Price EUR{header}\n");
    let text = format!("{header}tea,Tea,One,TEA,1{cells}\npot,Pot,One,POT,1,Size,One\n");
    let (told, _) = problems(&text, ProblemKind::Incomplete).await;
    assert_eq!(told, ["products.csv:2: a product has at most 50 options; it was left out"]);
}

/// Its further rows hold a picture each.
#[tokio::test]
async fn a_row_of_a_product_too_many_is_told() {
    let images: String =
        (2..=CSV_PRODUCT_ROWS_MAX + 2).map(|n| format!("tea,,,,https://e.com/{n}\n")).collect();
    let text =
        format!("Handle,Title,Variant SKU,Variant Price,Image Src\ntea,Tea,TEA,1,\n{images}pot,Pot,POT,1,\n");
    let (told, n) = problems(&text, ProblemKind::Limit).await;
    assert_eq!((told.len(), n), (1, 1));
    assert_eq!(told[0], "products.csv:5002: a product has at most 5000 rows; the others were left out");
}

/// Each cell is wrong: as many are listed as anybody reads, and what they say is cut.
#[tokio::test]
async fn wrong_cells_are_counted_and_a_hundred_are_listed() {
    let shop = shop().await;
    let n_columns = CSV_COLUMNS_MAX - 4;
    let header: String = (1..=n_columns).map(|n| format!(",Variant Option {n} Value")).collect();
    let row = format!("tea,Tea,{},1{}\n", "x".repeat(1_000), ",x".repeat(n_columns));
    let text = format!("Product Handle,Product Title,Variant Weight,Variant SKU{header}\n{row}{row}");
    let report = import(&shop.app.ctx, &text, CsvSettings::default()).await;
    let of_cells = report.problems.iter().filter(|it| it.column.as_deref() != Some("Variant SKU"));
    assert!(of_cells.clone().all(|it| it.message.chars().count() < 150), "{report}");
    assert_eq!(report.n_problems[&ProblemKind::Cell], 2 * (n_columns + 1));
    let listed = report.problems.iter().filter(|it| {
        it.message.contains("no such option") || it.message.contains("is not a number of zero or more")
    });
    assert_eq!(listed.count(), 100);
}

/// The rows of a file are generated: it would have some megabytes.
#[test]
fn a_file_has_as_many_rows_as_a_spreadsheet() {
    let read = |n_rows: u64| {
        let header = "location,sku,stocked\n";
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stock.csv");
        let rows = "a,b,1\n".repeat(usize::try_from(n_rows).expect("a number"));
        std::fs::write(&path, format!("{header}{rows}")).expect("a file");
        let file = std::fs::File::open(path).expect("a file");
        Outline::read_any(&file, "stock.csv", CsvSettings::default())
    };
    let refused = read(CSV_ROWS_MAX).err().as_ref().map(NotACatalogue::to_string);
    assert_eq!(refused.as_deref(), Some("the file has more than 1048576 rows"));
    assert_eq!(read(CSV_ROWS_MAX - 1).expect("a file").n_products as u64, CSV_ROWS_MAX - 1);
}

/// A lost cell must not set the stock of the default location, nor a misspelt column take out a product.
#[tokio::test]
async fn rows_of_stock_and_listings_say_all_that_they_need() {
    let shop = shop().await;
    let text = "location,sku,stocked\n,TEA,5\nWarehouse,,5\n";
    let report = import(&shop.app.ctx, text, CsvSettings::default()).await;
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "products.csv:2, column \"location\": it is empty; left out",
            "products.csv:3, column \"sku\": it is empty; left out",
        ]
    );
    let text = "sku,stocked,location\nTEA,5\n";
    let report = import(&shop.app.ctx, text, CsvSettings::default()).await;
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["products.csv:2: it has 2 cells, and the header 3; left out"]);
    let text = "channel,product,varient,enabled\nWeb,tea,TEA,FALSE\n";
    let refused = Outline::read_any(std::io::Cursor::new(text), "listings.csv", CsvSettings::default());
    let refused = refused.err().as_ref().map(NotACatalogue::to_string);
    assert_eq!(refused.as_deref(), Some("row 1: column `varient` is unknown (did you mean `variant`?)"));
}
