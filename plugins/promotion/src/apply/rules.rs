//! Evaluating rules: does an attribute of a cart, a line or a shipping method compare as a rule says?

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
};

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

/// Rules whose values can be looked up: there may be thousands, and they are compared with each line of a
/// cart.
pub(super) struct Rules<'a>(Vec<Rule<'a>>);

struct Rule<'a> {
    attribute: &'a str,
    operator: RuleOperator,
    values: Values<'a>,
}

enum Values<'a> {
    Numbers(BTreeSet<Decimal>),
    Texts(HashSet<Cow<'a, str>>),
}

impl<'a> Rules<'a> {
    pub(super) fn of(rules: &'a [PromotionRule]) -> Rules<'a> {
        Rules(rules.iter().map(Rule::of).collect())
    }

    /// Do all rules hold? No rules always do.
    pub(super) fn hold(&self, attributes: &Attributes) -> bool {
        self.0.iter().all(|it| it.holds(attributes))
    }
}

impl<'a> Rule<'a> {
    fn of(rule: &'a PromotionRule) -> Rule<'a> {
        let (attribute, values) = (&*rule.attribute, rule.values.0.iter());
        let values = match is_number(attribute) {
            true => Values::Numbers(values.filter_map(|it| number(it)).collect()),
            false => Values::Texts(values.map(|it| comparable(attribute, it)).collect()),
        };
        Rule { attribute, operator: rule.operator, values }
    }

    /// Does the rule hold? Not if the attribute is missing; of several values one is enough, and for "not"
    /// none may be there.
    fn holds(&self, attributes: &Attributes) -> bool {
        let Some(found) = attributes.get(self.attribute) else { return false };
        match &self.values {
            Values::Numbers(wanted) => {
                compares(self.operator, wanted, found.iter().filter_map(|it| number(it)))
            }
            Values::Texts(wanted) => {
                let is_wanted = found.iter().any(|it| wanted.contains(&comparable(self.attribute, it)));
                match self.operator {
                    RuleOperator::In | RuleOperator::Eq => is_wanted,
                    RuleOperator::Ne => !is_wanted,
                    // Texts are in no order.
                    _ => false,
                }
            }
        }
    }
}

fn number(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

/// The text as it is compared with others.
fn comparable<'a>(attribute: &str, text: &'a str) -> Cow<'a, str> {
    if is_typed(attribute) { folded(text.trim()).into() } else { text.into() }
}

fn compares(
    operator: RuleOperator,
    wanted: &BTreeSet<Decimal>,
    mut found: impl Iterator<Item = Decimal>,
) -> bool {
    let (Some(min), Some(max)) = (wanted.first(), wanted.last()) else {
        return operator == RuleOperator::Ne;
    };
    found.any(|it| match operator {
        RuleOperator::In | RuleOperator::Eq | RuleOperator::Ne => wanted.contains(&it),
        RuleOperator::Gt => it > *min,
        RuleOperator::Gte => it >= *min,
        RuleOperator::Lt => it < *max,
        RuleOperator::Lte => it <= *max,
    }) != (operator == RuleOperator::Ne)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleValues;

    #[test]
    fn rules_compare_numbers_typed_texts_and_ids() {
        use RuleOperator::{Eq, Gt, Gte, In, Lt, Lte, Ne};
        let attributes = Attributes::default()
            .with(ITEM_TOTAL, ["50.00"])
            .with("email", [" Ada@Test.dev"])
            .with("items.product.tags.id", ["a", "b"]);
        let holds = |attribute: &str, operator, values: &str| {
            let values = RuleValues(values.split(' ').map(str::to_owned).collect());
            let rule =
                PromotionRule { attribute: attribute.into(), operator, values, ..PromotionRule::default() };
            Rules::of(&[rule]).hold(&attributes)
        };
        for (attribute, operator, values, expect) in [
            (ITEM_TOTAL, In, "7 50", true),
            (ITEM_TOTAL, Eq, "50.0", true),
            (ITEM_TOTAL, Eq, "51 x", false),
            (ITEM_TOTAL, Ne, "51", true),
            (ITEM_TOTAL, Ne, "50", false),
            (ITEM_TOTAL, Ne, "x", true),
            (ITEM_TOTAL, Gt, "50", false),
            (ITEM_TOTAL, Gt, "49.99", true),
            (ITEM_TOTAL, Gte, "50", true),
            (ITEM_TOTAL, Lt, "50", false),
            (ITEM_TOTAL, Lt, "50.01", true),
            (ITEM_TOTAL, Lte, "50", true),
            (ITEM_SUBTOTAL, Ne, "50", false),
            ("email", Eq, "ada@test.DEV", true),
            ("email", Ne, "ada@test.dev", false),
            ("items.product.tags.id", In, "x b", true),
            ("items.product.tags.id", In, "B", false),
            ("items.product.tags.id", Ne, "x b", false),
            ("items.product.tags.id", Ne, "x y", true),
            ("items.product.tags.id", Gt, "0", false),
        ] {
            assert_eq!(holds(attribute, operator, values), expect, "{attribute} {operator:?} {values}");
        }
    }
}
