//! The settings of e-mails: the mail server or a folder instead of it, the sender, templates, channels.

use std::{collections::BTreeMap, fs, path::PathBuf};

use atoll_kernel::{
    registry::{Secret, SettingType},
    serde_json, settings,
};
use lettre::{message::Mailbox, transport::smtp::client::Certificate};

use crate::template::check_templates;

settings! {
    /// The mail server that sends e-mails, and what these say.
    pub(crate) struct SmtpSettings = "smtp" {
        /// The name of the mail server. Its certificate must be for this name.
        pub(crate) host: Option<HostName>;
        /// A folder into which e-mails are written as files, instead of being sent: for development.
        pub(crate) folder: Option<Folder>;
        /// The port: 587 for `starttls`, 465 for `tls`.
        pub(crate) port: u16 = 587, 1..=65535;
        /// How the connection is encrypted: `starttls`, `tls` from the first byte on, or `none`.
        pub(crate) tls: Tls = "starttls";
        /// A file with certificates (PEM) that are trusted beside those of the system.
        pub(crate) ca_file: Option<CaFile>;
        /// The user, if the server wants a login.
        pub(crate) user: Option<String>;
        /// The password of the user.
        pub(crate) password: Option<Secret>;
        /// The sender: `Shop <orders@shop.example.com>`.
        pub(crate) from: Sender;
        /// Seconds after which sending one e-mail is given up.
        pub(crate) timeout_s: u64 = 30, 1..=120;
        /// A folder with templates, which replace the built-in ones: `order.placed.txt`, `order.placed.html`.
        pub(crate) templates: Option<Templates>;
        /// Where the storefront is, for links in e-mails: `https://shop.example.com`.
        pub(crate) storefront_url: Option<Url>;
        /// The sender and the storefront of channels, by their names or ids.
        pub(crate) channels: Channels = "{}";
    }
    check SmtpSettings::check;
}

impl SmtpSettings {
    fn check(&self) -> Result<(), String> {
        match (&self.host, &self.folder) {
            (None, None) => return Err("smtp.host must be set, or smtp.folder for development".to_owned()),
            (Some(_), Some(_)) => {
                return Err("smtp.host and smtp.folder are both set: e-mails are sent, or written".to_owned());
            }
            _ => {}
        }
        match (&self.user, &self.password, self.tls) {
            (Some(_), None, _) => Err("smtp.user needs smtp.password".to_owned()),
            (None, Some(_), _) => Err("smtp.password needs smtp.user".to_owned()),
            (Some(_), Some(_), Tls::None) => {
                Err("smtp.password is sent over TLS only: set smtp.tls to `starttls` or `tls`".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The name or the address of a host.
#[derive(Clone, Debug)]
pub(crate) struct HostName(pub(crate) String);

impl SettingType for HostName {
    fn parse(text: &str) -> Result<Self, String> {
        let fits = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b':');
        match !text.is_empty() && text.bytes().all(fits) {
            true => Ok(HostName(text.to_owned())),
            false => Err("it must be the name of a host, such as `mail.example.com`".to_owned()),
        }
    }
}

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// By the command `STARTTLS`, which the server must have.
    Upgrade,
    /// From the first byte on.
    Wrapper,
    /// Not at all.
    None,
}

impl SettingType for Tls {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "starttls" => Ok(Tls::Upgrade),
            "tls" => Ok(Tls::Wrapper),
            "none" => Ok(Tls::None),
            _ => Err("it must be `starttls`, `tls` or `none`".to_owned()),
        }
    }
}

/// The sender of e-mails.
#[derive(Clone, Debug)]
pub(crate) struct Sender(pub(crate) Mailbox);

impl SettingType for Sender {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |_| "it must be an address such as `Shop <orders@shop.example.com>`".to_owned();
        text.parse().map(Sender).map_err(wrong)
    }
}

/// Certificates from a file.
#[derive(Clone, Debug)]
pub(crate) struct CaFile(pub(crate) Certificate);

impl SettingType for CaFile {
    fn parse(text: &str) -> Result<Self, String> {
        let pem = fs::read(text).map_err(|error| format!("it cannot be read: {error}"))?;
        let has_one = pem.windows(11).any(|it| it == b"-----BEGIN ");
        match Certificate::from_pem(&pem) {
            Ok(certificate) if has_one => Ok(CaFile(certificate)),
            _ => Err("it holds no certificate in the form PEM".to_owned()),
        }
    }
}

/// A folder of templates.
#[derive(Clone, Debug)]
pub(crate) struct Templates(pub(crate) PathBuf);

impl SettingType for Templates {
    fn parse(text: &str) -> Result<Self, String> {
        check_templates(text.as_ref())?;
        Ok(Templates(text.into()))
    }
}

/// A folder for e-mails. It is made when the first one is written.
#[derive(Clone, Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl SettingType for Folder {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Folder(text.into()))
    }
}

/// The address of a storefront, without a slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct Url(pub(crate) String);

impl SettingType for Url {
    fn parse(text: &str) -> Result<Self, String> {
        let host = text.strip_prefix("https://").or(text.strip_prefix("http://"));
        let fits =
            |it: &str| !it.is_empty() && !it.contains(|it: char| it.is_whitespace() || it.is_control());
        match host.is_some_and(fits) {
            true => Ok(Url(text.trim_end_matches('/').to_owned())),
            false => Err("it must be an address such as `https://shop.example.com`".to_owned()),
        }
    }
}

/// What is different for a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelSettings {
    pub(crate) from: Option<Sender>,
    pub(crate) storefront_url: Option<Url>,
}

/// What is different for channels, by their names or ids.
#[derive(Clone, Debug)]
pub(crate) struct Channels(pub(crate) BTreeMap<String, ChannelSettings>);

impl SettingType for Channels {
    const IS_TABLE: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let tables: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(text)
            .map_err(|_| "it must be a table of tables with texts, by the name of the channel".to_owned())?;
        let mut channels = BTreeMap::new();
        for (channel, texts) in tables {
            let mut its = ChannelSettings::default();
            for (name, text) in texts {
                let wrong = |why: String| format!("{name} of `{channel}`: {why}");
                match &*name {
                    "from" => its.from = Some(Sender::parse(&text).map_err(wrong)?),
                    "storefront_url" => its.storefront_url = Some(Url::parse(&text).map_err(wrong)?),
                    _ => return Err(wrong("a channel has `from` and `storefront_url`".to_owned())),
                }
            }
            channels.insert(channel, its);
        }
        Ok(Channels(channels))
    }
}
