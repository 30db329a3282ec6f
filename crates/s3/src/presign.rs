//! Presigned uploads (AWS Signature Version 4 in the query string): a URL that lets a client `PUT` one
//! object, with the media type and the size that are signed. The signer of `object_store` does not sign
//! sizes.

use atoll_kernel::{
    http::{Encoding, digest, sign},
    limits::PRESIGNED_URL_LIFETIME,
};
use atoll_providers::DirectUpload;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use sha2::Sha256;

/// What Signature Version 4 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The headers that a client must send as they were signed.
const SIGNED_HEADERS: &str = "content-length;content-type;host";

/// Who signs, and for which region.
pub(crate) struct Signer<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) region: &'a str,
}

impl Signer<'_> {
    /// The URL for uploading to `url`, from `at` on (`20261127T013000Z`).
    pub(crate) fn put(&self, url: &Url, upload: DirectUpload, at: &str) -> String {
        let day = &at[..8];
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let query = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &format!("{}/{scope}", self.access_key_id)),
            ("X-Amz-Date", at),
            ("X-Amz-Expires", &PRESIGNED_URL_LIFETIME.as_secs().to_string()),
            ("X-Amz-SignedHeaders", SIGNED_HEADERS),
        ]
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ENCODED)))
        .join("&");
        let DirectUpload { media_type, n_bytes } = upload;
        let port = url.port().map(|it| format!(":{it}")).unwrap_or_default();
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        let request = format!(
            "PUT\n{}\n{query}\n\
             content-length:{n_bytes}\ncontent-type:{media_type}\nhost:{host}\n\n\
             {SIGNED_HEADERS}\nUNSIGNED-PAYLOAD",
            url.path()
        );
        let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", digest(&request));
        let key = format!("AWS4{}", self.secret_access_key).into_bytes();
        let key = [day, self.region, "s3", "aws4_request"].iter().fold(key, |key, it| mac(&key, it));
        format!("{url}?{query}&X-Amz-Signature={}", sign(&key, to_sign.as_bytes(), Encoding::Hex))
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
