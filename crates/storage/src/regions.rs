//! Cache invalidation: what a request has read, and whether a commit has changed any of it since.
//!
//! A region is a set of keys: all that begin with the same two bytes (a space), with the same ten, eighteen,
//! …, or a single one. A read depends on the smallest region that holds all that it looks at: a single key,
//! or the beginning that all keys of a range share. A commit changes all regions that a changed key is in.
//! Regions are known by their hashes; two that share one cause an answer to be worked out once more, never a
//! stale one.
//!
//! Versions are kept for the regions that some remembered answer depends on. They are raised before the
//! commit is published, so whoever has seen a commit, or was told of it, finds its versions raised.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use atoll_values::{
    Now, Timestamp, Validity,
    limits::{REGIONS_CHANGED_MAX, REGIONS_READ_MAX},
};
use foldhash::fast::RandomState;

use crate::{Changes, Span};

/// Length of the prefix of a space.
const N_SPACE: usize = 2;

/// Bytes by which the next smaller region is more precise. With them a region holds the keys of one record
/// in an index or a link, and few others.
const N_STEP: usize = 8;

/// Maps of versions, each with a lock of its own. A power of two.
const N_SHARDS: usize = 64;

/// Entries of such a map below which it is not searched for those that no answer depends on any more.
const N_SWEPT_MIN: usize = 256;

/// What one region costs a remembered answer, in bytes: its version, its entry, and the reference to it.
const REGION_BYTES: usize = 64;

/// The number of the last commit that changed a region.
type Version = Arc<AtomicU64>;

/// The versions of the regions that remembered answers depend on.
pub(crate) struct Regions {
    hasher: RandomState,
    /// The last commit whose regions are being raised, or are.
    begun: AtomicU64,
    /// The last commit whose regions are all raised.
    raised: AtomicU64,
    /// The last commit that every new view shows.
    published: AtomicU64,
    /// The last commit that changed too much to be raised region by region.
    all: AtomicU64,
    /// Has any answer been remembered? Otherwise there is nothing to raise.
    is_used: AtomicBool,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Default)]
struct Shard {
    versions: HashMap<u64, Version, RandomState>,
    n_after_sweep: usize,
}

impl Default for Regions {
    fn default() -> Self {
        Regions {
            hasher: RandomState::default(),
            begun: AtomicU64::new(0),
            raised: AtomicU64::new(0),
            published: AtomicU64::new(0),
            all: AtomicU64::new(0),
            is_used: AtomicBool::new(false),
            shards: (0..N_SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Regions {
    /// Calls `visit` with the regions that hold `key`, from the largest to the key itself, each with the
    /// length of the beginning that its keys share.
    fn of(&self, key: &[u8], mut visit: impl FnMut(usize, u64)) {
        let Some((space, rest)) = key.split_at_checked(N_SPACE) else { return };
        let mut hash = self.hasher.build_hasher();
        hash.write_u16(u16::from_be_bytes([space[0], space[1]]));
        visit(N_SPACE, hash.finish());
        let (steps, tail) = rest.as_chunks::<N_STEP>();
        let mut n_shared = N_SPACE;
        for step in steps {
            hash.write_u64(u64::from_be_bytes(*step));
            n_shared += N_STEP;
            visit(n_shared, hash.finish());
        }
        if !tail.is_empty() {
            hash.write(tail);
            visit(key.len(), hash.finish());
        }
    }

    /// The region of a single key.
    fn of_key(&self, key: &[u8]) -> Option<u64> {
        let mut region = None;
        self.of(key, |_, it| region = Some(it));
        region
    }

    /// The smallest region that holds all keys of a range; `None` if it reaches over several spaces.
    fn of_span(&self, span: &Span) -> Option<u64> {
        let n_shared = n_shared(span);
        let n_steps = n_shared.checked_sub(N_SPACE)? / N_STEP;
        self.of_key(&span.start[..N_SPACE + n_steps * N_STEP])
    }

    fn shard(&self, region: u64) -> MutexGuard<'_, Shard> {
        self.shards[shard_of(region)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Raises the versions of all regions that the next commit changes, before it is published. Returns its
    /// number.
    pub(crate) fn raise(&self, changes: &Changes) -> u64 {
        if changes.len() > REGIONS_CHANGED_MAX {
            return self.raise_all();
        }
        let commit = self.begin();
        if self.is_used.load(Ordering::SeqCst) {
            let mut changed = Vec::with_capacity(changes.len() * 4);
            let mut before: &[u8] = &[];
            for key in changes.keys() {
                // The regions that hold the key before hold it, too.
                let n_same = common(before, key);
                self.of(key, |n_shared, region| {
                    if n_shared > n_same || before.is_empty() {
                        changed.push(region);
                    }
                });
                before = key;
            }
            self.for_each(&mut changed, |versions, region| {
                if let Some(version) = versions.versions.get(&region) {
                    version.store(commit, Ordering::Relaxed);
                }
            });
        }
        self.raised.store(commit, Ordering::Release);
        commit
    }

    /// As `raise`, of a commit that may change what any answer depends on.
    pub(crate) fn raise_all(&self) -> u64 {
        let commit = self.begin();
        self.all.store(commit, Ordering::Relaxed);
        self.raised.store(commit, Ordering::Release);
        commit
    }

    /// The number of the next commit, whose regions are being raised from now on. This comes before `is_used`
    /// is read, as an answer sets that before it reads this.
    fn begin(&self) -> u64 {
        let commit = self.begun.load(Ordering::Relaxed) + 1;
        self.begun.store(commit, Ordering::SeqCst);
        commit
    }

    /// The commit is published: views that are taken from now on show it.
    pub(crate) fn publish(&self, commit: u64) {
        self.published.store(commit, Ordering::Release);
    }

    /// The versions of these regions, which are kept from now on.
    fn versions(&self, mut regions: Vec<u64>) -> Box<[Version]> {
        self.is_used.store(true, Ordering::SeqCst);
        let mut all = Vec::with_capacity(regions.len());
        self.for_each(&mut regions, |shard, region| {
            // A region that was not kept may have changed in any commit so far, the one that is being raised
            // included. It is read under the lock that raising takes.
            let unknown = || Version::new(self.begun.load(Ordering::SeqCst).into());
            all.push(shard.versions.entry(region).or_insert_with(unknown).clone());
            shard.sweep();
        });
        all.into()
    }

    /// Calls `visit` with each region once and its map, of which each is locked once.
    fn for_each(&self, regions: &mut Vec<u64>, mut visit: impl FnMut(&mut Shard, u64)) {
        regions.sort_unstable();
        regions.dedup();
        for of_shard in regions.chunk_by(|a, b| shard_of(*a) == shard_of(*b)) {
            let mut shard = self.shard(of_shard[0]);
            of_shard.iter().for_each(|region| visit(&mut shard, *region));
        }
    }

    #[cfg(test)]
    fn n_kept(&self) -> usize {
        (0..N_SHARDS).map(|it| self.shards[it].lock().expect("no panic").versions.len()).sum()
    }
}

/// The map of a region: by the upper bits, so that sorting brings the regions of a map together.
fn shard_of(region: u64) -> usize {
    (region >> (u64::BITS - N_SHARDS.trailing_zeros())) as usize
}

impl Shard {
    /// Forgets the versions that no answer depends on, when there may be as many as of the others.
    fn sweep(&mut self) {
        if self.versions.len() > N_SWEPT_MIN.max(self.n_after_sweep * 2) {
            self.versions.retain(|_, version| Arc::strong_count(version) > 1);
            self.n_after_sweep = self.versions.len();
        }
    }
}

/// The length of the common beginning.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The length of the beginning of `span.start` that all keys of the range share.
fn n_shared(span: &Span) -> usize {
    let Span { start, end: Some(end) } = span else { return 0 };
    let mut n_shared = common(start, end);
    // The end of all keys that begin with some bytes is the next such beginning, without the largest bytes at
    // its end, which the next one has not.
    if end.len() == n_shared + 1 && start.get(n_shared).is_some_and(|it| *it + 1 == end[n_shared]) {
        n_shared += 1;
        n_shared += start[n_shared..].iter().take_while(|it| **it == u8::MAX).count();
    }
    n_shared
}

/// Records what one request depends on: what it reads, and how it looks at the clock.
pub struct Recorder {
    regions: Arc<Regions>,
    /// The snapshot that the request begins with; those that it takes later are no older.
    commit: u64,
    read: Mutex<Vec<u64>>,
    validity: Arc<Validity>,
    /// Does it depend on something else, or on too much?
    is_lost: AtomicBool,
}

impl Recorder {
    /// For a request that takes its first view after this.
    pub(crate) fn new(regions: &Arc<Regions>) -> Recorder {
        Recorder {
            regions: regions.clone(),
            commit: regions.published.load(Ordering::Acquire),
            read: Mutex::new(Vec::with_capacity(64)),
            validity: Arc::default(),
            is_lost: AtomicBool::new(false),
        }
    }

    /// This time, as the request may look at it.
    pub fn now(&self, at: Timestamp) -> Now {
        Now::noting(at, &self.validity)
    }

    /// The request depends on something that is not recorded: its answer is not remembered.
    pub fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    pub(crate) fn read_key(&self, key: &[u8]) {
        self.note(self.regions.of_key(key));
    }

    pub(crate) fn read_span(&self, span: &Span) {
        self.note(self.regions.of_span(span));
    }

    fn note(&self, region: Option<u64>) {
        let Some(region) = region else { return self.lose() };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match read.len() < REGIONS_READ_MAX {
            true => read.push(region),
            false => self.lose(),
        }
    }

    /// What the request depends on; `None` if that is not known, or has changed already.
    pub fn dependencies(&self) -> Option<Dependencies> {
        let (from, until) = self.validity.range();
        if self.is_lost.load(Ordering::Relaxed) || from >= until {
            return None;
        }
        let read = std::mem::take(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner));
        let dependencies = Dependencies {
            versions: self.regions.versions(read),
            regions: self.regions.clone(),
            commit: self.commit,
            unchanged_at: AtomicU64::new(u64::MAX),
            from,
            until,
        };
        dependencies.are_unchanged().then_some(dependencies)
    }
}

/// What a remembered answer depends on.
pub struct Dependencies {
    regions: Arc<Regions>,
    /// The snapshot of the answer.
    commit: u64,
    versions: Box<[Version]>,
    /// The last commit after which they were known to be unchanged.
    unchanged_at: AtomicU64,
    from: i64,
    until: i64,
}

impl Dependencies {
    /// Would the answer be the same now, as far as keys and clock are concerned?
    pub fn hold(&self, now: impl FnOnce() -> Timestamp) -> bool {
        let is_limited = self.from != i64::MIN || self.until != i64::MAX;
        self.are_unchanged() && (!is_limited || (self.from..self.until).contains(&now().millis()))
    }

    fn are_unchanged(&self) -> bool {
        // Read before the versions: those of this commit are raised, and a later one has another number.
        let raised = self.regions.raised.load(Ordering::Acquire);
        if self.unchanged_at.load(Ordering::Relaxed) == raised {
            return true;
        }
        let is_unchanged = self.regions.all.load(Ordering::Relaxed) <= self.commit
            && self.versions.iter().all(|it| it.load(Ordering::Relaxed) <= self.commit);
        if is_unchanged {
            self.unchanged_at.store(raised, Ordering::Relaxed);
        }
        is_unchanged
    }

    /// Upper bound of the memory that they take, in bytes.
    pub fn n_bytes(&self) -> usize {
        size_of::<Dependencies>() + self.versions.len() * REGION_BYTES
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commit(regions: &Regions, keys: &[&[u8]]) {
        let commit = regions.raise(&keys.iter().map(|key| (key.to_vec(), None)).collect());
        regions.publish(commit);
    }

    /// What a request depends on that reads like this.
    fn reading(regions: &Arc<Regions>, read: impl FnOnce(&Recorder)) -> Option<Dependencies> {
        let recorder = Recorder::new(regions);
        read(&recorder);
        recorder.dependencies()
    }

    fn holds(it: &Dependencies) -> bool {
        it.hold(|| Timestamp::from_millis(0))
    }

    /// Regions whose commits before this were not watched: the first answer that reads one is not remembered.
    fn watched(read: impl Fn(&Recorder)) -> (Arc<Regions>, Dependencies) {
        let regions = Arc::new(Regions::default());
        commit(&regions, &[b"\0\x09elsewhere"]);
        let found = reading(&regions, read).expect("nothing has changed");
        (regions, found)
    }

    #[test]
    fn keys_and_ranges_change_with_the_keys_in_them() {
        let (regions, one) = watched(|it| it.read_key(b"\0\x01product"));
        let range = reading(&regions, |it| it.read_span(&Span::prefix(b"\0\x01product_1"))).expect("a range");
        let space = reading(&regions, |it| it.read_span(&Span::prefix(b"\0\x01"))).expect("a space");
        assert_eq!([&one, &range, &space].map(holds), [true; 3]);
        commit(&regions, &[b"\0\x02product"]);
        assert_eq!([&one, &range, &space].map(holds), [true; 3]);
        commit(&regions, &[b"\0\x01product_10"]);
        assert_eq!([&one, &range, &space].map(holds), [true, false, false]);
        commit(&regions, &[b"\0\x01produce", b"\0\x01product"]);
        assert!(!holds(&one));
    }

    #[test]
    fn answer_of_an_older_snapshot_is_not_remembered() {
        let (regions, _kept) = watched(|it| it.read_key(b"\0\x01a"));
        let (old, other) = (Recorder::new(&regions), Recorder::new(&regions));
        old.read_key(b"\0\x01a");
        other.read_key(b"\0\x01never read before");
        commit(&regions, &[b"\0\x01a"]);
        assert!(old.dependencies().is_none());
        // That may have changed in that commit: nobody has watched it.
        assert!(other.dependencies().is_none());
        assert!(reading(&regions, |it| it.read_key(b"\0\x01never read before")).is_some());
    }

    #[test]
    fn answer_from_before_a_publication_is_not_remembered() {
        let (regions, _kept) = watched(|it| it.read_key(b"\0\x01a"));
        let number = regions.raise(&Changes::from([(b"\0\x01a".to_vec(), None)]));
        // Its view is the one from before the commit, whose versions are raised already.
        assert!(reading(&regions, |it| it.read_key(b"\0\x01a")).is_none());
        regions.publish(number);
        assert!(reading(&regions, |it| it.read_key(b"\0\x01a")).is_some());
    }

    #[test]
    fn large_commit_changes_everything() {
        let (regions, one) = watched(|it| it.read_key(b"\0\x01a"));
        let key = |n: usize| [b"\0\x02", &n.to_be_bytes()[..]].concat();
        let commit_many = |n: usize| regions.raise(&(0..n).map(|it| (key(it), None)).collect());
        commit_many(REGIONS_CHANGED_MAX);
        assert!(holds(&one));
        commit_many(REGIONS_CHANGED_MAX + 1);
        assert!(!holds(&one));
    }

    #[test]
    fn what_is_not_recorded_is_not_remembered() {
        let (regions, _) = watched(|it| it.read_key(b"\0\x01a"));
        assert!(reading(&regions, Recorder::lose).is_none());
        assert!(reading(&regions, |it| it.read_span(&Span { start: vec![0, 1], end: None })).is_none());
        assert!(reading(&regions, |it| it.read_span(&Span::prefix(b"\0"))).is_none());
        let many = |n: u64| move |it: &Recorder| (0..n).for_each(|n| it.read_key(&n.to_be_bytes()));
        assert!(reading(&regions, many(REGIONS_READ_MAX as u64)).is_some());
        assert!(reading(&regions, many(REGIONS_READ_MAX as u64 + 1)).is_none());
        assert!(
            reading(&regions, |it| assert_eq!(it.now(Timestamp::default()).exactly().millis(), 0)).is_none()
        );
    }

    #[test]
    fn answer_holds_between_its_edges() {
        let (_, until) = watched(|it| {
            let now = it.now(Timestamp::from_millis(1_000));
            assert!(now.has_reached(Timestamp::from_millis(900)));
            assert!(!now.has_reached(Timestamp::from_millis(1_100)));
        });
        let at = |millis| until.hold(|| Timestamp::from_millis(millis));
        assert_eq!([899, 900, 1_000, 1_099, 1_100].map(at), [false, true, true, true, false]);
    }

    #[test]
    fn versions_go_with_the_answers_that_depend_on_them() {
        let regions = Arc::new(Regions::default());
        for n in 0..200_000_u64 {
            let kept = reading(&regions, |it| it.read_key(&n.to_be_bytes()));
            assert!(kept.is_some());
        }
        assert!(regions.n_kept() <= N_SHARDS * (N_SWEPT_MIN + 1), "{}", regions.n_kept());
    }

    /// Keys of a few bytes in two spaces, of which many are beginnings of others.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        let rest = prop::collection::vec(prop::sample::select(vec![0_u8, 1, 254, 255]), 0..20);
        (1_u8..3, rest).prop_map(|(space, rest)| [vec![0, space], rest].concat())
    }

    proptest! {
        /// Compares with the definition: a range depends on every key in it.
        #[test]
        fn no_change_in_a_range_is_missed(
            spans in prop::collection::vec((key(), key()), 1..4),
            keys in prop::collection::vec(key(), 1..8),
            is_prefix in any::<bool>(),
        ) {
            let regions = Arc::new(Regions::default());
            let span = |(a, b): &(Vec<u8>, Vec<u8>)| match is_prefix {
                true => Span::prefix(a),
                false => Span { start: a.min(b).clone(), end: Some(a.max(b).clone()) },
            };
            let read = |it: &Recorder| spans.iter().for_each(|both| it.read_span(&span(both)));
            let Some(dependencies) = reading(&regions, read) else { return Ok(()) };
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            commit(&regions, &keys);
            let is_in = |key: &[u8], span: &Span| {
                *key >= *span.start && span.end.as_ref().is_none_or(|end| *key < **end)
            };
            let is_hit = spans.iter().any(|both| keys.iter().any(|key| is_in(key, &span(both))));
            prop_assert!(!is_hit || !holds(&dependencies), "{:?} {:?}", spans, keys);
        }
    }
}
