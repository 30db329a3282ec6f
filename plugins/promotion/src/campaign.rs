//! Creating, changing and deleting campaigns; moving promotions into and out of them.

use atoll_kernel::{
    Decimal, Id, Moment, Read, Write,
    data::{Entity, Patch},
    limits::CAMPAIGN_PROMOTIONS_AT_ONCE_MAX,
};

use crate::{
    BY_IDENTIFIER, CAMPAIGNS, Campaign, CampaignPatch, Error, Promotion,
    check::check_campaign,
    service::{promotion, save},
};

/// An update of a campaign. Absent fields stay unchanged.
#[derive(Clone, Debug, Default)]
pub struct CampaignChanges {
    /// Fields of the record.
    pub patch: CampaignPatch,
    /// The limit of its budget; nothing else of a budget changes.
    pub budget_limit: Option<Option<Decimal>>,
}

/// Creates a campaign, with its budget.
pub fn create_campaign(tx: &mut dyn Write, at: &Moment, campaign: Campaign) -> Result<Campaign, Error> {
    let mut campaign = Campaign { id: at.id(), ..campaign };
    let id = campaign.id.clone();
    if let Some(budget) = &mut campaign.budget {
        budget.init(at.id(), at.now());
        budget.campaign_id = id;
        budget.used = Decimal::ZERO;
        if let Some(code) = &mut budget.currency_code {
            *code = code.to_lowercase();
        }
    }
    check(tx, &campaign)?;
    Ok(CAMPAIGNS.create(tx, at, campaign)?)
}

/// Changes a campaign, and the limit of its budget.
pub fn update_campaign(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    changes: CampaignChanges,
) -> Result<Campaign, Error> {
    let Some(mut campaign) = CAMPAIGNS.get(tx, id)? else { return Err(Error::NoCampaign(id.to_owned())) };
    changes.patch.apply(&mut campaign);
    if let Some(limit) = changes.budget_limit {
        let Some(budget) = &mut campaign.budget else {
            return Err(Error::invalid("The campaign has no budget whose limit could change"));
        };
        if budget.limit != limit {
            budget.limit = limit;
            budget.touch(at.now());
        }
    }
    check(tx, &campaign)?;
    Ok(CAMPAIGNS.update(tx, at, id, move |it: &mut Campaign| *it = campaign)?)
}

/// Soft-deletes a campaign. Its promotions stay in it, and are not applied any more.
pub fn delete_campaign(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Campaign, Error> {
    CAMPAIGNS.soft_delete(tx, at, id)?.ok_or_else(|| Error::NoCampaign(id.to_owned()))
}

/// Moves promotions into a campaign, also out of another one, and removes others from it. Those that are in
/// no or another campaign cannot be removed from this one, and stay as they are. Returns those that changed.
pub fn move_promotions(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    add: &[String],
    remove: &[String],
) -> Result<Vec<Promotion>, Error> {
    if !CAMPAIGNS.table.exists(tx, id)? {
        return Err(Error::NoCampaign(id.to_owned()));
    }
    if add.len() + remove.len() > CAMPAIGN_PROMOTIONS_AT_ONCE_MAX {
        let text = format!("One request moves at most {CAMPAIGN_PROMOTIONS_AT_ONCE_MAX} promotions");
        return Err(Error::invalid(text));
    }
    let campaign: Id<Campaign> = id.into();
    let mut moved = Vec::new();
    for (ids, is_added) in [(add, true), (remove, false)] {
        for id in ids {
            let before = promotion(tx, id)?;
            if (before.campaign_id.as_ref() == Some(&campaign)) != is_added {
                let campaign_id = is_added.then(|| campaign.clone());
                let after = Promotion { campaign_id, ..before.clone() };
                moved.push(save(tx, at, &before, after)?);
            }
        }
    }
    Ok(moved)
}

/// Checks a campaign by itself, and beside the others.
fn check(tx: &dyn Read, campaign: &Campaign) -> Result<(), Error> {
    check_campaign(campaign)?;
    let other = CAMPAIGNS.table.id_by(tx, &BY_IDENTIFIER, &[&campaign.campaign_identifier])?;
    match other {
        Some(other) if *campaign.id != *other => {
            Err(Error::IdentifierTaken(campaign.campaign_identifier.clone()))
        }
        _ => Ok(()),
    }
}
