//! Subscriber: follows the events of everything that the decision depends on, and tells the shoppers whose
//! channel can sell now. A subscriber is called again after an error or a crash, which the flow allows.

use atoll_inventory::INVENTORY_LEVELS;
use atoll_kernel::{
    Actor, Ctx, Fault, Read, StoreError,
    data::Index,
    jobs::{Event, in_batches},
    subscriber,
};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::{BY_PRODUCT, VARIANTS};

use crate::{
    BATCH, RESTOCK, RestockSubscription, TELL_RESTOCK, WAITING_BY_CHANNEL, WAITING_BY_VARIANT,
    decide::decide, flows::waiting,
};

// Only what can make a variant sellable: less stock, the end of a link or a deletion cannot. Reservations
// change the levels that they reserve. A restored record counts as created, and its links as attached.
subscriber! { "restock.check-changes" on [
    "inventory.inventory-level.created", "inventory.inventory-level.updated",
    "LinkProductVariantInventoryItem.attached", "LinkProductVariantInventoryItem.updated",
    "LinkProductVariantInventoryItem.detached",
    "product.product-variant.created", "product.product-variant.updated",
    "product.product.created", "product.product.updated",
    "LinkProductSalesChannel.attached", "LinkProductSalesChannel.updated",
    "LinkSalesChannelExcludedVariant.detached",
    "LinkSalesChannelStockLocation.attached", "LinkSalesChannelStockLocation.updated",
    "LinkSalesChannelInventoryLevel.attached", "LinkSalesChannelInventoryLevel.updated",
    "LinkSalesChannelInventoryLevel.detached",
    "sales-channel.sales-channel.created", "sales-channel.sales-channel.updated",
] => check_changes }

async fn check_changes(ctx: Ctx, event: Event) -> Result<(), Fault> {
    if !ctx.is_on(&RESTOCK) {
        return Ok(());
    }
    // No view is held while shoppers are told.
    let concerned = concerned(&ctx.view(), &event)?;
    for (index, id) in concerned {
        check_all(&ctx, index, &id).await?;
    }
    Ok(())
}

/// The subscriptions that an event concerns: indexes of waiting ones, each with the id to look up.
type Concerned = Vec<(&'static Index<RestockSubscription>, String)>;

fn concerned(view: &dyn Read, event: &Event) -> Result<Concerned, StoreError> {
    let text = |key: &str| event.data[key].as_str().unwrap_or_default();
    let of = |index, ids: Vec<String>| ids.into_iter().map(|id| (index, id)).collect();
    let (of_what, _) = event.name.rsplit_once('.').unwrap_or_default();
    Ok(match of_what {
        "inventory.inventory-level" => of(&WAITING_BY_VARIANT, variants_with(view, text("id"))?),
        "LinkSalesChannelInventoryLevel" => {
            of(&WAITING_BY_VARIANT, variants_with(view, text("inventory_level_id"))?)
        }
        "product.product-variant" => of(&WAITING_BY_VARIANT, vec![text("id").to_owned()]),
        "LinkProductVariantInventoryItem" | "LinkSalesChannelExcludedVariant" => {
            of(&WAITING_BY_VARIANT, vec![text("variant_id").to_owned()])
        }
        "product.product" => of(&WAITING_BY_VARIANT, variants_of(view, text("id"))?),
        "LinkProductSalesChannel" => of(&WAITING_BY_VARIANT, variants_of(view, text("product_id"))?),
        "LinkSalesChannelStockLocation" => of(&WAITING_BY_CHANNEL, vec![text("sales_channel_id").to_owned()]),
        _ => of(&WAITING_BY_CHANNEL, vec![text("id").to_owned()]),
    })
}

/// The variants that need the item of a level.
fn variants_with(view: &dyn Read, level: &str) -> Result<Vec<String>, StoreError> {
    let level = INVENTORY_LEVELS.get(view, level)?;
    level.map_or(Ok(Vec::new()), |it| PRODUCT_VARIANT_INVENTORY_ITEM.lefts(view, &it.inventory_item_id))
}

fn variants_of(view: &dyn Read, product: &str) -> Result<Vec<String>, StoreError> {
    VARIANTS.table.ids_by(view, &BY_PRODUCT, &[product])
}

/// Checks the subscriptions with this id in an index, a batch at a time.
async fn check_all(ctx: &Ctx, index: &Index<RestockSubscription>, id: &str) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let mut batch = index.next_ids(&ctx.view(), &[id], after.as_deref(), BATCH)?;
        check_batch(ctx, &batch).await?;
        match batch.pop() {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}

/// Checks these subscriptions: asks the decision in the snapshot first, so that a transaction is begun only
/// if it has something to write. The transaction asks again.
pub(crate) async fn check_batch(ctx: &Ctx, ids: &[String]) -> Result<(), Fault> {
    let check = |ids: Vec<String>| {
        let ctx = ctx.clone();
        async move {
            let (view, now) = (ctx.view(), ctx.now());
            let waiting = waiting(&view, &ids)?;
            let decisions = decide(&ctx, &view, now, &waiting)?;
            let changed = waiting.iter().zip(decisions).filter(|(it, decision)| decision.changes(it, now));
            let ids: Vec<String> = changed.map(|(it, _)| it.id.to_string()).collect();
            if !ids.is_empty() {
                ctx.run(&TELL_RESTOCK, Actor::System, ids).await?;
            }
            Ok(())
        }
    };
    in_batches("restock subscription", ids, BATCH, check).await
}
