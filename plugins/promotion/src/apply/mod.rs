//! Computing discounts: which promotions apply to a priced cart, in which order, and what each takes off.
//!
//! [`Offers::read`] reads what may apply; [`apply`] computes, and depends on its arguments alone.

mod buyget;
mod rest;
mod rules;
mod standard;
#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BTreeMap, ops::ControlFlow};

use atoll_checkout::{
    Attributes, ITEM_SUBTOTAL, ITEM_TOTAL, NotApplied, Priced, PricedCart, Promoted, PromotionDiscount,
    PromotionOutcome,
};
use atoll_kernel::{Decimal, Read, StoreError, Timestamp, data::Direction};

use crate::{
    ACTIVE_AUTOMATIC, ApplicationMethod, BY_CODE, CAMPAIGNS, Campaign, CampaignBudget, PROMOTIONS, Promotion,
    PromotionStatus, PromotionType, TargetType,
    uses::{Left, counted},
};
pub(crate) use rules::is_number;

use rest::Rest;
use rules::Rules;
use standard::Discounts;

/// A promotion that may apply to a cart, with what decides whether it may be used.
#[derive(Clone, Debug)]
pub struct Offer {
    promotion: Promotion,
    campaign: Option<Campaign>,
    left: Result<Left, NotApplied>,
}

/// The promotions that may apply to a cart.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    offers: Vec<Offer>,
    unknown: Vec<String>,
}

impl Offers {
    /// Reads the promotions with these codes, in exact case, and the automatic ones.
    pub fn read(
        tx: &dyn Read,
        currency_code: &str,
        attributes: &Attributes,
        codes: &[String],
    ) -> Result<Offers, StoreError> {
        let mut found: BTreeMap<String, Promotion> = BTreeMap::new();
        let mut unknown = Vec::new();
        for code in codes {
            match PROMOTIONS.table.get_by(tx, &BY_CODE, &[code])? {
                Some(promotion) => drop(found.insert(promotion.id.to_string(), promotion)),
                None if unknown.contains(code) => {}
                None => unknown.push(code.clone()),
            }
        }
        ACTIVE_AUTOMATIC.scan(tx, &["true"], None, Direction::Ascending, &mut |id| {
            if !found.contains_key(id)
                && let Some(promotion) = PROMOTIONS.get(tx, id)?
            {
                found.insert(id.to_owned(), promotion);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut offers = Vec::with_capacity(found.len());
        for promotion in found.into_values() {
            let campaign =
                promotion.campaign_id.as_ref().map(|id| CAMPAIGNS.get(tx, id)).transpose()?.flatten();
            let left = match campaign.as_ref().and_then(|it| it.budget.as_ref()) {
                Some(budget) => Left::read(tx, &promotion, budget, currency_code, attributes)?,
                None => Ok(Left::default()),
            };
            offers.push(Offer { promotion, campaign, left });
        }
        Ok(Offers { offers, unknown })
    }

    /// Is there nothing to apply?
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// Codes that no promotion has.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

/// Is a promotion in use at this time, and not used up?
pub(crate) fn state_of(
    promotion: &Promotion,
    campaign: Option<&Campaign>,
    now: Timestamp,
) -> Result<(), NotApplied> {
    match promotion.status {
        PromotionStatus::Draft => return Err(NotApplied::Draft),
        PromotionStatus::Inactive => return Err(NotApplied::Inactive),
        PromotionStatus::Active => {}
    }
    match campaign {
        // The campaign was deleted.
        None if promotion.campaign_id.is_some() => return Err(NotApplied::Past),
        Some(campaign) if campaign.starts_at.is_some_and(|it| now < it) => return Err(NotApplied::NotYet),
        Some(campaign) if campaign.ends_at.is_some_and(|it| it <= now) => return Err(NotApplied::Past),
        _ => {}
    }
    if promotion.limit.is_some_and(|it| promotion.used >= it) { Err(NotApplied::UsedUp) } else { Ok(()) }
}

impl Offer {
    fn method(&self) -> Option<&ApplicationMethod> {
        self.promotion.application_method.as_ref()
    }

    fn budget(&self) -> Option<&CampaignBudget> {
        self.campaign.as_ref()?.budget.as_ref()
    }

    fn is_on_shipping(&self) -> bool {
        self.method().is_some_and(|it| it.target_type == TargetType::ShippingMethods)
    }

    /// Buyget promotions come first, then the others by their value, the largest first; those on shipping
    /// last, so that discounts on lines do not depend on them. The id decides between equals.
    fn rank(&self) -> impl Ord + '_ {
        let value = self.method().map(|it| it.value).unwrap_or_default();
        let is_standard = self.promotion.r#type == PromotionType::Standard;
        (self.is_on_shipping(), is_standard, Reverse(value), self.promotion.id.as_str())
    }
}

/// Computes the discounts on a cart at this time. Each promotion works on what those before it have left.
///
/// It is a function of its arguments, whatever the order of the promotions. No line is discounted below zero,
/// and the parts of an amount that is shared out add up to it exactly.
pub fn apply(cart: &PricedCart, offers: &Offers, now: Timestamp) -> Promoted {
    let sum = |of: fn(&Priced) -> Decimal| cart.lines.iter().map(of).sum::<Decimal>().to_string();
    let attributes = cart
        .attributes
        .clone()
        .with("currency_code", [cart.currency_code.as_str()])
        .with(ITEM_TOTAL, [sum(|it| it.total)])
        .with(ITEM_SUBTOTAL, [sum(|it| it.subtotal)]);
    let mut ranked: Vec<&Offer> = offers.offers.iter().collect();
    ranked.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let mut state = Applying {
        cart,
        attributes,
        now,
        lines: cart.lines.iter().map(Rest::of).collect(),
        shipping_methods: cart.shipping_methods.iter().map(Rest::of).collect(),
        spent: BTreeMap::new(),
        promoted: Promoted::default(),
    };
    for offer in ranked {
        let discount = state.take(offer);
        state.promoted.outcomes.push(PromotionOutcome {
            code: offer.promotion.code.clone(),
            promotion_id: Some(offer.promotion.id.to_string()),
            is_automatic: offer.promotion.is_automatic,
            discount,
        });
    }
    let mut promoted = state.promoted;
    promoted.outcomes.sort_by(|a, b| a.promotion_id.cmp(&b.promotion_id));
    promoted.outcomes.extend(offers.unknown.iter().map(|code| PromotionOutcome {
        code: code.clone(),
        promotion_id: None,
        is_automatic: false,
        discount: Err(NotApplied::Unknown),
    }));
    promoted
}

/// The state of a computation: what is left of each price, and of each budget.
struct Applying<'a> {
    cart: &'a PricedCart,
    attributes: Attributes,
    now: Timestamp,
    lines: Vec<Rest<'a>>,
    shipping_methods: Vec<Rest<'a>>,
    /// What this cart takes of budgets, by budget and value.
    spent: BTreeMap<(&'a str, Option<&'a str>), Decimal>,
    promoted: Promoted,
}

impl<'a> Applying<'a> {
    /// Takes the discounts of a promotion; returns their sum.
    fn take(&mut self, offer: &'a Offer) -> Result<Decimal, NotApplied> {
        let Offer { promotion, campaign, left } = offer;
        state_of(promotion, campaign.as_ref(), self.now)?;
        let left = left.as_ref().map_err(|it| *it)?;
        let method = offer.method().ok_or(NotApplied::NothingToDiscount)?;
        if method.currency_code.as_ref().is_some_and(|it| *it != self.cart.currency_code) {
            return Err(NotApplied::OtherCurrency);
        }
        if !Rules::of(&promotion.rules).hold(&self.attributes) {
            return Err(NotApplied::RulesNotMet);
        }
        let discounts = self.discounts(offer, method)?;
        let sum: Decimal = discounts.iter().map(|(_, amount)| *amount).sum();
        if sum.is_zero() {
            return Err(NotApplied::NothingToDiscount);
        }
        if let Some(budget) = offer.budget() {
            let key = (budget.id.as_str(), left.attribute_value.as_deref());
            let spent = self.spent.get(&key).copied().unwrap_or_default();
            if !left.admits(budget, sum, spent) {
                return Err(NotApplied::BudgetSpent);
            }
            self.spent.insert(key, spent + counted(budget, sum));
        }
        self.keep(offer, discounts);
        Ok(sum)
    }

    /// The discounts of a promotion on lines, or on shipping methods.
    fn discounts(&self, offer: &Offer, method: &ApplicationMethod) -> Result<Discounts, NotApplied> {
        let rests = if offer.is_on_shipping() { &self.shipping_methods } else { &self.lines };
        let is_tax_inclusive = offer.promotion.is_tax_inclusive;
        let target_rules = Rules::of(&method.target_rules);
        let is_target = |rest: &Rest<'_>| {
            rest.priced.is_discountable
                && rest.priced.quantity > Decimal::ZERO
                && rest.amount(is_tax_inclusive) > Decimal::ZERO
                && target_rules.hold(&rest.priced.attributes)
        };
        let targets: Vec<usize> = (0..rests.len()).filter(|at| is_target(&rests[*at])).collect();
        match offer.promotion.r#type {
            PromotionType::Buyget => buyget::discounts(method, is_tax_inclusive, rests, &targets),
            PromotionType::Standard => Ok(standard::discounts(method, is_tax_inclusive, rests, &targets)),
        }
    }

    /// Subtracts discounts from what is left, and notes them.
    fn keep(&mut self, offer: &Offer, discounts: Discounts) {
        let is_tax_inclusive = offer.promotion.is_tax_inclusive;
        let (rests, kept) = match offer.is_on_shipping() {
            true => (&mut self.shipping_methods, &mut self.promoted.shipping_methods),
            false => (&mut self.lines, &mut self.promoted.lines),
        };
        for (at, amount) in discounts {
            if amount.is_zero() {
                continue;
            }
            rests[at].take(amount, is_tax_inclusive);
            kept.push(PromotionDiscount {
                target_id: rests[at].priced.id.clone(),
                promotion_id: offer.promotion.id.to_string(),
                code: offer.promotion.code.clone(),
                amount,
                is_tax_inclusive,
            });
        }
    }
}
