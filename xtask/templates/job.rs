//! The job `__crate__.__name__`.

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Write, events, job,
    jobs::{Tick, emit},
    serde_json::json,
};

events! { "__crate__.__snake___ran" }

// At midnight, in UTC.
job! { "__crate__.__name__" at "0 0 * * *" => __snake__ }

async fn __snake__(ctx: Ctx, tick: Tick) -> Result<(), Fault> {
    let body = move |tx: &mut dyn Write, at: &Moment| {
        Ok(emit(tx, at, "__crate__.__snake___ran", json!({ "run": tick.n_runs }))?)
    };
    ctx.write(Actor::System, body).await.map(drop)
}
