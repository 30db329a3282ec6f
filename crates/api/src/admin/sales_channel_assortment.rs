//! Admin routes of a channel's assortment and availability: `/admin/sales-channels/:id/…`.

use atoll_availability::{Question, explain, price_context};
use atoll_flows::sales_channel::{
    AssortmentUpdate, LocationTerms, ProductTerms, UPDATE_ASSORTMENT, VariantTerms,
};
use atoll_kernel::{
    Decimal, Fault, Read, Timestamp,
    data::{Direction, LinkRow, Scan, View},
    http::{Body, Call, Field, Params, Reply, Type, optional, required},
    limits::NUMBER_DIGITS_MAX,
    query::Ids,
    routes,
    serde_json::{Value, json},
};
use atoll_links::{
    PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT, SALES_CHANNEL_STOCK_LOCATION, Window, priority,
    safety_stock,
};
use atoll_product::VARIANTS;
use atoll_region::REGIONS;
use atoll_sales_channel::SALES_CHANNELS;

use crate::{
    reply::run_once,
    tables::{ONE, any, list},
};

routes! {
    with "sales_channels";
    /// Says whether a channel sells a variant, now or at another time, and how many. If it does not, every
    /// reason is listed with its record and value.
    Get "/admin/sales-channels/:id/availability" (Admin, QUESTION) => availability;
    /// Lists the products of a sales channel, with their periods of sale.
    Get "/admin/sales-channels/:id/products" (Admin, PAGE) => products;
    /// Shows when a sales channel sells a product.
    Get "/admin/sales-channels/:id/products/:product_id" (Admin, ONE) => product;
    /// Sets from when and until when a sales channel sells a product.
    Post "/admin/sales-channels/:id/products/:product_id" (Admin, ONE, PRODUCT) => update_product;
    /// Lists the variants that a sales channel leaves out.
    Get "/admin/sales-channels/:id/excluded-variants" (Admin, PAGE) => excluded_variants;
    /// Shows whether a sales channel sells a variant of its products, or leaves it out.
    Get "/admin/sales-channels/:id/variants/:variant_id" (Admin, ONE) => variant;
    /// Sets whether a sales channel sells a variant of its products, or leaves it out.
    Post "/admin/sales-channels/:id/variants/:variant_id" (Admin, ONE, VARIANT) => update_variant;
    /// Lists the stock locations that serve a sales channel, with priority and safety stock.
    Get "/admin/sales-channels/:id/stock-locations" (Admin, PAGE) => stock_locations;
    /// Shows how a stock location serves a sales channel.
    Get "/admin/sales-channels/:id/stock-locations/:stock_location_id" (Admin, ONE) => stock_location;
    /// Sets the priority of a stock location for a sales channel, and the safety stock that stays there.
    Post "/admin/sales-channels/:id/stock-locations/:stock_location_id" (Admin, ONE, LOCATION) => update_location;
    /// Sets periods of sale, variants and stock locations of a sales channel, all or none.
    Post "/admin/sales-channels/:id/assortment" (Admin, ONE, ASSORTMENT) => update_all;
}

const QUESTION: Params = Params {
    own: &[
        any("variant_id").about("The variant. Required."),
        any("quantity").about("How many are wanted; 1 if it is absent."),
        any("at").about("The time to look at; now if it is absent."),
        any("region_id").about("The region in which there must be a price."),
        any("currency_code").about("The currency in which there must be a price."),
    ],
    limit: None,
    strict: true,
};
const PAGE: Params = list(&[], 50);

const WINDOW: &[Field] =
    &[optional("available_from", Type::Date).or_null(), optional("available_until", Type::Date).or_null()];
const PRODUCT: Body = &[WINDOW];
const ENABLED: &[Field] = &[required("is_enabled", Type::Bool)];
const VARIANT: Body = &[ENABLED];
const SUPPLY: &[Field] = &[optional("priority", Type::Number), optional("safety_stock", Type::NotNegative)];
const LOCATION: Body = &[SUPPLY];
const ASSORTMENT: Body = &[&[
    optional("products", Type::List(&Type::Strict(&[&[required("product_id", Type::Text)], WINDOW]))),
    optional("variants", Type::List(&Type::Strict(&[&[required("variant_id", Type::Text)], ENABLED]))),
    optional(
        "stock_locations",
        Type::List(&Type::Strict(&[&[required("stock_location_id", Type::Text)], SUPPLY])),
    ),
]];

/// Answers whether a variant is available in the channel, and why not.
async fn availability(mut call: Call) -> Result<Reply, Fault> {
    let mut take = |name| call.params.take_one(name);
    let variant = take("variant_id")
        .ok_or_else(|| Fault::invalid("Invalid request: Field 'variant_id' is required"))?;
    let quantity = parsed::<Decimal>("quantity", take("quantity"))?.unwrap_or(Decimal::ONE);
    if quantity <= Decimal::ZERO {
        return Err(Fault::invalid(
            "Invalid request: Value for field 'quantity' too small, expected at least: '0'",
        ));
    }
    if !quantity.is_short() {
        return Err(Fault::invalid(format!(
            "Invalid request: Value for field 'quantity' has more than {NUMBER_DIGITS_MAX} digits"
        )));
    }
    let at = parsed::<Timestamp>("at", take("at"))?;
    let (region, mut currency) = (take("region_id"), take("currency_code"));
    if let Some(id) = &region {
        let found = REGIONS.get(&call.view, id)?;
        let region = found.ok_or_else(|| Fault::not_found(format!("Region with id: {id} not found")))?;
        currency = currency.or(Some(region.currency_code));
    }
    let price = currency.map(|it| price_context(&it.to_lowercase(), region.as_deref(), Some(quantity)));
    let question = Question {
        channel: call.path("id"),
        variant: &variant,
        quantity,
        at: at.unwrap_or_else(|| call.app.now()),
        price: price.as_ref(),
    };
    Ok(Reply::json(&json!({ "availability": explain(&call.view, &question)? })))
}

fn parsed<T: std::str::FromStr>(name: &str, given: Option<String>) -> Result<Option<T>, Fault> {
    let parse = |text: String| {
        text.parse().map_err(|_| {
            Fault::invalid(format!("Invalid request: Value for field '{name}' is not valid: '{text}'"))
        })
    };
    given.map(parse).transpose()
}

async fn products(call: Call) -> Result<Reply, Fault> {
    let now = call.app.now();
    let all = PRODUCT_SALES_CHANNEL.lefts_set(call.path("id").to_owned());
    page(&call, "products", &all, |view, channel, id| {
        let row = PRODUCT_SALES_CHANNEL.row(view, id, channel)?.unwrap_or_default();
        Ok(shown_product(channel, id, &row, now))
    })
}

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

fn shown_product(channel: &str, id: &str, row: &LinkRow, now: Timestamp) -> Value {
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

/// Updates windows, variants and locations in one transaction.
async fn update_all(mut call: Call) -> Result<Reply, Fault> {
    let terms: AssortmentUpdate = call.read()?;
    let counts = json!({
        "products": terms.products.len(), "variants": terms.variants.len(),
        "stock_locations": terms.stock_locations.len(),
    });
    update(call, terms).await?;
    Ok(Reply::json(&json!({ "updated": counts })))
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
    let (mut place, mut ids) = (0, Vec::new());
    all.scan(view, Direction::Ascending, &mut |id| {
        if place >= offset + limit {
            return Ok(Scan::Break(()));
        }
        if place >= offset {
            ids.push(id.to_owned());
        }
        place += 1;
        Ok(Scan::Continue(()))
    })?;
    let page = ids.iter().map(|id| shown(view, channel, id)).collect::<Result<Vec<Value>, Fault>>()?;
    let count = all.count(view)?;
    Ok(Reply::json(&json!({ many: page, "count": count, "offset": offset, "limit": limit })))
}
