//! Flows on promotions, their rules, and campaigns: create, update, delete, and move promotions between
//! campaigns.

use atoll_kernel::{Fault, flow, flow::Local, part_of};
use atoll_promotion::{
    CAMPAIGNS, Campaign, CampaignChanges, NewPromotion, Promotion, PromotionChanges, RuleBatch, RuleKind,
    RulesDone, change_rules, create_campaign, create_promotion, delete_campaign, delete_promotion,
    move_promotions, update_campaign, update_promotion,
};

use crate::{
    points::{
        CAMPAIGNS_CREATED, CAMPAIGNS_DELETED, CAMPAIGNS_UPDATED, Ids, OfId, PROMOTIONS_CREATED,
        PROMOTIONS_DELETED, PROMOTIONS_UPDATED, Records, VALIDATE_CAMPAIGNS, VALIDATE_ID, VALIDATE_IDS,
        VALIDATE_LINKS, VALIDATE_PROMOTIONS,
    },
    sales_channel::LinkIds,
};

part_of! { "promotion" }

flow! {
    /// Creates promotions, with their methods and rules, and new campaigns for them.
    pub static CREATE_PROMOTIONS: Flow<Vec<NewPromotion>, Vec<Promotion>> =
        "create-promotions" (create), hooks: &[&VALIDATE_PROMOTIONS, &PROMOTIONS_CREATED];
}

fn create(flow: &mut Local<'_>, inputs: Vec<NewPromotion>) -> Result<Vec<Promotion>, Fault> {
    flow.hook(&VALIDATE_PROMOTIONS, || Records::of(&inputs))?;
    let created: Vec<Promotion> = flow.step("create-promotions", |tx, at| {
        inputs.into_iter().map(|it| Ok(create_promotion(tx, at, it)?)).collect::<Result<_, Fault>>()
    })?;
    flow.hook(&PROMOTIONS_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Updates a promotion and its method.
    pub static UPDATE_PROMOTIONS: Flow<(String, PromotionChanges), Promotion> =
        "update-promotions" (update), hooks: &[&VALIDATE_ID, &PROMOTIONS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, changes): (String, PromotionChanges)) -> Result<Promotion, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let updated = flow.step("update-promotions", |tx, at| Ok(update_promotion(tx, at, &id, changes)?))?;
    flow.hook(&PROMOTIONS_UPDATED, || Records::one(&updated))?;
    Ok(updated)
}

/// Rules of a promotion to create, to change and to delete.
#[derive(Clone, Debug)]
pub struct RuleChanges {
    /// The promotion, by its id.
    pub promotion_id: String,
    /// Which of its lists of rules.
    pub kind: RuleKind,
    /// What is to be done.
    pub batch: RuleBatch,
}

flow! {
    /// Creates, updates and deletes rules of a promotion, all or none.
    pub static BATCH_PROMOTION_RULES: Flow<RuleChanges, RulesDone> =
        "batch-promotion-rules-workflow" (batch_rules), hooks: &[&VALIDATE_ID, &PROMOTIONS_UPDATED];
}

fn batch_rules(flow: &mut Local<'_>, changes: RuleChanges) -> Result<RulesDone, Fault> {
    let RuleChanges { promotion_id: id, kind, batch } = changes;
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let done = flow.step("update-promotion-rules", |tx, at| Ok(change_rules(tx, at, &id, kind, batch)?))?;
    flow.hook(&PROMOTIONS_UPDATED, || Records::one(&done.promotion))?;
    Ok(done)
}

flow! {
    /// Deletes promotions. Carts that have one lose it when they change next.
    pub static DELETE_PROMOTIONS: Flow<Vec<String>, ()> =
        "delete-promotions" (delete), hooks: &[&VALIDATE_IDS, &PROMOTIONS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-promotions", |tx, at| {
        ids.iter().try_for_each(|id| Ok::<_, Fault>(delete_promotion(tx, at, id).map(drop)?))
    })?;
    flow.hook(&PROMOTIONS_DELETED, || Ids::of(&ids))?;
    Ok(())
}

flow! {
    /// Creates campaigns, with their budgets.
    pub static CREATE_CAMPAIGNS: Flow<Vec<Campaign>, Vec<Campaign>> =
        "create-campaigns" (create_campaigns), hooks: &[&VALIDATE_CAMPAIGNS, &CAMPAIGNS_CREATED];
}

fn create_campaigns(flow: &mut Local<'_>, inputs: Vec<Campaign>) -> Result<Vec<Campaign>, Fault> {
    flow.hook(&VALIDATE_CAMPAIGNS, || Records::of(&inputs))?;
    let created: Vec<Campaign> = flow.step("create-campaigns", |tx, at| {
        inputs.into_iter().map(|it| Ok(create_campaign(tx, at, it)?)).collect::<Result<_, Fault>>()
    })?;
    flow.hook(&CAMPAIGNS_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Updates a campaign, and the limit of its budget.
    pub static UPDATE_CAMPAIGNS: Flow<(String, CampaignChanges), Campaign> =
        "update-campaigns" (update_campaigns), hooks: &[&VALIDATE_ID, &CAMPAIGNS_UPDATED];
}

fn update_campaigns(
    flow: &mut Local<'_>,
    (id, changes): (String, CampaignChanges),
) -> Result<Campaign, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let updated = flow.step("update-campaigns", |tx, at| Ok(update_campaign(tx, at, &id, changes)?))?;
    flow.hook(&CAMPAIGNS_UPDATED, || Records::one(&updated))?;
    Ok(updated)
}

flow! {
    /// Moves promotions into a campaign, also out of another one, and removes others from it.
    pub static MOVE_CAMPAIGN_PROMOTIONS: Flow<LinkIds, Campaign> =
        "add-or-remove-campaign-promotions" (move_all), hooks: &[&VALIDATE_LINKS, &PROMOTIONS_UPDATED];
}

fn move_all(flow: &mut Local<'_>, ids: LinkIds) -> Result<Campaign, Fault> {
    flow.hook(&VALIDATE_LINKS, || ids.as_input())?;
    let moved = flow
        .step("update-promotions", |tx, at| Ok(move_promotions(tx, at, &ids.id, &ids.add, &ids.remove)?))?;
    flow.hook(&PROMOTIONS_UPDATED, || Records::of(&moved))?;
    Ok(CAMPAIGNS.retrieve(flow.tx, &ids.id)?)
}

flow! {
    /// Deletes campaigns. Their promotions stay, and are not applied any more.
    pub static DELETE_CAMPAIGNS: Flow<Vec<String>, ()> =
        "delete-campaigns" (delete_campaigns), hooks: &[&VALIDATE_IDS, &CAMPAIGNS_DELETED];
}

fn delete_campaigns(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-campaigns", |tx, at| {
        ids.iter().try_for_each(|id| Ok::<_, Fault>(delete_campaign(tx, at, id).map(drop)?))
    })?;
    flow.hook(&CAMPAIGNS_DELETED, || Ids::of(&ids))?;
    Ok(())
}
