//! Two channels: opened by an admin, for each new user, and every night.

use atoll_flows::sales_channel::CREATE_SALES_CHANNELS;
use atoll_kernel::{
    Actor, Ctx, Fault, flow,
    flow::Local,
    http::{Answer, Call, Params, Part, Reply, Type},
    job,
    jobs::{Event, Tick},
    routes,
    serde_json::json,
    subscriber,
};
use atoll_sales_channel::SalesChannel;

flow! {
    /// Opens two channels, both or none; answers their ids.
    pub static OPEN_CHANNELS: Flow<(), Vec<String>> = "open-sale-channels" (open_channels);
}

fn open_channels(flow: &mut Local<'_>, (): ()) -> Result<Vec<String>, Fault> {
    let named = |name: &str| SalesChannel { name: name.into(), ..SalesChannel::default() };
    let opened = flow.run(&CREATE_SALES_CHANNELS, vec![named("Summer sale"), named("Winter sale")])?;
    Ok(opened.iter().map(|it| it.id.to_string()).collect())
}

routes! {
    /// Creates two sales channels, both or none.
    Post "/admin/sale-channels" (Admin, Params::NONE, &[]) => on_request: IDS;
}

const IDS: Answer =
    Answer::Object(&[Part::value("ids", Type::List(&Type::Text), "The ids of the channels.")]);

async fn on_request(call: Call) -> Result<Reply, Fault> {
    let (ids, _) = call.app.run(&OPEN_CHANNELS, call.pass.actor.clone(), ()).await?;
    Ok(Reply::json(&json!({ "ids": ids })))
}

subscriber! { "sale-channels.open-for-user" on ["user.created"] => for_new_user }

async fn for_new_user(ctx: Ctx, _: Event) -> Result<(), Fault> {
    ctx.run(&OPEN_CHANNELS, Actor::System, ()).await.map(drop)
}

job! { "sale-channels.open-nightly" at "0 0 * * *" => every_night }

async fn every_night(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    ctx.run(&OPEN_CHANNELS, Actor::System, ()).await.map(drop)
}
