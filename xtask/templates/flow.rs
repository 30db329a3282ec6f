//! The flow `__name__`: one transaction, committed as a whole or not at all.

use atoll_kernel::{
    Fault, events, flow,
    flow::{HookPoint, Local},
    serde::{Deserialize, Serialize},
    serde_json::json,
    stored,
};

events! { "__crate__.__name__" }

flow! {
    /// Notes something. Event: `__crate__.__name__`.
    pub static __NAME__: Flow<String, ()> = "__name__" (__snake__), hooks: &[&VALIDATE];
}

/// Before something is noted: hooks may refuse it.
pub static VALIDATE: HookPoint<Noting> = HookPoint::new("validate");

stored! {
    /// What hooks get.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(crate = "::atoll_kernel::serde")]
    pub struct Noting {
        /// What is to be noted.
        pub text: String,
    }
}

fn __snake__(flow: &mut Local<'_>, text: String) -> Result<(), Fault> {
    flow.hook(&VALIDATE, || Noting { text: text.clone() })?;
    if text.trim().is_empty() {
        return Err(Fault::invalid("there is nothing to note"));
    }
    flow.emit("__crate__.__name__", json!({ "text": text }))?;
    Ok(())
}
