//! A notification provider that records: what an application would have sent by e-mail.

use std::sync::{Mutex, PoisonError};

use atoll_kernel::{Ctx, provider};
use atoll_providers::{Notification, NotificationProvider, Working};

use crate::TestApp;

/// The id of the provider: `Setup::default().email_provider(RECORDED)`.
pub const RECORDED: &str = "recorded";

/// What one application has sent.
#[derive(Default)]
struct Sent(Mutex<Vec<Notification>>);

struct Recorder;

provider! { dyn NotificationProvider: RECORDED => Recorder }

impl NotificationProvider for Recorder {
    fn send(&self, ctx: Ctx, notification: Notification) -> Working<()> {
        let sent = ctx.memory::<Sent>();
        sent.0.lock().unwrap_or_else(PoisonError::into_inner).push(notification);
        Box::pin(async { Ok(()) })
    }
}

impl TestApp {
    /// The e-mails that were sent by the provider [`RECORDED`], the oldest first.
    pub fn mails(&self) -> Vec<Notification> {
        self.ctx.memory::<Sent>().0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
