//! A fake external service for sagas: it records the calls, and fails or hangs as the test says.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use atoll_kernel::{Fault, flow::StepCall};
use tokio::sync::watch;

/// The state of the service in one test.
#[derive(Clone, Debug, Default)]
struct World {
    calls: Vec<String>,
    /// Number of failures before a call of this name succeeds.
    fails: BTreeMap<String, usize>,
    /// Calls of this name have their effect, and never answer.
    hangs: Option<String>,
    /// Number of calls by idempotency key.
    keys: BTreeMap<String, usize>,
    /// Answers by idempotency key.
    answers: BTreeMap<String, u64>,
}

static WORLDS: LazyLock<watch::Sender<HashMap<String, World>>> =
    LazyLock::new(|| watch::Sender::new(HashMap::new()));
static N_TESTS: AtomicUsize = AtomicUsize::new(0);

fn with<T>(test: &str, look: impl FnOnce(&mut World) -> T) -> T {
    let mut seen = None;
    WORLDS.send_modify(|all| seen = Some(look(all.entry(test.to_owned()).or_default())));
    seen.expect("it was looked at")
}

/// A unique name.
pub(crate) fn new_test() -> String {
    format!("test {}", N_TESTS.fetch_add(1, Ordering::Relaxed))
}

/// Fails the next calls of this name, so many times, after they had their effect.
pub(crate) fn let_fail(test: &str, name: &str, n_times: usize) {
    with(test, |it| it.fails.insert(name.to_owned(), n_times));
}

/// Calls of this name never answer.
pub(crate) fn let_hang(test: &str, name: &str) {
    with(test, |it| it.hangs = Some(name.to_owned()));
}

/// A call. Returns the number of the call of this name; a retry with the same key gets the same answer.
pub(crate) async fn call(test: &str, name: &str, call: &StepCall) -> Result<u64, Fault> {
    let answer = with(test, |world| {
        world.calls.push(name.to_owned());
        *world.keys.entry(call.key.clone()).or_default() += 1;
        if world.hangs.as_deref() == Some(name) {
            return None;
        }
        if let Some(n_left) = world.fails.get_mut(name).filter(|it| **it > 0) {
            *n_left -= 1;
            return Some(Err(Fault::unexpected(format!("{name} is down"))));
        }
        let n_calls = world.calls.iter().filter(|it| *it == name).count() as u64;
        Some(Ok(*world.answers.entry(call.key.clone()).or_insert(n_calls)))
    });
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

/// Forgets all calls.
pub(crate) fn forget(test: &str) {
    with(test, |it| *it = World::default());
}

/// The calls so far, in order.
pub(crate) fn calls(test: &str) -> Vec<String> {
    with(test, |it| it.calls.clone())
}

/// Waits for a call.
pub(crate) async fn called(test: &str) {
    let mut worlds = WORLDS.subscribe();
    let is_called = |all: &HashMap<String, World>| all.get(test).is_some_and(|it| !it.calls.is_empty());
    worlds.wait_for(is_called).await.map(drop).expect("the outside is there");
}

/// The number of keys, and the number of calls of the most frequent one.
pub(crate) fn keys(test: &str) -> (usize, usize) {
    with(test, |it| (it.keys.len(), it.keys.values().copied().max().unwrap_or(0)))
}
