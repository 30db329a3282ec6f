//! Sending: the message, the connection to the mail server, and what its refusals mean.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use atoll_kernel::{Ctx, Fault, provider, registry::Secret};
use atoll_providers::{Notification, NotificationProvider, Working};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart, header::ContentType},
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Tls as Encryption, TlsParameters},
        extension::ClientId,
    },
};

use tokio::time::timeout;

use crate::{
    settings::{CaFile, SmtpSettings, Tls},
    template::fill,
};

/// Longer than the longest time-out that can be set.
const TIMEOUT: Duration = Duration::from_secs(180);

struct Smtp;

provider! { dyn NotificationProvider: "smtp" => Smtp }

impl NotificationProvider for Smtp {
    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    fn send(&self, ctx: Ctx, notification: Notification) -> Working<()> {
        Box::pin(async move {
            let settings = ctx.settings_of::<SmtpSettings>()?;
            // It is made from the event and the templates alone: made again, it is the same.
            let message = message(settings, &notification).map_err(Fault::for_good)?;
            // The time-out of the transport is that of connecting alone.
            let within = Duration::from_secs(settings.timeout_s);
            match timeout(within, transport(&ctx, settings)?.send(message)).await {
                Ok(sent) => sent.map(drop).map_err(refused),
                Err(_) => {
                    let seconds = settings.timeout_s;
                    Err(Fault::invalid(format!("The mail server did not take the e-mail in {seconds} s")))
                }
            }
        })
    }
}

/// What is to be sent. A repeated e-mail has the same `Message-ID`, by which mail programs show it once.
fn message(settings: &SmtpSettings, notification: &Notification) -> Result<Message, Fault> {
    let to: Address = notification
        .to
        .parse()
        .map_err(|_| Fault::invalid(format!("`{}` is no e-mail address", notification.to)))?;
    let folder = settings.templates.as_ref().map(|it| it.0.as_path());
    let content = fill(folder, &notification.template, &notification.data).map_err(Fault::invalid)?;
    let from = &settings.from.0;
    let key: String = notification.key.chars().filter(char::is_ascii_alphanumeric).collect();
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

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The mail server. It is made when it is first needed, since that reads the certificates of the system.
fn transport(ctx: &Ctx, settings: &SmtpSettings) -> Result<Arc<Transport>, Fault> {
    let made = ctx.memory::<Mutex<Option<Arc<Transport>>>>();
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(transport) = &*made {
        return Ok(transport.clone());
    }
    let transport = Arc::new(connect(settings).map_err(Fault::unexpected)?);
    Ok(made.insert(transport).clone())
}

fn connect(settings: &SmtpSettings) -> Result<Transport, Error> {
    let host = &settings.host.0;
    let verified = || {
        let mut parameters = TlsParameters::builder(host.clone());
        if let Some(CaFile(certificate)) = &settings.ca_file {
            parameters = parameters.add_root_certificate(certificate.clone());
        }
        parameters.build_rustls()
    };
    let encryption = match settings.tls {
        Tls::Upgrade => Encryption::Required(verified()?),
        Tls::Wrapper => Encryption::Wrapper(verified()?),
        Tls::None => Encryption::None,
    };
    let mut transport = Transport::builder_dangerous(host)
        .port(settings.port)
        .tls(encryption)
        .timeout(Some(Duration::from_secs(settings.timeout_s)))
        .hello_name(ClientId::Domain(settings.from.0.email.domain().to_owned()));
    if let (Some(user), Some(Secret(password))) = (&settings.user, &settings.password) {
        transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(transport.build())
}

/// What a subscriber reports. What is refused for good is a dead letter with this text; otherwise it is
/// called again, a limited number of times. A wrong password (530 to 539) is no fault of the e-mail: until
/// somebody has corrected it, the others wait.
fn refused(error: Error) -> Fault {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && code / 10 != 53 => {
            Fault::invalid(format!("The mail server refuses the e-mail for good: {}", causes(&error)))
                .for_good()
        }
        Some(_) => {
            Fault::invalid(format!("The mail server does not take the e-mail now: {}", causes(&error)))
        }
        None => Fault::invalid(format!("The mail server was not reached: {}", causes(&error))),
    }
}

fn causes(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let all: Vec<String> =
        std::iter::successors(Some(first), |it| it.source()).map(ToString::to_string).collect();
    all.join(": ")
}
