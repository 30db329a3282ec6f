//! What happens to reviews by itself: a subscriber, a nightly job, a check.

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, StoreError, Write, check, events, job,
    jobs::{Event, Tick, emit},
    serde_json::json,
    subscriber,
    verify::Verify,
};

use crate::REVIEWS;

subscriber! { "review.hide-advertising" on ["review.created"] => hide_advertising }

/// Deletes a review that holds an address of the web. It can be restored.
async fn hide_advertising(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let id = event.data["id"].as_str().unwrap_or_default().to_owned();
    let body = move |tx: &mut dyn Write, at: &Moment| {
        let review = REVIEWS.get(tx, &id)?;
        if review.and_then(|it| it.text).is_some_and(|text| text.contains("://")) {
            REVIEWS.soft_delete(tx, at, &id)?;
        }
        Ok(())
    };
    ctx.write(Actor::System, body).await.map(drop)
}

events! { "review.counted" }

job! { "review.count" at "0 3 * * *" => count }

/// Tells how many reviews there are. Event: `review.counted`.
async fn count(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let body = |tx: &mut dyn Write, at: &Moment| {
        let n_reviews = REVIEWS.table.count(tx)?;
        Ok(emit(tx, at, "review.counted", json!({ "count": n_reviews }))?)
    };
    ctx.write(Actor::System, body).await.map(drop)
}

check! { "review.rating": "A review has a rating from 1 to 5" => ratings }

fn ratings(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&REVIEWS.table, |it, review| {
        if !(1..=5).contains(&review.rating) {
            it.wrong("review.rating", "review", &review.id, review.rating.to_string(), "1 to 5");
        }
        Ok(())
    })
}
