//! Catalogues as CSV: in by each vocabulary, out, and back.

mod docs;
mod export;
mod import;
mod limits;
mod names;
mod orders;
mod routes;

use std::{
    fs,
    io::{Read as _, Seek as _},
};

use atoll_catalogue::{CsvSettings, Export, ImportMode, Outline, Reading, Report, import_file};
use atoll_kernel::Ctx;
use atoll_testkit::{Shop, TestApp};
use serde_json::{Value, json};

/// A shop with a channel, `Web`, a location, `Warehouse`, and euros as its currency.
async fn shop() -> Shop {
    let shop = Shop::open(TestApp::init().await).await;
    shop.channel("Web").await;
    shop
}

/// Imports a file called `products.csv`.
async fn import(ctx: &Ctx, text: &str, settings: CsvSettings) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("products.csv");
    fs::write(&path, text).expect("a file");
    let file = fs::File::open(path).expect("a file");
    let outline = Outline::read_any(&file, "products.csv", settings).expect("a catalogue");
    import_file(ctx, file, outline, ImportMode::Chunks, |_| {}).await.expect("an import")
}

/// As [`import`], with the channel `Web` and without other settings.
async fn import_into_web(shop: &Shop, text: &str) -> Report {
    import(&shop.app.ctx, text, CsvSettings { channels: vec!["Web".into()], ..CsvSettings::default() }).await
}

fn export(ctx: &Ctx, export: &Export) -> String {
    let mut file = tempfile::tempfile().expect("a file");
    let reading = Reading { view: &|| ctx.view(), progress: &|_| Ok(()) };
    export.write(&reading, &mut file).expect("an export");
    let mut text = String::new();
    file.rewind().expect("a file");
    file.read_to_string(&mut text).expect("text");
    text
}

/// A product, as the admin sees it, without ids.
async fn product(shop: &Shop, handle: &str) -> Value {
    let fields = "handle,title,description,status,metadata,thumbnail,*tags,*type,*collection,images.url,\
                  sales_channels.name,options.title,variants.title,variants.sku,variants.barcode,\
                  variants.weight,variants.manage_inventory,variants.allow_backorder,variants.metadata,\
                  variants.prices.amount,variants.prices.currency_code,variants.options.value,\
                  variants.inventory_quantity";
    let path = format!("/admin/products?handle={handle}&fields={fields}");
    let found = shop.admin.get(&path).await.ok();
    let it = &found["products"][0];
    let each = |list: &Value, name: &str| -> Vec<Value> {
        list.as_array().into_iter().flatten().map(|it| it[name].clone()).collect()
    };
    let variants = it["variants"].as_array().into_iter().flatten().map(|variant| {
        let prices = variant["prices"].as_array().into_iter().flatten();
        let prices: Vec<String> = prices
            .map(|it| format!("{} {}", it["amount"], it["currency_code"].as_str().unwrap_or("")))
            .collect();
        json!([
            variant["title"],
            variant["sku"],
            each(&variant["options"], "value"),
            prices,
            variant["inventory_quantity"],
            variant["allow_backorder"],
            variant["weight"],
        ])
    });
    json!({
        "title": it["title"],
        "description": it["description"],
        "status": it["status"],
        "metadata": it["metadata"],
        "type": it["type"]["value"],
        "collection": it["collection"]["handle"],
        "tags": each(&it["tags"], "value"),
        "images": each(&it["images"], "url"),
        "channels": each(&it["sales_channels"], "name"),
        "options": each(&it["options"], "title"),
        "variants": variants.collect::<Vec<_>>(),
    })
}
