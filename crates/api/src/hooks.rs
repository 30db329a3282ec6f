//! Webhooks that come in: `POST /hooks/payment/:provider_id`, for payment providers.

use atoll_checkout::{PaymentProvider, WebhookRequest};
use atoll_flows::payment::receive_notice;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Type},
    limits::WEBHOOK_BYTES_MAX,
    routes,
    serde_json::json,
};

routes! {
    raw;
    /// Receives a webhook of a payment provider. The provider checks its signature, and says which payment
    /// session was authorised, captured or has failed; a webhook that comes again has no further effect. The
    /// id of the provider may be given without `pp_`.
    Post "/hooks/payment/:provider_id" (Public, ANY, up_to WEBHOOK_BYTES_MAX) => receive: RECEIVED;
}

const RECEIVED: Answer =
    Answer::Object(&[Part::value("received", Type::Bool, "True: what the webhook says was done.")]);

/// Providers may add parameters of their own to the address.
const ANY: Params = Params { own: &[], limit: None, strict: false };

async fn receive(call: Call) -> Result<Reply, Fault> {
    let ctx = call.app.clone();
    let (id, provider) = provider(&call)?;
    let request = WebhookRequest { headers: call.head().headers.clone(), body: call.raw().clone() };
    // Nothing of the request is held while the provider reads it, and the cart is completed.
    drop(call);
    let reading = tokio::time::timeout(provider.timeout(), provider.webhook(ctx.clone(), request)).await;
    let late = |_| Fault::unexpected(format!("`{id}` did not read a webhook in time"));
    if let Some(notice) = reading.map_err(late)?? {
        receive_notice(&ctx, &id, notice).await?;
    }
    Ok(Reply::json(&json!({ "received": true })))
}

/// The provider that the path names, with its id.
fn provider(call: &Call) -> Result<(String, &'static dyn PaymentProvider), Fault> {
    let named = call.path("provider_id");
    for id in [named.to_owned(), format!("pp_{named}")] {
        if let Some(provider) = call.app.registry().provider(&id) {
            return Ok((id, provider));
        }
    }
    Err(Fault::not_found(format!("Payment provider with id: {named} was not found")))
}
