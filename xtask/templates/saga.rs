//! The saga `__name__`: a call to an external service, and a transaction after it; if that fails, the call
//! is undone.

use std::time::Duration;

use atoll_kernel::{
    Fault, events, flow,
    saga::{External, Run},
    serde_json::json,
};

events! { "__crate__.__name__" }

flow! {
    /// Asks an external service, and notes its answer. Event: `__crate__.__name__`.
    pub static __NAME__: Saga<String, String> = "__name__" (__snake__);
}

async fn __snake__(run: &mut Run, text: String) -> Result<String, Fault> {
    let ask = External::new("ask", move |_, call| {
        let answer = format!("{text} ({})", call.attempt);
        // Call the service here, with `call.key` as its idempotency key.
        async move { Ok(answer) }
    });
    let ask = ask.timeout(Duration::from_secs(10)).retries(2, Duration::from_secs(1));
    // The answer is missing if the call failed or timed out: it may have had an effect all the same.
    let ask = ask.undo(|_, _call, _answer: Option<String>| async { Ok(()) });
    let answer = run.external(ask).await?;
    run.finish("note", move |flow| {
        flow.emit("__crate__.__name__", json!({ "answer": answer }))?;
        Ok(answer.clone())
    })
    .await
}
