//! Admin routes of price lists and their prices: `/admin/price-lists`.

use atoll_flows::pricing::{
    BATCH_PRICE_LIST_PRICES, CREATE_PRICE_LISTS, DELETE_PRICE_LISTS, ListPriceBatch, NewPriceList,
    REMOVE_PRICE_LIST_PRODUCTS, UPDATE_PRICE_LISTS,
};
use atoll_kernel::{
    Fault, Timestamp,
    http::{
        Answer, Body, Call, Field, Param, ParamKind, Params, Part, Reply, Resource, Type, optional, required,
    },
    part_of, resources, routes,
    serde_json::Value,
};
use atoll_pricing::{LIST_PRICES, PRICE_LISTS, PriceListStatus, PriceListType, list::PriceListPatch};

use crate::{
    body::{self, Fields, take},
    crud::crud,
    reply::{only, page, perform, perform_batch},
    tables::{BATCH_DELETE, IDS, METADATA, ONE, any, batch_create, batch_update, date, list, number},
};

part_of! { "price-list" }

crud! {
    of PRICE_LIST at "/admin/price-lists" for Admin;
    called "a price list" / "price lists";
    not_found "Price list with id: {} was not found";
    /// Its prices have a list of their own.
    find ONE;
    /// Its prices are deleted with it.
    delete "price_list" by DELETE_PRICE_LISTS;
}

routes! {
    of PRICE_LIST;
    /// Lists the price lists.
    Get "/admin/price-lists" (Admin, LIST) => index;
    /// Creates a price list, with its prices. One call creates at most 200,000 prices.
    Post "/admin/price-lists" (Admin, ONE, CREATE, up_to PRICES_BYTES_MAX) => create;
    /// Updates a price list. Fields that are absent stay as they are; rules are replaced as a whole.
    Post "/admin/price-lists/:id" (Admin, ONE, UPDATE) => update;
    /// Lists the prices of a price list.
    Get "/admin/price-lists/:id/prices" (Admin, PRICES) => prices: Answer::Page(&LIST_PRICE);
    /// Creates, updates and deletes prices of a price list, all or none: at most 200,000 in one call. A price
    /// whose variant, currency, quantities and rules are those of another one replaces its amount.
    Post "/admin/price-lists/:id/prices/batch" (Admin, ONE, BATCH, up_to PRICES_BYTES_MAX) => batch: BATCH_DONE;
    /// Deletes the prices that a price list has for variants of these products.
    Post "/admin/price-lists/:id/products" (Admin, ONE, PRODUCTS) => remove_products;
}

resources! { LIST_PRICE }

static PRICE_LIST: Resource = Resource {
    entity: "price_list",
    one: "price_list",
    many: "price_lists",
    fields: &[
        "id", "type", "description", "title", "status", "starts_at", "ends_at", "created_at", "updated_at",
        "deleted_at", "metadata", "rules",
    ],
    store_fields: None,
    renamed: &[],
};

static LIST_PRICE: Resource = Resource {
    entity: "list_price",
    one: "price",
    many: "prices",
    fields: &[
        "id", "currency_code", "amount", "min_quantity", "max_quantity", "created_at", "deleted_at",
        "updated_at", "price_set_id", "price_set.variant.id", "price_rules",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), date("starts_at"), date("ends_at"), Param::new("status", ParamKind::Many)], 50);
const PRICES: Params = list(&[any("id")], 50);

/// Upper bound of a body: 200,000 prices of 160 bytes each.
const PRICES_BYTES_MAX: usize = 32 * 1024 * 1024;

const DATE: Type = Type::Text;
const MORE: &[Field] = &[
    optional("starts_at", DATE).or_null().about("From when it applies, a date; null is unlimited."),
    optional("ends_at", DATE).or_null().about("Until when it applies, a date; null is unlimited."),
    // In the order in which the wire names them.
    optional("status", Type::Words(&["active", "draft"])),
    optional("type", Type::Words(PriceListType::WORDS)),
    optional("rules", Type::Record).about(
        "To what it applies: by attribute (`customer.groups.id`, `region_id`, `sales_channel_id`), a list of \
         the values of which a sale must have one. An empty list is no rule.",
    ),
    METADATA,
];
const CREATE: Body = &[
    &[
        required("title", Type::Text),
        required("description", Type::Text),
        optional("prices", Type::List(&NEW_PRICE)).about("Its prices."),
    ],
    MORE,
];
const UPDATE: Body = &[&[optional("title", Type::Text), optional("description", Type::Text).or_null()], MORE];
const TERMS: &[Field] = &[
    number("min_quantity").about("The least quantity of a line to which it applies."),
    number("max_quantity").about("The largest quantity of a line to which it applies."),
    optional("rules", Type::Record).about("Where it applies, by attribute: `{\"region_id\": \"reg_…\"}`."),
];
const NEW_PRICE: Type = Type::Strict(&[
    &[
        required("currency_code", Type::Text).about("ISO 4217."),
        required("amount", Type::NotNegative).about("The price of one, in units of the currency."),
        required("variant_id", Type::Text).about("The variant."),
    ],
    TERMS,
]);
const CHANGED_PRICE: Type = Type::Strict(&[
    &[
        required("id", Type::Text).about("The id of a price of the list."),
        optional("currency_code", Type::Text).about("ISO 4217."),
        optional("amount", Type::NotNegative).about("The price of one, in units of the currency."),
        optional("variant_id", Type::Text).about("The variant."),
    ],
    TERMS,
]);
const BATCH: Body =
    &[&[batch_create(Type::List(&NEW_PRICE)), batch_update(Type::List(&CHANGED_PRICE)), BATCH_DELETE]];
const BATCH_DONE: Answer = Answer::Object(&[
    Part::Many("created", &LIST_PRICE),
    Part::Many("updated", &LIST_PRICE),
    Part::value(
        "deleted",
        Type::Object(&[
            required("ids", IDS).about("The ids of the prices that were deleted."),
            required("object", Type::Text).about("What was deleted: `price`."),
            required("deleted", Type::Bool).about("Always true."),
        ]),
        "What was deleted.",
    ),
]);
const PRODUCTS: Body = &[&[optional("remove", IDS).about("The ids of the products.")]];

async fn index(mut call: Call) -> Result<Reply, Fault> {
    if let Some(statuses) = call.params.take("status") {
        if let Some(n) = statuses.iter().position(|it| !PriceListStatus::WORDS.contains(&it.as_str())) {
            return Err(Fault::invalid(format!("Invalid request: Field 'status, {n}' is required")));
        }
        call.params.narrow("status", statuses);
    }
    page(&PRICE_LIST, &call, Vec::new())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: Fields = call.read()?;
    check_fields(&fields)?;
    let prices = take(&mut fields, "prices")?.unwrap_or_default();
    let new = NewPriceList { list: body::read(fields)?, prices };
    perform(&PRICE_LIST, call, move |flow| only(flow.run(&CREATE_PRICE_LISTS, vec![new])?)).await
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let fields: Fields = call.read()?;
    check_fields(&fields)?;
    let (id, patch) = (call.path("id").to_owned(), body::read::<PriceListPatch>(fields)?);
    perform(&PRICE_LIST, call, move |flow| flow.run(&UPDATE_PRICE_LISTS, (id, patch))).await
}

/// Checks dates, rules and a description, in the words of the wire.
fn check_fields(fields: &Fields) -> Result<(), Fault> {
    if fields.get("description").is_some_and(Value::is_null) {
        return Err(Fault::invalid("Cannot set field 'description' of Price list to null"));
    }
    for (field, words) in [("starts_at", "starts at"), ("ends_at", "ends at")] {
        if let Some(text) = fields.get(field).and_then(Value::as_str)
            && text.parse::<Timestamp>().is_err()
        {
            let text = format!("Cannot set price list {words} with with invalid date string: {text}");
            return Err(Fault::invalid(text));
        }
    }
    for (attribute, values) in fields.get("rules").and_then(Value::as_object).into_iter().flatten() {
        let Some(values) = values.as_array() else {
            let got = values.as_str().map_or_else(|| values.to_string(), str::to_owned);
            return Err(Fault::invalid(format!(
                "Invalid request: Expected type: 'array' for field 'rules, {attribute}', got: '{got}'"
            )));
        };
        if let Some(n) = values.iter().position(|it| !it.is_string()) {
            return Err(Fault::invalid(format!(
                "Invalid request: Field 'rules, {attribute}, {n}' is required"
            )));
        }
    }
    Ok(())
}

async fn prices(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    if !PRICE_LISTS.table.exists(&call.view, &id)? {
        return Err(Fault::not_found(not_found(&id)));
    }
    call.params.narrow("price_list_id", vec![id]);
    page(&LIST_PRICE, &call, Vec::new())
}

async fn batch(mut call: Call) -> Result<Reply, Fault> {
    let batch = ListPriceBatch { price_list_id: call.path("id").to_owned(), ..call.read()? };
    let gone = batch.delete.clone();
    perform_batch(&LIST_PRICE, &LIST_PRICES, call, "price", gone, move |flow| {
        flow.run(&BATCH_PRICE_LIST_PRICES, batch)
    })
    .await
}

async fn remove_products(call: Call) -> Result<Reply, Fault> {
    let ids = call.body()["remove"].as_array().into_iter().flatten();
    let products = ids.filter_map(Value::as_str).map(str::to_owned).collect();
    let id = call.path("id").to_owned();
    perform(&PRICE_LIST, call, move |flow| flow.run(&REMOVE_PRICE_LIST_PRODUCTS, (id, products))).await
}
