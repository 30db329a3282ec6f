//! The records of how is shipped: profiles of goods, shipping options with their rules, and their types; and
//! whether a rule holds for a cart.

use std::collections::BTreeMap;

use atoll_kernel::{Decimal, Id, Metadata, entity, serde_json::Value, words};

use crate::{Error, ServiceZone};

entity! {
    /// Goods that are shipped alike. A product has one profile at most; an option ships the goods of one.
    pub struct ShippingProfile = "shipping_profile" / "shipping_profiles", "sp" {
        /// Display name, unique.
        pub name: String,
        /// What the goods have in common, a word of the shop's own: `default`, `oversized`.
        pub r#type: String,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [name]
    patch ShippingProfilePatch
}

entity! {
    /// What kind of shipping an option is, as buyers are shown it.
    pub struct ShippingOptionType = "shipping_option_type" / "shipping_option_types", "sotype" {
        /// Display name.
        pub label: String,
        /// Explanation for buyers.
        pub description: Option<String>,
        /// A word for programs. Several types may have the same.
        pub code: String,
    }
    search [label, description, code]
    patch ShippingOptionTypePatch
}

words! {
    /// Where the price of an option comes from.
    pub enum ShippingPriceType {
        /// From its provider, for each cart.
        Calculated = "calculated",
        /// From the prices of the option.
        #[default]
        Flat = "flat",
    }
}

entity! {
    /// A way in which goods of a profile are shipped into a zone by a provider.
    pub struct ShippingOption = "shipping_option" / "shipping_options", "so" {
        /// Display name.
        pub name: String,
        /// Where its price comes from.
        pub price_type: ShippingPriceType,
        /// The zone that it serves.
        pub service_zone_id: Id<ServiceZone>,
        /// The goods that it ships.
        pub shipping_profile_id: Id<ShippingProfile>,
        /// The fulfilment provider.
        pub provider_id: String,
        /// The type, by its id.
        pub shipping_option_type_id: Id<ShippingOptionType>,
        /// The service of the provider: what `GET /admin/fulfillment-providers/:id/options` shows of it.
        pub data: Metadata,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// What must hold for a cart: all of them.
        pub rules: Vec<ShippingOptionRule>,
    }
    search [name]
    embeds [many rules: ShippingOptionRule]
}

words! {
    /// How a rule compares what a cart has with its value.
    pub enum RuleOperator {
        /// It is one of the values.
        In = "in",
        /// It is the value.
        #[default]
        Eq = "eq",
        /// It is another one.
        Ne = "ne",
        /// It is greater.
        Gt = "gt",
        /// It is greater, or the same.
        Gte = "gte",
        /// It is less.
        Lt = "lt",
        /// It is less, or the same.
        Lte = "lte",
        /// It is none of the values.
        Nin = "nin",
    }
}

entity! {
    /// A condition of a shipping option.
    pub struct ShippingOptionRule = "shipping_option_rule" / "shipping_option_rules", "sorul" {
        /// What is looked at: `enabled_in_store`, `is_return`. What a cart does not say fits no rule.
        pub attribute: String,
        /// How it is compared.
        pub operator: RuleOperator,
        /// What it is compared with: a text, or a list of texts for `in` and `nin`.
        pub value: Value,
        /// The shipping option.
        pub shipping_option_id: Id<ShippingOption>,
    }
}

/// What a cart says of itself, for rules: `is_return` → `false`.
pub type RuleContext = BTreeMap<String, String>;

/// Attribute of rules: is it a return? `true` or `false`.
pub const IS_RETURN: &str = "is_return";
/// Attribute of rules: is it a storefront that asks? `true` or `false`.
pub const ENABLED_IN_STORE: &str = "enabled_in_store";

impl ShippingOption {
    /// Is it for returns only?
    pub fn is_return(&self) -> bool {
        self.demands(IS_RETURN, "true")
    }

    /// Can only admins choose it?
    pub fn is_admin_only(&self) -> bool {
        self.demands(ENABLED_IN_STORE, "false")
    }

    fn demands(&self, attribute: &str, value: &str) -> bool {
        let is_it = |it: &ShippingOptionRule| {
            it.attribute == attribute && it.operator == RuleOperator::Eq && it.value == value
        };
        self.rules.iter().any(is_it)
    }

    /// The first rule that does not hold.
    pub fn broken_rule(&self, context: &RuleContext) -> Option<&ShippingOptionRule> {
        self.rules.iter().find(|it| !it.holds(context))
    }
}

impl ShippingOptionRule {
    /// Does it hold?
    pub fn holds(&self, context: &RuleContext) -> bool {
        let Some(said) = context.get(&self.attribute) else { return false };
        let is_listed = || self.value.as_array().is_some_and(|all| all.iter().any(|it| it == said.as_str()));
        match self.operator {
            RuleOperator::Eq => self.value == said.as_str(),
            RuleOperator::Ne => self.value != said.as_str(),
            RuleOperator::In => is_listed(),
            RuleOperator::Nin => !is_listed(),
            // What are no numbers have no order.
            RuleOperator::Gt => self.compared(said).is_some_and(|it| it.is_gt()),
            RuleOperator::Gte => self.compared(said).is_some_and(|it| it.is_ge()),
            RuleOperator::Lt => self.compared(said).is_some_and(|it| it.is_lt()),
            RuleOperator::Lte => self.compared(said).is_some_and(|it| it.is_le()),
        }
    }

    /// What is said, compared with the value, as numbers.
    fn compared(&self, said: &str) -> Option<std::cmp::Ordering> {
        let said: Decimal = said.parse().ok()?;
        Some(said.cmp(&self.value.as_str()?.parse().ok()?))
    }

    /// Checks that the value has the form that the operator takes. The texts are the wire's.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let takes_list = matches!(self.operator, RuleOperator::In | RuleOperator::Nin);
        match (takes_list, &self.value) {
            (true, Value::Array(_)) | (false, Value::String(_)) => Ok(()),
            (true, _) => Err(Error::Invalid("Rule value must be an array for in/nin operators".to_owned())),
            (false, _) => Err(Error::Invalid(format!(
                "Rule value must be a string, bool, number value for the selected operator {}",
                self.operator.as_str()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use atoll_kernel::serde_json::json;

    use super::*;

    #[track_caller]
    fn check(operator: RuleOperator, value: Value, said: Option<&str>, expect: bool) {
        let rule =
            ShippingOptionRule { attribute: "weight".to_owned(), operator, value, ..Default::default() };
        let context = said.map(|it| ("weight".to_owned(), it.to_owned())).into_iter().collect();
        assert_eq!(rule.holds(&context), expect, "{rule:?} for {said:?}");
    }

    #[test]
    fn a_rule_holds_for_what_is_said_and_for_nothing_else() {
        use RuleOperator::{Eq, Gt, Gte, In, Lt, Lte, Ne, Nin};

        check(Eq, json!("5"), Some("5"), true);
        check(Eq, json!("5"), Some("6"), false);
        check(Ne, json!("5"), Some("6"), true);
        check(Ne, json!("5"), Some("5"), false);
        check(In, json!(["5", "6"]), Some("6"), true);
        check(In, json!(["5", "6"]), Some("7"), false);
        check(Nin, json!(["5", "6"]), Some("7"), true);
        check(Nin, json!(["5", "6"]), Some("6"), false);
        // As numbers, and not as texts.
        check(Gt, json!("9"), Some("10"), true);
        check(Gt, json!("10"), Some("10"), false);
        check(Gte, json!("10"), Some("10.0"), true);
        check(Lt, json!("10"), Some("9.5"), true);
        check(Lte, json!("10"), Some("10.1"), false);
        check(Gt, json!("9"), Some("heavy"), false);
        // What is not said fits no rule, not even one that excludes something.
        for (operator, value) in [(Eq, json!("5")), (Ne, json!("5")), (Nin, json!(["5"])), (Lt, json!("9"))] {
            check(operator, value, None, false);
        }
    }
}
