//! The rules for promotions and campaigns themselves: which combinations of fields make sense.

use atoll_checkout::{CART_ATTRIBUTES, ITEM_ATTRIBUTES, SHIPPING_ATTRIBUTES};
use atoll_kernel::{
    Decimal,
    limits::{PROMOTION_CODE_CHARS_MAX, PROMOTION_RULE_VALUES_MAX, PROMOTION_RULES_MAX},
};

use crate::{
    Allocation, ApplicationMethod, BudgetType, Campaign, CampaignBudget, Error, MethodType, Promotion,
    PromotionRule, PromotionType, RuleOperator, TargetType, apply::is_number,
};

/// Attributes of which each value may have a budget of its own.
pub const BUDGET_ATTRIBUTES: &[&str] = &["customer_id", "customer_email", "promotion_code"];

/// Checks a promotion as it is to be stored, with its campaign.
pub(crate) fn check_promotion(promotion: &Promotion, campaign: Option<&Campaign>) -> Result<(), Error> {
    check_code("code", &promotion.code)?;
    if promotion.is_automatic && promotion.limit.is_some() {
        return Err(Error::invalid("Invalid request: Automatic promotions cannot have a usage limit"));
    }
    if promotion.limit == Some(0) {
        let text = "Invalid request: Value for field 'limit' too small, expected at least: '1'";
        return Err(Error::invalid(text));
    }
    let Some(method) = &promotion.application_method else {
        return Err(Error::invalid("Invalid request: Field 'application_method' is required"));
    };
    check_method(method)?;
    check_targets(promotion.r#type, method)?;
    check_rules(&promotion.rules, CART_ATTRIBUTES)?;
    let targets = match method.target_type {
        TargetType::ShippingMethods => SHIPPING_ATTRIBUTES,
        TargetType::Items | TargetType::Order => ITEM_ATTRIBUTES,
    };
    check_rules(&method.target_rules, targets)?;
    check_rules(&method.buy_rules, ITEM_ATTRIBUTES)?;
    let rules = || promotion.rules.iter().chain(&method.target_rules).chain(&method.buy_rules);
    if rules().count() > PROMOTION_RULES_MAX {
        return Err(Error::invalid(format!("A promotion may have at most {PROMOTION_RULES_MAX} rules")));
    }
    if rules().map(|it| it.values.0.len()).sum::<usize>() > PROMOTION_RULE_VALUES_MAX {
        let text = format!("The rules of a promotion may have at most {PROMOTION_RULE_VALUES_MAX} values");
        return Err(Error::invalid(text));
    }
    match (&method.currency_code, campaign.and_then(|it| it.budget.as_ref()?.currency_code.as_ref())) {
        (Some(ours), Some(theirs)) if ours != theirs => Err(Error::invalid(format!(
            "A promotion in {ours} cannot be in a campaign whose budget is in {theirs}"
        ))),
        _ => Ok(()),
    }
}

/// Checks a code or an identifier: it is part of index keys, and typed by people.
fn check_code(field: &str, code: &str) -> Result<(), Error> {
    if code.trim().is_empty() {
        return Err(Error::invalid(format!("{field} must not be empty")));
    }
    if code.chars().count() > PROMOTION_CODE_CHARS_MAX {
        return Err(Error::invalid(format!("{field} has more than {PROMOTION_CODE_CHARS_MAX} characters")));
    }
    Ok(())
}

/// The value of a method, its currency, its allocation and its quantities.
fn check_method(method: &ApplicationMethod) -> Result<(), Error> {
    let is_positive = method.value > Decimal::ZERO;
    match method.r#type {
        MethodType::Percentage if !is_positive || method.value > Decimal::from(100_u64) => {
            let text = "Application Method value should be a percentage number between 0 and 100";
            return Err(Error::invalid(text));
        }
        MethodType::Fixed if !is_positive => {
            return Err(Error::invalid("application_method.value must be above 0"));
        }
        MethodType::Fixed if method.currency_code.is_none() => {
            let text = "application_method.currency_code is required when application_method.type is 'fixed'";
            return Err(Error::invalid(text));
        }
        _ => {}
    }
    let quantities = [
        ("max_quantity", method.max_quantity),
        ("apply_to_quantity", method.apply_to_quantity),
        ("buy_rules_min_quantity", method.buy_rules_min_quantity),
    ];
    if let Some((name, _)) = quantities.iter().find(|(_, it)| it.is_some_and(|it| it <= Decimal::ZERO)) {
        return Err(Error::invalid(format!("application_method.{name} must be above 0")));
    }
    if method.target_type != TargetType::Order && method.allocation.is_none() {
        return Err(Error::invalid(
            "application_method.allocation should be either 'across OR each OR once' when \
             application_method.target_type is either 'shipping_methods OR items'",
        ));
    }
    match (method.allocation, method.max_quantity) {
        (Some(Allocation::Each | Allocation::Once), None) => Err(Error::invalid(
            "application_method.max_quantity is required when application_method.allocation is 'each OR once'",
        )),
        (Some(Allocation::Across), Some(_)) => Err(Error::invalid(
            "application_method.max_quantity is not allowed to be set for allocation (across)",
        )),
        _ => Ok(()),
    }
}

/// What is discounted, and what must be bought for it.
fn check_targets(kind: PromotionType, method: &ApplicationMethod) -> Result<(), Error> {
    if method.target_type == TargetType::Order && !method.target_rules.is_empty() {
        let text = "Target rules for application method with target type (order) is not allowed";
        return Err(Error::invalid(text));
    }
    match kind {
        PromotionType::Standard if !method.buy_rules.is_empty() => {
            Err(Error::invalid("Can't add buy rules to a standard promotion"))
        }
        PromotionType::Standard => Ok(()),
        PromotionType::Buyget
            if method.buy_rules.is_empty()
                || method.apply_to_quantity.is_none()
                || method.buy_rules_min_quantity.is_none() =>
        {
            Err(Error::invalid(
                "Invalid request: Buyget promotions require at least one buy rule and quantities to be defined",
            ))
        }
        PromotionType::Buyget if method.target_type != TargetType::Items => {
            Err(Error::invalid("Buyget promotions require application_method.target_type to be 'items'"))
        }
        PromotionType::Buyget => Ok(()),
    }
}

fn check_rules(rules: &[PromotionRule], known: &[&str]) -> Result<(), Error> {
    for PromotionRule { attribute, operator, values, .. } in rules {
        if !known.contains(&attribute.as_str()) {
            let known = known.join(", ");
            let text = format!("Invalid rule attribute - {attribute}. Those that a cart has are: {known}");
            return Err(Error::invalid(text));
        }
        let values = &values.0;
        if values.is_empty() {
            return Err(Error::invalid(format!("The rule on {attribute} has no values")));
        }
        let compares = !matches!(operator, RuleOperator::In | RuleOperator::Eq | RuleOperator::Ne);
        if compares && !is_number(attribute) {
            let text = format!("The rule on {attribute} cannot compare by '{}'", operator.as_str());
            return Err(Error::invalid(text));
        }
        if compares && values.len() > 1 {
            let text = format!("The rule on {attribute} compares by '{}' with one value", operator.as_str());
            return Err(Error::invalid(text));
        }
        if is_number(attribute)
            && let Some(value) = values.iter().find(|it| it.parse::<Decimal>().is_err())
        {
            return Err(Error::invalid(format!(
                "The rule on {attribute} compares with a number, not {value}"
            )));
        }
    }
    Ok(())
}

/// Checks a campaign as it is to be stored.
pub(crate) fn check_campaign(campaign: &Campaign) -> Result<(), Error> {
    check_code("campaign_identifier", &campaign.campaign_identifier)?;
    if let (Some(starts_at), Some(ends_at)) = (campaign.starts_at, campaign.ends_at)
        && ends_at <= starts_at
    {
        return Err(Error::invalid("ends_at must be after starts_at"));
    }
    campaign.budget.as_ref().map_or(Ok(()), check_budget)
}

fn check_budget(budget: &CampaignBudget) -> Result<(), Error> {
    let kind = budget.r#type;
    if kind.is_by_attribute() && budget.attribute.is_none() {
        return Err(Error::invalid(
            "Invalid request: campaign budget attribute is required when budget type is \
             USE_BY_ATTRIBUTE or SPEND_BY_ATTRIBUTE",
        ));
    }
    if kind.is_spend() && budget.currency_code.is_none() {
        let text =
            format!("Invalid request: currency_code is required when budget type is {}", kind.as_str());
        return Err(Error::invalid(text));
    }
    if kind == BudgetType::Usage && budget.currency_code.is_some() {
        let text = "Invalid request: currency_code should not be present when budget type is usage";
        return Err(Error::invalid(text));
    }
    if let Some(attribute) = &budget.attribute
        && kind.is_by_attribute()
        && !BUDGET_ATTRIBUTES.contains(&attribute.as_str())
    {
        let known = BUDGET_ATTRIBUTES.join(", ");
        return Err(Error::invalid(format!("budget.attribute {attribute} is not one of: {known}")));
    }
    if budget.limit.is_some_and(|it| it < Decimal::ZERO) {
        return Err(Error::invalid("budget.limit must not be below 0"));
    }
    Ok(())
}
