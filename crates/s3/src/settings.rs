//! The settings of the bucket: endpoint, region, keys, prefix, public URL.

use atoll_kernel::{
    registry::{Secret, SettingType},
    settings,
};
use reqwest::Url;

use crate::service::{RETRY_TIMEOUT, Service};

settings! {
    /// The bucket that holds files. Readers must be allowed to get its objects, at the address of `url`.
    pub(crate) struct S3Settings = "s3" {
        /// The name of the bucket.
        pub(crate) bucket: BucketName;
        /// The region.
        pub(crate) region: String = "us-east-1";
        /// The address of the service; by default that of AWS in the region.
        pub(crate) endpoint: Option<Address>;
        /// What the keys of all files begin with, such as `shop/files`.
        pub(crate) prefix: Prefix = "";
        /// The access key.
        pub(crate) access_key_id: Secret;
        /// Its secret.
        pub(crate) secret_access_key: Secret;
        /// Where readers find the objects of the bucket: its own address, or that of a CDN. By default
        /// `<endpoint>/<bucket>`.
        pub(crate) url: Option<Address>;
        /// Seconds after which one request to the service is given up; it is made up to four times.
        pub(crate) timeout_s: u64 = 30, 1..=300;
    }
}

impl S3Settings {
    /// The bucket, and how it is asked.
    pub(crate) fn service(&self) -> Service<'_> {
        Service {
            bucket: &self.bucket,
            region: &self.region,
            endpoint: self.endpoint.as_ref(),
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            timeout_s: self.timeout_s,
            retry_timeout: RETRY_TIMEOUT,
        }
    }

    /// The address of an object at the service.
    pub(crate) fn object_url(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.service().address(), self.bucket.0)
    }

    /// The public URL of an object.
    pub(crate) fn url_of(&self, path: &str) -> String {
        let public = |it: &Address| format!("{}/{path}", it.0);
        self.url.as_ref().map_or_else(|| self.object_url(path), public)
    }

    /// The object of a file with this key.
    pub(crate) fn object(&self, key: &str) -> String {
        self.prefix.of(key)
    }
}

/// An address without a slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Address(pub(crate) String);

impl SettingType for Address {
    fn parse(text: &str) -> Result<Self, String> {
        let is_plain = |it: &Url| {
            matches!(it.scheme(), "http" | "https")
                && it.has_host()
                && it.username().is_empty()
                && it.password().is_none()
                && it.query().is_none()
                && it.fragment().is_none()
        };
        match Url::parse(text) {
            Ok(url) if is_plain(&url) => Ok(Address(url.as_str().trim_end_matches('/').to_owned())),
            _ => Err("it must be an address such as `https://s3.example.com`".to_owned()),
        }
    }
}

/// The name of a bucket, by the rules of S3.
#[derive(Clone, Debug)]
pub(crate) struct BucketName(pub(crate) String);

impl SettingType for BucketName {
    fn parse(text: &str) -> Result<Self, String> {
        let fits = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'-' | b'.');
        let has_ends = |it: &str| !it.starts_with(['-', '.']) && !it.ends_with(['-', '.']);
        match (3..=63).contains(&text.len())
            && text.bytes().all(fits)
            && has_ends(text)
            && !text.contains("..")
        {
            true => Ok(BucketName(text.to_owned())),
            false => Err("it must be 3 to 63 lower-case letters, digits, `-` and `.`".to_owned()),
        }
    }
}

/// Folders, separated by slashes; without one at either end.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(pub(crate) String);

impl Prefix {
    /// The object with this key below the prefix.
    pub(crate) fn of(&self, key: &str) -> String {
        if self.0.is_empty() { key.to_owned() } else { format!("{}/{key}", self.0) }
    }
}

/// Longest prefix: the key of an object has at most 1,024 bytes.
const PREFIX_CHARS_MAX: usize = 200;

impl SettingType for Prefix {
    fn parse(text: &str) -> Result<Self, String> {
        let fits = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
        let all_fit = text.split('/').all(|it| !it.is_empty() && it.bytes().all(fits));
        match text.is_empty() || all_fit && text.len() <= PREFIX_CHARS_MAX {
            true => Ok(Prefix(text.to_owned())),
            false => {
                Err("it must be folders of letters, digits, `-` and `_`, such as `shop/files`".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_nothing_secret() {
        for (text, expected) in [
            ("https://s3.example.com", Some("https://s3.example.com")),
            ("http://127.0.0.1:8333/", Some("http://127.0.0.1:8333")),
            ("https://cdn.example.com/shop/", Some("https://cdn.example.com/shop")),
            ("s3.example.com", None),
            ("ftp://s3.example.com", None),
            ("https://", None),
            ("https://key:secret@s3.example.com", None),
            ("https://s3.example.com?a=b", None),
            ("https://s3.example.com#a", None),
        ] {
            assert_eq!(Address::parse(text).ok().map(|it| it.0).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn names_of_buckets_and_prefixes_lead_to_no_other_place() {
        for (text, is) in [
            ("shop-files", true),
            ("shop.files.1", true),
            ("ab", false),
            ("Shop", false),
            ("shop/files", false),
            ("shop..files", false),
            ("-shop", false),
            ("shop?x", false),
        ] {
            assert_eq!(BucketName::parse(text).is_ok(), is, "{text}");
        }
        for (text, is) in [
            ("", true),
            ("shop", true),
            ("shop/a_b-1", true),
            ("/shop", false),
            ("shop/", false),
            ("a/../b", false),
        ] {
            assert_eq!(Prefix::parse(text).is_ok(), is, "{text}");
        }
    }
}
