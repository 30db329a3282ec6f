//! The context of a transaction, fixed before it runs: time, actor and a source of ids.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use crate::{Id, Kind, Timestamp, Trace};

/// The caller on whose behalf the transaction runs: for permissions and audit fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// Unauthenticated: a public route, an identity without an account, an actor type without a module. May
    /// do nothing.
    #[default]
    Nobody,
    /// The shop itself: start-up, jobs, tests, and services for the unauthenticated such as logging in. May
    /// do everything.
    System,
    /// An admin user, by id.
    User(String),
    /// A secret API key, by id.
    ApiKey(String),
    /// A shopper behind the publishable key of this id.
    Shopper(String),
    /// A customer who is logged in, by id.
    Customer(String),
}

impl Actor {
    /// The id for `created_by` and `revoked_by`; empty for the system, as on the wire.
    pub fn id(&self) -> &str {
        match self {
            Actor::Nobody | Actor::System => "",
            Actor::User(id) | Actor::ApiKey(id) | Actor::Shopper(id) | Actor::Customer(id) => id,
        }
    }

    /// Turns `Nobody` into `System`: for operations that anyone may start for themselves, such as opening a
    /// session or registering an account.
    pub fn or_system(self) -> Actor {
        match self {
            Actor::Nobody => Actor::System,
            known => known,
        }
    }
}

/// Time, ids and actor of one transaction.
///
/// The body of a transaction is a function of its moment, its input and the data; it never reads the clock.
/// All writes of a body have the same time, which tests control. Tests run flows twice ([`Moment::rewind`])
/// and compare what they write.
#[derive(Debug)]
pub struct Moment {
    now: Timestamp,
    actor: Actor,
    trace: Option<Trace>,
    made: RefCell<Vec<Uuid>>,
    n_used: Cell<usize>,
}

impl Moment {
    /// A moment at `now`, on behalf of `actor`.
    pub fn new(now: Timestamp, actor: Actor) -> Self {
        Moment { now, actor, trace: None, made: RefCell::default(), n_used: Cell::new(0) }
    }

    /// The same moment, whose transaction is this span.
    #[must_use]
    pub fn traced(self, trace: Option<Trace>) -> Self {
        Moment { trace, ..self }
    }

    /// The span that the transaction is, if it is recorded. What a body writes does not depend on it, but for
    /// the events, which note what caused them.
    pub fn trace(&self) -> Option<Trace> {
        self.trace
    }

    /// The time of the transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The caller on whose behalf the transaction runs: for permissions and audit fields.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The next id. Ids ascend within the process, and their tail is random.
    pub fn id<K: Kind>(&self) -> Id<K> {
        let mut made = self.made.borrow_mut();
        let n_used = self.n_used.get();
        if n_used == made.len() {
            made.push(PROCESS.next(Timestamp::now()));
        }
        self.n_used.set(n_used + 1);
        Id::from_uuid(made[n_used])
    }

    /// The number of ids that were issued so far.
    pub fn n_ids(&self) -> usize {
        self.n_used.get()
    }

    /// Rewinds to `n_ids` issued ids, so that a second run of the same body gets the same ids. For tests.
    pub fn rewind(&self, n_ids: usize) {
        self.n_used.set(n_ids.min(self.n_used.get()));
    }
}

/// Makes ids that ascend (UUIDv7), whatever the clock says.
#[derive(Debug)]
struct Ids {
    context: Mutex<ContextV7>,
    /// The time of the latest one, in milliseconds.
    latest_ms: AtomicI64,
}

/// Makes the ids of this process.
static PROCESS: Ids = Ids::new();

impl Ids {
    const fn new() -> Ids {
        Ids { context: Mutex::new(ContextV7::new()), latest_ms: AtomicI64::new(0) }
    }

    /// The next id, of this time or that of the latest one, if that is later.
    fn next(&self, now: Timestamp) -> Uuid {
        let now_ms = self.latest_ms.fetch_max(now.millis(), Ordering::Relaxed).max(now.millis());
        let seconds = u64::try_from(now_ms.div_euclid(1000)).unwrap_or(0);
        let nanos = u32::try_from(now_ms.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(&self.context, seconds, nanos))
    }
}

/// The time of the latest id that this process has made.
pub fn latest_id_at() -> Timestamp {
    Timestamp::from_millis(PROCESS.latest_ms.load(Ordering::Relaxed))
}

/// Ids that this process makes from now on are behind those of this time.
pub fn ids_after(at: Timestamp) {
    PROCESS.latest_ms.fetch_max(at.plus_millis(1).millis(), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;

    impl Kind for Thing {
        const PREFIX: &'static str = "thing";
    }

    #[test]
    fn ids_ascend_whatever_the_clocks_of_their_hosts_say() {
        let (first, second) = (Ids::new(), Ids::new());
        let at = Timestamp::from_millis;
        let earlier: Vec<Uuid> = [9_000, 9_000, 8_000].map(|it| first.next(at(it))).into();
        assert!(earlier.is_sorted(), "{earlier:?}");
        assert!(second.next(at(5_000)) < earlier[2], "its clock is behind, and it was not told");
        second.latest_ms.fetch_max(first.latest_ms.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let later: Vec<Uuid> = [5_000, 5_001, 9_500].map(|it| second.next(at(it))).into();
        assert!(earlier[2] < later[0] && later.is_sorted(), "{earlier:?} {later:?}");
    }

    #[test]
    fn rewind_gives_the_same_ids_again() {
        let at = Moment::new(Timestamp::default(), Actor::System);
        let before: Id<Thing> = at.id();
        let first: Vec<Id<Thing>> = (0..3).map(|_| at.id()).collect();
        assert!(first.is_sorted() && before < first[0]);
        at.rewind(1);
        let second: Vec<Id<Thing>> = (0..4).map(|_| at.id()).collect();
        assert_eq!(first, second[..3]);
        assert!(second[3] > second[2]);
    }
}
