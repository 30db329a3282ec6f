//! The flow `__name__`: one transaction, committed as a whole or not at all.

use atoll_kernel::{Fault, events, flow, flow::Local, serde_json::json};

events! { "__crate__.__name__" }

flow! {
    /// Notes something. Event: `__crate__.__name__`.
    pub static __NAME__: Flow<String, ()> = "__name__" (__snake__), hooks: &["validate"];
}

fn __snake__(flow: &mut Local<'_>, text: String) -> Result<(), Fault> {
    flow.hook("validate", || json!({ "text": text }))?;
    if text.trim().is_empty() {
        return Err(Fault::invalid("there is nothing to note"));
    }
    flow.emit("__crate__.__name__", json!({ "text": text }))?;
    Ok(())
}
