//! Notification: the e-mail that tells a shopper, by the provider that the settings name.

use atoll_flows::notification::{Mail, send_mail};
use atoll_kernel::{Ctx, Fault, jobs::Event, serde_json::json, subscriber};
use atoll_product::{PRODUCTS, VARIANTS};

subscriber! { "restock.send-mail" on ["restock.available"] => send }

async fn send(ctx: Ctx, event: Event) -> Result<(), Fault> {
    send_mail(ctx, event, available).await
}

/// Nothing about what was deleted meanwhile. What has been sold out again meanwhile is told all the same: no
/// e-mail arrives at the moment for which it is true.
fn available(ctx: &Ctx, event: &Event) -> Result<Option<Mail>, Fault> {
    let (view, text) = (ctx.view(), |key: &str| event.data[key].as_str().unwrap_or_default());
    let Some(variant) = VARIANTS.get(&view, text("variant_id"))? else { return Ok(None) };
    let Some(product) = PRODUCTS.get(&view, &variant.product_id)? else { return Ok(None) };
    let mut data = event.data.clone();
    data["variant"] = json!({ "id": variant.id, "title": variant.title, "sku": variant.sku });
    data["product"] = json!({ "id": product.id, "title": product.title, "handle": product.handle });
    let sales_channel_id = event.data["sales_channel_id"].as_str().map(str::to_owned);
    Ok(Some(Mail { to: text("email").to_owned(), sales_channel_id, data }))
}
