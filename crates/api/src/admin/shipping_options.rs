//! Admin routes of shipping options and their rules: `/admin/shipping-options`.

use std::sync::Arc;

use atoll_pricing::RuleOperator as PriceRuleOperator;

use crate::{
    admin::shipping_option_types::OPTION_TYPE,
    crud::crud,
    reply::{page, perform, run_once, show_done},
    tables::{BATCH_DELETE, IDS, METADATA, ONE, any, batch_create, batch_update, date, flag, list},
};
use atoll_availability::{Seller, Shipment, explain_option};
use atoll_cart::CARTS;
use atoll_flows::fulfillment::{
    BATCH_SHIPPING_OPTION_RULES, CREATE_SHIPPING_OPTIONS, DELETE_SHIPPING_OPTIONS, NewShippingOption,
    RuleBatch, ShippingOptionChanges, UPDATE_SHIPPING_OPTIONS,
};
use atoll_fulfillment::{
    IS_RETURN, RuleOperator, SHIPPING_OPTIONS, ShippingOptionRule, ShippingPriceType, options_for_returns,
    options_of_admins,
};
use atoll_kernel::{
    Fault,
    data::{Node, View},
    http::{Answer, Body, Call, Field, Params, Part, Reply, Resource, Type, optional, required},
    part_of,
    query::Ids,
    resources, routes,
    serde_json::json,
};

part_of! { "fulfillment" }

crud! {
    of OPTION at "/admin/shipping-options" for Admin;
    called "a shipping option" / "shipping options";
    not_found "Shipping Option with id: {} not found";
    find ONE;
    /// Its prices are deleted with it.
    delete "shipping_option" by DELETE_SHIPPING_OPTIONS;
}

routes! {
    of OPTION;
    /// Lists shipping options.
    Get "/admin/shipping-options" (Admin, LIST) => index;
    /// Creates a shipping option: a way in which goods of a profile are shipped into a service zone, by a
    /// provider that ships from the location of the zone. A zone has at most 100 options, and an option at
    /// most 50 rules.
    Post "/admin/shipping-options" (Admin, ONE, CREATE) => create;
    /// Updates a shipping option. Fields that are absent stay as they are; rules are replaced, and so are
    /// prices, but for those that are sent with their ids.
    Post "/admin/shipping-options/:id" (Admin, ONE, UPDATE) => update;
    /// Creates, changes and deletes rules of a shipping option, all or none.
    Post "/admin/shipping-options/:id/rules/batch" (Admin, ONE, RULES_BATCH) => batch_rules: RULES_DONE;
    /// Says whether a shipping option is offered to a cart. If it is not, every reason is listed with its
    /// record and value.
    Get "/admin/shipping-options/:id/availability" (Admin, OF_CART) => availability: AVAILABILITY;
}

resources! { RULE }

static OPTION: Resource = Resource {
    entity: "shipping_option",
    one: "shipping_option",
    many: "shipping_options",
    fields: &[
        "id", "name", "price_type", "data", "provider_id", "metadata", "created_at", "updated_at",
        "service_zone_id", "shipping_profile_id", "*rules", "*type", "*service_zone",
        "service_zone.fulfillment_set.id", "*shipping_profile", "*provider", "prices",
    ],
    store_fields: None,
    renamed: &[("stock_location_id", "service_zone.fulfillment_set.location.id")],
};

static RULE: Resource = Resource {
    entity: "shipping_option_rule",
    one: "shipping_option_rule",
    many: "shipping_option_rules",
    fields: &["id", "attribute", "operator"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("service_zone_id"),
        any("shipping_profile_id"),
        any("provider_id"),
        any("shipping_option_type_id"),
        any("stock_location_id").about("Options that ship from this stock location."),
        flag(IS_RETURN).about("Options for returns, or the others."),
        flag(ADMIN_ONLY).about("Options that only admins choose, or the others."),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    20,
);
const ADMIN_ONLY: &str = "admin_only";
const CREATE: Body = &[&[
    required("name", Type::Text),
    required("service_zone_id", Type::Text),
    required("shipping_profile_id", Type::Text),
    DATA,
    required("price_type", Type::Words(ShippingPriceType::WORDS)),
    required("provider_id", Type::Text),
    TYPE,
    TYPE_ID,
    required(
        "prices",
        Type::List(&Type::Strict(&[&[
            CURRENCY,
            REGION,
            required("amount", Type::NotNegative).about("In units of the currency."),
            ON_TOTAL,
        ]])),
    )
    .about("The prices of a flat option. That of the region applies before that of the currency."),
    optional("rules", Type::List(&Type::Strict(&[NEW_RULE]))).about(RULES),
    METADATA,
]];
const UPDATE: Body = &[&[
    optional("name", Type::Text),
    optional("shipping_profile_id", Type::Text),
    DATA,
    optional("price_type", Type::Words(ShippingPriceType::WORDS)),
    optional("provider_id", Type::Text),
    TYPE,
    TYPE_ID,
    optional(
        "prices",
        Type::List(&Type::Strict(&[&[
            optional("id", Type::Text).about("The id of the option's own price that is meant."),
            CURRENCY,
            REGION,
            optional("amount", Type::NotNegative).about("In units of the currency."),
            ON_TOTAL,
        ]])),
    )
    .about("Replace its prices."),
    optional("rules", Type::List(&Type::Strict(&[&[OWN_RULE], NEW_RULE]))).about(RULES),
    METADATA,
]];
const DATA: Field = optional("data", Type::Record);
const TYPE: Field =
    optional("type", Type::Strict(&[OPTION_TYPE])).about("A new type, which becomes its own.");
const TYPE_ID: Field =
    optional("type_id", Type::Text).about("The type. One of `type` and `type_id` is sent.");
const CURRENCY: Field = optional("currency_code", Type::Text).about("The currency, if it is of no region.");
const REGION: Field = optional("region_id", Type::Text).about("The region, whose currency it is in.");
const ON_TOTAL: Field = optional(
    "rules",
    Type::List(&Type::Strict(&[&[
        required("attribute", Type::Words(&["item_total"])).about("The total of the items of the cart."),
        required("operator", Type::Words(PriceRuleOperator::WORDS)).about("How it is compared."),
        required("value", Type::Number).about("In units of the currency."),
    ]])),
)
.about("For which totals of the items it is the price; of several rules all must hold.");
const RULES: &str = "What must hold for a cart, all of it.";
const OWN_RULE: Field = optional("id", Type::Text).about("The id of the option's own rule that is meant.");
const NEW_RULE: &[Field] = &[
    required("operator", Type::Words(RuleOperator::WORDS)).about("How it is compared."),
    required("attribute", Type::Text).about("What is looked at: `enabled_in_store`, `is_return`."),
    required("value", Type::OneOf(&[Type::Text, Type::List(&Type::Text)]))
        .about("A text, or a list of texts for `in` and `nin`."),
];
const RULES_BATCH: Body = &[&[
    batch_create(Type::List(&Type::Strict(&[NEW_RULE]))),
    batch_update(Type::List(&Type::Strict(&[
        &[required("id", Type::Text).about("The id of the rule.")],
        NEW_RULE,
    ]))),
    BATCH_DELETE,
]];
const RULES_DONE: Answer = Answer::Object(&[
    Part::Many("created", &RULE),
    Part::Many("updated", &RULE),
    Part::value(
        "deleted",
        Type::Object(&[
            required("ids", IDS).about("The ids of the rules that were deleted."),
            required("object", Type::Words(&["shipping_option_rule"])).about("The kind of what was deleted."),
            required("deleted", Type::Bool).about("Always true."),
        ]),
        "The rules that were deleted.",
    ),
]);

const OF_CART: Params = Params {
    own: &[
        any("cart_id").about("The cart. Required."),
        flag(IS_RETURN).about("Whether it is to be returned."),
    ],
    limit: None,
    strict: true,
};
const AVAILABILITY: Answer = Answer::Object(&[
    Part::value("shipping_option_id", Type::Text, "The option."),
    Part::value("cart_id", Type::Text, "The cart."),
    Part::Value(required("sales_channel_id", Type::Text).or_null().about("Its sales channel.")),
    Part::value("offered", Type::Bool, "Whether the option is offered to it."),
    Part::Value(
        required("stock_location_id", Type::Text)
            .or_null()
            .about("From where it is shipped, if it is offered."),
    ),
    Part::value(
        "reasons",
        Type::List(&Type::Object(&[
            required("code", Type::Text).about("What is wrong, for programs."),
            required("entity", Type::Text).about("The kind of the record that is the cause."),
            required("id", Type::Text).about("Its id."),
            required("field", Type::Text).about("The field that is the cause."),
            required("value", Type::Any).about("What was looked at."),
        ])),
        "Why it is not offered; empty if it is.",
    ),
]);

async fn availability(mut call: Call) -> Result<Reply, Fault> {
    let required = || Fault::invalid("Invalid request: Field 'cart_id' is required");
    let cart_id = call.params.take_one("cart_id")?.ok_or_else(required)?;
    let is_return = call.params.take_flag(IS_RETURN);
    let cart = CARTS.get(&call.view, &cart_id)?;
    let cart = cart.ok_or_else(|| Fault::not_found(format!("Cart id not found: {cart_id}")))?;
    let seller = Seller::of(&call.app, cart.sales_channel_id.as_deref(), call.app.time());
    let shipment = Shipment::of_cart(&call.view, seller, &cart, is_return)?;
    let id = call.path("id");
    let told = explain_option(&call.view, &cart, &shipment, id)?;
    told.map(|it| Reply::json(&it)).ok_or_else(|| Fault::not_found(not_found(id)))
}

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let mut within: Vec<Box<dyn Ids>> = Vec::new();
    if let Some(value) = call.params.take_one(IS_RETURN)? {
        within.push(Box::new(options_for_returns(value == "true")));
    }
    if let Some(value) = call.params.take_one(ADMIN_ONLY)? {
        within.push(Box::new(options_of_admins(value == "true")));
    }
    page(&OPTION, &call, within)
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let input: NewShippingOption = call.read()?;
    if input.r#type.is_some() == input.type_id.is_some() {
        return Err(Fault::invalid(
            "Invalid request: Exactly one of 'type' or 'type_id' must be provided, but not both",
        ));
    }
    perform(&OPTION, call, move |flow| flow.run(&CREATE_SHIPPING_OPTIONS, input)).await
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let (id, changes) = (call.path("id").to_owned(), call.read::<ShippingOptionChanges>()?);
    if changes.r#type.is_some() && changes.type_id.is_some() {
        return Err(Fault::invalid("Invalid request: Only one of 'type' or 'type_id' can be provided"));
    }
    perform(&OPTION, call, move |flow| flow.run(&UPDATE_SHIPPING_OPTIONS, (id, changes))).await
}

async fn batch_rules(mut call: Call) -> Result<Reply, Fault> {
    let batch = RuleBatch { option_id: call.path("id").to_owned(), ..call.read()? };
    let (option, gone) = (batch.option_id.clone(), batch.delete.clone());
    let plan = RULE.plan(&call);
    plan.check(&call.view)?;
    let (done, call) = run_once(call, &BATCH_SHIPPING_OPTION_RULES, batch).await?;
    show_done(&call.app, &call.view, &plan, move |view, plan| {
        Reply::object(|envelope| {
            for (name, ids) in [("created", &done.created), ("updated", &done.updated)] {
                let out = envelope.name(name);
                out.push(b'[');
                plan.write_all(view, rules(view, &option, ids)?, out)?;
                out.push(b']');
            }
            let deleted = json!({ "ids": gone, "object": "shipping_option_rule", "deleted": true });
            envelope.field("deleted", &deleted);
            Ok(())
        })
    })
    .await
}

/// The rules with these ids of an option, as far as they are still there.
fn rules(view: &View, option: &str, ids: &[String]) -> Result<Vec<Node>, Fault> {
    let rules = SHIPPING_OPTIONS.get(view, option)?.map(|it| it.rules).unwrap_or_default();
    let with_id = |id: &String| rules.iter().find(|it| *it.id == **id);
    let node = |it: &ShippingOptionRule| Arc::new(it.clone()) as Node;
    Ok(ids.iter().filter_map(with_id).map(node).collect())
}
