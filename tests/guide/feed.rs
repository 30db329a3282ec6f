//! The example of docs/availability-events.md: a feed that follows what each channel sells.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use atoll_availability::announce_changes;
use atoll_kernel::{Ctx, Fault, jobs::Event, subscriber};
use atoll_testkit::Shop;
use serde_json::json;

/// What each channel sells: pairs of the ids of a channel and of a variant.
#[derive(Default)]
struct Feed(Mutex<BTreeSet<(String, String)>>);

subscriber! { "feed.follow-availability" on
["sales-channel.variant-available", "sales-channel.variant-unavailable"] => follow }

/// Puts a variant into the feed of its channel, or takes it out. Either may be done twice.
async fn follow(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let id = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
    let pair = (id("sales_channel_id"), id("id"));
    let feed = ctx.memory::<Feed>();
    let mut sold = feed.0.lock().unwrap_or_else(PoisonError::into_inner);
    match event.name.as_str() {
        "sales-channel.variant-available" => sold.insert(pair),
        _ => sold.remove(&pair),
    };
    Ok(())
}

#[tokio::test]
async fn feed_follows_what_each_channel_sells() {
    let (shop, web, _) = Shop::web().await;
    let sold = async || {
        announce_changes(&shop.app.ctx).await.expect("nothing fails");
        shop.app.deliver("feed.follow-availability").await;
        shop.app.ctx.memory::<Feed>().0.lock().expect("no panic").clone()
    };
    assert_eq!(sold().await, BTreeSet::new());
    let tea = shop.product("Tea", &[&web], 5).await;
    assert_eq!(sold().await, BTreeSet::from([(web.clone(), tea.id)]));
    shop.admin.post(&format!("/admin/sales-channels/{web}"), json!({ "is_disabled": true })).await.ok();
    assert_eq!(sold().await, BTreeSet::new());
}
