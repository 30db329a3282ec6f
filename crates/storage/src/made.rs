//! The latest time of a transaction and of an id, stored with each commit that several hosts share. The next
//! host that leads begins behind them, whatever its clock says.

use atoll_values::Timestamp;

use crate::{Raw, StoreError, format::Checksums};

/// Until when commits and ids were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The latest time of a transaction.
    pub(crate) at: Timestamp,
    /// The latest time in an id.
    pub(crate) id_at: Timestamp,
}

/// Key of the times. It lies in the directory of spaces, where no name begins with a NUL.
const KEY: [u8; 7] = *b"\0\0\0made";

impl Made {
    /// Before all others.
    pub(crate) const NEVER: Made = Made { at: Timestamp::MIN, id_at: Timestamp::MIN };

    /// As a snapshot has it.
    pub(crate) fn of(raw: &dyn Raw, checksums: &Checksums) -> Result<Made, StoreError> {
        let Some(stored) = raw.get(&KEY, &mut |_, _| Ok(()))? else { return Ok(Made::NEVER) };
        let read = |bytes: &[u8]| Some(Timestamp::from_millis(i64::from_be_bytes(bytes.try_into().ok()?)));
        let times = checksums.check(&KEY, &stored).and_then(|it| it.split_at_checked(8));
        let made = times.and_then(|(at, id_at)| Some(Made { at: read(at)?, id_at: read(id_at)? }));
        made.ok_or_else(|| StoreError::Corrupt {
            space: "directory",
            key: "made".into(),
            reason: "the time of the last commit does not read back".into(),
        })
    }

    /// These, or those that are later.
    #[must_use]
    pub(crate) fn or_later(self, at: Timestamp, id_at: Timestamp) -> Made {
        Made { at: self.at.max(at), id_at: self.id_at.max(id_at) }
    }

    /// What is stored with the commit, without its checksum.
    pub(crate) fn entry(self) -> (Vec<u8>, Option<Vec<u8>>) {
        let times = [self.at, self.id_at].map(|it| it.millis().to_be_bytes());
        (KEY.to_vec(), Some(times.concat()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use atoll_values::{Actor, Moment, latest_id_at};

    use super::*;
    use crate::{Chain, Changes, Entry, MemoryLog, Position, Store, StoreOptions, checksum, engines::Memory};

    struct Thing;

    impl atoll_values::Kind for Thing {
        const PREFIX: &'static str = "thing";
    }

    #[tokio::test]
    async fn next_leader_begins_behind_the_times_and_ids_of_the_last_one() {
        // The clock of the last leader was ahead by an hour.
        let ahead = Timestamp::now().plus(Duration::from_secs(3600));
        let made = Made { at: ahead, id_at: ahead.plus_millis(1) };
        let mut changes = Changes::from([Position(1).entry(), made.entry()]);
        for (key, value) in &mut changes {
            checksum::append(key, value.as_mut().expect("none is deleted"));
        }
        let store = Store::open_replica(Memory::default(), &[], StoreOptions::default()).expect("a store");
        store.apply(vec![Entry::new(Chain::default(), Position(1), &changes)]).await.expect("it follows");
        assert!(latest_id_at() < ahead, "it has not led yet");
        store.lead(MemoryLog::default().begin_term()).await.expect("it leads");
        assert_eq!(store.not_before(), made.at);
        Moment::new(Timestamp::now(), Actor::System).id::<Thing>();
        assert!(latest_id_at() > made.id_at, "an id of this one is behind all of that one");
    }
}
