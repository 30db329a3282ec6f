//! The records of promotions (application method, rules), campaigns, and their budgets.

use atoll_kernel::{
    Decimal, Id, Metadata, Timestamp,
    data::{ComputedFields, Exact},
    entity, words,
};

use crate::RuleValues;

entity! {
    /// A discount, by code or automatic. Its method and its rules are stored in it: they are read together,
    /// for each cart.
    pub struct Promotion = "promotion" / "promotions", "promo" {
        /// The code; case-sensitive.
        pub code: String,
        /// Is it applied to every cart that its rules admit, without its code?
        pub is_automatic: bool,
        /// Are its amounts amounts with taxes?
        pub is_tax_inclusive: bool,
        /// In how many orders it may be used; null for any number.
        pub limit: Option<u64>,
        /// In how many orders it is used.
        pub used: u64,
        /// A discount of its own, or on goods that are got with others.
        pub r#type: PromotionType,
        /// Only active ones are applied.
        pub status: PromotionStatus,
        /// Its campaign, by its id. A promotion of a deleted campaign is not applied.
        pub campaign_id: Option<Id<Campaign>>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// How much is discounted, and on what.
        pub application_method: Option<ApplicationMethod>,
        /// What a cart must be for it. All of them must hold.
        pub rules: Vec<PromotionRule>,
    }
    search [code]
    embeds [one application_method: ApplicationMethod, many rules: PromotionRule]
    patch PromotionPatch
}

words! {
    /// What kind of discount a promotion is.
    pub enum PromotionType {
        /// A discount on what is in the cart.
        #[default]
        Standard = "standard",
        /// A discount on goods that are in the cart together with others: buy two, get one.
        Buyget = "buyget",
    }
}

words! {
    /// State of a promotion.
    pub enum PromotionStatus {
        /// Not for use yet.
        #[default]
        Draft = "draft",
        /// In use.
        Active = "active",
        /// Not in use any more.
        Inactive = "inactive",
    }
}

entity! {
    /// How much a promotion discounts, and on what.
    pub struct ApplicationMethod = "application_method" / "application_methods", "proappmet" {
        /// An amount of money, or per cent.
        pub value: Decimal,
        /// ISO 4217, in lower case: the currency of an amount. Only carts in it get the discount.
        pub currency_code: Option<String>,
        /// How many units are discounted: of each line (`each`), of the cart (`once`), or of what is got
        /// (`buyget`).
        pub max_quantity: Option<Decimal>,
        /// How many units are discounted for each time that enough is bought.
        pub apply_to_quantity: Option<Decimal>,
        /// How many units must be bought.
        pub buy_rules_min_quantity: Option<Decimal>,
        /// Whether the value is an amount or per cent.
        pub r#type: MethodType,
        /// What is discounted.
        pub target_type: TargetType,
        /// How the discount is shared out.
        pub allocation: Option<Allocation>,
        /// The promotion.
        pub promotion_id: Id<Promotion>,
        /// What a line or a shipping method must be to be discounted. All of them must hold.
        pub target_rules: Vec<PromotionRule>,
        /// What a line must be to count as bought. All of them must hold.
        pub buy_rules: Vec<PromotionRule>,
    }
    embeds [many target_rules: PromotionRule, many buy_rules: PromotionRule]
    computed [raw_value: Exact] by compute_method
    patch MethodPatch
}

fn compute_method(method: &ApplicationMethod, shown: &mut ComputedFields<'_>) {
    shown.field("raw_value", method.value.raw());
}

words! {
    /// What the value of a method is.
    pub enum MethodType {
        /// An amount of money.
        #[default]
        Fixed = "fixed",
        /// Per cent.
        Percentage = "percentage",
    }
}

words! {
    /// What a method discounts.
    pub enum TargetType {
        /// All items together.
        #[default]
        Order = "order",
        /// Shipping methods.
        ShippingMethods = "shipping_methods",
        /// Items.
        Items = "items",
    }
}

words! {
    /// How a discount is shared out.
    pub enum Allocation {
        /// Each line gets it, for its first units.
        #[default]
        Each = "each",
        /// It is shared by all lines, in proportion.
        Across = "across",
        /// The cheapest units get it.
        Once = "once",
    }
}

entity! {
    /// A condition of a promotion: an attribute, compared with values.
    pub struct PromotionRule = "promotion_rule" / "promotion_rules", "prorul" {
        /// What it is for.
        pub description: Option<String>,
        /// The attribute, as a path from the cart: `region.id`, `items.product.id`.
        pub attribute: String,
        /// How it is compared.
        pub operator: RuleOperator,
        /// With what.
        pub values: RuleValues,
    }
    embeds [many values: PromotionRuleValue]
    patch RulePatch
}

words! {
    /// How a rule compares an attribute with its values.
    pub enum RuleOperator {
        /// One of the values.
        #[default]
        In = "in",
        /// One of the values.
        Eq = "eq",
        /// None of the values.
        Ne = "ne",
        /// Above the value.
        Gt = "gt",
        /// Not below the value.
        Gte = "gte",
        /// Below the value.
        Lt = "lt",
        /// Not above the value.
        Lte = "lte",
    }
}

entity! {
    /// A value of a rule, as it is shown; a rule stores its values as texts.
    pub struct PromotionRuleValue = "promotion_rule_value" / "promotion_rule_values", "" {
        /// The value.
        pub value: String,
    }
    key value
    hidden [id, created_at, updated_at, deleted_at]
}

entity! {
    /// Promotions with a period and a budget in common. The budget is stored in it.
    pub struct Campaign = "campaign" / "campaigns", "procamp" {
        /// Display name.
        pub name: String,
        /// A text about it.
        pub description: Option<String>,
        /// A name of its own, for other systems.
        pub campaign_identifier: String,
        /// From when on its promotions are applied.
        pub starts_at: Option<Timestamp>,
        /// From when on they are not any more.
        pub ends_at: Option<Timestamp>,
        /// How often, or for how much, its promotions may be used.
        pub budget: Option<CampaignBudget>,
    }
    search [name, description, campaign_identifier]
    embeds [one budget: CampaignBudget]
    patch CampaignPatch
}

entity! {
    /// How often, or for how much, the promotions of a campaign may be used.
    pub struct CampaignBudget = "campaign_budget" / "campaign_budgets", "probudg" {
        /// What is counted.
        pub r#type: BudgetType,
        /// ISO 4217, in lower case: the currency in which discounts are counted.
        pub currency_code: Option<String>,
        /// The attribute of a cart of which each value has a budget of its own: `customer_id`,
        /// `customer_email`, `promotion_code`.
        pub attribute: Option<String>,
        /// The budget; null for none.
        pub limit: Option<Decimal>,
        /// What is used of it, by all values of the attribute together.
        pub used: Decimal,
        /// The campaign.
        pub campaign_id: Id<Campaign>,
    }
    computed [raw_limit: Option<Exact>, raw_used: Exact] by compute_budget
}

fn compute_budget(budget: &CampaignBudget, shown: &mut ComputedFields<'_>) {
    shown.field("raw_limit", budget.limit.map(|it| it.raw()));
    shown.field("raw_used", budget.used.raw());
}

words! {
    /// What a budget counts.
    pub enum BudgetType {
        /// Orders.
        #[default]
        Usage = "usage",
        /// Discounts, in a currency.
        Spend = "spend",
        /// Orders, for each value of an attribute.
        UseByAttribute = "use_by_attribute",
        /// Discounts, for each value of an attribute.
        SpendByAttribute = "spend_by_attribute",
    }
}

impl BudgetType {
    /// Does it count discounts, and not orders?
    pub fn is_spend(self) -> bool {
        matches!(self, BudgetType::Spend | BudgetType::SpendByAttribute)
    }

    /// Has each value of an attribute a budget of its own?
    pub fn is_by_attribute(self) -> bool {
        matches!(self, BudgetType::UseByAttribute | BudgetType::SpendByAttribute)
    }
}

entity! {
    /// What one value of an attribute has used of a budget: a row for each customer, so that the campaign
    /// does not grow with them.
    pub struct CampaignBudgetUsage = "campaign_budget_usage" / "campaign_budget_usages", "probudgus" {
        /// The value: the id of a customer, an e-mail address, a code.
        pub attribute_value: String,
        /// What is used.
        pub used: Decimal,
        /// The budget.
        pub budget_id: Id<CampaignBudget>,
    }
    computed [raw_used: Exact] by compute_usage
}

fn compute_usage(usage: &CampaignBudgetUsage, shown: &mut ComputedFields<'_>) {
    shown.field("raw_used", usage.used.raw());
}
