//! Sending: the connection to the mail server, and what its refusals mean.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use atoll_kernel::{Ctx, Fault, http::with_causes, provider, registry::Secret};
use atoll_providers::{Notification, NotificationProvider, Working};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Tls as Encryption, TlsParameters},
        extension::ClientId,
    },
};

use tokio::time::timeout;

use crate::{
    folder,
    message::message,
    settings::{CaFile, Folder, HostName, SmtpSettings, Tls},
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
            let (template, key) = (notification.template.clone(), notification.key.clone());
            // It is made from the event and the templates alone: made again, it is the same.
            let message = message(settings, notification).map_err(Fault::for_good)?;
            if let Some(Folder(folder)) = &settings.folder {
                return folder::write(folder, &template, &key, &message).await;
            }
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

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The mail server. It is made when it is first needed, since that reads the certificates of the system.
fn transport(ctx: &Ctx, settings: &SmtpSettings) -> Result<Arc<Transport>, Fault> {
    let made = ctx.memory::<Mutex<Option<Arc<Transport>>>>();
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(transport) = &*made {
        return Ok(transport.clone());
    }
    let host =
        settings.host.as_ref().ok_or_else(|| Fault::not_allowed("The setting `smtp.host` is missing"))?;
    let transport = Arc::new(connect(host, settings).map_err(Fault::unexpected)?);
    Ok(made.insert(transport).clone())
}

fn connect(HostName(host): &HostName, settings: &SmtpSettings) -> Result<Transport, Error> {
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
            Fault::invalid(format!("The mail server refuses the e-mail for good: {}", with_causes(&error)))
                .for_good()
        }
        Some(_) => {
            Fault::invalid(format!("The mail server does not take the e-mail now: {}", with_causes(&error)))
        }
        None => Fault::invalid(format!("The mail server was not reached: {}", with_causes(&error))),
    }
}
