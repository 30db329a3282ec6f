//! What a transaction may know of the world, fixed before it runs.

use std::cell::{Cell, RefCell};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Id, Kind, Timestamp};

/// Who asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// Not known: a public route, an identity without an account, an actor type of no module here. May do nothing.
    #[default]
    Nobody,
    /// The shop itself: start-up, jobs, tests, and what the shop does for those who are nobody yet. May do everything.
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
    /// The id that `created_by` and `revoked_by` record; empty for the system, as on the wire.
    pub fn id(&self) -> &str {
        match self {
            Actor::Nobody | Actor::System => "",
            Actor::User(id) | Actor::ApiKey(id) | Actor::Shopper(id) | Actor::Customer(id) => id,
        }
    }

    /// The actor, or the shop for those who are nobody yet: for what anybody may have done for themselves, such as a
    /// session or an account of their own.
    pub fn or_system(self) -> Actor {
        match self {
            Actor::Nobody => Actor::System,
            known => known,
        }
    }
}

/// Time, ids and actor of one transaction. All that a body writes has one time, which tests move, and a body is a
/// function of its moment, its input and the data: so it asks the moment, never the clock. Tests run flows twice
/// ([`Moment::rewind`]) and compare what they write.
#[derive(Debug)]
pub struct Moment {
    now: Timestamp,
    actor: Actor,
    made: RefCell<Vec<Uuid>>,
    n_used: Cell<usize>,
}

impl Moment {
    /// The moment `now`, for `actor`.
    pub fn new(now: Timestamp, actor: Actor) -> Self {
        Moment { now, actor, made: RefCell::default(), n_used: Cell::new(0) }
    }

    /// The time of the transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who asked.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The next id. Ids ascend within the process, and their tail cannot be guessed.
    pub fn id<K: Kind>(&self) -> Id<K> {
        let mut made = self.made.borrow_mut();
        let n_used = self.n_used.get();
        if n_used == made.len() {
            made.push(Uuid::now_v7());
        }
        self.n_used.set(n_used + 1);
        Id::from_uuid(made[n_used])
    }

    /// How many ids were given so far.
    pub fn n_ids(&self) -> usize {
        self.n_used.get()
    }

    /// Goes back to where `n_ids` ids were given: a run of the same body is given the same ids again. For tests.
    pub fn rewind(&self, n_ids: usize) {
        self.n_used.set(n_ids.min(self.n_used.get()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;

    impl Kind for Thing {
        const PREFIX: &'static str = "thing";
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
