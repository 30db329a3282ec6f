//! The settings of the mail server: host, port, TLS, login, sender, templates.

use std::{fs, path::PathBuf};

use atoll_kernel::{
    registry::{Secret, SettingType},
    settings,
};
use lettre::{message::Mailbox, transport::smtp::client::Certificate};

use crate::template::check_templates;

settings! {
    /// The mail server that sends e-mails.
    pub(crate) struct SmtpSettings = "smtp" {
        /// The name of the mail server. Its certificate must be for this name.
        pub(crate) host: HostName;
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
    }
    check SmtpSettings::check;
}

impl SmtpSettings {
    fn check(&self) -> Result<(), String> {
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

/// The sender of all e-mails.
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
