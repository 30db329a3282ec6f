//! Discounts by promotions: a plain description of a priced cart, the attributes that rules of promotions
//! compare, and the discounts on its lines and shipping methods. The computation is the promotion module's.

use std::collections::BTreeMap;

use atoll_kernel::{
    Decimal,
    serde::{Deserialize, Serialize},
    stored,
};

/// Attributes of a cart by which rules tell carts apart, as paths on the wire. Whoever describes a cart gives
/// those that it has; a rule about one that is missing does not hold. [`ITEM_TOTAL`] and [`ITEM_SUBTOTAL`]
/// are computed from the lines.
pub const CART_ATTRIBUTES: &[&str] = &[
    "customer.groups.id", "customer.id", "email", "region.id", "shipping_address.country_code",
    "shipping_address.province", "shipping_address.postal_code", "sales_channel_id", "currency_code",
    ITEM_TOTAL, ITEM_SUBTOTAL,
];

/// Attributes of a line.
pub const ITEM_ATTRIBUTES: &[&str] = &[
    "items.product.id", "items.product.categories.id", "items.product.collection_id",
    "items.product.type_id", "items.product.tags.id", "items.variant_id",
];

/// Attributes of a shipping method.
pub const SHIPPING_ATTRIBUTES: &[&str] =
    &["shipping_methods.shipping_option.shipping_option_type_id", "shipping_methods.shipping_option_id"];

/// What the items cost before discounts, with taxes where these are known.
pub const ITEM_TOTAL: &str = "item_total";

/// What the items cost before discounts, without taxes.
pub const ITEM_SUBTOTAL: &str = "item_subtotal";

/// Attributes by name, each with any number of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, Vec<String>>);

impl Attributes {
    /// These attributes and one more, which replaces an earlier one of its name.
    pub fn with<T: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = T>) -> Attributes {
        self.0.insert(name.to_owned(), values.into_iter().map(Into::into).collect());
        self
    }

    /// These attributes and one more, if there is a value.
    pub fn with_some(self, name: &str, value: Option<&str>) -> Attributes {
        match value {
            Some(value) => self.with(name, [value]),
            None => self,
        }
    }

    /// The values of an attribute; `None` if it is missing.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The first value of an attribute.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.get(name)?.first().map(String::as_str)
    }
}

/// A cart, priced, as promotions look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PricedCart {
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// Its attributes ([`CART_ATTRIBUTES`]).
    pub attributes: Attributes,
    /// Its lines.
    pub lines: Vec<Priced>,
    /// Its shipping methods. Discounts on lines do not depend on them, so that they may be priced later.
    pub shipping_methods: Vec<Priced>,
}

/// A line or a shipping method, priced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    /// Its id.
    pub id: String,
    /// Number of units; one of a shipping method.
    pub quantity: Decimal,
    /// What it costs without taxes.
    pub subtotal: Decimal,
    /// What it costs with taxes; the same while its taxes are not known.
    pub total: Decimal,
    /// May it be discounted?
    pub is_discountable: bool,
    /// Its attributes ([`ITEM_ATTRIBUTES`], [`SHIPPING_ATTRIBUTES`]).
    pub attributes: Attributes,
}

/// A discount on a line or a shipping method by a promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionDiscount {
    /// The line or the shipping method, by its id.
    pub target_id: String,
    /// The promotion, by its id.
    pub promotion_id: String,
    /// Its code.
    pub code: String,
    /// How much less is charged.
    pub amount: Decimal,
    /// Does the amount include taxes?
    pub is_tax_inclusive: bool,
}

/// The discounts on a cart, and what became of each promotion that was considered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promoted {
    /// Discounts on lines, in the order in which they were computed.
    pub lines: Vec<PromotionDiscount>,
    /// Discounts on shipping methods.
    pub shipping_methods: Vec<PromotionDiscount>,
    /// What became of each promotion, in the order of their ids; unknown codes are last.
    pub outcomes: Vec<PromotionOutcome>,
}

/// What became of one promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionOutcome {
    /// The code.
    pub code: String,
    /// The promotion, by its id; none if no promotion has the code.
    pub promotion_id: Option<String>,
    /// Was it considered without its code?
    pub is_automatic: bool,
    /// The sum of its discounts, or why there are none.
    pub discount: Result<Decimal, NotApplied>,
}

/// Why a promotion does not apply to a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotApplied {
    /// No promotion has this code.
    Unknown,
    /// It is a draft.
    Draft,
    /// It is not in use any more.
    Inactive,
    /// Its campaign has not begun.
    NotYet,
    /// Its campaign is over, or was deleted.
    Past,
    /// It was used as often as it may be.
    UsedUp,
    /// The budget of its campaign is spent.
    BudgetSpent,
    /// Its campaign has a budget for each buyer, and the cart does not say who buys.
    BuyerUnknown,
    /// It is in another currency.
    OtherCurrency,
    /// Its rules do not hold for the cart.
    RulesNotMet,
    /// Not enough is bought of what has to be.
    TooFewBought,
    /// Nothing in the cart can be discounted by it, or other promotions left nothing.
    NothingToDiscount,
}

impl NotApplied {
    /// A word for programs.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// The reason as a sentence without a subject, for people: "The promotion code X …".
    pub fn text(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            NotApplied::Unknown => ("unknown", "is invalid"),
            NotApplied::Draft => ("draft", "is not active yet"),
            NotApplied::Inactive => ("inactive", "is not active any more"),
            NotApplied::NotYet => ("not_yet", "is not valid yet"),
            NotApplied::Past => ("past", "is not valid any more"),
            NotApplied::UsedUp => ("used_up", "was used as often as it may be"),
            NotApplied::BudgetSpent => ("budget_spent", "belongs to a campaign whose budget is spent"),
            NotApplied::BuyerUnknown => ("buyer_unknown", "is limited per buyer, and the buyer is not known"),
            NotApplied::OtherCurrency => ("other_currency", "is for another currency"),
            NotApplied::RulesNotMet => ("rules_not_met", "is not for this cart"),
            NotApplied::TooFewBought => ("too_few_bought", "needs more goods in the cart"),
            NotApplied::NothingToDiscount => ("nothing_to_discount", "discounts nothing in this cart"),
        }
    }
}

stored! {
    /// That an order uses a promotion, as it was counted: what has to be given back when it is cancelled.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(crate = "::atoll_kernel::serde", default)]
    pub struct PromotionUse {
        /// The promotion.
        pub promotion_id: String,
        /// Its code, as it was then.
        pub code: String,
        /// The campaign whose budget counted it, if there is one.
        pub campaign_id: Option<String>,
        /// The value of the attribute that has a budget of its own: who bought.
        pub attribute_value: Option<String>,
        /// The discount, in the currency of the order.
        pub amount: Decimal,
    }
}
