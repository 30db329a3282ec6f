//! The page on CSV: its examples are imported, and it names every column that is written.

use atoll_catalogue::{CsvSettings, Export, OrderFilter, Vocabulary};

use super::{export, import, shop};

const PAGE: &str = include_str!("../../../docs/csv.md");

#[tokio::test]
async fn the_examples_of_the_page_are_imported_without_a_problem() {
    let shop = shop().await;
    for example in PAGE.split("```csv\n").skip(1) {
        let text = example.split("```").next().expect("an end");
        let report = import(&shop.app.ctx, text, CsvSettings::default()).await;
        assert!(report.changed_anything() && report.problems.is_empty(), "{report}{text}");
    }
    let products = |vocabulary| Export::Products { vocabulary, currency: None, location: None, ids: None };
    for what in [
        products(Vocabulary::Shopify),
        products(Vocabulary::ShopifyLegacy),
        products(Vocabulary::Medusa),
        Export::Listings,
        Export::Stock,
        Export::Orders(OrderFilter::default()),
    ] {
        for column in export(&shop.app.ctx, &what).lines().next().expect("a header").split(',') {
            let pattern = column.replace('1', "#").replace("Price EUR", "Price $");
            let is_there = |it: &str| {
                PAGE.contains(&format!("`{it}`"))
                    || PAGE.contains(&format!("{it},"))
                    || PAGE.contains(&format!(",{it}\n"))
            };
            let is_option = column.starts_with("Option");
            assert!(is_option || is_there(column) || is_there(&pattern), "`{column}` is not on the page");
        }
    }
}
