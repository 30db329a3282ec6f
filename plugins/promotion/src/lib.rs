//! Promotions: discounts by code or automatic, with rules; campaigns with periods and budgets.

mod apply;
mod campaign;
mod check;
mod error;
mod service;
mod types;
mod uses;
mod values;

use atoll_kernel::{
    data::{Index, Module, Service},
    limits::PROMOTION_BYTES_MAX,
    list_index, module,
    query::{Relation, Resolve},
};

pub use apply::{Offer, Offers, apply};
pub use campaign::{CampaignChanges, create_campaign, delete_campaign, move_promotions, update_campaign};
pub use check::BUDGET_ATTRIBUTES;
pub use error::Error;
pub use service::{
    NewPromotion, PromotionChanges, RuleBatch, RuleKind, RulesDone, change_rules, create_promotion,
    delete_promotion, find_promotion, update_promotion,
};
pub use types::{
    Allocation, ApplicationMethod, BudgetType, Campaign, CampaignBudget, CampaignBudgetUsage, CampaignPatch,
    MethodPatch, MethodType, Promotion, PromotionPatch, PromotionRule, PromotionRuleValue, PromotionStatus,
    PromotionType, RuleOperator, RulePatch, TargetType,
};
pub use uses::{Usage, give_back, use_promotion};
pub use values::RuleValues;

/// Entity name of promotions in links.
pub const PROMOTION: &str = "promotion";
/// Entity name of campaigns in links.
pub const CAMPAIGN: &str = "campaign";

/// Unique: the code of live promotions.
pub const BY_CODE: Index<Promotion> =
    Index::unique("promotion.by_code", &["code"], |it, keys| keys.add(&[&it.code]));
/// Unique: the code of live promotions without the difference between upper and lower case, so that no two
/// are easily taken for each other.
pub(crate) const BY_FOLDED_CODE: Index<Promotion> =
    Index::unique("promotion.by_folded_code", &["folded_code"], |it, keys| keys.add(&[&folded(&it.code)]));
/// The active automatic promotions: those that every cart is looked at for.
pub(crate) const ACTIVE_AUTOMATIC: Index<Promotion> =
    Index::on("promotion.active_automatic", &["is_applied_automatically"], |it, keys| {
        if is_applied_automatically(it) {
            keys.add(&["true"]);
        }
    });
const BY_CAMPAIGN: Index<Promotion> =
    Index::counted("promotion.by_campaign", &["campaign_id"], |it, keys| {
        keys.add_some(it.campaign_id.as_deref());
    });
/// Unique: the identifier of live campaigns.
pub(crate) const BY_IDENTIFIER: Index<Campaign> =
    Index::unique("campaign.by_identifier", &["campaign_identifier"], |it, keys| {
        keys.add(&[&it.campaign_identifier]);
    });
/// What all values have used of a budget.
pub(crate) const USAGES_BY_BUDGET: Index<CampaignBudgetUsage> =
    Index::counted("campaign_budget_usage.by_budget", &["budget_id"], |it, keys| keys.add(&[&it.budget_id]));
/// Unique: a value of a budget.
pub(crate) const USAGE_OF_VALUE: Index<CampaignBudgetUsage> =
    Index::unique("campaign_budget_usage.of_value", &["budget_id", "attribute_value"], |it, keys| {
        keys.add(&[&it.budget_id, &it.attribute_value]);
    });

/// Write through [`create_promotion`] and the others, which enforce the rules of the module.
pub static PROMOTIONS: Service<Promotion> =
    Service::new(&[BY_CODE, BY_FOLDED_CODE, ACTIVE_AUTOMATIC, BY_CAMPAIGN]).at_most(PROMOTION_BYTES_MAX);
/// Write through [`create_campaign`] and the others.
pub static CAMPAIGNS: Service<Campaign> = Service::new(&[BY_IDENTIFIER]);
/// What each customer has used of budgets; [`use_promotion`] writes it.
pub static USAGES: Service<CampaignBudgetUsage> = Service::new(&[USAGES_BY_BUDGET, USAGE_OF_VALUE]);

list_index! {
    /// Lists of promotions: a shop may have a code for each of its customers.
    pub static PROMOTION_LISTS = "promotion" of PROMOTIONS {
        filters: ["status", "type", "is_automatic"],
        sorts: ["code", "created_at", "updated_at"],
        search: true,
    }
}

module! { Module {
    name: "promotion",
    summary: "Discounts by code or automatic, campaigns with budgets",
    services: &[&PROMOTIONS, &CAMPAIGNS, &USAGES],
    relations: &[
        // It stays when the campaign is deleted: without one the promotion would have no end and no budget.
        Relation::one(PROMOTION, "campaign", CAMPAIGN, Resolve::Field("campaign_id")),
        Relation::many(CAMPAIGN, "promotions", PROMOTION, Resolve::Back("campaign_id")),
        Relation::many("campaign_budget", "usages", "campaign_budget_usage", Resolve::Back("budget_id")),
    ],
    is_optional: true,
    ..Module::EMPTY
} }

/// The code without the difference between upper and lower case.
pub(crate) fn folded(code: &str) -> String {
    code.to_lowercase()
}

/// Is it applied to carts without its code?
pub(crate) fn is_applied_automatically(promotion: &Promotion) -> bool {
    promotion.is_automatic && promotion.status == PromotionStatus::Active
}
