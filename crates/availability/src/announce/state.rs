//! What was announced: of each variant the channels that sell it, the moments at which time may change that,
//! and how far the announcing has come.
//!
//! Only variants that some channel sells, or will, have an entry, and a channel is a small number in it: some
//! fifty bytes for a variant, in whatever number of channels (`tests/sizes.txt`).

use std::collections::{BTreeMap, BTreeSet};

use atoll_kernel::{
    Read, StoreError, Timestamp, Write,
    data::{Direction, Scan, Slots, Space, SpaceDef},
    serde::{Deserialize, Serialize},
    stored,
};
use atoll_storage::{KeyBuf, Span, WriteKeys, next_number};

use super::inputs::TOUCHED;
use crate::windowed::{ordered, time_of_ordered};

stored! {
    /// What was announced of a variant.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, crate = "atoll_kernel::serde")]
    struct Entry {
        /// The numbers of the channels that sell it, ascending.
        sellers: Vec<u32>,
        /// The first moment at which time alone may change that, or an earlier one.
        due: Option<Timestamp>,
    }
}

stored! {
    /// How far the announcing has come.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, crate = "atoll_kernel::serde")]
    pub(super) struct Progress {
        /// While stock is taken of an existing shop for the first time: up to which variant that is done.
        /// What is found out of later ones is not announced.
        pub(super) first: Option<String>,
        /// Were sales channels switched on?
        pub(super) has_channels: bool,
        /// The last time that was decided for.
        pub(super) looked_at: Timestamp,
    }
}

/// The space of what was announced: its keys are the ids of variants.
pub(super) const ANNOUNCED: Space = "availability.announced";
const ENTRIES: Slots<Entry> = Slots::new(ANNOUNCED);
/// The number of each channel, by its id; of the shop as a whole, by the empty text.
const NUMBERS: Slots<u32> = Slots::new("availability.sellers");
/// Key: moment, variant. The entries that have one.
pub(super) const DUE: Space = "availability.due";
/// One value.
const PROGRESS: Slots<Progress> = Slots::new("availability.announcing");
const ONE: &[u8] = b"";

/// The spaces of availability events.
pub(crate) const SPACES: [SpaceDef; 5] =
    [TOUCHED.def(), ENTRIES.def(), NUMBERS.def(), SpaceDef::keys(DUE), PROGRESS.def()];

impl Progress {
    /// `None` if nothing was ever announced here.
    pub(super) fn read(view: &dyn Read) -> Result<Option<Progress>, StoreError> {
        PROGRESS.read(view, ONE)
    }

    pub(super) fn write(&self, tx: &mut dyn Write) {
        PROGRESS.write(tx, ONE, self);
    }
}

/// What was announced of a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Announced {
    /// The channels that sell it; the empty text is the shop as a whole.
    pub(super) sellers: BTreeSet<String>,
    /// The first moment at which time alone may change that, or an earlier one.
    pub(super) due: Option<Timestamp>,
}

/// The channels of which something was ever announced, with their numbers.
pub(super) struct Sellers {
    numbers: BTreeMap<String, u32>,
    ids: BTreeMap<u32, String>,
}

impl Sellers {
    pub(super) fn read(view: &dyn Read) -> Result<Sellers, StoreError> {
        let mut sellers = Sellers { numbers: BTreeMap::new(), ids: BTreeMap::new() };
        view.scan(&Span::prefix(&NUMBERS.key(view, b"")), Direction::Ascending, &mut |key, value| {
            let number = NUMBERS.decode(&key[2..], value)?;
            sellers.add(String::from_utf8_lossy(&key[2..]).into_owned(), number);
            Ok(Scan::Continue(()))
        })?;
        Ok(sellers)
    }

    fn add(&mut self, id: String, number: u32) {
        self.ids.insert(number, id.clone());
        self.numbers.insert(id, number);
    }

    /// What was announced of a variant.
    pub(super) fn announced(&self, view: &dyn Read, variant: &str) -> Result<Announced, StoreError> {
        let Some(entry) = ENTRIES.read(view, variant.as_bytes())? else { return Ok(Announced::default()) };
        let ids = entry.sellers.iter().filter_map(|it| self.ids.get(it).cloned());
        Ok(Announced { sellers: ids.collect(), due: entry.due })
    }

    /// Stores that this is announced of a variant now.
    pub(super) fn announce(
        &mut self,
        tx: &mut dyn Write,
        variant: &str,
        before: &Announced,
        now: &Announced,
    ) -> Result<(), StoreError> {
        for (at, is_due) in [(before.due, false), (now.due, true)] {
            let Some(at) = at else { continue };
            let key = due_key(tx, at, variant);
            match is_due {
                true => tx.put(key, Vec::new()),
                false => tx.delete(key),
            }
        }
        if *now == Announced::default() {
            let key = ENTRIES.key(tx, variant.as_bytes());
            tx.delete(key);
            return Ok(());
        }
        let mut sellers = Vec::with_capacity(now.sellers.len());
        for id in &now.sellers {
            sellers.push(self.number(tx, id)?);
        }
        sellers.sort_unstable();
        ENTRIES.write(tx, variant.as_bytes(), &Entry { sellers, due: now.due });
        Ok(())
    }

    /// The number of a channel, a new one if it has none. It keeps it for ever.
    fn number(&mut self, tx: &mut dyn Write, id: &str) -> Result<u32, StoreError> {
        if let Some(number) = self.numbers.get(id) {
            return Ok(*number);
        }
        let number = u32::try_from(next_number(tx, NUMBERS.space())?).expect("fewer channels than that");
        NUMBERS.write(tx, id.as_bytes(), &number);
        self.add(id.to_owned(), number);
        Ok(number)
    }
}

pub(super) fn due_key(view: &dyn Read, at: Timestamp, variant: &str) -> Vec<u8> {
    KeyBuf::new(view.prefix(DUE)).tail(&ordered(at)).tail(variant.as_bytes()).into_bytes()
}

/// The variants whose time has come by `now`, at most `n_max`.
pub(super) fn due(view: &dyn Read, now: Timestamp, n_max: usize) -> Result<Vec<String>, StoreError> {
    let mut variants = Vec::new();
    scan_due(view, &mut |at, variant| {
        if at > now || variants.len() >= n_max {
            return Scan::Break(());
        }
        variants.push(variant);
        Scan::Continue(())
    })?;
    Ok(variants)
}

/// The first moment after this at which time alone may change what is sold.
pub(super) fn next_due(view: &dyn Read, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let mut next = None;
    scan_due(view, &mut |at, _| {
        next = Some(at).filter(|it| *it > after);
        if next.is_some() { Scan::Break(()) } else { Scan::Continue(()) }
    })?;
    Ok(next)
}

/// Calls `visit` with the moments and their variants, the earliest first.
pub(super) fn scan_due(
    view: &dyn Read,
    visit: &mut dyn FnMut(Timestamp, String) -> Scan,
) -> Result<(), StoreError> {
    view.scan(&Span::prefix(&view.prefix(DUE)), Direction::Ascending, &mut |key, _| {
        // A key without a time was never written.
        let Some((at, id)) = key[2..].split_at_checked(size_of::<u64>()) else {
            return Ok(Scan::Continue(()));
        };
        let at = time_of_ordered(at.try_into().expect("eight bytes"));
        Ok(visit(at, String::from_utf8_lossy(id).into_owned()))
    })
}
