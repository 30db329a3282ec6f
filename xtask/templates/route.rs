//! The route `GET /admin/__name__`.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Param, ParamKind, Params, Part, Reply, Type},
    routes,
    serde_json::json,
};

routes! {
    /// Greets.
    Get "/admin/__name__" (Admin, PARAMS) => __snake__: GREETING;
}

const PARAMS: Params = Params { own: &[Param::new("name", ParamKind::Any)], limit: None, strict: true };
const GREETING: Answer = Answer::Object(&[Part::value("greeting", Type::Text, "Hello.")]);

async fn __snake__(mut call: Call) -> Result<Reply, Fault> {
    let name = call.params.take_one("name")?.unwrap_or_else(|| "world".into());
    Ok(Reply::json(&json!({ "greeting": format!("Hello, {name}") })))
}
