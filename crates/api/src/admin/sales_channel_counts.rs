//! Admin route of what sales channels sell and have sold, for many of them at once:
//! `/admin/sales-channel-counts`. An addition of ours to the wire.

use std::cmp::Reverse;

use atoll_availability::{SaleCounts, count_products, sale_counts};
use atoll_kernel::{
    Fault, Registry, Timestamp,
    http::{Answer, Call, Params, Part, Reply, Type, required},
    limits::CHANNELS_COUNTED_MAX,
    query::{Comparison, Condition, Env, Filter, ListQuery, list},
    routes,
    serde_json::{Value, json},
};
use atoll_order::ORDER;
use atoll_sales_channel::SALES_CHANNELS;

use super::{availability::parsed, sales_channel_products::COUNTS};
use crate::tables::any;

routes! {
    with "sales_channels";
    /// Counts what sales channels sell: their products by state, their orders, and their variants by what
    /// keeps them from sale. At most 50 channels are asked for; those that are not there are left out.
    /// Variants are counted in the background, each channel some minutes after the one before it: their
    /// counts say when.
    Get "/admin/sales-channel-counts" (Admin, ASKED) => index: COUNTED;
}

const ASKED: Params = Params {
    own: &[
        any("sales_channel_id").about("The sales channels. Required."),
        any("orders_from").about("Count the orders since this time; all if it is absent."),
    ],
    limit: None,
    strict: true,
};

const COUNTED: Answer = Answer::Object(&[
    Part::value("at", Type::Date, "The time of the states."),
    Part::value(
        "sales_channels",
        Type::List(&CHANNEL),
        "The channels, in the order in which they are named.",
    ),
]);
const CHANNEL: Type = Type::Object(&[
    required("sales_channel_id", Type::Text).about("The sales channel."),
    required("products", COUNTS).about("How many products of the channel are in each state."),
    required("orders", Type::NotNegative).about("How many orders it has had since `orders_from`."),
    required("variants", VARIANTS)
        .or_null()
        .about("Its variants by what keeps them from sale; null if they have not been counted yet."),
]);
const VARIANTS: Type = Type::Object(&[
    required("began_at", Type::Date).about("When counting began: what has changed since may be missing."),
    required("counted_at", Type::Date).about("When it ended."),
    required("currency_code", Type::Text)
        .or_null()
        .about("The currency in which there had to be a price: that of the default region, or of the store."),
    required("total", Type::NotNegative).about("How many variants the products of the channel have."),
    required("on_sale", Type::NotNegative).about("How many of them can be bought, one piece each."),
    required("blocked", Type::List(&BLOCKED))
        .about("The others by the first reason, the most frequent first."),
]);
const BLOCKED: Type = Type::Object(&[
    required("code", Type::Text).about("The reason, as in answers about availability: `no_price`."),
    required("count", Type::NotNegative).about("How many variants it keeps from sale."),
]);

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let asked = call.params.take("sales_channel_id").unwrap_or_default();
    if asked.is_empty() {
        return Err(Fault::invalid("Invalid request: Field 'sales_channel_id' is required"));
    }
    if asked.len() > CHANNELS_COUNTED_MAX {
        return Err(Fault::invalid(format!(
            "Invalid request: At most {CHANNELS_COUNTED_MAX} sales channels can be counted, got: '{}'",
            asked.len()
        )));
    }
    let orders_from = parsed("orders_from", call.params.take_one("orders_from")?)?;
    let at = call.app.now();
    let mut channels = Vec::new();
    for id in asked {
        if !SALES_CHANNELS.table.exists(&call.view, &id)? {
            continue;
        }
        channels.push(json!({
            "sales_channel_id": id, "products": count_products(&call.view, &id, at)?,
            "orders": count_orders(&call, &id, orders_from)?,
            "variants": sale_counts(&call.view, &id)?.map(|it| shown(&it)),
        }));
    }
    Ok(Reply::json(&json!({ "at": at, "sales_channels": channels })))
}

fn count_orders(call: &Call, channel: &str, from: Option<Timestamp>) -> Result<u64, Fault> {
    let condition = |path, comparison, value: String| {
        Filter::One(Condition { path: vec![path], comparison, values: vec![Some(value)] })
    };
    let mut filters = vec![condition("sales_channel_id", Comparison::In, channel.to_owned())];
    filters.extend(from.map(|it| condition("created_at", Comparison::Gte, it.to_string())));
    let graph = Registry::graph();
    let env = Env { view: &call.view, graph, context: call.context() };
    let orders = graph.table(ORDER).def();
    Ok(list(&env, orders, ListQuery { filters, ..ListQuery::default() })?.count)
}

fn shown(counts: &SaleCounts) -> Value {
    let SaleCounts { began_at, counted_at, currency_code, n_variants, n_sold, n_blocked } = counts;
    let mut blocked: Vec<_> = n_blocked.iter().collect();
    blocked.sort_by_key(|(_, n)| Reverse(**n));
    let blocked: Vec<_> = blocked.iter().map(|(code, n)| json!({ "code": code, "count": n })).collect();
    json!({
        "began_at": began_at, "counted_at": counted_at, "currency_code": currency_code, "total": n_variants,
        "on_sale": n_sold, "blocked": blocked,
    })
}
