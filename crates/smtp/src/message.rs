//! An e-mail: in whose name it is sent, and what the template makes of the notification.

use std::path::PathBuf;

use atoll_kernel::{Fault, serde_json::json};
use atoll_providers::Notification;
use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart, header::ContentType},
};

use crate::{
    settings::SmtpSettings,
    template::{fill, is_plain},
};

/// What is to be sent. A repeated e-mail has the same `Message-ID`, by which mail programs show it once.
pub(crate) fn message(settings: &SmtpSettings, notification: Notification) -> Result<Message, Fault> {
    let Notification { to, template, mut data, key, .. } = notification;
    let to: Address = to.parse().map_err(|_| Fault::invalid(format!("`{to}` is no e-mail address")))?;
    let channel = &data["sales_channel"];
    let names: Vec<String> =
        ["id", "name"].iter().filter_map(|it| channel[it].as_str()).map(str::to_owned).collect();
    let (from, url) = settings.sent_by(&names);
    data["shop"] = json!({ "name": from.name.as_deref().unwrap_or(from.email.domain()), "url": url });
    let content = fill(&settings.folders(&names), &template, &data).map_err(Fault::invalid)?;
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(content.subject)
        .message_id(Some(format!("<{key}@{}>", from.email.domain())));
    match content.html {
        Some(html) => message.multipart(MultiPart::alternative_plain_html(content.text, html)),
        None => message.header(ContentType::TEXT_PLAIN).body(content.text),
    }
    .map_err(Fault::unexpected)
}

impl SmtpSettings {
    /// The sender and the storefront of the channel with this id and name; without one, those of the shop.
    fn sent_by(&self, names: &[String]) -> (&Mailbox, Option<&str>) {
        let channel = names.iter().find_map(|it| self.channels.0.get(it));
        let from = channel.and_then(|it| it.from.as_ref()).unwrap_or(&self.from);
        let url = channel.and_then(|it| it.storefront_url.as_ref()).or(self.storefront_url.as_ref());
        (&from.0, url.map(|it| &*it.0))
    }

    /// The folders with templates for the channel with this id and name, the first that counts first.
    fn folders(&self, names: &[String]) -> Vec<PathBuf> {
        let Some(all) = self.templates.as_ref().map(|it| &it.0) else { return Vec::new() };
        let own = names.iter().filter(|it| is_plain(it)).map(|it| all.join(it));
        own.chain([all.clone()]).collect()
    }
}
