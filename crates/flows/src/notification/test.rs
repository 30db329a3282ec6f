//! The e-mail by which an operator sees that e-mails are sent.

use atoll_kernel::{Ctx, Fault, http::digest, serde_json::json};

use super::{Mail, deliver};

/// Sends an e-mail that says nothing, in the name of a channel, and waits for it; returns the id of the
/// provider. Errors: those of the provider, at once; 400 where the settings name none.
pub async fn send_test(ctx: &Ctx, to: String, sales_channel_id: Option<String>) -> Result<String, Fault> {
    let id = ctx.config().email_provider.clone();
    let id = id.ok_or_else(|| Fault::not_allowed("The setting `email_provider` names no provider"))?;
    let key = digest(&format!("test {} {to}", ctx.now()));
    let mail = Mail { to, sales_channel_id, data: json!({}) };
    deliver(ctx.clone(), &id, "notification.test".to_owned(), mail, key).await?;
    Ok(id)
}
