//! Login rate limiting: attempts per account and per network, in memory, and a limit of concurrent password
//! hashes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher as _, Hash, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use atoll_kernel::{
    Ctx, Fault, Timestamp,
    http::{Head, IpNet},
    limits::{
        ATTEMPTS_OF_ACCOUNT_AND_NETWORK_MAX, ATTEMPTS_OF_ACCOUNT_MAX, ATTEMPTS_OF_NETWORK_MAX,
        ATTEMPTS_OF_SITE_MAX, ATTEMPTS_REMEMBERED_MAX, EMAIL_CHARS_MAX, HASHING_QUEUE_MAX,
        HASHING_QUEUE_PER_NETWORK_MAX, HASHINGS_CONCURRENT_MAX,
    },
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// The periods, in milliseconds, over which attempts are counted per network and per account.
const NETWORK_MS: i64 = 15 * 60 * 1000;
const ACCOUNT_MS: i64 = 24 * 60 * 60 * 1000;

/// Bits of the address of a site of IPv6.
const SITE_BITS: u8 = 48;

/// Attempt counters of one kind. If there are too many, one whose period is over is evicted, or else that
/// with the fewest attempts: many new names do not reset the counter of an account under attack.
struct Counts<K> {
    n_max: u32,
    window_ms: i64,
    n_keys_max: usize,
    counts: HashMap<K, Count>,
    /// The keys, in the order in which their periods began.
    order: BTreeMap<u64, K>,
    /// The number of attempts of each, with its place in that order.
    by_attempts: BTreeSet<(u32, u64)>,
    n_begun: u64,
}

struct Count {
    n: u32,
    /// End of the period.
    until: Timestamp,
    seq: u64,
}

impl Count {
    /// A period that ends later than any can was begun while the clock was ahead.
    fn is_over(&self, now: Timestamp, latest: Timestamp) -> bool {
        now >= self.until || self.until.is_ahead_of(latest)
    }
}

impl<K: Clone + Eq + Hash> Counts<K> {
    fn new(n_max: u32, window_ms: i64, n_keys_max: usize) -> Self {
        let (counts, order, by_attempts) = (HashMap::new(), BTreeMap::new(), BTreeSet::new());
        Counts { n_max, window_ms, n_keys_max, counts, order, by_attempts, n_begun: 0 }
    }

    /// Counts an attempt. Error: the number of seconds until the next one is allowed.
    fn begin(&mut self, key: &K, now: Timestamp) -> Result<(), u64> {
        let latest = now.plus_millis(self.window_ms);
        match self.counts.get(key) {
            Some(count) if !count.is_over(now, latest) => {
                if count.n >= self.n_max {
                    let left_ms = count.until.millis() - now.millis();
                    return Err(left_ms.unsigned_abs().div_ceil(1000));
                }
                self.change(key, |n| n + 1);
                return Ok(());
            }
            _ => self.forget(key),
        }
        while self.counts.len() >= self.n_keys_max {
            let Some(evicted) = self.least(now, latest) else { break };
            self.forget(&evicted);
        }
        self.n_begun += 1;
        self.order.insert(self.n_begun, key.clone());
        self.by_attempts.insert((1, self.n_begun));
        self.counts.insert(key.clone(), Count { n: 1, until: latest, seq: self.n_begun });
        Ok(())
    }

    /// The key to evict: the oldest if its period is over, or else that with the fewest attempts.
    fn least(&self, now: Timestamp, latest: Timestamp) -> Option<K> {
        let (_, oldest) = self.order.first_key_value()?;
        if self.counts.get(oldest).is_none_or(|it| it.is_over(now, latest)) {
            return Some(oldest.clone());
        }
        let (_, seq) = self.by_attempts.first()?;
        self.order.get(seq).cloned()
    }

    fn forget(&mut self, key: &K) {
        if let Some(count) = self.counts.remove(key) {
            self.order.remove(&count.seq);
            self.by_attempts.remove(&(count.n, count.seq));
        }
    }

    /// Subtracts an attempt.
    fn subtract(&mut self, key: &K) {
        self.change(key, |n| n.saturating_sub(1));
    }

    fn change(&mut self, key: &K, to: impl FnOnce(u32) -> u32) {
        if let Some(count) = self.counts.get_mut(key) {
            self.by_attempts.remove(&(count.n, count.seq));
            count.n = to(count.n);
            self.by_attempts.insert((count.n, count.seq));
        }
    }
}

/// In-memory attempt counters; lost on restart. Accounts are counted under a hash of their names, with a key
/// that nobody knows: a name may be long.
struct Counters {
    names: RandomState,
    by_site: Counts<IpNet>,
    by_network: Counts<IpNet>,
    by_both: Counts<(u64, Option<IpNet>)>,
    by_account: Counts<u64>,
}

impl Default for Counters {
    fn default() -> Self {
        let n_keys = ATTEMPTS_REMEMBERED_MAX;
        Counters {
            names: RandomState::new(),
            by_site: Counts::new(ATTEMPTS_OF_SITE_MAX, NETWORK_MS, n_keys),
            by_network: Counts::new(ATTEMPTS_OF_NETWORK_MAX, NETWORK_MS, n_keys),
            by_both: Counts::new(ATTEMPTS_OF_ACCOUNT_AND_NETWORK_MAX, NETWORK_MS, n_keys),
            by_account: Counts::new(ATTEMPTS_OF_ACCOUNT_MAX, ACCOUNT_MS, n_keys),
        }
    }
}

impl Counters {
    /// An attempt that the limit of its network refuses does not count for the account.
    fn begin(&mut self, account: &str, network: Option<IpNet>, now: Timestamp) -> Result<(), u64> {
        let account = self.names.hash_one(account);
        if let Some(network) = network {
            self.by_network.begin(&network, now)?;
        }
        if let Some(site) = network.and_then(site_of) {
            self.by_site.begin(&site, now)?;
        }
        self.by_both.begin(&(account, network), now)?;
        self.by_account.begin(&account, now)
    }

    fn succeeded(&mut self, account: &str, network: Option<IpNet>) {
        let account = self.names.hash_one(account);
        if let Some(network) = network {
            self.by_network.subtract(&network);
        }
        if let Some(site) = network.and_then(site_of) {
            self.by_site.subtract(&site);
        }
        self.by_both.forget(&(account, network));
        self.by_account.subtract(&account);
    }
}

/// The site that a network of IPv6 belongs to: anyone can have one of 65,536 networks.
fn site_of(network: IpNet) -> Option<IpNet> {
    match network.addr() {
        IpAddr::V4(_) => None,
        address => IpNet::new(address, SITE_BITS).ok().map(|it| it.trunc()),
    }
}

#[derive(Default)]
struct Attempts(Mutex<Counters>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An attempt that was counted.
pub(crate) struct Attempt {
    attempts: Arc<Attempts>,
    account: String,
    network: Option<IpNet>,
}

impl Attempt {
    /// Counts an attempt at `what` for the account of this name, from the network of the request. Errors: 429
    /// with the time to wait, whether the account exists or not.
    pub(crate) fn begin(ctx: &Ctx, head: &Head, what: &str, name: &str) -> Result<Attempt, Fault> {
        // No account has a longer name.
        let name: String = name.trim().to_lowercase().chars().take(EMAIL_CHARS_MAX).collect();
        let (account, network) = (format!("{what} {name}"), ctx.config().proxies.network_of(head));
        let attempts = ctx.memory::<Attempts>();
        let begun = locked(&attempts.0).begin(&account, network, ctx.now());
        begun.map_err(|seconds| too_many(seconds).at_limit("login_attempts"))?;
        Ok(Attempt { attempts, account, network })
    }

    /// After a success: neither this attempt nor earlier ones for this account from this network count any
    /// more.
    pub(crate) fn succeeded(self) {
        locked(&self.attempts.0).succeeded(&self.account, self.network);
    }
}

/// The queue for password hashing: requests that wait, and those that are being hashed.
struct Queue {
    permits: Semaphore,
    /// Requests in the queue, by network.
    slots: Mutex<HashMap<Option<IpNet>, usize>>,
}

impl Default for Queue {
    fn default() -> Self {
        Queue { permits: Semaphore::new(HASHINGS_CONCURRENT_MAX), slots: Mutex::default() }
    }
}

/// A slot in the queue, until it is dropped.
struct Slot {
    queue: Arc<Queue>,
    network: Option<IpNet>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = locked(&self.queue.slots);
        if let Some(n) = slots.get_mut(&self.network) {
            *n -= 1;
            if *n == 0 {
                slots.remove(&self.network);
            }
        }
    }
}

fn too_many(retry_after_s: u64) -> Fault {
    Fault::too_many("Too many attempts. Please try again later.", retry_after_s)
}

impl Queue {
    /// Takes a slot. Errors: 429 if the network has its share, 503 if the queue is full; both before anything
    /// is looked up.
    fn enter(self: Arc<Queue>, network: Option<IpNet>) -> Result<Slot, Fault> {
        let mut slots = locked(&self.slots);
        let n_of_network = slots.get(&network).copied().unwrap_or(0);
        if network.is_some() && n_of_network >= HASHING_QUEUE_PER_NETWORK_MAX {
            return Err(too_many(1).at_limit("hashing_queue_per_network_max"));
        }
        if slots.values().sum::<usize>() >= HASHING_QUEUE_MAX {
            let fault = Fault::busy("Too many people log in at the moment. Please try again.", 1);
            return Err(fault.at_limit("hashing_queue_max"));
        }
        *slots.entry(network).or_default() += 1;
        drop(slots);
        Ok(Slot { queue: self, network })
    }
}

/// A slot in the queue for password hashing, for one request.
pub(crate) struct Hashing(Slot);

impl Hashing {
    /// Takes a slot in the queue, which is released when the value is dropped.
    pub(crate) fn enter(ctx: &Ctx, head: &Head) -> Result<Hashing, Fault> {
        ctx.memory::<Queue>().enter(ctx.config().proxies.network_of(head)).map(Hashing)
    }

    /// Runs slow work on a password when its turn has come: it takes tens of milliseconds and megabytes on
    /// purpose. Not on an async worker.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let _permit = self.0.queue.permits.acquire().await.map_err(Fault::unexpected)?;
        spawn_blocking(work).await.map_err(Fault::unexpected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn login_attempts_expire() {
        let mut counts = Counts::new(3, NETWORK_MS, 10);
        for _ in 0..3 {
            assert_eq!(counts.begin(&"ann", at(0)), Ok(()));
        }
        assert_eq!(counts.begin(&"ann", at(NETWORK_MS - 1001)), Err(2));
        assert_eq!(counts.begin(&"bob", at(1)), Ok(()));
        assert_eq!(counts.begin(&"ann", at(NETWORK_MS)), Ok(()));
        counts.subtract(&"ann");
        for _ in 0..3 {
            assert_eq!(counts.begin(&"ann", at(NETWORK_MS)), Ok(()));
        }
        assert_eq!(counts.begin(&"ann", at(NETWORK_MS)), Err(900));
        // The clock was ahead, and was set back.
        assert_eq!(counts.begin(&"ann", at(-NETWORK_MS)), Ok(()));
        assert_eq!(
            (counts.order.len(), counts.by_attempts.len()),
            (counts.counts.len(), counts.counts.len())
        );
    }

    #[test]
    fn oldest_attempt_counters_are_evicted() {
        let mut counts = Counts::new(1, NETWORK_MS, 3);
        for name in ["a", "b", "c", "d"] {
            assert_eq!(counts.begin(&name, at(0)), Ok(()));
        }
        let is_full = |counts: &mut Counts<&'static str>, name| counts.begin(&name, at(1)).is_err();
        assert!(["b", "c", "d"].into_iter().all(|it| is_full(&mut counts, it)));
        assert!(!is_full(&mut counts, "a"));
        assert_eq!((counts.counts.len(), counts.order.len(), counts.by_attempts.len()), (3, 3, 3));
    }

    #[test]
    fn many_names_do_not_reset_the_counter_of_an_account_under_attack() {
        let mut counts = Counts::new(3, NETWORK_MS, 10);
        assert!((0..3).all(|_| counts.begin(&0, at(0)).is_ok()));
        assert!((1..=100).all(|name| counts.begin(&name, at(1)).is_ok()));
        assert!(counts.begin(&0, at(2)).is_err());
        // Counters whose period is over make room before those that count.
        assert!((0..3).all(|_| counts.begin(&200, at(NETWORK_MS - 1)).is_ok()));
        assert!((201..300).all(|name| counts.begin(&name, at(NETWORK_MS)).is_ok()));
        assert!(counts.begin(&200, at(NETWORK_MS)).is_err());
        assert_eq!(counts.counts.len(), 10);
    }

    #[test]
    fn networks_of_one_site_are_counted_together() {
        let mut counters = Counters::default();
        let mut begin = |n: u32| {
            let network = net(&format!("2001:db8:1:{n:x}::/64"));
            counters.begin(&format!("login {n}"), network, at(0))
        };
        assert!((0..ATTEMPTS_OF_SITE_MAX).all(|n| begin(n).is_ok()));
        assert_eq!(begin(ATTEMPTS_OF_SITE_MAX), Err(900));
        assert_eq!(counters.begin("login ann", net("2001:db8:2::/64"), at(0)), Ok(()));
        assert_eq!(counters.begin("login ann", net("203.0.113.0/24"), at(0)), Ok(()));
    }

    fn net(text: &str) -> Option<IpNet> {
        Some(text.parse().expect("a network"))
    }

    #[test]
    fn failed_logins_from_other_networks_do_not_lock_the_account() {
        let (mut counters, owner) = (Counters::default(), net("203.0.113.0/24"));
        for n in 0..20 {
            let elsewhere = net(&format!("198.51.{n}.0/24"));
            for _ in 0..10 {
                assert_eq!(counters.begin("login ann", elsewhere, at(0)), Ok(()));
            }
            // Refused by the limit of the network, and not counted for the account.
            assert!((0..50).all(|_| counters.begin("login ann", elsewhere, at(0)).is_err()));
        }
        assert_eq!(counters.begin("login ann", owner, at(0)), Ok(()));
        // Attempts from one network stay below the limit of the account all day long.
        let (mut counters, elsewhere) = (Counters::default(), net("198.51.100.0/24"));
        for quarter in 0..96 {
            for _ in 0..20 {
                let _ = counters.begin("login ann", elsewhere, at(quarter * NETWORK_MS));
            }
        }
        assert_eq!(counters.begin("login ann", owner, at(ACCOUNT_MS - 1)), Ok(()));
        // Attempts from many networks together reach it.
        let mut counters = Counters::default();
        let begin = |counters: &mut Counters, n: u32| {
            counters.begin("login ann", net(&format!("198.{}.{}.0/24", n / 2560, n / 10 % 256)), at(0))
        };
        assert!((0..1000).all(|n| begin(&mut counters, n).is_ok()));
        assert_eq!(begin(&mut counters, 1000), Err(86_400));
        // Successful logins never count.
        let mut counters = Counters::default();
        for _ in 0..2000 {
            assert_eq!(counters.begin("login ann", owner, at(0)), Ok(()));
            counters.succeeded("login ann", owner);
        }
    }

    #[test]
    fn password_hashing_queue_is_limited_per_network() {
        let queue = Arc::new(Queue::default());
        let enter = |network| queue.clone().enter(network);
        let status = |it: Result<Slot, Fault>| it.map_or_else(|fault| fault.status().as_u16(), |_| 200);
        let one = net("198.51.100.0/24");
        let mut slots: Vec<Slot> =
            (0..HASHING_QUEUE_PER_NETWORK_MAX).filter_map(|_| enter(one).ok()).collect();
        assert_eq!(slots.len(), HASHING_QUEUE_PER_NETWORK_MAX);
        assert_eq!(
            (status(enter(one)), status(enter(net("203.0.113.0/24"))), status(enter(None))),
            (429, 200, 200)
        );
        for n in slots.len()..HASHING_QUEUE_MAX {
            slots.extend(enter(net(&format!("203.0.{n}.0/24"))).ok());
        }
        assert_eq!((status(enter(net("192.0.2.0/24"))), status(enter(None))), (503, 503));
        assert_eq!(slots.len(), HASHING_QUEUE_MAX);
        slots.pop();
        assert_eq!((status(enter(one)), status(enter(net("192.0.2.0/24")))), (429, 200));
        drop(slots);
        assert!(locked(&queue.slots).is_empty());
    }
}
