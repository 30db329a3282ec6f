//! Admin routes of campaigns of promotions, and their budgets: `/admin/campaigns`.

use atoll_flows::promotion::{
    CREATE_CAMPAIGNS, DELETE_CAMPAIGNS, MOVE_CAMPAIGN_PROMOTIONS, UPDATE_CAMPAIGNS,
};
use atoll_kernel::{
    Decimal, Fault,
    http::{Body, Call, Field, Params, Reply, Resource, Type, optional, required},
    part_of, routes,
    serde::Deserialize,
};
use atoll_promotion::{BudgetType, CampaignChanges};

use crate::{
    body::{self, take},
    crud::crud,
    reply::{link_ids, perform},
    tables::{LINK, ONE, any, list, nested, text},
};

part_of! { "promotion" }

crud! {
    of CAMPAIGN at "/admin/campaigns" for Admin;
    called "a campaign" / "campaigns";
    not_found "Campaign with id: {} was not found";
    page LIST;
    find ONE;
    /// Its identifier is unique. It must end after it starts.
    create ONE, CREATE by CREATE_CAMPAIGNS;
    /// Its promotions stay in it, and are not applied any more.
    delete "campaign" by DELETE_CAMPAIGNS;
}

routes! {
    of CAMPAIGN;
    /// Updates a campaign. Fields that are absent stay as they are; of a budget only the limit can change.
    Post "/admin/campaigns/:id" (Admin, ONE, UPDATE) => update;
    /// Moves promotions into a campaign, also out of another one, and removes others from it.
    Post "/admin/campaigns/:id/promotions" (Admin, ONE, LINK) => move_promotions;
}

static CAMPAIGN: Resource = Resource {
    entity: "campaign",
    one: "campaign",
    many: "campaigns",
    fields: &[
        "id", "name", "description", "campaign_identifier", "*budget", "starts_at", "ends_at", "created_at",
        "updated_at", "deleted_at",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(&[any("campaign_identifier"), nested("budget", &[any("currency_code")])], 50);
const CREATE: Body = NEW_CAMPAIGN;
/// A new campaign, with its budget.
pub(crate) const NEW_CAMPAIGN: Body = &[
    &[
        required("name", Type::Text),
        required("campaign_identifier", Type::Text),
        optional("budget", Type::Strict(&[BUDGET])).or_null(),
    ],
    MORE,
];
const UPDATE: Body = &[
    &[
        optional("name", Type::Text),
        optional("campaign_identifier", Type::Text),
        optional("budget", Type::Strict(&[&[LIMIT]])),
    ],
    MORE,
];
const MORE: &[Field] = &[
    text("description"),
    optional("starts_at", Type::Date).or_null(),
    optional("ends_at", Type::Date).or_null(),
];
const LIMIT: Field = optional("limit", Type::NotNegative).or_null().about("The budget; null for none.");
const BUDGET: &[Field] = &[
    required("type", Type::Words(BudgetType::WORDS)).about("What is counted: orders or discounts."),
    LIMIT,
    text("currency_code").about("The currency of discounts that are counted. A budget of orders has none."),
    text("attribute").about(
        "What has a budget for each of its values: `customer_id`, `customer_email` or `promotion_code`.",
    ),
];

/// The budget in the body of an update.
#[derive(Deserialize)]
#[serde(crate = "atoll_kernel::serde")]
struct BudgetChanges {
    #[serde(default, deserialize_with = "atoll_kernel::data::present")]
    limit: Option<Option<Decimal>>,
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: body::Fields = call.read()?;
    let budget: Option<BudgetChanges> = take(&mut fields, "budget")?;
    let budget_limit = budget.and_then(|it| it.limit);
    let changes = (call.path("id").to_owned(), CampaignChanges { patch: body::read(fields)?, budget_limit });
    perform(&CAMPAIGN, call, move |flow| flow.run(&UPDATE_CAMPAIGNS, changes)).await
}

async fn move_promotions(call: Call) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(&CAMPAIGN, call, move |flow| flow.run(&MOVE_CAMPAIGN_PROMOTIONS, ids)).await
}
