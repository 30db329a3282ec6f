//! The provider: one request, whose answer is read up to a limit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use atoll_kernel::{Ctx, Fault, Timestamp, http::with_causes, provider};
use atoll_providers::{OutgoingWebhook, Reach, WebhookAnswer, WebhookSender, Working};
use reqwest::{
    Client, Response,
    header::{HeaderMap, RETRY_AFTER},
    redirect, retry,
};

use crate::{
    address,
    resolve::{Checked, LookUp, System},
};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections that are kept to one receiver.
const IDLE_MAX: usize = 2;

struct Https;

provider! { dyn WebhookSender: "https" => Https }

impl WebhookSender for Https {
    fn check(&self, url: &str, reach: &Reach) -> Result<(), Fault> {
        let refused = |why| Fault::invalid(format!("Nothing can be sent to this address: {why}"));
        address::read(url, reach).map(drop).map_err(refused)
    }

    fn send(&self, ctx: Ctx, webhook: OutgoingWebhook) -> Working<WebhookAnswer> {
        Box::pin(async move {
            let client = of(&ctx, &webhook.reach)?;
            post(&client, webhook, ctx.now()).await.map_err(Fault::invalid)
        })
    }
}

/// The client of an application. It is made when it is first asked: what may be reached is a setting, and
/// stays the same.
fn of(ctx: &Ctx, reach: &Reach) -> Result<Client, Fault> {
    let made = ctx.memory::<Mutex<Option<Client>>>();
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = &*made {
        return Ok(client.clone());
    }
    let client = client(System, reach.clone()).map_err(Fault::unexpected)?;
    Ok(made.insert(client).clone())
}

fn client(look_up: impl LookUp, reach: Reach) -> reqwest::Result<Client> {
    // The client takes the provider of the process. An error says that there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .dns_resolver(Arc::new(Checked { look_up: Arc::new(look_up), reach }))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        // A proxy of the environment would resolve the name itself.
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(IDLE_MAX)
        .build()
}

/// Sends a webhook. Error: why there was no answer.
async fn post(client: &Client, webhook: OutgoingWebhook, now: Timestamp) -> Result<WebhookAnswer, String> {
    let OutgoingWebhook { url, headers, body, reach, timeout, answer_bytes_max } = webhook;
    let url = address::read(&url, &reach)?;
    let request = client.post(url).body(body).timeout(timeout);
    let request = headers.into_iter().fold(request, |it, (name, value)| it.header(name, value));
    let answer = request.send().await.map_err(|error| with_causes(&error.without_url()))?;
    Ok(WebhookAnswer {
        status: answer.status().as_u16(),
        retry_after: retry_after(answer.headers(), now),
        body: beginning(answer, answer_bytes_max).await,
    })
}

/// The beginning of a body. What breaks off has been answered all the same.
async fn beginning(mut answer: Response, n_bytes_max: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < n_bytes_max
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(n_bytes_max);
    body
}

/// How long a receiver asks to wait: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    u64::try_from(date - now.millis()).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::{IpAddr, SocketAddr},
        sync::atomic::{AtomicUsize, Ordering},
    };

    use axum::{Router, http::StatusCode, response::Redirect, routing::post as on_post};
    use tokio::net::TcpListener;

    use super::*;
    use crate::resolve::Found;

    /// Names that resolve as a test says, to the next of these answers each time.
    struct Names(Vec<Vec<&'static str>>, AtomicUsize);

    impl LookUp for Names {
        fn look_up(&self, _: String) -> Found {
            let n = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
            let addresses = self.0[n].iter().map(|it| it.parse().map_err(io::Error::other)).collect();
            Box::pin(async move { addresses })
        }
    }

    fn names(answers: &[&[&'static str]]) -> Names {
        Names(answers.iter().map(|it| it.to_vec()).collect(), AtomicUsize::new(0))
    }

    fn loopback() -> Reach {
        Reach { private: vec!["127.0.0.0/8".parse().expect("a network")], plain_http: true }
    }

    /// A receiver on this machine.
    async fn receiver() -> SocketAddr {
        let router = Router::new()
            .route("/ok", on_post(|body: String| async move { body }))
            .route("/long", on_post(|| async { "x".repeat(100_000) }))
            .route("/moved", on_post(|| async { Redirect::temporary("/ok") }))
            .route("/busy", on_post(|| async { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]) }))
            .route("/never", on_post(std::future::pending::<&'static str>));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn sent(client: &Client, url: &str, reach: Reach) -> Result<WebhookAnswer, String> {
        let webhook = OutgoingWebhook {
            url: url.to_owned(),
            headers: vec![("webhook-id", "msg_1".to_owned())],
            body: b"{}".to_vec(),
            reach,
            timeout: Duration::from_millis(500),
            answer_bytes_max: 1_000,
        };
        post(client, webhook, Timestamp::from_millis(1_800_000_000_000)).await
    }

    fn of_names(answers: &[&[&'static str]], reach: &Reach) -> Client {
        client(names(answers), reach.clone()).expect("a client")
    }

    #[tokio::test]
    async fn a_name_leads_to_the_address_that_was_checked() {
        let port = receiver().await.port();
        let url = format!("http://erp.test:{port}/ok");
        let client = of_names(&[&["127.0.0.1"]], &loopback());
        let answer = sent(&client, &url, loopback()).await.expect("an answer");
        assert_eq!((answer.status, &*answer.body), (200, &b"{}"[..]));
        // The control: the same receiver, where the network is not allowed.
        let reach = Reach { private: Vec::new(), plain_http: true };
        let error = sent(&of_names(&[&["127.0.0.1"]], &reach), &url, reach).await.expect_err("refused");
        assert!(error.contains("the address 127.0.0.1 is not public"), "{error}");
    }

    #[tokio::test]
    async fn one_private_address_refuses_a_name() {
        let reach = Reach { private: Vec::new(), plain_http: true };
        for address in ["10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            let client = of_names(&[&["93.184.215.14", address]], &reach);
            let error = sent(&client, "http://erp.test/", reach.clone()).await.expect_err("refused");
            let address: IpAddr = address.parse().expect("an address");
            assert!(error.contains(&format!("the address {address} is not public")), "{error}");
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_its_mind_gains_nothing() {
        let port = receiver().await.port();
        let answers: &[&[&'static str]] = &[&["127.0.0.1"], &["10.0.0.1"]];
        let names = names(answers);
        let client = client(names, loopback()).expect("a client");
        let url = format!("http://erp.test:{port}/ok");
        assert_eq!(sent(&client, &url, loopback()).await.expect("an answer").status, 200);
        // The connection that is kept was made to the address that was checked; another one is checked anew.
        let other = format!("http://other.test:{port}/ok");
        let error = sent(&client, &other, loopback()).await.expect_err("refused");
        assert!(error.contains("the address 10.0.0.1 is not public"), "{error}");
    }

    #[tokio::test]
    async fn answers_are_read_up_to_a_limit_and_redirects_are_not_followed() {
        let at = receiver().await;
        let client = of_names(&[&["127.0.0.1"]], &loopback());
        let answer = async |path: &str| sent(&client, &format!("http://{at}{path}"), loopback()).await;
        assert_eq!(answer("/long").await.expect("an answer").body.len(), 1_000);
        assert_eq!(answer("/moved").await.expect("an answer").status, 307);
        let busy = answer("/busy").await.expect("an answer");
        assert_eq!((busy.status, busy.retry_after), (429, Some(Duration::from_secs(7))));
        let error = answer("/never").await.expect_err("a time-out");
        assert!(error.contains("timed out"), "{error}");
    }

    #[test]
    fn a_wish_to_wait_is_seconds_or_a_date() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        for (text, expected) in [
            ("120", Some(120)),
            ("Fri, 15 Jan 2027 08:01:00 GMT", Some(60)),
            ("Fri, 15 Jan 2027 07:00:00 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().expect("a value"))]);
            assert_eq!(retry_after(&headers, now).map(|it| it.as_secs()), expected, "{text}");
        }
    }
}
