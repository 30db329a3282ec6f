//! Sizes of the stored data: keys and bytes per space that products and orders add, as `tests/sizes.txt` has
//! them.

use std::{collections::BTreeMap, fmt::Write as _, ops::AddAssign, path::PathBuf};

use atoll_availability::announce_changes;
use atoll_catalogue::Catalogue;
use atoll_kernel::{
    Read,
    data::{Direction, Scan, Space},
};
use atoll_storage::{SEQUENCES, Span};
use atoll_testkit::{Shop, TestApp, complete};
use expect_test::expect_file;
use serde_json::{Value, json};

use crate::story::import_into;

/// Products and orders that are measured, after as many that are not: the first ones make what later ones
/// share.
const N: usize = 100;

/// Bytes of the checksum of a value.
const CHECKSUM_BYTES: usize = 4;

/// Keys, and the bytes of keys and values.
#[derive(Clone, Copy, Default)]
struct Size {
    n_keys: usize,
    n_bytes: usize,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Size) {
        self.n_keys += other.n_keys;
        self.n_bytes += other.n_bytes;
    }
}

/// The size of each space, once nothing waits for a worker; what counters count is named after them.
async fn sizes(app: &TestApp) -> BTreeMap<String, Size> {
    announce_changes(&app.ctx).await.expect("nothing fails");
    let ctx = &app.ctx;
    let (view, spaces) = (ctx.view(), ctx.registry().spaces());
    let counted: BTreeMap<[u8; 2], Space> = spaces.iter().map(|it| (view.prefix(it), *it)).collect();
    let mut sizes: BTreeMap<String, Size> = BTreeMap::new();
    for space in spaces {
        view.scan(&Span::prefix(&view.prefix(space)), Direction::Ascending, &mut |key, value| {
            let name = match key {
                [_, _, 0, high, low, ..] if space == SEQUENCES => {
                    format!("{SEQUENCES} of {}", counted[&[*high, *low]])
                }
                _ => space.to_owned(),
            };
            let n_bytes = key.len() + value.len() + CHECKSUM_BYTES;
            *sizes.entry(name).or_default() += Size { n_keys: 1, n_bytes };
            Ok(Scan::Continue(()))
        })
        .expect("a scan");
    }
    sizes
}

/// What has been added, per product or order: a line for each space, and one for all.
fn added(what: &str, before: &BTreeMap<String, Size>, after: &BTreeMap<String, Size>) -> String {
    let mut all = Size::default();
    let mut lines = String::new();
    let each = |n: usize| format!("{:.2}", n as f64 / N as f64);
    for (space, after) in after {
        let before = before.get(space).copied().unwrap_or_default();
        let size = Size {
            n_keys: after.n_keys.saturating_sub(before.n_keys),
            n_bytes: after.n_bytes.saturating_sub(before.n_bytes),
        };
        all += size;
        if size.n_bytes >= N {
            writeln!(lines, "{space} {} {}", each(size.n_keys), each(size.n_bytes)).expect("text");
        }
    }
    format!("# {what}: {} keys, {} bytes.\n{lines}", each(all.n_keys), each(all.n_bytes))
}

/// Products of two variants, in two channels and at two locations, with titles of three words from a
/// vocabulary.
fn catalogue(n_products: usize) -> Catalogue {
    let word = |n: usize| format!("w{}", n % 397);
    let variant = |n: usize, size: &str| {
        json!({
            "sku": format!("P-{n}-{size}"), "title": size, "manage_inventory": true,
            "prices": [{ "currency_code": "eur", "amount": "12.90" }],
            "stock": [
                { "location": "north", "stocked_quantity": 1_000 },
                { "location": "south", "stocked_quantity": 1_000 },
            ],
        })
    };
    let listings =
        ["web", "app"].map(|it| json!({ "channel": it, "published": true, "visible_in_listings": true }));
    let product = |n: usize| {
        let title = [word(n), word(7 * n), word(31 * n)].join(" ");
        json!({
            "handle": format!("p-{n}"),
            "title": title,
            "description": "A steel mug, enamelled twice.",
            "type": "Tableware", "category": "kitchen", "collections": ["first-light"],
            "images": ["https://example.com/mug.jpg"],
            "listings": listings,
            "variants": [variant(n, "S"), variant(n, "L")],
        })
    };
    let channel = |handle: &str| json!({ "handle": handle, "name": handle, "currency_code": "eur", "country_code": "de" });
    let location =
        |handle: &str| json!({ "handle": handle, "name": handle, "sales_channels": ["web", "app"] });
    let catalogue = json!({
        "sales_channels": [channel("web"), channel("app")],
        "stock_locations": [location("north"), location("south")],
        "categories": [{ "handle": "kitchen", "name": "Kitchen", "parent": null }],
        "collections": [{ "handle": "first-light", "title": "First Light" }],
        "products": (0..n_products).map(product).collect::<Vec<Value>>(),
    });
    Catalogue::read(catalogue.to_string().as_bytes()).expect("a catalogue")
}

#[tokio::test]
async fn sizes_per_product_and_order_match_sizes_txt() {
    let app = TestApp::init().await;
    import_into(&app.ctx, catalogue(N)).await;
    let few = sizes(&app).await;
    import_into(&app.ctx, catalogue(2 * N)).await;
    let many = sizes(&app).await;
    let mut table = String::from(
        "# Keys and bytes that a product or an order adds, by space; those of less than a byte left out.\n",
    );
    table.push_str(&added("Product of two variants, in two channels, at two locations", &few, &many));

    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 1_000_000).await;
    let order = async || {
        for _ in 0..N {
            let cart = shop.cart(&storefront, &tea.id, 1).await;
            complete(&storefront, &cart).await.ok();
        }
        sizes(&shop.app).await
    };
    let (few, many) = (order().await, order().await);
    table.push_str(&added("Order of one line, paid by hand, with its cart and events", &few, &many));
    expect_file![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sizes.txt")].assert_eq(&table);
}
