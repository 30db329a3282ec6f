//! The subscriber `__crate__.__name__`: called after the commit that wrote an event, at least once.

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write, events,
    jobs::{Event, emit},
    serde_json::json,
    subscriber,
};

events! { "__crate__.__snake___done" }

subscriber! { "__crate__.__name__" on ["product.created"] => __snake__ }

async fn __snake__(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let body = move |tx: &mut dyn Write, at: &Moment| {
        Ok(emit(tx, at, "__crate__.__snake___done", json!({ "id": event.data["id"] }))?)
    };
    ctx.write(Actor::System, body).await.map(drop)
}
