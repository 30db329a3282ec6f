//! The exporter: sends what waits in batches, beside everything else. A collector that is down, slow or
//! overloaded costs spans, and nothing else.

use std::{sync::Arc, time::Duration};

use atoll_kernel::http::{Span, Spans as _, Tracer, with_causes};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    client::conn::http1::handshake,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{mpsc::Receiver, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

use crate::{endpoint::Endpoint, otlp::body, queue::Queue};

/// How long spans wait for more of them.
const PAUSE: Duration = Duration::from_secs(1);

/// Spans of one request to the collector, at most.
const BATCH_MAX: usize = 1_024;

/// How long the collector may take for a batch.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long a shutdown waits until what is left is sent.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Traces that are sent to a collector.
pub struct Traces {
    queue: Arc<Queue>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Traces {
    /// Starts sending to this collector.
    pub fn start(endpoint: Endpoint) -> Traces {
        let (queue, spans) = Queue::new();
        let (stop, stopped) = watch::channel(false);
        let exporter = Exporter { endpoint, queue: queue.clone(), spans, stopped, n_told: 0 };
        Traces { queue, stop, task: tokio::spawn(exporter.run()) }
    }

    /// Begins the spans that are sent.
    pub fn tracer(&self) -> Tracer {
        Tracer::new(self.queue.clone())
    }

    /// The spans that never arrived, because the collector was down or slow.
    pub fn n_dropped(&self) -> u64 {
        self.queue.counts().n_dropped
    }

    /// Sends what is left, for a few seconds at most.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if timeout(FLUSH_TIMEOUT, self.task).await.is_err() {
            tracing::warn!("the collector of traces did not take the last spans in time");
        }
    }
}

struct Exporter {
    endpoint: Endpoint,
    queue: Arc<Queue>,
    spans: Receiver<Span>,
    stopped: watch::Receiver<bool>,
    /// The dropped spans that the log has told of.
    n_told: u64,
}

/// Why a batch did not arrive.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("it was not reached")]
    Io(#[from] std::io::Error),
    #[error("it does not speak HTTP")]
    Http(#[from] hyper::Error),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("it did not answer in {} s", TIMEOUT.as_secs())]
    Slow,
}

impl Exporter {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let is_over = self.fill(&mut batch).await;
            if !batch.is_empty() {
                self.send(&batch).await;
                batch.clear();
            }
            if is_over {
                return;
            }
        }
    }

    /// Waits for a batch: until it is full, or the first of its spans has waited long enough. Returns whether
    /// it is the last one.
    async fn fill(&mut self, batch: &mut Vec<Span>) -> bool {
        let Exporter { spans, stopped, .. } = self;
        tokio::select! {
            n_spans = spans.recv_many(batch, BATCH_MAX) => if n_spans == 0 { return true },
            _ = stopped.wait_for(|it| *it) => {}
        }
        let until = Instant::now() + PAUSE;
        while batch.len() < BATCH_MAX && !*stopped.borrow() {
            let more = async {
                tokio::select! {
                    n_spans = spans.recv_many(batch, BATCH_MAX - batch.len()) => n_spans > 0,
                    _ = stopped.wait_for(|it| *it) => false,
                }
            };
            if !timeout_at(until, more).await.unwrap_or(false) {
                break;
            }
        }
        while *stopped.borrow() && batch.len() < BATCH_MAX {
            match spans.try_recv() {
                Ok(span) => batch.push(span),
                Err(_) => return true,
            }
        }
        false
    }

    /// Sends a batch, once. The log tells of spans that were dropped, not more often than once per batch.
    async fn send(&mut self, batch: &[Span]) {
        let sent = timeout(TIMEOUT, post(&self.endpoint, batch)).await.unwrap_or(Err(Refused::Slow));
        if sent.is_ok() {
            self.queue.sent(batch.len());
        }
        let why = sent.err().map(|error| {
            self.queue.lose(batch.len());
            with_causes(&error)
        });
        let n_dropped = self.queue.counts().n_dropped;
        if n_dropped > self.n_told {
            let why = why.unwrap_or_else(|| "it is too slow".to_owned());
            tracing::warn!(n_dropped, why, "spans were dropped: the collector of traces does not take them");
            self.n_told = n_dropped;
        }
    }
}

/// A connection for each batch: there is one a second.
async fn post(endpoint: &Endpoint, batch: &[Span]) -> Result<(), Refused> {
    let stream = TcpStream::connect(&endpoint.address).await?;
    let (mut to, connection) = handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::post(&endpoint.path)
        .header(HOST, &endpoint.host)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body(batch).to_string())))
        .expect("the parts of an address are those of a request");
    let answer = to.send_request(request).await;
    // What the answer says is not read.
    driver.abort();
    match answer?.status() {
        status if status.is_success() => Ok(()),
        status => Err(Refused::Status(status)),
    }
}
