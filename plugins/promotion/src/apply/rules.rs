//! Evaluating rules: does an attribute of a cart, a line or a shipping method compare as a rule says?

use atoll_checkout::{Attributes, ITEM_SUBTOTAL, ITEM_TOTAL};
use atoll_kernel::Decimal;

use crate::{PromotionRule, RuleOperator, folded};

/// Is this attribute a number? Numbers are compared as such: 50 equals 50.0.
pub(crate) fn is_number(attribute: &str) -> bool {
    [ITEM_TOTAL, ITEM_SUBTOTAL].contains(&attribute)
}

/// Is this attribute a text that buyers type, in any case and with blanks around it? Otherwise a buyer could
/// leave a country that a promotion excludes by writing it in capitals.
fn is_typed(attribute: &str) -> bool {
    attribute == "email" || attribute.starts_with("shipping_address.")
}

/// Do all rules hold? No rules always do.
pub(super) fn hold(rules: &[PromotionRule], attributes: &Attributes) -> bool {
    rules.iter().all(|it| holds(it, attributes))
}

/// Does a rule hold? Not if the attribute is missing; of several values one is enough, and for "not" none may
/// be there.
fn holds(rule: &PromotionRule, attributes: &Attributes) -> bool {
    let Some(found) = attributes.get(&rule.attribute) else { return false };
    let wanted = &rule.values.0;
    let number = |text: &String| text.parse::<Decimal>().ok();
    let is_equal = |a: &String, b: &String| match &*rule.attribute {
        it if is_number(it) => number(a).is_some() && number(a) == number(b),
        it if is_typed(it) => folded(a.trim()) == folded(b.trim()),
        _ => a == b,
    };
    let any_is_wanted = || found.iter().any(|a| wanted.iter().any(|b| is_equal(a, b)));
    let any_compares = |compares: fn(&Decimal, &Decimal) -> bool| {
        found.iter().filter_map(number).any(|a| wanted.iter().filter_map(number).any(|b| compares(&a, &b)))
    };
    match rule.operator {
        RuleOperator::In | RuleOperator::Eq => any_is_wanted(),
        RuleOperator::Ne => !any_is_wanted(),
        RuleOperator::Gt => any_compares(|a, b| a > b),
        RuleOperator::Gte => any_compares(|a, b| a >= b),
        RuleOperator::Lt => any_compares(|a, b| a < b),
        RuleOperator::Lte => any_compares(|a, b| a <= b),
    }
}
