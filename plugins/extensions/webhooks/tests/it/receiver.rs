//! A receiver in memory: what was sent, and what each address answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use atoll_kernel::{Ctx, Fault, provider};
use atoll_providers::{OutgoingWebhook, Reach, WebhookAnswer, WebhookSender, Working};
use serde_json::Value;
use tokio::sync::watch;

use crate::url;

/// What an address answers.
#[derive(Clone, Debug, Default)]
pub(crate) enum Answer {
    /// This status.
    Status(u16),
    /// This status, and a wish.
    After(u16, Duration),
    /// Nothing.
    Unreachable,
    /// The sender panics.
    Panics,
    /// 204.
    #[default]
    Takes,
    /// It waits until it is told something else.
    Held,
}

/// The receivers of one application.
#[derive(Default)]
pub(crate) struct Receiver {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    got: Vec<OutgoingWebhook>,
}

impl Receiver {
    pub(crate) fn of(ctx: &Ctx) -> Arc<Receiver> {
        ctx.memory()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what an address answers from now on.
    pub(crate) fn answers(&self, name: &str, answer: Answer) {
        self.state().answers.insert(url(name), answer);
        self.changed.send_replace(());
    }

    /// What an address was sent.
    pub(crate) fn got(&self, name: &str) -> Vec<OutgoingWebhook> {
        self.state().got.iter().filter(|it| it.url == url(name)).cloned().collect()
    }

    /// The addresses that were sent something, in this order.
    pub(crate) fn order(&self) -> Vec<String> {
        self.state().got.iter().map(|it| it.url.clone()).collect()
    }

    /// Waits until an address was sent so many requests; returns them.
    pub(crate) async fn until(&self, name: &str, n: usize) -> Vec<OutgoingWebhook> {
        let mut changed = self.changed.subscribe();
        loop {
            let got = self.got(name);
            if got.len() >= n {
                return got;
            }
            changed.changed().await.expect("the receiver is there");
        }
    }

    async fn answer(&self, url: &str) -> Answer {
        let mut changed = self.changed.subscribe();
        loop {
            let answer = self.state().answers.get(url).cloned().unwrap_or_default();
            if !matches!(answer, Answer::Held) {
                return answer;
            }
            changed.changed().await.expect("the receiver is there");
        }
    }
}

/// A header of a request.
pub(crate) fn header<'a>(webhook: &'a OutgoingWebhook, name: &str) -> &'a str {
    webhook.headers.iter().find(|it| it.0 == name).map(|it| &*it.1).expect(name)
}

/// The body of a request.
pub(crate) fn body(webhook: &OutgoingWebhook) -> Value {
    serde_json::from_slice(&webhook.body).expect("JSON")
}

struct InMemory;

provider! { dyn WebhookSender: "in-memory" => InMemory }

impl WebhookSender for InMemory {
    fn check(&self, url: &str, reach: &Reach) -> Result<(), Fault> {
        match url.starts_with("https://") || reach.plain_http {
            true => Ok(()),
            false => Err(Fault::invalid("it must begin with `https://`")),
        }
    }

    fn send(&self, ctx: Ctx, webhook: OutgoingWebhook) -> Working<WebhookAnswer> {
        Box::pin(async move {
            let receiver = Receiver::of(&ctx);
            receiver.state().got.push(webhook.clone());
            receiver.changed.send_replace(());
            let of = |status| WebhookAnswer { status, body: b"noted".to_vec(), ..WebhookAnswer::default() };
            match receiver.answer(&webhook.url).await {
                Answer::Status(status) => Ok(of(status)),
                Answer::After(status, wait) => Ok(WebhookAnswer { retry_after: Some(wait), ..of(status) }),
                Answer::Panics => panic!("on purpose"),
                Answer::Unreachable => Err(Fault::invalid("the connection was refused")),
                Answer::Takes | Answer::Held => Ok(of(204)),
            }
        })
    }
}
