//! Property tests: random cases, each with a seed. A failure prints its seed and the command that replays it
//! alone.

use std::{
    any::type_name,
    env,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseResult, TestError, TestRng, TestRunner},
};

/// Names the seed of the one case that is to be drawn.
pub const SEED: &str = "ATOLL_SEED";

/// Smaller cases that are tried when one failed: each opens what it needs anew, so this is a minute at most.
const N_SHRINKS_MAX: u32 = 500;

/// Number of cases of a test; an environment variable overrides it, as `cargo xtask thorough` does.
pub fn times(variable: &str, default: u32) -> u32 {
    env::var(variable).ok().and_then(|it| it.parse().ok()).unwrap_or(default)
}

/// Draws cases and checks each of them, on all cores. A check is handed one case and opens what it needs, so
/// that a case fails, shrinks and is replayed by itself, whatever was drawn before it. With `ATOLL_SEED` only
/// the case of that seed is drawn.
///
/// # Panics
/// Where a check fails: the smallest case that does, why, and how it is replayed.
pub fn check_drawn<S, C>(n_cases: u32, strategy: impl Fn() -> S + Sync, check: C)
where
    S: Strategy,
    C: AsyncFn(S::Value) -> TestCaseResult + Sync,
{
    let only =
        env::var(SEED).ok().map(|it| it.parse().unwrap_or_else(|_| panic!("{SEED} is no number: {it}")));
    let seeds = match only {
        Some(seed) => Seeds { first: seed, n: 1 },
        // Any number that is another one in each run.
        None => Seeds { first: RandomState::new().hash_one(n_cases), n: n_cases },
    };
    if let Err(failure) = seeds.check(&strategy, &check) {
        panic!("{}", failure.text(type_name::<C>()));
    }
}

/// The seeds of the cases of one run: each is one more than the one before it.
struct Seeds {
    first: u64,
    n: u32,
}

struct Failure {
    seed: u64,
    why: String,
}

impl Seeds {
    fn check<S, C>(&self, strategy: &(impl Fn() -> S + Sync), check: &C) -> Result<(), Failure>
    where
        S: Strategy,
        C: AsyncFn(S::Value) -> TestCaseResult + Sync,
    {
        let n_threads = thread::available_parallelism().map_or(1, usize::from).min(self.n as usize);
        let next = AtomicU32::new(0);
        let draw = || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let (runtime, strategy) = (runtime.expect("a runtime"), strategy());
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= self.n {
                    return Ok(());
                }
                let seed = self.first.wrapping_add(u64::from(n));
                let ran = runner(seed).run(&strategy, |case| runtime.block_on(check(case)));
                if let Err(error) = ran {
                    // The others need not go on.
                    next.store(self.n, Ordering::Relaxed);
                    return Err(Failure { seed, why: why(&error) });
                }
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(draw)).collect();
            let ended = threads.into_iter().map(|it| it.join().expect("a check fails by its error"));
            ended.collect::<Vec<_>>().into_iter().collect()
        })
    }
}

fn why<T: std::fmt::Debug>(error: &TestError<T>) -> String {
    match error {
        TestError::Abort(reason) => format!("no case was drawn: {reason}"),
        TestError::Fail(reason, case) => format!("{reason}\nThe smallest case that was found: {case:#?}"),
    }
}

/// Draws the one case of this seed.
fn runner(seed: u64) -> TestRunner {
    let config =
        Config { cases: 1, failure_persistence: None, max_shrink_iters: N_SHRINKS_MAX, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

impl Failure {
    /// `check` is the name of the closure that checked: `it::stock::nothing_is_sold_twice::{{closure}}`.
    fn text(&self, check: &str) -> String {
        let Failure { seed, why } = self;
        let path = check.trim_end_matches("::{{closure}}");
        let (program, test) = path.split_once("::").unwrap_or(("", path));
        let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
        format!(
            "{why}\nThe seed of the case is {seed}. Replay it:\n    \
             {SEED}={seed} cargo test -p {package} --test {program} {test}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::{collection::vec, prop_assert};

    use super::*;

    /// What was drawn with these seeds, and why a check failed; one fails where the numbers of the case sum
    /// up to 100.
    fn drawn(seeds: &Seeds) -> (Vec<Vec<u32>>, Option<Failure>) {
        let cases = Mutex::new(Vec::new());
        let check = async |case: Vec<u32>| {
            cases.lock().expect("cases").push(case.clone());
            prop_assert!(case.iter().sum::<u32>() < 100, "too much");
            Ok(())
        };
        let failure = seeds.check(&|| vec(0..60_u32, 0..5), &check).err();
        (cases.into_inner().expect("cases"), failure)
    }

    #[test]
    fn failing_case_is_replayed_by_its_seed_alone() {
        let (_, failure) = drawn(&Seeds { first: 7, n: 1_000 });
        let failure = failure.expect("one of a thousand is too much");
        let (cases, again) = drawn(&Seeds { first: failure.seed, n: 1 });
        assert!(cases[0].iter().sum::<u32>() >= 100, "the first case that is drawn is the one that failed");
        let again = again.expect("it fails again");
        assert_eq!((again.seed, &again.why), (failure.seed, &failure.why));
        assert_eq!(drawn(&Seeds { first: failure.seed, n: 1 }).0, cases, "and so does all that is tried");
    }

    #[test]
    fn failure_names_its_seed_and_the_command() {
        let failure = Failure { seed: 42, why: "too much".into() };
        let text = failure.text("it::stock::nothing_is_lost::{{closure}}");
        assert!(text.starts_with("too much\nThe seed of the case is 42."), "{text}");
        assert!(text.contains("ATOLL_SEED=42 cargo test -p "), "{text}");
        assert!(text.ends_with(" --test it stock::nothing_is_lost"), "{text}");
    }

    #[test]
    fn all_cases_are_drawn_and_differ() {
        let cases = Mutex::new(Vec::new());
        let check = async |case: u64| {
            cases.lock().expect("cases").push(case);
            Ok(())
        };
        assert!(Seeds { first: u64::MAX - 5, n: 20 }.check(&|| 0..u64::MAX, &check).is_ok());
        let mut cases = cases.into_inner().expect("cases");
        cases.sort_unstable();
        cases.dedup();
        assert_eq!(cases.len(), 20);
    }
}
