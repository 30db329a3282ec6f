//! Measuring: clients take turns for a time; rates, latencies, and what the server has used meanwhile.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use tokio::task::LocalSet;

use crate::{server::Server, turns::Client, world::World};

/// What was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Figures {
    /// Turns that were counted, and what is not null below, are of these.
    pub(crate) n: usize,
    pub(crate) per_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// CPU time of the server per turn, of all its threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_us: Option<f64>,
    /// Keys that the server has read per turn, by handlers and by bodies of transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<f64>,
    /// Resident memory of the server, at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rss_mb: Option<f64>,
    /// Share of the answers that were remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remembered: Option<f64>,
    /// Turns that failed, which are not counted.
    pub(crate) n_failed: usize,
    /// The first failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

impl Figures {
    /// Rate and percentiles of these latencies.
    pub(crate) fn of(mut latencies: Vec<Duration>, took: Duration) -> Figures {
        latencies.sort_unstable();
        let at = |share: f64| {
            let rank = (latencies.len() as f64 * share).ceil() as usize;
            latencies.get(rank.saturating_sub(1)).map_or(0.0, |it| it.as_secs_f64() * 1e3)
        };
        Figures {
            n: latencies.len(),
            per_s: latencies.len() as f64 / took.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
            ..Figures::default()
        }
    }
}

/// What became of a turn.
pub(crate) enum Turn {
    Counted,
    /// It belongs to the load, and not to what is measured.
    Uncounted,
    /// There is nothing left to do.
    Ended,
}

/// What clients have done in some time.
pub(crate) struct Ran {
    /// The clients, for another time.
    pub(crate) clients: Vec<Client>,
    pub(crate) latencies: Vec<Duration>,
    pub(crate) n_uncounted: usize,
    pub(crate) took: Duration,
    pub(crate) failures: Vec<String>,
}

impl Ran {
    pub(crate) fn figures(&self) -> Figures {
        let failure = self.failures.first().cloned();
        let n_failed = self.failures.len();
        Figures { n_failed, failure, ..Figures::of(self.latencies.clone(), self.took) }
    }
}

/// Lets each client take one turn after the other until the time is over; each takes one at least.
pub(crate) async fn run(clients: Vec<Client>, window: Duration) -> Ran {
    let begun = Instant::now();
    let local = LocalSet::new();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            local.spawn_local(async move {
                let (mut latencies, mut n_uncounted, mut failures) = (Vec::new(), 0, Vec::new());
                loop {
                    let started = Instant::now();
                    match client.turn().await {
                        Ok(Turn::Counted) => latencies.push(started.elapsed()),
                        Ok(Turn::Uncounted) => n_uncounted += 1,
                        Ok(Turn::Ended) => break,
                        Err(error) => failures.push(format!("{error:#}")),
                    }
                    if begun.elapsed() >= window {
                        break;
                    }
                }
                (client, latencies, n_uncounted, failures)
            })
        })
        .collect();
    let mut ran = Ran {
        clients: Vec::new(),
        latencies: Vec::new(),
        n_uncounted: 0,
        took: Duration::ZERO,
        failures: Vec::new(),
    };
    let all = async {
        for task in tasks {
            let (client, latencies, n_uncounted, failures) = task.await.expect("a client does not panic");
            ran.clients.push(client);
            ran.latencies.extend(latencies);
            ran.n_uncounted += n_uncounted;
            ran.failures.extend(failures);
        }
    };
    local.run_until(all).await;
    ran.took = begun.elapsed();
    ran
}

/// The sum of one of the writer's counters.
fn of_writer(counters: &Value, name: &str, of: &str) -> f64 {
    counters["writer"][name][of].as_f64().unwrap_or(0.0)
}

/// The sum of the keys that handlers and bodies of transactions have read.
fn keys_read(counters: &Value) -> f64 {
    let routes = counters["requests"].as_array().into_iter().flatten();
    let of_routes: f64 = routes.filter_map(|it| it["keys_read"]["sum"].as_f64()).sum();
    of_routes + of_writer(counters, "keys_read", "sum")
}

/// The difference of two answers of `/admin/counters`; nothing where the server has no such route.
pub(crate) struct Counted {
    before: Value,
    after: Value,
    n_turns: f64,
}

impl Counted {
    fn more(&self, of: impl Fn(&Value) -> f64) -> f64 {
        of(&self.after) - of(&self.before)
    }

    /// Keys that were written by each turn, their bytes, and the turns of a commit.
    pub(crate) fn written(&self) -> crate::floor::Written {
        let more = |name, of| self.more(|it| of_writer(it, name, of));
        crate::floor::Written {
            keys: more("keys_written", "sum") / self.n_turns,
            bytes: more("bytes_written", "sum") / self.n_turns,
            batch: (self.n_turns / more("commit_ns", "count")).max(1.0),
        }
    }
}

/// Runs clients against a server, and measures both.
pub(crate) async fn measure(
    server: &Server,
    world: Option<&World>,
    clients: Vec<Client>,
    window: Duration,
) -> anyhow::Result<(Figures, Option<Counted>)> {
    let warm = run(clients, window / 10).await;
    let before = counters(world).await;
    let cpu = server.cpu()?;
    let ran = run(warm.clients, window).await;
    let cpu = server.cpu()?.saturating_sub(cpu);
    let after = counters(world).await;
    let mut figures = ran.figures();
    let n_turns = (ran.latencies.len() + ran.n_uncounted).max(1) as f64;
    figures.cpu_us = Some(cpu.as_secs_f64() * 1e6 / n_turns);
    figures.rss_mb = Some(server.rss_mb()?);
    let counted = before.zip(after).map(|(before, after)| Counted { before, after, n_turns });
    if let Some(counted) = &counted {
        figures.keys = Some(counted.more(keys_read) / n_turns);
        let of_answers = |name: &str| counted.more(|it| it["answers"][name].as_f64().unwrap_or(0.0));
        let (remembered, missed) = (of_answers("remembered"), of_answers("missed"));
        figures.remembered = (remembered + missed > 0.0).then(|| remembered / (remembered + missed));
    }
    Ok((figures, counted))
}

async fn counters(world: Option<&World>) -> Option<Value> {
    world?.admin().get("/admin/counters").await.ok()?.json().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_latencies() {
        let latencies = (1..=200).rev().map(Duration::from_millis).collect();
        let figures = Figures::of(latencies, Duration::from_secs(2));
        assert_eq!((figures.n, figures.per_s), (200, 100.0));
        assert_eq!((figures.p50_ms, figures.p99_ms, figures.max_ms), (100.0, 198.0, 200.0));
        assert_eq!(Figures::of(Vec::new(), Duration::from_secs(1)).p99_ms, 0.0);
    }
}
