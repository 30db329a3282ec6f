//! Admin routes of availability: why a channel does not sell a variant, and many variants in many channels at
//! once: `/admin/sales-channels/:id/availability`, `/admin/availability`. An addition of ours to the wire.

use std::collections::BTreeSet;

use atoll_availability::{CHANNEL, Matrix, Question, Wanted, explain, price_context};
use atoll_kernel::{
    Decimal, Fault, Read, StoreError, Timestamp,
    data::{Direction, Scan, of},
    http::{Answer, Call, Field, Param, Params, Part, Reply, Resource, Type, optional, required},
    limits::{AVAILABILITY_CELLS_MAX, NUMBER_DIGITS_MAX},
    routes,
    serde_json::{Value, json},
};
use atoll_region::REGIONS;
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};

use crate::tables::{any, list, nested};

routes! {
    with "sales_channels";
    of ROW;
    /// Lists variants with what each sales channel says of them.
    /// A cell says whether the channel sells the variant, now or at another time, how many, and if not, the
    /// first reason, with the next moment at which that may change. Filters by what a product has read every
    /// variant that matches; a page costs least by the ids of its products.
    Get "/admin/availability" (Admin, TABLE) => table: ROWS;
    /// Says whether a channel sells a variant, now or at another time, and how many. If it does not, every
    /// reason is listed with its record and value.
    Get "/admin/sales-channels/:id/availability" (Admin, QUESTION) => availability: AVAILABILITY;
}

static ROW: Resource = Resource {
    entity: "product_variant",
    one: "variant",
    many: "variants",
    fields: &["id"],
    store_fields: None,
    renamed: &[
        ("variant_id", "id"),
        ("collection_id", "product.collection_id"),
        ("type_id", "product.type_id"),
        ("category_id", "product.category_ids"),
        ("tag_id", "product.tag_ids"),
    ],
};

pub(super) const QUANTITY: Param = any("quantity").about("How many are wanted; 1 if it is absent.");
pub(super) const AT: Param = any("at").about("The time to look at; now if it is absent.");
pub(super) const REGION: Param = any("region_id").about("The region in which there must be a price.");
pub(super) const CURRENCY: Param = any("currency_code").about("The currency in which there must be a price.");
const QUESTION: Params = Params {
    own: &[any("variant_id").about("The variant. Required."), QUANTITY, AT, REGION, CURRENCY],
    limit: None,
    strict: true,
};
const TABLE: Params = list(
    &[
        QUANTITY,
        AT,
        REGION,
        CURRENCY,
        any("sales_channel_id").about("The sales channels; all if it is absent."),
        any("variant_id").about("Only these variants."),
        any("title"),
        any("sku"),
        any("product_id"),
        any("collection_id").about("Only variants of products in these collections."),
        any("category_id").about("Only variants of products in these categories."),
        any("tag_id").about("Only variants of products with these tags."),
        any("type_id").about("Only variants of products of these types."),
        nested("product", &[any("title"), any("handle"), any("status")]),
    ],
    20,
);

const CHANGES_AT: &str = "The next moment at which time alone may change the answer; null if it never does.";
const PRICE: &str = "Its price, if one is required; null if there is none.";
const CHANNEL_ID: Field = required("sales_channel_id", Type::Text).about("The sales channel.");
const ROWS: Answer = Answer::Object(&[
    Part::value("at", Type::Date, "The time that was looked at."),
    Part::Value(required("changes_at", Type::Date).or_null().about(CHANGES_AT)),
    Part::value("sales_channels", Type::List(&COLUMN), "The sales channels, in the order of the cells."),
    Part::value("variants", Type::List(&VARIANT), "The variants of the page."),
    Part::value("count", Type::NotNegative, "How many variants there are on all pages."),
    Part::value("offset", Type::NotNegative, "How many of them were skipped."),
    Part::value("limit", Type::NotNegative, "The size of the page."),
    Part::Value(optional("next_cursor", Type::Text).or_null().about("The `cursor` of the next page.")),
]);
pub(super) const COLUMN: Type = Type::Object(&[
    required("id", Type::Text).about("The sales channel."),
    required("name", Type::Text).about("Its name."),
    required("is_disabled", Type::Bool).about("Whether it is disabled, and sells nothing."),
]);
const VARIANT: Type = Type::Object(&[
    required("id", Type::Text).about("The variant."),
    required("title", Type::Text).about("Its title."),
    required("sku", Type::Text).or_null().about("Its SKU."),
    required("product_id", Type::Text).about("Its product."),
    required("product_title", Type::Text).or_null().about("The title of the product."),
    required("thumbnail", Type::Text).or_null().about("A picture of the variant, or else of the product."),
    required("cells", Type::List(&CELL)).about("What each sales channel says."),
]);
pub(super) const CELL: Type = Type::Object(&[
    CHANNEL_ID,
    required("variant_id", Type::Text).about("The variant."),
    required("sellable", Type::Bool).about("Whether the channel sells that many."),
    required("available_quantity", Type::Number)
        .or_null()
        .about("How many it can sell; null if that is not limited."),
    required("price", Type::Number).or_null().about(PRICE),
    required("reason", REASON).or_null().about("The first reason why it does not; null if it does."),
    required("changes_at", Type::Date).or_null().about(CHANGES_AT),
]);
const AVAILABILITY: Answer =
    Answer::Object(&[Part::value("availability", VERDICT, "The answer, with reasons.")]);
const VERDICT: Type = Type::Object(&[
    CHANNEL_ID,
    required("variant_id", Type::Text).about("The variant."),
    required("product_id", Type::Text).or_null().about("Its product; null if there is no such variant."),
    required("quantity", Type::Positive).about("How many are wanted."),
    required("at", Type::Date).about("The time that was looked at."),
    required("sellable", Type::Bool).about("Whether the channel sells that many."),
    required("available_quantity", Type::Number)
        .or_null()
        .about("How many it can sell; null if that is not limited."),
    required("price", Type::Number).or_null().about(PRICE),
    required("reasons", Type::List(&REASON)).about("Why it does not; empty if it does."),
    required("changes_at", Type::Date).or_null().about(CHANGES_AT),
    required("inventory", Type::List(&SUPPLY_OF_ITEM))
        .or_null()
        .about("The inventory items of the variant, with their levels at the locations of the channel."),
]);
const REASON: Type = Type::Object(&[
    required("code", Type::Text).about("The reason, for programs: `insufficient_inventory`."),
    required("message", Type::Text).about("The reason in words."),
    required("entity", Type::Text).about("The kind of record that says so."),
    required("id", Type::Text).about("The id of that record."),
    required("field", Type::Text).about("The field of it."),
    required("value", Type::Any).about("The value of the field."),
]);
const SUPPLY_OF_ITEM: Type = Type::Object(&[
    required("inventory_item_id", Type::Text).about("The inventory item."),
    required("required_quantity", Type::Positive).about("How many of it a unit of the variant needs."),
    required("location_levels", Type::List(&LEVEL)).about("What is at the locations of the channel."),
]);
const LEVEL: Type = Type::Object(&[
    required("location_id", Type::Text).about("The stock location."),
    required("priority", Type::Number).about("Lower numbers are served from first."),
    required("safety_stock", Type::NotNegative).about("How many stay there."),
    required("stocked_quantity", Type::Number).or_null().about("How many are there; null without a level."),
    required("reserved_quantity", Type::Number).or_null().about("How many of them are reserved."),
]);

/// Answers whether a variant is available in the channel, and why not.
async fn availability(mut call: Call) -> Result<Reply, Fault> {
    let variant = call.params.take_one("variant_id")?;
    let variant = variant.ok_or_else(|| Fault::invalid("Invalid request: Field 'variant_id' is required"))?;
    let Wanted { quantity, at, price } = wanted(&mut call, "at")?;
    let price = price.map(|it| it.with(CHANNEL, Some(call.path("id"))));
    let question =
        Question { channel: call.path("id"), variant: &variant, quantity, at, price: price.as_ref() };
    Ok(Reply::json(&json!({ "availability": explain(&call.view, &question)? })))
}

/// Takes what is wanted out of the parameters, of which `at` has the time; now if it is absent.
pub(super) fn wanted(call: &mut Call, at: &'static str) -> Result<Wanted, Fault> {
    let mut take = |name| call.params.take_one(name);
    let quantity = parsed::<Decimal>("quantity", take("quantity")?)?.unwrap_or(Decimal::ONE);
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
    let at = parsed::<Timestamp>(at, take(at)?)?;
    let (region, mut currency) = (take("region_id")?, take("currency_code")?);
    if let Some(id) = &region {
        let found = REGIONS.get(&call.view, id)?;
        let region = found.ok_or_else(|| Fault::not_found(format!("Region with id: {id} not found")))?;
        currency = currency.or(Some(region.currency_code));
    }
    let at = at.unwrap_or_else(|| call.app.now());
    let price = currency.map(|it| price_context(&it.to_lowercase(), region.as_deref(), Some(quantity), at));
    Ok(Wanted { quantity, at, price })
}

pub(super) fn parsed<T: std::str::FromStr>(name: &str, given: Option<String>) -> Result<Option<T>, Fault> {
    let parse = |text: String| {
        text.parse().map_err(|_| {
            Fault::invalid(format!("Invalid request: Value for field '{name}' is not valid: '{text}'"))
        })
    };
    given.map(parse).transpose()
}

/// Answers for a page of variants and some channels at once.
async fn table(mut call: Call) -> Result<Reply, Fault> {
    let wanted = wanted(&mut call, "at")?;
    let channels = columns(&call.view, call.params.take("sales_channel_id"))?;
    let n_cells = channels.len().saturating_mul(call.params.limit);
    if n_cells > AVAILABILITY_CELLS_MAX {
        return Err(Fault::invalid(format!(
            "Invalid request: {} variants in {} sales channels are more than {AVAILABILITY_CELLS_MAX} cells: lower \
             `limit`, or name sales channels",
            call.params.limit,
            channels.len(),
        )));
    }
    ROW.plan(&call).page_as(&call.view, Vec::new(), |nodes, envelope| {
        let mut matrix = Matrix::open(&call.view, &channels, &wanted)?;
        let rows: Vec<Value> = nodes.iter().map(|it| matrix.row(of(it))).collect::<Result<_, _>>()?;
        envelope.field("at", &wanted.at);
        envelope.field("changes_at", &matrix.changes_at());
        let column =
            |it: &SalesChannel| json!({ "id": it.id, "name": it.name, "is_disabled": it.is_disabled });
        envelope.field("sales_channels", &channels.iter().map(column).collect::<Vec<_>>());
        envelope.field("variants", &rows);
        Ok(())
    })
}

/// The channels with these ids that exist, or all, by id; no more than are too many.
fn columns(view: &dyn Read, asked: Option<Vec<String>>) -> Result<Vec<SalesChannel>, StoreError> {
    if let Some(ids) = asked {
        let found =
            ids.into_iter().collect::<BTreeSet<_>>().into_iter().map(|id| SALES_CHANNELS.get(view, &id));
        return found.filter_map(Result::transpose).collect();
    }
    let mut all = Vec::new();
    SALES_CHANNELS.table.scan(view, None, Direction::Ascending, &mut |channel| {
        all.push(channel);
        Ok(if all.len() > AVAILABILITY_CELLS_MAX { Scan::Break(()) } else { Scan::Continue(()) })
    })?;
    Ok(all)
}
