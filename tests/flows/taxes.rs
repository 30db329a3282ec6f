//! A tax provider that is asked outside of the transaction.

use std::collections::BTreeMap;

use atoll_checkout::{TaxAddress, TaxItem, TaxLine, TaxProvider, TaxRequest, Taxing};
use atoll_kernel::{Ctx, provider};
use atoll_tax::{Taxes, taxes};
use atoll_testkit::{Shop, TestApp};
use serde_json::json;

const ABROAD: &str = "tp_abroad";

/// Taxes everything at 10 %, wherever it goes.
struct Abroad;

impl TaxProvider for Abroad {
    fn ask(&self, _: Ctx, request: TaxRequest) -> Taxing {
        Box::pin(async move {
            let line = TaxLine { code: "abroad".into(), rate: 10_u64.into(), ..TaxLine::default() };
            Ok(request.items.into_iter().map(|it| (it.id, vec![line.clone()])).collect())
        })
    }
}

provider! { dyn TaxProvider: ABROAD => Abroad }

#[tokio::test]
async fn the_provider_of_a_region_is_asked_outside_of_the_transaction() {
    let (app, admin) = TestApp::init().await.with_admin().await;
    for (country, provider) in [("ch", ABROAD), ("de", "tp_system")] {
        let rate = json!({ "name": "VAT", "code": "vat", "rate": 19 });
        let region = json!({ "country_code": country, "provider_id": provider, "default_tax_rate": rate });
        admin.post("/admin/tax-regions", region).await.ok();
    }
    let to = |country: &str| TaxRequest {
        address: TaxAddress { country_code: country.into(), ..TaxAddress::default() },
        items: vec![TaxItem { id: "line".into(), ..TaxItem::default() }],
        ..TaxRequest::default()
    };
    let (view, registry) = (app.ctx.view(), app.ctx.registry());
    let abroad = to("CH");
    assert_eq!(taxes(&view, registry, &abroad).expect("taxes"), Taxes::Ask(ABROAD.into()));
    let rates = |lines: BTreeMap<String, Vec<TaxLine>>| {
        lines.into_values().flatten().map(|it| it.rate.to_string()).collect::<Vec<_>>()
    };
    let provider = app.ctx.provider::<dyn TaxProvider>(ABROAD).expect("the provider");
    assert_eq!(rates(provider.ask(app.ctx.clone(), abroad).await.expect("lines")), ["10"]);
    match taxes(&view, registry, &to("de")).expect("taxes") {
        Taxes::Known(lines) => assert_eq!(rates(lines), ["19"]),
        other => panic!("{other:?}"),
    }
    // Where the shop collects no taxes nobody is asked.
    assert_eq!(taxes(&view, registry, &to("fr")).expect("taxes"), Taxes::Known(BTreeMap::new()));
}

#[tokio::test]
async fn a_page_shows_no_taxes_for_which_a_provider_must_be_asked_outside() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    for (country, provider) in [("ch", ABROAD), ("de", "tp_system")] {
        let region = json!({ "country_code": country, "provider_id": provider });
        shop.admin.post("/admin/tax-regions", region).await.ok();
    }
    for (country, expected) in [("ch", None), ("de", Some(&json!(10)))] {
        let region = &shop.region;
        let path = format!("/store/product-variants/{}?region_id={region}&country_code={country}", tea.id);
        let price = storefront.get(&path).await.ok()["variant"]["calculated_price"].clone();
        assert_eq!(price["calculated_amount"], 10, "{country}");
        assert_eq!(price.get("calculated_amount_with_tax"), expected, "{country}");
    }
}
