//! Admin routes of __title__: `/admin/__name__`.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Type},
    routes,
    serde_json::json,
};

use crate::__NAME__;

routes! {
    /// Opens a sales channel.
    Post "/admin/__name__" (Admin, Params::NONE, &[]) => create: ID;
}

const ID: Answer = Answer::Object(&[Part::value("id", Type::Text, "The id of the channel.")]);

async fn create(call: Call) -> Result<Reply, Fault> {
    let (id, _) = call.app.run(&__NAME__, call.pass.actor.clone(), "__Title__".to_owned()).await?;
    Ok(Reply::json(&json!({ "id": id })))
}
