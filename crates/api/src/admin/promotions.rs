//! Admin routes of promotions: `/admin/promotions`. Those of their rules are in `promotion_rules.rs`.

use atoll_flows::promotion::{CREATE_PROMOTIONS, DELETE_PROMOTIONS, UPDATE_PROMOTIONS};
use atoll_kernel::{
    Decimal, Fault,
    http::{Body, Call, Field, Params, Reply, Resource, Type, optional, required},
    part_of, routes,
    serde_json::Value,
};
use atoll_promotion::{
    Allocation, MethodType, NewPromotion, PromotionChanges, PromotionStatus, PromotionType, TargetType,
    find_promotion,
};

use crate::{
    admin::{campaigns::NEW_CAMPAIGN, promotion_rules::NEW_RULE},
    body::{self, take},
    crud::crud,
    reply::{only, perform},
    tables::{METADATA, ONE, any, date, list, nested, number, text},
};

part_of! { "promotion" }

crud! {
    of PROMOTION at "/admin/promotions" for Admin;
    called "a promotion" / "promotions";
    not_found "Promotion with id or code: {} was not found";
    page LIST;
    /// Carts that have it lose it when they change next.
    delete "promotion" by DELETE_PROMOTIONS;
}

routes! {
    of PROMOTION;
    /// Shows a promotion, by its id or its code.
    Get "/admin/promotions/:id" (Admin, ONE) => retrieve;
    /// Creates a promotion, with its method and rules, in a campaign or with a new one. No two codes differ
    /// in case only.
    Post "/admin/promotions" (Admin, ONE, CREATE) => create;
    /// Updates a promotion and its method. Fields that are absent stay as they are; rules have routes of
    /// their own.
    Post "/admin/promotions/:id" (Admin, ONE, UPDATE) => update;
}

static PROMOTION: Resource = Resource {
    entity: "promotion",
    one: "promotion",
    many: "promotions",
    fields: &[
        "id",
        "code",
        "is_automatic",
        "is_tax_inclusive",
        "type",
        "limit",
        "used",
        "status",
        "created_at",
        "updated_at",
        "deleted_at",
        "metadata",
        "campaign_id",
        "*campaign",
        "*campaign.budget",
        "*application_method",
        "*application_method.buy_rules",
        "application_method.buy_rules.values.value",
        "*application_method.target_rules",
        "application_method.target_rules.values.value",
        "rules.id",
        "rules.attribute",
        "rules.operator",
        "rules.values.value",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("code"),
        any("campaign_id"),
        nested("application_method", &[any("currency_code")]),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);
const CREATE: Body = &[
    &[
        required("code", Type::Text),
        required("type", Type::Words(PromotionType::WORDS)),
        optional("campaign", Type::Strict(NEW_CAMPAIGN)).about("A new campaign for it."),
        required("application_method", Type::Strict(NEW_METHOD)),
        optional("rules", Type::List(&Type::Strict(NEW_RULE))),
    ],
    MORE,
];
const UPDATE: Body = &[
    &[
        optional("code", Type::Text),
        optional("type", Type::Words(PromotionType::WORDS)),
        optional("application_method", Type::Strict(METHOD_CHANGES)),
    ],
    MORE,
];
const MORE: &[Field] = &[
    optional("is_automatic", Type::Bool),
    optional("is_tax_inclusive", Type::Bool),
    optional("status", Type::Words(PromotionStatus::WORDS)),
    text("campaign_id"),
    number("limit"),
    METADATA,
];
const NEW_METHOD: Body = &[
    &[
        required("value", Type::Number),
        required("type", Type::Words(MethodType::WORDS)),
        required("target_type", Type::Words(TargetType::WORDS)),
        optional("target_rules", Type::List(&Type::Strict(NEW_RULE))),
        optional("buy_rules", Type::List(&Type::Strict(NEW_RULE))),
    ],
    MORE_OF_METHOD,
];
const METHOD_CHANGES: Body = &[
    &[
        optional("value", Type::Number),
        optional("type", Type::Words(MethodType::WORDS)),
        optional("target_type", Type::Words(TargetType::WORDS)),
    ],
    MORE_OF_METHOD,
];
const MORE_OF_METHOD: &[Field] = &[
    text("description").about("Accepted and not stored."),
    text("currency_code"),
    number("max_quantity"),
    optional("allocation", Type::Words(Allocation::WORDS)),
    number("apply_to_quantity"),
    number("buy_rules_min_quantity"),
];

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let name = call.path("id");
    let plan = PROMOTION.plan(&call);
    // A deleted one, if it is asked for, has an id and no code.
    let id = find_promotion(&call.view, name)?.map_or_else(|| name.to_owned(), |it| it.id.to_string());
    plan.find(&call.view, &id)?.ok_or_else(|| Fault::not_found(not_found(name)))
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: body::Fields = call.read()?;
    check_limit(&mut fields)?;
    let campaign = take(&mut fields, "campaign")?;
    let new = NewPromotion { promotion: body::read(fields)?, campaign };
    perform(&PROMOTION, call, move |flow| only(flow.run(&CREATE_PROMOTIONS, vec![new])?)).await
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: body::Fields = call.read()?;
    check_limit(&mut fields)?;
    let method = take(&mut fields, "application_method")?;
    let changes = (call.path("id").to_owned(), PromotionChanges { patch: body::read(fields)?, method });
    perform(&PROMOTION, call, move |flow| flow.run(&UPDATE_PROMOTIONS, changes)).await
}

/// A limit is a whole number; `3.0` is one.
fn check_limit(fields: &mut body::Fields) -> Result<(), Fault> {
    let Some(Value::Number(number)) = fields.get("limit") else { return Ok(()) };
    let number = Decimal::from_json(number).unwrap_or_default();
    if number < Decimal::ONE {
        let text = "Invalid request: Value for field 'limit' too small, expected at least: '1'";
        return Err(Fault::invalid(text));
    }
    let Some(limit) = number.to_i64() else {
        return Err(Fault::invalid("Invalid request: Value for field 'limit' must be a whole number"));
    };
    fields.insert("limit".into(), limit.into());
    Ok(())
}
