//! Notifications by e-mail: password resets, invites, confirmations, shipments and transfers of orders, by
//! the notification provider that the settings name; and the built-in provider `log`, which logs that
//! something was to be sent.

mod shipped;
mod test;

use atoll_kernel::{
    Ctx, Fault,
    http::{UNSIGNED_TOKEN, digest},
    jobs::Event,
    provider,
    serde_json::{Value, json},
    subscriber,
};
use atoll_order::{ORDERS, Order};
use atoll_providers::{EMAIL, Notification, NotificationProvider, Working};
use atoll_sales_channel::SALES_CHANNELS;

pub use test::send_test;

/// An e-mail that an event calls for.
pub struct Mail {
    /// The address.
    pub to: String,
    /// The channel that it is about, by its id: the e-mail is sent in the name of that.
    pub sales_channel_id: Option<String>,
    /// What the template is filled with, an object.
    pub data: Value,
}

/// Sends the e-mail that an event calls for: what a subscriber of it does. The template has the name of the
/// event, and is filled with the data and `sales_channel`, the id and name of the channel. `read` says
/// whom to tell what; it is called only where the settings name a provider, and says `None` if nobody is to
/// be told.
pub async fn send_mail(
    ctx: Ctx,
    event: Event,
    read: impl FnOnce(&Ctx, &Event) -> Result<Option<Mail>, Fault>,
) -> Result<(), Fault> {
    let Some(id) = ctx.config().email_provider.clone() else { return Ok(()) };
    let Some(mail) = read(&ctx, &event)? else { return Ok(()) };
    let key = digest(&format!("{} {} {}", event.name, event.at, event.data));
    deliver(ctx, &id, event.name, mail, key).await
}

/// Hands an e-mail to a provider. Errors: those of the provider; it took too long.
async fn deliver(ctx: Ctx, id: &str, template: String, mail: Mail, key: String) -> Result<(), Fault> {
    let provider = ctx.provider::<dyn NotificationProvider>(id)?;
    let Mail { to, sales_channel_id, mut data } = mail;
    let channel = match sales_channel_id {
        Some(id) => SALES_CHANNELS.get(&ctx.view(), &id)?,
        None => None,
    };
    data["sales_channel"] = channel.map_or(Value::Null, |it| json!({ "id": it.id, "name": it.name }));
    let notification = Notification { to, channel: EMAIL, template, data, key };
    let sending = tokio::time::timeout(provider.timeout(), provider.send(ctx, notification)).await;
    sending.map_err(|_| Fault::unexpected(format!("`{id}` did not send an e-mail in time")))?
}

subscriber! {
    "notification.send-mail" on [
        "auth.password_reset", "invite.created", "invite.resent", "order.placed", "order.transfer_requested",
    ] => mail
}

async fn mail(ctx: Ctx, event: Event) -> Result<(), Fault> {
    let read = if event.name == "order.placed" { placed } else { with_token };
    send_mail(ctx, event, read).await
}

/// What the token of an event is for. None if it comes too late.
fn with_token(ctx: &Ctx, event: &Event) -> Result<Option<Mail>, Fault> {
    let Some(token) = ctx.token_of(event) else {
        tracing::warn!(event = event.name, at = %event.at, "an e-mail is not sent: its token has expired");
        return Ok(None);
    };
    let mut data = event.data.clone();
    data.as_object_mut().map(|it| it.remove(UNSIGNED_TOKEN));
    data["token"] = token.into();
    let mut sales_channel_id = None;
    match &*event.name {
        "order.transfer_requested" => {
            let order = ORDERS.get(&ctx.view(), text(&event.data, "id"))?;
            sales_channel_id = order.and_then(|it| it.sales_channel_id.clone());
        }
        "auth.password_reset" | "invite.created" | "invite.resent" => data["app_url"] = app_url(ctx).into(),
        _ => {}
    }
    let to = data["email"].as_str().or(data["entity_id"].as_str()).map(str::to_owned);
    Ok(to.map(|to| Mail { to, sales_channel_id, data }))
}

/// Where the pages for people are, if the settings say where this server is reached from outside.
fn app_url(ctx: &Ctx) -> Option<String> {
    let config = ctx.config();
    config.public_url.as_ref().zip(config.pages.as_ref()).map(|(url, path)| format!("{url}{path}"))
}

fn placed(ctx: &Ctx, event: &Event) -> Result<Option<Mail>, Fault> {
    // It may have been deleted since.
    let Some(order) = ORDERS.get(&ctx.view(), text(&event.data, "id"))? else { return Ok(None) };
    if order.no_notification == Some(true) {
        return Ok(None);
    }
    let data = json!({ "id": order.id, "total": order.totals().total, "order": order });
    Ok(to_buyer(&order, data))
}

/// An e-mail to the buyer of an order, if there is an address.
fn to_buyer(order: &Order, data: Value) -> Option<Mail> {
    let to = order.email.clone()?;
    Some(Mail { to, sales_channel_id: order.sales_channel_id.clone(), data })
}

fn text<'a>(data: &'a Value, key: &str) -> &'a str {
    data[key].as_str().unwrap_or_default()
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
