//! Prices of product pages with and without taxes, by the country of the shopper; a cart charges the same.

use atoll_testkit::{Client, Shop, Variant, id};
use serde_json::{Value, json};

const RATES: &str = "/admin/tax-rates";

struct Scene {
    shop: Shop,
    storefront: Client,
    tea: Variant,
    book: Variant,
    card: Variant,
    /// The default rate of Germany.
    german: String,
}

impl Scene {
    /// A shop with a tea, a book and a gift card at 10 euros each, and the tax regions of Germany and of the
    /// United States with California.
    async fn open() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let mut variants = Vec::new();
        for title in ["Tea", "Book", "Card"] {
            variants.push(shop.product(title, &[&web], 99).await);
        }
        let [tea, book, card]: [Variant; 3] = variants.try_into().expect("three");
        let books = json!({ "value": "books" });
        let books = id(&shop.admin.post("/admin/product-types", books).await.ok()["product_type"]);
        for (variant, fields) in
            [(&book, json!({ "type_id": books })), (&card, json!({ "is_giftcard": true }))]
        {
            shop.admin.post(&format!("/admin/products/{}", variant.product), fields).await.ok();
        }
        let region =
            async |body: Value| shop.admin.post("/admin/tax-regions", body).await.ok()["tax_region"].clone();
        let rate = |percent: f64, is_combinable: bool| json!({ "name": "VAT", "code": "vat", "rate": percent, "is_combinable": is_combinable });
        let country = |code: &str, percent: f64| json!({ "country_code": code, "provider_id": "tp_system", "default_tax_rate": rate(percent, false) });
        let de = region(country("de", 19.0)).await;
        let us = region(country("us", 2.0)).await;
        region(json!({
            "country_code": "us", "province_code": "us-ca", "parent_id": id(&us),
            "default_tax_rate": rate(7.25, true),
        }))
        .await;
        let reduced = json!({
            "name": "Reduced", "code": "reduced", "rate": 7, "tax_region_id": id(&de),
            "rules": [{ "reference": "product_type", "reference_id": books }],
        });
        shop.admin.post(RATES, reduced).await.ok();
        Scene { shop, storefront, tea, book, card, german: id(&de["tax_rates"][0]) }
    }

    /// The price of a variant for such a query, on its own page, on that of its product and in the list.
    async fn price(&self, variant: &Variant, query: &str) -> Value {
        let region = format!("region_id={}{query}", self.shop.region);
        let fields = format!("{region}&fields=id,variants.id,*variants.calculated_price");
        let product = format!("/store/products/{}?{fields}", variant.product);
        let one = format!("/store/product-variants/{}?{region}&fields=id,calculated_price", variant.id);
        let get = async |path: &str| self.storefront.get(path).await.ok();
        let price = get(&one).await["variant"]["calculated_price"].clone();
        assert_eq!(get(&product).await["product"]["variants"][0]["calculated_price"], price);
        let all = get(&format!("/store/products?{fields}")).await;
        let all = all["products"].as_array().expect("a list");
        let listed = all.iter().find(|it| it["id"] == *variant.product).expect("the product");
        assert_eq!(listed["variants"][0]["calculated_price"], price);
        price
    }

    /// The amounts with and without taxes, of the price and of the original one:
    /// `11.9 and 10 of 11.9 and 10`.
    async fn taxed(&self, variant: &Variant, query: &str) -> String {
        let price = self.price(variant, query).await;
        let amount = |name: &str| price.get(name).map_or("-".to_owned(), ToString::to_string);
        let both = |of: &str| {
            format!("{} and {}", amount(&format!("{of}_with_tax")), amount(&format!("{of}_without_tax")))
        };
        format!("{} of {}", both("calculated_amount"), both("original_amount"))
    }

    async fn set(&self, path: &str, body: Value) {
        self.shop.admin.post(path, body).await.ok();
    }

    async fn set_inclusive(&self, attribute: &str, value: &str, is_tax_inclusive: bool) {
        let path = "/admin/price-preferences";
        let found = self.shop.admin.get(&format!("{path}?attribute={attribute}&value={value}")).await.ok();
        let path = format!("{path}/{}", id(&found["price_preferences"][0]));
        self.set(&path, json!({ "is_tax_inclusive": is_tax_inclusive })).await;
    }

    async fn sale(&self, amount: i64, rules: Value) {
        let price = json!({
            "variant_id": self.tea.id, "currency_code": "eur", "amount": amount, "rules": rules,
        });
        let list = json!({ "title": "Sale", "description": "d", "status": "active", "prices": [price] });
        self.set("/admin/price-lists", list).await;
    }
}

const UNTAXED: &str = "- and - of - and -";

#[tokio::test]
async fn prices_are_shown_with_the_taxes_of_the_country() {
    let scene = Scene::open().await;
    let Scene { tea, book, card, .. } = &scene;
    for (variant, query, expected) in [
        (tea, "", UNTAXED),
        (tea, "&country_code=", UNTAXED),
        (tea, "&province=us-ca", UNTAXED),
        (tea, "&country_code=de", "11.9 and 10 of 11.9 and 10"),
        (tea, "&country_code=DE", "11.9 and 10 of 11.9 and 10"),
        (book, "&country_code=de", "10.7 and 10 of 10.7 and 10"),
        (card, "&country_code=de", "10 and 10 of 10 and 10"),
        (book, "&country_code=us", "10.2 and 10 of 10.2 and 10"),
        (tea, "&country_code=us&province=us-ca", "10.925 and 10 of 10.925 and 10"),
        (tea, "&country_code=us&province=us-ny", "10.2 and 10 of 10.2 and 10"),
        // A country without a tax region has no taxes.
        (tea, "&country_code=fr", "10 and 10 of 10 and 10"),
    ] {
        assert_eq!(scene.taxed(variant, query).await, expected, "{} {query}", variant.product);
    }
    scene.sale(7, json!({})).await;
    assert_eq!(scene.taxed(tea, "&country_code=de").await, "8.33 and 7 of 11.9 and 10");
    scene.set(&format!("{RATES}/{}", scene.german), json!({ "rate": 20 })).await;
    assert_eq!(scene.taxed(tea, "&country_code=de").await, "8.4 and 7 of 12 and 10");
    // A region that does not calculate taxes by itself shows none.
    let region = format!("/admin/regions/{}", scene.shop.region);
    scene.set(&region, json!({ "automatic_taxes": false })).await;
    assert_eq!(scene.taxed(tea, "&country_code=de").await, UNTAXED);
    scene.set(&region, json!({ "automatic_taxes": true })).await;
    assert_eq!(scene.taxed(tea, "&country_code=de").await, "8.4 and 7 of 12 and 10");
}

#[tokio::test]
async fn prices_that_include_taxes_are_shown_without_them() {
    let scene = Scene::open().await;
    let tea = &scene.tea;
    scene.set_inclusive("currency_code", "eur", true).await;
    assert_eq!(
        scene.taxed(tea, "&country_code=de").await,
        "10 and 8.403361344537815 of 10 and 8.403361344537815"
    );
    // A price for the region is as the region says.
    scene.sale(7, json!({ "region_id": scene.shop.region })).await;
    assert_eq!(scene.taxed(tea, "&country_code=de").await, "8.33 and 7 of 10 and 8.403361344537815");
    scene.set_inclusive("region_id", &scene.shop.region, true).await;
    scene.set_inclusive("currency_code", "eur", false).await;
    assert_eq!(scene.taxed(tea, "&country_code=de").await, "7 and 5.882352941176471 of 11.9 and 10");
}
