//! Counting the uses of promotions: against the limit of a promotion, and the budget of its campaign. It is
//! done in the transaction that places the order, which checks and counts: no two orders get the last use.

use atoll_checkout::{Attributes, NotApplied, PromotionUse};
use atoll_kernel::{Decimal, Moment, Read, StoreError, Write, check, data::RowError, verify::Verify};

use crate::{
    CAMPAIGN, CAMPAIGNS, Campaign, CampaignBudget, CampaignBudgetUsage, Error, PROMOTIONS, Promotion,
    USAGE_OF_VALUE, USAGES, USAGES_BY_BUDGET, apply::state_of, folded, service::promotion,
};

/// A discount that an order gets from a promotion.
#[derive(Clone, Debug, Default)]
pub struct Usage<'a> {
    /// The promotion.
    pub promotion_id: &'a str,
    /// The sum of its discounts on the order.
    pub amount: Decimal,
    /// ISO 4217, in lower case: the currency of the order.
    pub currency_code: &'a str,
}

/// Counts that an order uses a promotion; `attributes` are those of its cart. Returns what is to be given
/// back when the order is cancelled. Error: it cannot be used any more.
pub fn use_promotion(
    tx: &mut dyn Write,
    at: &Moment,
    usage: &Usage<'_>,
    attributes: &Attributes,
) -> Result<PromotionUse, Error> {
    let promotion = promotion(tx, usage.promotion_id)?;
    let campaign = promotion.campaign_id.as_ref().map(|id| CAMPAIGNS.get(tx, id)).transpose()?.flatten();
    let refused = |why| Error::NotUsed { code: promotion.code.clone(), why };
    state_of(&promotion, campaign.as_ref(), at.now()).map_err(refused)?;
    let mut used = PromotionUse {
        promotion_id: promotion.id.to_string(),
        code: promotion.code.clone(),
        amount: usage.amount,
        ..PromotionUse::default()
    };
    if let Some(campaign) = campaign
        && let Some(budget) = &campaign.budget
    {
        let left = Left::read(tx, &promotion, budget, usage.currency_code, attributes)?.map_err(refused)?;
        if !left.admits(budget, usage.amount, Decimal::ZERO) {
            return Err(refused(NotApplied::BudgetSpent));
        }
        used.campaign_id = Some(campaign.id.to_string());
        used.attribute_value = left.attribute_value;
        count(tx, at, &campaign, &used, false)?;
    }
    PROMOTIONS.update(tx, at, usage.promotion_id, |it: &mut Promotion| it.used += 1)?;
    Ok(used)
}

/// Gives back a use of a promotion, when its order is cancelled. What was deleted since is left as it is, and
/// so is all while the module is switched off: `verify` names the promotion when it is back.
pub fn give_back(tx: &mut dyn Write, at: &Moment, used: &PromotionUse) -> Result<(), Error> {
    if !PROMOTIONS.is_on() {
        return Ok(());
    }
    if PROMOTIONS.table.exists(tx, &used.promotion_id)? {
        let less = |it: &mut Promotion| it.used = it.used.saturating_sub(1);
        PROMOTIONS.update(tx, at, &used.promotion_id, less)?;
    }
    if let Some(id) = &used.campaign_id
        && let Some(campaign) = CAMPAIGNS.get(tx, id)?
    {
        count(tx, at, &campaign, used, true)?;
    }
    Ok(())
}

/// What is left of a budget, for one buyer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Left {
    /// What is left; `None` for any amount.
    pub(crate) amount: Option<Decimal>,
    /// The value that has a budget of its own.
    pub(crate) attribute_value: Option<String>,
}

impl Left {
    /// Reads what a promotion of the campaign may still use, or why it may not be used for this cart.
    pub(crate) fn read(
        tx: &dyn Read,
        promotion: &Promotion,
        budget: &CampaignBudget,
        currency_code: &str,
        attributes: &Attributes,
    ) -> Result<Result<Left, NotApplied>, StoreError> {
        if budget.r#type.is_spend() && budget.currency_code.as_deref() != Some(currency_code) {
            return Ok(Err(NotApplied::OtherCurrency));
        }
        let mut used = budget.used;
        let mut attribute_value = None;
        if budget.r#type.is_by_attribute() {
            let Some(value) = value_of(budget, promotion, attributes) else {
                return Ok(Err(NotApplied::BuyerUnknown));
            };
            let row = USAGES.table.get_by(tx, &USAGE_OF_VALUE, &[&budget.id, &value])?;
            used = row.map(|it| it.used).unwrap_or_default();
            attribute_value = Some(value);
        }
        Ok(Ok(Left { amount: budget.limit.map(|it| it - used), attribute_value }))
    }

    /// May a discount of this amount be given, when so much of the budget is taken besides?
    pub(crate) fn admits(&self, budget: &CampaignBudget, amount: Decimal, taken: Decimal) -> bool {
        self.amount.is_none_or(|left| taken + counted(budget, amount) <= left)
    }
}

/// What a budget counts for a discount of this amount.
pub(crate) fn counted(budget: &CampaignBudget, amount: Decimal) -> Decimal {
    if budget.r#type.is_spend() { amount } else { Decimal::ONE }
}

/// The value of the attribute of a budget. An e-mail address in other letters is that of the same buyer.
fn value_of(budget: &CampaignBudget, promotion: &Promotion, attributes: &Attributes) -> Option<String> {
    match budget.attribute.as_deref()? {
        "customer_id" => attributes.first("customer.id").map(str::to_owned),
        "customer_email" => attributes.first("email").map(|it| folded(it.trim())),
        "promotion_code" => Some(promotion.code.clone()),
        _ => None,
    }
}

/// Counts a use in the budget of a campaign, or takes it back.
fn count(
    tx: &mut dyn Write,
    at: &Moment,
    campaign: &Campaign,
    used: &PromotionUse,
    is_given_back: bool,
) -> Result<(), RowError> {
    let Some(budget) = &campaign.budget else { return Ok(()) };
    let counted = counted(budget, used.amount);
    let counted = if is_given_back { -counted } else { counted };
    let sum = move |it: Decimal| Decimal::ZERO.max(it + counted);
    CAMPAIGNS.update(tx, at, &campaign.id, |it: &mut Campaign| {
        if let Some(budget) = &mut it.budget {
            budget.used = sum(budget.used);
            budget.updated_at = at.now();
        }
    })?;
    let Some(value) = &used.attribute_value else { return Ok(()) };
    match USAGES.table.get_by(tx, &USAGE_OF_VALUE, &[&budget.id, value])? {
        Some(row) => {
            USAGES.update(tx, at, &row.id, |it: &mut CampaignBudgetUsage| it.used = sum(it.used))?;
        }
        None => {
            let budget_id = budget.id.clone();
            let row = CampaignBudgetUsage {
                attribute_value: value.clone(),
                used: sum(Decimal::ZERO),
                budget_id,
                ..CampaignBudgetUsage::default()
            };
            USAGES.create(tx, at, row)?;
        }
    }
    Ok(())
}

check! { "promotion.budget": "What is used of a budget by attribute is what all values of the attribute have used" => budgets }

fn budgets(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let view = it.view;
    it.rows(&CAMPAIGNS.table, |it, campaign| {
        let Some(budget) = campaign.budget.as_ref().filter(|it| it.r#type.is_by_attribute()) else {
            return Ok(());
        };
        let rows = USAGES.table.list_undamaged_by(view, &USAGES_BY_BUDGET, &[&budget.id])?;
        let sum: Decimal = rows.iter().map(|it| it.used).sum();
        if sum != budget.used {
            let found = budget.used.to_string();
            it.wrong("promotion.budget", CAMPAIGN, &campaign.id, found, sum.to_string());
        }
        Ok(())
    })
}
