//! Secrets and signatures of Standard Webhooks 1.0: `whsec_…`, and `v1,…` over id, time and body.

use std::ops::RangeInclusive;

use atoll_kernel::{
    Ctx, Timestamp,
    http::{Encoding, sign as hmac},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{SecretMark, Webhook};

/// How the text of a secret begins.
const PREFIX: &str = "whsec_";

/// Bytes of a secret, by the standard.
const BYTES: RangeInclusive<usize> = 24..=64;

/// A secret by which a receiver knows that a request comes from this shop.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// The secret of a text, `whsec_` and 24 to 64 bytes in Base64; none if it is of another form.
    pub fn parse(text: &str) -> Option<WebhookSecret> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        BYTES.contains(&bytes.len()).then_some(WebhookSecret(bytes))
    }

    /// The secret of a webhook with this number: derived from the key of the shop, which is not in the data.
    pub(crate) fn derived(ctx: &Ctx, webhook_id: &str, number: u32) -> WebhookSecret {
        let text =
            hmac(&ctx.key_for("webhooks"), format!("{webhook_id}.{number}").as_bytes(), Encoding::Base64);
        WebhookSecret(STANDARD.decode(text).expect("it was encoded just now"))
    }

    /// Its text.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
}

/// The signature of a message that is sent at this time, in seconds since 1970.
pub fn sign(secret: &WebhookSecret, id: &str, seconds: i64, body: &[u8]) -> String {
    let signed = [format!("{id}.{seconds}.").as_bytes(), body].concat();
    format!("v1,{}", hmac(&secret.0, &signed, Encoding::Base64))
}

impl SecretMark {
    /// Does it still sign?
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|it| now < it)
    }
}

/// The signatures of a message by all secrets of the webhook that are good now, separated by spaces.
pub(crate) fn signatures(ctx: &Ctx, webhook: &Webhook, id: &str, at: Timestamp, body: &[u8]) -> String {
    let good = webhook.secrets.iter().filter(|it| it.is_good(at));
    let secrets = good.map(|it| WebhookSecret::derived(ctx, &webhook.id, it.number));
    let signed = secrets.map(|it| sign(&it, id, at.millis().div_euclid(1000), body));
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the standard's reference implementations.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let signature =
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn secrets_have_24_to_64_bytes() {
        let text = |n: usize| format!("whsec_{}", STANDARD.encode(vec![7; n]));
        for (text, is) in [
            (text(23), false),
            (text(24), true),
            (text(64), true),
            (text(65), false),
            (text(32).replace("whsec_", ""), false),
            ("whsec_?".to_owned(), false),
            ("whsec_".to_owned(), false),
        ] {
            assert_eq!(WebhookSecret::parse(&text).is_some(), is, "{text}");
        }
    }
}
