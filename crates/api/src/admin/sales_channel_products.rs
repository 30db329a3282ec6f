//! Admin routes of the products of a channel, by state, and of what changes between two moments:
//! `/admin/sales-channels/:id/products`, `/admin/sales-channels/:id/changes`.

use atoll_availability::{
    Matrix, ProductState, Turn, count_products, count_variants, products_changed, published_in,
};
use atoll_kernel::{
    Fault, Read, Timestamp,
    data::{LinkRow, Node, of},
    http::{Answer, Call, Field, Param, ParamKind, Params, Part, Reply, Resource, Type, optional, required},
    limits::CHANGES_PAGE_MAX,
    query::{Comparison, Condition, Filter, Ids},
    routes,
    serde_json::{Value, json},
};
use atoll_links::{PRODUCT_SALES_CHANNEL, Window};
use atoll_product::{BY_PRODUCT, PRODUCTS, Product, ProductStatus, VARIANTS};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};

use super::{
    availability::{AT, CELL, COLUMN, CURRENCY, QUANTITY, REGION, parsed, wanted},
    sales_channel_assortment::{PRODUCT_FIELDS, shown_product},
};
use crate::tables::{any, date, list};

routes! {
    with "sales_channels";
    of ROW;
    /// Lists the products of a sales channel, with their periods of sale and states.
    /// Counts of all states come with each page; they read every window of the channel.
    Get "/admin/sales-channels/:id/products" (Admin, LIST) => products: PAGE;
    /// Lists the products that appear in a sales channel or disappear between two moments, the first ones
    /// first. Each has its variants with the decision at both moments, and the prices if a region or currency
    /// is asked for. A difference that needs a write, such as a delivery of stock, is not foreseen.
    Get "/admin/sales-channels/:id/changes" (Admin, CHANGES) => changes: CHANGED;
}

static ROW: Resource = Resource {
    entity: "product",
    one: "product",
    many: "products",
    fields: &["id"],
    store_fields: None,
    renamed: &[("product_id", "id"), ("tag_id", "tag_ids"), ("category_id", "category_ids")],
};

const LIST: Params = list(
    &[
        AT,
        Param::new("state", ParamKind::Words(ProductState::WORDS)).about("Only products in this state."),
        any("product_id").about("Only these products."),
        any("title"),
        any("handle"),
        any("collection_id"),
        any("category_id"),
        any("tag_id"),
        any("type_id"),
        Param::new("status", ParamKind::Words(ProductStatus::WORDS)),
        date("created_at"),
        date("updated_at"),
    ],
    50,
);
const CHANGES: Params = list(
    &[
        any("from").about("The earlier moment; now if it is absent."),
        any("to").about("The later moment. Required."),
        QUANTITY,
        REGION,
        CURRENCY,
    ],
    20,
);

const STATE: Type = Type::Words(ProductState::WORDS);
const TITLED: &[Field] = &[
    required("title", Type::Text).about("The title of the product."),
    required("handle", Type::Text).about("Its handle."),
    required("thumbnail", Type::Text).or_null().about("Its picture."),
    required("status", Type::Words(ProductStatus::WORDS)).about("Its status, in all channels."),
];
const PAGE: Answer = Answer::Object(&[
    Part::value("sales_channel", COLUMN, "The sales channel."),
    Part::value("at", Type::Date, "The time that was looked at."),
    Part::value("counts", COUNTS, "How many products of the channel are in each state."),
    Part::value("products", Type::List(&LISTED), "The products of the page."),
    Part::value("count", Type::NotNegative, "How many products there are on all pages."),
    Part::value("offset", Type::NotNegative, "How many of them were skipped."),
    Part::value("limit", Type::NotNegative, "The size of the page."),
    Part::Value(optional("next_cursor", Type::Text).or_null().about("The `cursor` of the next page.")),
]);
pub(super) const COUNTS: Type = Type::Object(&[
    required("on_sale", Type::NotNegative).about("Published, and within their windows."),
    required("not_yet", Type::NotNegative).about("Published, with a window that begins later."),
    required("over", Type::NotNegative).about("Published, with a window that has ended."),
    required("not_published", Type::NotNegative).about("Not published, whatever their windows."),
]);
const LISTED: Type = Type::Strict(&[PRODUCT_FIELDS, TITLED, STANDING]);
const STANDING: &[Field] = &[
    required("state", STATE).about("Whether the channel sells it, if it is not disabled itself."),
    required("n_variants", Type::NotNegative).about("How many variants it has."),
    required("n_excluded_variants", Type::NotNegative).about("How many of them the channel leaves out."),
];
const CHANGED: Answer = Answer::Object(&[
    Part::value("sales_channel", COLUMN, "The sales channel."),
    Part::value("from", Type::Date, "The earlier moment."),
    Part::value("to", Type::Date, "The later moment."),
    Part::value("products", Type::List(&CHANGE), "The products that appear or disappear, in that order."),
    Part::value("count", Type::NotNegative, "How many there are on all pages."),
    Part::value("offset", Type::NotNegative, "How many of them were skipped."),
    Part::value("limit", Type::NotNegative, "The size of the page."),
]);
const CHANGE: Type = Type::Strict(&[
    &[required("product_id", Type::Text).about("The product.")],
    TITLED,
    &[
        required("change", Type::Words(&["appears", "disappears"])).about("What happens in between."),
        required("changes_at", Type::Date).about("When it does."),
        required("state_before", STATE).about("Its state at the earlier moment."),
        required("state_after", STATE).about("Its state at the later moment."),
        required("variants", Type::List(&CHANGED_VARIANT)).about("Its variants."),
    ],
]);
const CHANGED_VARIANT: Type = Type::Object(&[
    required("variant_id", Type::Text).about("The variant."),
    required("title", Type::Text).about("Its title."),
    required("sku", Type::Text).or_null().about("Its SKU."),
    required("before", CELL).about("What the channel says of it at the earlier moment."),
    required("after", CELL).about("What the channel says of it at the later moment."),
]);
async fn products(mut call: Call) -> Result<Reply, Fault> {
    let channel = channel_of(&call)?;
    let at = parsed("at", call.params.take_one("at")?)?.unwrap_or_else(|| call.app.now());
    let state = call.params.take_one("state")?.and_then(|it| ProductState::parse(&it));
    let all = || Box::new(PRODUCT_SALES_CHANNEL.lefts_set(channel.id.to_string())) as Box<dyn Ids>;
    let within = match state {
        None => all(),
        Some(ProductState::NotPublished) => {
            let published = Some(ProductStatus::Published.as_str().to_owned());
            let (path, comparison) = (vec!["status"], Comparison::NotIn);
            let values = vec![published];
            call.params.filters.push(Filter::One(Condition { path, comparison, values }));
            all()
        }
        Some(state) => published_in(&channel.id, state, at),
    };
    let view = &call.view;
    ROW.plan(&call).page_as(view, vec![within], |nodes, envelope| {
        let ids: Vec<&str> = nodes.iter().map(|it| it.key()).collect();
        let variants = count_variants(view, &channel.id, &ids)?;
        let row = |node: &Node| {
            let product: &Product = of(node);
            let link = PRODUCT_SALES_CHANNEL.row(view, &product.id, &channel.id)?.unwrap_or_default();
            let n_variants = variants.get(&*product.id).copied().unwrap_or_default();
            Ok(listed(&channel, product, &link, n_variants, at))
        };
        let rows: Vec<Value> = nodes.iter().map(row).collect::<Result<_, Fault>>()?;
        envelope.field("sales_channel", &shown_channel(&channel));
        envelope.field("at", &at);
        envelope.field("counts", &count_products(view, &channel.id, at)?);
        envelope.field("products", &rows);
        Ok(())
    })
}

fn listed(
    channel: &SalesChannel,
    product: &Product,
    link: &LinkRow,
    (n_variants, n_excluded): (u64, u64),
    at: Timestamp,
) -> Value {
    let mut shown = shown_product(&channel.id, &product.id, link, at);
    add_titles(&mut shown, product);
    shown["state"] = ProductState::of(product, Window::of(link), at).as_str().into();
    shown["n_variants"] = n_variants.into();
    shown["n_excluded_variants"] = n_excluded.into();
    shown
}

fn add_titles(shown: &mut Value, product: &Product) {
    shown["title"] = json!(product.title);
    shown["handle"] = json!(product.handle);
    shown["thumbnail"] = json!(product.thumbnail);
    shown["status"] = json!(product.status);
}

fn shown_channel(channel: &SalesChannel) -> Value {
    json!({ "id": channel.id, "name": channel.name, "is_disabled": channel.is_disabled })
}

/// The channel of the path.
fn channel_of(call: &Call) -> Result<SalesChannel, Fault> {
    let id = call.path("id");
    let found = SALES_CHANNELS.get(&call.view, id)?;
    found.ok_or_else(|| Fault::not_found(format!("Sales channel with id: {id} not found")))
}

async fn changes(mut call: Call) -> Result<Reply, Fault> {
    let channel = channel_of(&call)?;
    let (offset, limit) = (call.params.offset, call.params.limit);
    if limit > CHANGES_PAGE_MAX {
        return Err(Fault::invalid(format!(
            "Invalid request: Value for field 'limit' too large, expected at most: '{CHANGES_PAGE_MAX}'"
        )));
    }
    let to: Option<Timestamp> = parsed("to", call.params.take_one("to")?)?;
    let to = to.ok_or_else(|| Fault::invalid("Invalid request: Field 'to' is required"))?;
    let before = wanted(&mut call, "from")?;
    if to < before.at {
        return Err(Fault::invalid("Invalid request: Value for field 'to' is before 'from'"));
    }
    let after = before.clone().at(to);
    let view = &call.view;
    let changed = products_changed(view, &channel.id, before.at, to)?;
    let column = std::slice::from_ref(&channel);
    let mut moments = [Matrix::open(view, column, &before)?, Matrix::open(view, column, &after)?];
    let mut rows = Vec::new();
    for turn in changed.iter().skip(offset).take(limit) {
        let Some(product) = PRODUCTS.get(view, &turn.product)? else { continue };
        rows.push(change(view, &channel, &product, turn, &mut moments)?);
    }
    Ok(Reply::json(&json!({
        "sales_channel": shown_channel(&channel), "from": before.at, "to": to, "products": rows,
        "count": changed.len(), "offset": offset, "limit": limit,
    })))
}

/// A product with its variants at both moments.
fn change(
    view: &dyn Read,
    channel: &SalesChannel,
    product: &Product,
    turn: &Turn,
    moments: &mut [Matrix<'_>; 2],
) -> Result<Value, Fault> {
    let link = PRODUCT_SALES_CHANNEL.row(view, &product.id, &channel.id)?.unwrap_or_default();
    let [before, after] = moments;
    let mut variants = Vec::new();
    for variant in VARIANTS.table.list_by(view, &BY_PRODUCT, &[&product.id])? {
        variants.push(json!({
            "variant_id": variant.id, "title": variant.title, "sku": variant.sku,
            "before": before.cells(&variant)?.first(), "after": after.cells(&variant)?.first(),
        }));
    }
    let state = |at| ProductState::of(product, Window::of(&link), at).as_str();
    let mut shown = json!({
        "product_id": product.id, "change": if turn.appears { "appears" } else { "disappears" },
        "changes_at": turn.at,
        "state_before": state(before.at()), "state_after": state(after.at()), "variants": variants,
    });
    add_titles(&mut shown, product);
    Ok(shown)
}
