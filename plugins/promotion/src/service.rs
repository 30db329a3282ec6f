//! Creating, changing and deleting promotions, and their rules.

use atoll_kernel::{
    Moment, Read, Write,
    data::{Entity, Patch},
    limits::AUTOMATIC_PROMOTIONS_MAX,
    serde::{Deserialize, Serialize},
    stored,
};

use crate::{
    ACTIVE_AUTOMATIC, ApplicationMethod, BY_CODE, BY_FOLDED_CODE, CAMPAIGNS, Campaign, Error, MethodPatch,
    PROMOTIONS, Promotion, PromotionPatch, PromotionRule, RulePatch, campaign::create_campaign,
    check::check_promotion, folded, is_applied_automatically,
};

stored! {
    /// A new promotion.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(crate = "::atoll_kernel::serde", default)]
    pub struct NewPromotion {
        /// The record, with its method and its rules; their ids and times are made.
        pub promotion: Promotion,
        /// A new campaign for it.
        pub campaign: Option<Campaign>,
    }
}

/// An update of a promotion. Absent fields stay unchanged; rules have a function of their own.
#[derive(Clone, Debug, Default)]
pub struct PromotionChanges {
    /// Fields of the record.
    pub patch: PromotionPatch,
    /// Fields of its method.
    pub method: Option<MethodPatch>,
}

/// The lists of rules that a promotion has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// What a cart must be.
    Rules,
    /// What a line or a shipping method must be to be discounted.
    Target,
    /// What a line must be to count as bought.
    Buy,
}

/// Rules to create, to change and to delete.
#[derive(Clone, Debug, Default)]
pub struct RuleBatch {
    /// New rules.
    pub create: Vec<PromotionRule>,
    /// Updates by id.
    pub update: Vec<(String, RulePatch)>,
    /// Ids of rules to delete.
    pub delete: Vec<String>,
}

stored! {
    /// What was done to the rules of a promotion.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(crate = "::atoll_kernel::serde", default)]
    pub struct RulesDone {
        /// The promotion, as it is now.
        pub promotion: Promotion,
        /// The rules that were created.
        pub created: Vec<PromotionRule>,
        /// The rules that were updated.
        pub updated: Vec<PromotionRule>,
    }
}

impl ApplicationMethod {
    fn lower_currency(&mut self) {
        if let Some(code) = &mut self.currency_code {
            *code = code.to_lowercase();
        }
    }
}

impl Promotion {
    /// The rules of a kind.
    pub fn rules_of(&self, kind: RuleKind) -> &[PromotionRule] {
        match (kind, &self.application_method) {
            (RuleKind::Rules, _) => &self.rules,
            (RuleKind::Target, Some(method)) => &method.target_rules,
            (RuleKind::Buy, Some(method)) => &method.buy_rules,
            (RuleKind::Target | RuleKind::Buy, None) => &[],
        }
    }

    fn rules_mut(&mut self, kind: RuleKind) -> Option<&mut Vec<PromotionRule>> {
        match (kind, &mut self.application_method) {
            (RuleKind::Rules, _) => Some(&mut self.rules),
            (RuleKind::Target, Some(method)) => Some(&mut method.target_rules),
            (RuleKind::Buy, Some(method)) => Some(&mut method.buy_rules),
            (RuleKind::Target | RuleKind::Buy, None) => None,
        }
    }
}

/// Creates a promotion, with its method and rules, and its campaign if a new one is given.
pub fn create_promotion(tx: &mut dyn Write, at: &Moment, new: NewPromotion) -> Result<Promotion, Error> {
    let NewPromotion { mut promotion, campaign } = new;
    let campaign = match (campaign, &promotion.campaign_id) {
        (Some(_), Some(_)) => {
            let text = "Exactly one of 'campaign' or 'campaign_id' may be provided, but not both";
            return Err(Error::invalid(text));
        }
        (Some(new), None) => Some(create_campaign(tx, at, new)?),
        (None, id) => id.as_ref().map(|id| campaign_of(tx, id)).transpose()?,
    };
    promotion.campaign_id = campaign.as_ref().map(|it| it.id.clone());
    promotion.id = at.id();
    promotion.used = 0;
    let id = promotion.id.clone();
    if let Some(method) = &mut promotion.application_method {
        method.init(at.id(), at.now());
        method.promotion_id = id;
        method.lower_currency();
    }
    for kind in [RuleKind::Rules, RuleKind::Target, RuleKind::Buy] {
        for rule in promotion.rules_mut(kind).into_iter().flatten() {
            rule.init(at.id(), at.now());
        }
    }
    check(tx, None, &promotion, campaign.as_ref())?;
    Ok(PROMOTIONS.create(tx, at, promotion)?)
}

/// Changes a promotion and its method. Metadata are merged.
pub fn update_promotion(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    changes: PromotionChanges,
) -> Result<Promotion, Error> {
    let before = promotion(tx, id)?;
    let mut after = before.clone();
    changes.patch.apply(&mut after);
    if let (Some(patch), Some(method)) = (changes.method, &mut after.application_method) {
        let old = method.clone();
        patch.apply(method);
        method.lower_currency();
        if *method != old {
            method.touch(at.now());
        }
    }
    save(tx, at, &before, after)
}

/// Creates, changes and deletes rules of a promotion, all or none.
pub fn change_rules(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    kind: RuleKind,
    batch: RuleBatch,
) -> Result<RulesDone, Error> {
    let before = promotion(tx, id)?;
    let mut after = before.clone();
    let mut done = RulesDone::default();
    if let Some(rules) = after.rules_mut(kind) {
        let has = |id: &str| rules.iter().any(|it| *it.id == *id);
        let named = batch.update.iter().map(|(id, _)| id).chain(&batch.delete);
        let unknown: Vec<String> = named.filter(|id| !has(id)).cloned().collect();
        if !unknown.is_empty() {
            return Err(Error::NoRules(unknown));
        }
        for (id, patch) in batch.update {
            for rule in rules.iter_mut().filter(|it| *it.id == *id) {
                patch.clone().apply(rule);
                rule.touch(at.now());
                done.updated.push(rule.clone());
            }
        }
        rules.retain(|it| !batch.delete.iter().any(|id| *it.id == **id));
        for mut rule in batch.create {
            rule.init(at.id(), at.now());
            done.created.push(rule.clone());
            rules.push(rule);
        }
    }
    done.promotion = save(tx, at, &before, after)?;
    Ok(done)
}

/// Soft-deletes a promotion: carts that have it lose it when they change next.
pub fn delete_promotion(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Promotion, Error> {
    PROMOTIONS.soft_delete(tx, at, id)?.ok_or_else(|| Error::NoPromotion(id.to_owned()))
}

/// The promotion with this id, or with this code.
pub fn find_promotion(tx: &dyn Read, id_or_code: &str) -> Result<Option<Promotion>, Error> {
    match PROMOTIONS.get(tx, id_or_code)? {
        Some(found) => Ok(Some(found)),
        None => Ok(PROMOTIONS.table.get_by(tx, &BY_CODE, &[id_or_code])?),
    }
}

/// Stores a changed promotion, after checking it as a whole.
pub(crate) fn save(
    tx: &mut dyn Write,
    at: &Moment,
    before: &Promotion,
    after: Promotion,
) -> Result<Promotion, Error> {
    let campaign = match &after.campaign_id {
        Some(id) if after.campaign_id != before.campaign_id => Some(campaign_of(tx, id)?),
        // It may have been deleted since.
        Some(id) => CAMPAIGNS.get(tx, id)?,
        None => None,
    };
    check(tx, Some(before), &after, campaign.as_ref())?;
    let id = after.id.clone();
    Ok(PROMOTIONS.update(tx, at, &id, move |it: &mut Promotion| *it = after)?)
}

pub(crate) fn promotion(tx: &dyn Read, id: &str) -> Result<Promotion, Error> {
    PROMOTIONS.get(tx, id)?.ok_or_else(|| Error::NoPromotion(id.to_owned()))
}

fn campaign_of(tx: &dyn Read, id: &str) -> Result<Campaign, Error> {
    CAMPAIGNS.get(tx, id)?.ok_or_else(|| Error::NoCampaignOf(id.to_owned()))
}

/// Checks a promotion by itself, and beside the others.
fn check(
    tx: &dyn Read,
    before: Option<&Promotion>,
    after: &Promotion,
    campaign: Option<&Campaign>,
) -> Result<(), Error> {
    check_promotion(after, campaign)?;
    if before.is_none_or(|it| it.code != after.code) {
        let other = PROMOTIONS.table.get_by(tx, &BY_FOLDED_CODE, &[&folded(&after.code)])?;
        if let Some(other) = other.filter(|it| it.id != after.id) {
            return Err(Error::CodeTaken(other.code));
        }
    }
    let becomes_automatic = is_applied_automatically(after) && !before.is_some_and(is_applied_automatically);
    let n_max = AUTOMATIC_PROMOTIONS_MAX as u64;
    if becomes_automatic && ACTIVE_AUTOMATIC.count_up_to(tx, &["true"], n_max)? >= n_max {
        let text = format!("At most {AUTOMATIC_PROMOTIONS_MAX} automatic promotions can be active at a time");
        return Err(Error::invalid(text));
    }
    Ok(())
}
