//! Admin routes of a channel's assortment: `/admin/sales-channels/:id/…`.

use atoll_availability::ProductState;
use atoll_flows::sales_channel::{
    AssortmentUpdate, ItemTerms, LocationTerms, ProductChange, ProductTerms, Standing, UPDATE_ASSORTMENT,
    VariantTerms, plan_products,
};
use atoll_inventory::{INVENTORY_LEVELS, InventoryLevel, level_or_not_stocked};
use atoll_kernel::{
    Fault, Read, Timestamp,
    data::{Direction, LinkRow, Scan, View},
    http::{Answer, Body, Call, Field, Params, Part, Reply, Type, optional, required},
    query::Ids,
    routes,
    serde_json::{Value, json},
};
use atoll_links::{
    PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT, SALES_CHANNEL_INVENTORY_LEVEL,
    SALES_CHANNEL_STOCK_LOCATION, Window, priority, safety_stock,
};
use atoll_product::{PRODUCTS, Product, VARIANTS};
use atoll_sales_channel::SALES_CHANNELS;

use crate::{
    reply::run_once,
    tables::{DRY_RUN, ONE, list},
};

routes! {
    with "sales_channels";
    /// Shows when a sales channel sells a product.
    Get "/admin/sales-channels/:id/products/:product_id" (Admin, ONE) => product: PRODUCT_TERMS;
    /// Sets from when and until when a sales channel sells a product.
    Post "/admin/sales-channels/:id/products/:product_id" (Admin, ONE, PRODUCT) => update_product: PRODUCT_TERMS;
    /// Lists the variants that a sales channel leaves out.
    Get "/admin/sales-channels/:id/excluded-variants" (Admin, PAGE) => excluded_variants: VARIANT_TERMS_PAGE;
    /// Shows whether a sales channel sells a variant of its products, or leaves it out.
    Get "/admin/sales-channels/:id/variants/:variant_id" (Admin, ONE) => variant: VARIANT_TERMS;
    /// Sets whether a sales channel sells a variant of its products, or leaves it out.
    Post "/admin/sales-channels/:id/variants/:variant_id" (Admin, ONE, VARIANT) => update_variant: VARIANT_TERMS;
    /// Lists the stock locations that serve a sales channel, with priority and safety stock.
    Get "/admin/sales-channels/:id/stock-locations" (Admin, PAGE) => stock_locations: LOCATION_TERMS_PAGE;
    /// Shows how a stock location serves a sales channel.
    Get "/admin/sales-channels/:id/stock-locations/:stock_location_id" (Admin, ONE) => stock_location: LOCATION_TERMS;
    /// Sets the priority of a stock location for a sales channel, and the safety stock that stays there.
    Post "/admin/sales-channels/:id/stock-locations/:stock_location_id" (Admin, ONE, LOCATION) => update_location: LOCATION_TERMS;
    /// Lists the inventory items that have a safety stock of their own in a sales channel, by location.
    Get "/admin/sales-channels/:id/inventory-items" (Admin, PAGE) => inventory_items: ITEM_TERMS_PAGE;
    /// Shows how much of an inventory item a sales channel leaves at a stock location.
    Get "/admin/sales-channels/:id/stock-locations/:stock_location_id/inventory-items/:inventory_item_id" (Admin, ONE) => inventory_item: ITEM_TERMS;
    /// Sets how much of an inventory item a sales channel leaves at a stock location. It counts instead of
    /// the safety stock of the location, also if it is smaller. Null: that of the location counts again.
    Post "/admin/sales-channels/:id/stock-locations/:stock_location_id/inventory-items/:inventory_item_id" (Admin, ONE, ITEM) => update_item: ITEM_TERMS;
    /// Sets periods of sale, variants, stock locations and inventory items of a sales channel, and puts
    /// products in and takes them out, all or none. With `dry_run=true` it says what would change of the
    /// products, and writes nothing.
    Post "/admin/sales-channels/:id/assortment" (Admin, DRY_RUN, ASSORTMENT) => update_all: UPDATED_OR_PLANNED;
}

const PAGE: Params = list(&[], 50);

const WINDOW: &[Field] = &[
    optional("available_from", Type::Date)
        .or_null()
        .about("From when the channel sells it; null: since ever."),
    optional("available_until", Type::Date).or_null().about("Until when it sells it; null: without end."),
];
const PRODUCT: Body = &[WINDOW];
const ENABLED: &[Field] =
    &[required("is_enabled", Type::Bool).about("False: the channel leaves the variant out.")];
const VARIANT: Body = &[ENABLED];
const SUPPLY: &[Field] = &[
    optional("priority", Type::Number).about("Lower numbers are served from first."),
    optional("safety_stock", Type::NotNegative).about("How many of each item stay at the location."),
];
const LOCATION: Body = &[SUPPLY];
const HELD_BACK: &[Field] = &[required("safety_stock", Type::NotNegative)
    .or_null()
    .about("How many of the item stay at the location; null: as many as of each item there.")];
const ITEM: Body = &[HELD_BACK];
const STANDING: &[Field] = &[
    required("is_in_channel", Type::Bool).about("Whether the channel sells it at any time."),
    required("available_from", Type::Date).or_null().about("From when; null: since ever."),
    required("available_until", Type::Date).or_null().about("Until when; null: without end."),
];
const ASSORTMENT: Body = &[&[
    optional(
        "products",
        Type::List(&Type::Strict(&[
            &[required("product_id", Type::Text).about("The product.")],
            WINDOW,
            &[
                optional("is_in_channel", Type::Bool)
                    .about("True puts it into the channel, false takes it out; absent: it is in it."),
                optional("expected", Type::Strict(&[STANDING]))
                    .about("How it stands. If it does not, the call is refused (409)."),
            ],
        ])),
    )
    .about("When the channel sells which products."),
    optional(
        "variants",
        Type::List(&Type::Strict(&[&[required("variant_id", Type::Text).about("The variant.")], ENABLED])),
    )
    .about("Which variants it sells."),
    optional(
        "stock_locations",
        Type::List(&Type::Strict(&[
            &[required("stock_location_id", Type::Text).about("The stock location.")],
            SUPPLY,
        ])),
    )
    .about("How stock locations serve it."),
    optional(
        "inventory_items",
        Type::List(&Type::Strict(&[
            &[
                required("inventory_item_id", Type::Text).about("The inventory item."),
                required("stock_location_id", Type::Text).about("The stock location."),
            ],
            HELD_BACK,
        ])),
    )
    .about("How many of single inventory items stay at stock locations."),
]];

/// A page of these, in the order of their ids.
macro_rules! page_of {
    ($name:literal, $Item:expr, $text:literal) => {
        Answer::Object(&[
            Part::value($name, Type::List(&$Item), $text),
            Part::value("count", Type::NotNegative, "How many there are on all pages."),
            Part::value("offset", Type::NotNegative, "How many of them were skipped."),
            Part::value("limit", Type::NotNegative, "The size of the page."),
        ])
    };
}

const CHANNEL: Field = required("sales_channel_id", Type::Text).about("The sales channel.");
const SHOWN_PRODUCT: Type = Type::Object(PRODUCT_FIELDS);
pub(super) const PRODUCT_FIELDS: &[Field] = &[
    required("product_id", Type::Text).about("The product."),
    CHANNEL,
    required("available_from", Type::Date)
        .or_null()
        .about("From when the channel sells it; null: since ever."),
    required("available_until", Type::Date).or_null().about("Until when it sells it; null: without end."),
    required("is_within_window", Type::Bool).about("Whether the channel sells it now, as far as this goes."),
];
const PRODUCT_TERMS: Answer =
    Answer::Object(&[Part::value("product", SHOWN_PRODUCT, "When the channel sells the product.")]);
const SHOWN_VARIANT: Type = Type::Object(&[
    required("variant_id", Type::Text).about("The variant."),
    CHANNEL,
    required("is_enabled", Type::Bool).about("False: the channel leaves the variant out."),
]);
const VARIANT_TERMS: Answer =
    Answer::Object(&[Part::value("variant", SHOWN_VARIANT, "Whether the channel sells the variant.")]);
const VARIANT_TERMS_PAGE: Answer = page_of!("variants", SHOWN_VARIANT, "The variants that are left out.");
const SHOWN_LOCATION: Type = Type::Object(&[
    required("stock_location_id", Type::Text).about("The stock location."),
    CHANNEL,
    required("priority", Type::Number).about("Lower numbers are served from first."),
    required("safety_stock", Type::NotNegative).about("How many of each item stay at the location."),
]);
const LOCATION_TERMS: Answer =
    Answer::Object(&[Part::value("stock_location", SHOWN_LOCATION, "How the location serves the channel.")]);
const LOCATION_TERMS_PAGE: Answer =
    page_of!("stock_locations", SHOWN_LOCATION, "How the locations serve the channel.");
const SHOWN_ITEM: Type = Type::Object(&[
    required("inventory_item_id", Type::Text).about("The inventory item."),
    required("stock_location_id", Type::Text).about("The stock location."),
    CHANNEL,
    required("safety_stock", Type::NotNegative)
        .or_null()
        .about("How many of it stay at the location; null: as many as of each item there."),
]);
const ITEM_TERMS: Answer =
    Answer::Object(&[Part::value("inventory_item", SHOWN_ITEM, "How many of the item stay there.")]);
const ITEM_TERMS_PAGE: Answer =
    page_of!("inventory_items", SHOWN_ITEM, "The items with a safety stock of their own.");
const UPDATED: Answer = Answer::Object(&[Part::value(
    "updated",
    Type::Object(&[
        required("products", Type::NotNegative).about("How many products were given."),
        required("variants", Type::NotNegative).about("How many variants were given."),
        required("stock_locations", Type::NotNegative).about("How many stock locations were given."),
        required("inventory_items", Type::NotNegative).about("How many inventory items were given."),
    ]),
    "How many of each were set.",
)]);
const PLANNED: Answer = Answer::Object(&[
    Part::value("dry_run", Type::Bool, "Always true: nothing was written."),
    Part::value("sales_channel_id", Type::Text, "The sales channel."),
    Part::value("products", Type::List(&CHANGE), "What would become of each product."),
]);
const CHANGE: Type = Type::Object(&[
    required("product_id", Type::Text).about("The product."),
    required("title", Type::Text).about("Its title."),
    required("before", SHOWN_STANDING).about("How it stands."),
    required("after", SHOWN_STANDING).about("How it would stand."),
]);
const SHOWN_STANDING: Type = Type::Strict(&[
    STANDING,
    &[required("state", Type::Words(ProductState::WORDS))
        .or_null()
        .about("Whether the channel sells it now; null if it is not in the channel.")],
]);
const UPDATED_OR_PLANNED: Answer = Answer::OneOf(&[UPDATED, PLANNED]);

async fn product(call: Call) -> Result<Reply, Fault> {
    show_product(&call)
}

fn show_product(call: &Call) -> Result<Reply, Fault> {
    let (view, channel, id) = (&call.view, call.path("id"), call.path("product_id"));
    let Some(row) = PRODUCT_SALES_CHANNEL.row(view, id, channel)? else {
        return Err(Fault::not_found(format!("Product with id: {id} is not in sales channel {channel}")));
    };
    Ok(Reply::json(&json!({ "product": shown_product(channel, id, &row, call.app.now()) })))
}

pub(super) fn shown_product(channel: &str, id: &str, row: &LinkRow, now: Timestamp) -> Value {
    let window = Window::of(row);
    json!({
        "product_id": id, "sales_channel_id": channel, "available_from": window.from,
        "available_until": window.until, "is_within_window": window.is_open(now),
    })
}

async fn update_product(mut call: Call) -> Result<Reply, Fault> {
    let terms = ProductTerms { product_id: call.path("product_id").to_owned(), ..call.read()? };
    let call =
        update(call, AssortmentUpdate { products: vec![terms], ..AssortmentUpdate::default() }).await?;
    show_product(&call)
}

async fn excluded_variants(call: Call) -> Result<Reply, Fault> {
    let all = SALES_CHANNEL_EXCLUDED_VARIANT.rights_set(call.path("id").to_owned());
    page(&call, "variants", &all, |_, channel, id| Ok(shown_variant(channel, id, false)))
}

async fn variant(call: Call) -> Result<Reply, Fault> {
    show_variant(&call)
}

fn show_variant(call: &Call) -> Result<Reply, Fault> {
    let (view, channel, id) = (&call.view, call.path("id"), call.path("variant_id"));
    known_channel(view, channel)?;
    if !VARIANTS.table.exists(view, id)? {
        return Err(Fault::not_found(format!("Product variant with id: {id} was not found")));
    }
    let is_enabled = !SALES_CHANNEL_EXCLUDED_VARIANT.has(view, channel, id)?;
    Ok(Reply::json(&json!({ "variant": shown_variant(channel, id, is_enabled) })))
}

fn shown_variant(channel: &str, id: &str, is_enabled: bool) -> Value {
    json!({ "variant_id": id, "sales_channel_id": channel, "is_enabled": is_enabled })
}

async fn update_variant(mut call: Call) -> Result<Reply, Fault> {
    let terms = VariantTerms { variant_id: call.path("variant_id").to_owned(), ..call.read()? };
    let call =
        update(call, AssortmentUpdate { variants: vec![terms], ..AssortmentUpdate::default() }).await?;
    show_variant(&call)
}

async fn stock_locations(call: Call) -> Result<Reply, Fault> {
    let all = SALES_CHANNEL_STOCK_LOCATION.rights_set(call.path("id").to_owned());
    page(&call, "stock_locations", &all, |view, channel, id| {
        let row = SALES_CHANNEL_STOCK_LOCATION.row(view, channel, id)?.unwrap_or_default();
        Ok(shown_location(channel, id, &row))
    })
}

async fn stock_location(call: Call) -> Result<Reply, Fault> {
    show_location(&call)
}

fn show_location(call: &Call) -> Result<Reply, Fault> {
    let (view, channel, id) = (&call.view, call.path("id"), call.path("stock_location_id"));
    let Some(row) = SALES_CHANNEL_STOCK_LOCATION.row(view, channel, id)? else {
        let text = format!("Stock location with id: {id} is not linked to sales channel {channel}");
        return Err(Fault::not_found(text));
    };
    Ok(Reply::json(&json!({ "stock_location": shown_location(channel, id, &row) })))
}

fn shown_location(channel: &str, id: &str, row: &LinkRow) -> Value {
    json!({
        "stock_location_id": id, "sales_channel_id": channel, "priority": priority(row),
        "safety_stock": safety_stock(row),
    })
}

async fn update_location(mut call: Call) -> Result<Reply, Fault> {
    let terms =
        LocationTerms { stock_location_id: call.path("stock_location_id").to_owned(), ..call.read()? };
    let update_of = AssortmentUpdate { stock_locations: vec![terms], ..AssortmentUpdate::default() };
    let call = update(call, update_of).await?;
    show_location(&call)
}

async fn inventory_items(call: Call) -> Result<Reply, Fault> {
    let all = SALES_CHANNEL_INVENTORY_LEVEL.rights_set(call.path("id").to_owned());
    page(&call, "inventory_items", &all, |view, channel, id| {
        shown_item(view, channel, &INVENTORY_LEVELS.retrieve(view, id)?)
    })
}

async fn inventory_item(call: Call) -> Result<Reply, Fault> {
    show_item(&call)
}

fn show_item(call: &Call) -> Result<Reply, Fault> {
    let (view, channel) = (&call.view, call.path("id"));
    known_channel(view, channel)?;
    let level = level_or_not_stocked(view, call.path("inventory_item_id"), call.path("stock_location_id"))?;
    Ok(Reply::json(&json!({ "inventory_item": shown_item(view, channel, &level)? })))
}

fn shown_item(view: &View, channel: &str, level: &InventoryLevel) -> Result<Value, Fault> {
    let row = SALES_CHANNEL_INVENTORY_LEVEL.row(view, channel, &level.id)?;
    Ok(json!({
        "inventory_item_id": level.inventory_item_id, "stock_location_id": level.location_id,
        "sales_channel_id": channel, "safety_stock": row.as_ref().map(safety_stock),
    }))
}

async fn update_item(mut call: Call) -> Result<Reply, Fault> {
    let terms = ItemTerms {
        stock_location_id: call.path("stock_location_id").to_owned(),
        inventory_item_id: call.path("inventory_item_id").to_owned(),
        ..call.read()?
    };
    let update_of = AssortmentUpdate { inventory_items: vec![terms], ..AssortmentUpdate::default() };
    let call = update(call, update_of).await?;
    show_item(&call)
}

/// Updates windows, variants, locations and items in one transaction.
async fn update_all(mut call: Call) -> Result<Reply, Fault> {
    let terms = AssortmentUpdate { channel: call.path("id").to_owned(), ..call.read()? };
    if call.params.take("dry_run").is_some_and(|it| it == ["true"]) {
        known_channel(&call.view, &terms.channel)?;
        let now = call.app.now();
        return call.app.read(&call.view, move |view| planned(view, &terms, now)).await;
    }
    let counts = json!({
        "products": terms.products.len(), "variants": terms.variants.len(),
        "stock_locations": terms.stock_locations.len(), "inventory_items": terms.inventory_items.len(),
    });
    update(call, terms).await?;
    Ok(Reply::json(&json!({ "updated": counts })))
}

/// What would become of the products.
fn planned(view: &View, update: &AssortmentUpdate, now: Timestamp) -> Result<Reply, Fault> {
    let shown = |standing: Standing, product: &Product| {
        let state = standing.is_in_channel.then(|| ProductState::of(product, standing.window(), now));
        json!({
            "is_in_channel": standing.is_in_channel, "available_from": standing.available_from,
            "available_until": standing.available_until, "state": state.map(ProductState::as_str),
        })
    };
    let mut products = Vec::new();
    for ProductChange { product_id, before, after } in plan_products(view, update)? {
        let product = PRODUCTS.get(view, &product_id)?.unwrap_or_default();
        products.push(json!({
            "product_id": product_id, "title": product.title, "before": shown(before, &product),
            "after": shown(after, &product),
        }));
    }
    let channel = &update.channel;
    Ok(Reply::json(&json!({ "dry_run": true, "sales_channel_id": channel, "products": products })))
}

/// Runs the flow for the channel of the path; the call goes on with the snapshot of its commit.
async fn update(call: Call, update: AssortmentUpdate) -> Result<Call, Fault> {
    let update = AssortmentUpdate { channel: call.path("id").to_owned(), ..update };
    let ((), call) = run_once(call, &UPDATE_ASSORTMENT, update).await?;
    Ok(call)
}

fn known_channel(view: &dyn Read, id: &str) -> Result<(), Fault> {
    match SALES_CHANNELS.table.exists(view, id)? {
        true => Ok(()),
        false => Err(Fault::not_found(format!("Sales channel with id: {id} not found"))),
    }
}

/// A page of the records that are linked to the channel of the path, ordered by id.
fn page(
    call: &Call,
    many: &str,
    all: &dyn Ids,
    shown: impl Fn(&View, &str, &str) -> Result<Value, Fault>,
) -> Result<Reply, Fault> {
    let (view, channel) = (&call.view, call.path("id"));
    known_channel(view, channel)?;
    let (offset, limit) = (call.params.offset, call.params.limit);
    let (mut n, mut ids) = (0, Vec::new());
    all.scan(view, None, Direction::Ascending, &mut |id| {
        if n >= offset + limit {
            return Ok(Scan::Break(()));
        }
        if n >= offset {
            ids.push(id.to_owned());
        }
        n += 1;
        Ok(Scan::Continue(()))
    })?;
    let page = ids.iter().map(|id| shown(view, channel, id)).collect::<Result<Vec<Value>, Fault>>()?;
    let count = all.count(view)?;
    Ok(Reply::json(&json!({ many: page, "count": count, "offset": offset, "limit": limit })))
}
