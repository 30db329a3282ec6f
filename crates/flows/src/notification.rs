//! Notifications by e-mail: password resets, invites, confirmations and transfers of orders, by the
//! notification provider that the settings name; and the built-in provider `log`, which logs that something
//! was to be sent.

use atoll_kernel::{
    Ctx, Fault,
    http::{UNSIGNED_TOKEN, digest},
    jobs::Event,
    provider,
    serde_json::{Value, json},
    subscriber,
};
use atoll_order::ORDERS;
use atoll_providers::{EMAIL, Notification, NotificationProvider, Working};

subscriber! {
    "notification.send-mail" on [
        "auth.password_reset", "invite.created", "invite.resent", "order.placed", "order.transfer_requested",
    ] => send_mail
}

/// Sends the e-mail that an event calls for. Nothing, unless the settings name a provider.
async fn send_mail(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let Some(id) = ctx.config().email_provider.clone() else { return Ok(()) };
    let provider = ctx.provider::<dyn NotificationProvider>(&id)?;
    let Some((to, data)) = addressed(&ctx, &event)? else { return Ok(()) };
    let key = digest(&format!("{} {} {}", event.name, event.at, event.data));
    let notification = Notification { to, channel: EMAIL, template: event.name, data, key };
    let sending = tokio::time::timeout(provider.timeout(), provider.send(ctx, notification)).await;
    sending.map_err(|_| Fault::unexpected(format!("`{id}` did not send an e-mail in time")))?
}

/// The address of an event, and what its template is filled with. None if nobody is to be told, or too late.
fn addressed(ctx: &Ctx, event: &Event) -> Result<Option<(String, Value)>, Fault> {
    if event.name == "order.placed" {
        return of_order(ctx, event.data["id"].as_str().unwrap_or_default());
    }
    let Some(token) = ctx.token_of(event) else {
        tracing::warn!(event = event.name, at = %event.at, "an e-mail is not sent: its token has expired");
        return Ok(None);
    };
    let mut data = event.data.clone();
    data.as_object_mut().map(|it| it.remove(UNSIGNED_TOKEN));
    data["token"] = token.into();
    let to = data["email"].as_str().or(data["entity_id"].as_str());
    Ok(to.map(str::to_owned).map(|to| (to, data)))
}

fn of_order(ctx: &Ctx, id: &str) -> Result<Option<(String, Value)>, Fault> {
    // It may have been deleted since.
    let Some(order) = ORDERS.get(&ctx.view(), id)? else { return Ok(None) };
    let Some(to) = order.email.clone().filter(|_| order.no_notification != Some(true)) else {
        return Ok(None);
    };
    let total = order.totals().total;
    let data = json!({ "id": id, "total": total, "order": order });
    Ok(Some((to, data)))
}

/// Logs that something was to be sent: neither to whom, nor what, since that may be a token.
struct Log;

provider! { dyn NotificationProvider: "log" => Log }

impl NotificationProvider for Log {
    fn send(&self, _: Ctx, notification: Notification) -> Working<()> {
        let Notification { channel, template, key, .. } = notification;
        tracing::info!(channel, template, key, "a notification was to be sent");
        Box::pin(async { Ok(()) })
    }
}
