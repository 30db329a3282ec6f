//! A turn of the worker: which part of what was noted it looks at, planned on a snapshot, and settled in a
//! transaction.

use std::collections::{BTreeMap, BTreeSet};

use atoll_kernel::{
    Moment, Read, StoreError, Timestamp, Write,
    data::{Direction, Scan, skip_damaged},
};
use atoll_storage::{KeyBuf, Span, WriteKeys};

use super::{
    inputs::{Concern, FIRST_LARGE, TOUCHED, Touch, touch},
    look::{Look, Looked},
    reach::{self, Rest, Visited},
    state::{Progress, due, next_due},
};

/// Decisions of a turn on what concerns little, and as many on what concerns much: some ten milliseconds on a
/// snapshot. So a channel with a million products that is switched off holds up nothing else.
const DECISIONS_PER_TURN: usize = 2_000;

/// Decisions that the transaction of a turn makes again, and so the most events that it writes: a long
/// transaction holds up all others.
const DECISIONS_PER_COMMIT: usize = 500;

/// Notes that a turn looks at, of what concerns little and of what concerns much.
const NOTES_PER_TURN: usize = 500;

/// What a turn has found, in one snapshot.
pub(super) struct Turn {
    now: Timestamp,
    has_channels: bool,
    /// Must everything be looked at: at the first start, with channels switched on or off, or with a clock
    /// that was far ahead?
    is_beginning: bool,
    /// The variants of which there is something to say, with what.
    news: BTreeMap<String, News>,
    /// How much of [`DECISIONS_PER_COMMIT`] is left.
    n_free: usize,
    done: Vec<Done>,
    next: Option<Timestamp>,
}

/// What there is to say of a variant.
#[derive(Default)]
struct News {
    /// The channels that do not sell it as announced: of the others nothing is asked again.
    sellers: BTreeSet<String>,
    /// The first moment at which time alone may change what sells it, or an earlier one.
    due: Option<Timestamp>,
}

/// A note that was looked at.
struct Done {
    concern: Concern,
    seen: Touch,
    /// Where to go on; `None` if all of it was looked at.
    rest: Option<Rest>,
}

impl Turn {
    /// Looks at a part of what was noted, and at what time has changed.
    pub(super) fn plan(view: &dyn Read, now: Timestamp, has_channels: bool) -> Result<Turn, StoreError> {
        let progress = Progress::read(view)?;
        let progress =
            progress.filter(|it| it.has_channels == has_channels && !it.looked_at.is_ahead_of(now));
        let mut turn = Turn {
            // After a small correction of the clock, waiting is cheaper.
            now: progress.as_ref().map_or(now, |it| it.looked_at.max(now)),
            has_channels,
            is_beginning: progress.is_none(),
            news: BTreeMap::new(),
            n_free: DECISIONS_PER_COMMIT,
            done: Vec::new(),
            next: None,
        };
        if turn.is_beginning {
            return Ok(turn);
        }
        let mut look = Look::new(view, turn.now, has_channels)?;
        for variant in due(view, turn.now, DECISIONS_PER_COMMIT)? {
            if turn.n_free == 0 || look.n_decisions() >= DECISIONS_PER_TURN {
                break;
            }
            // It has another moment in any case.
            turn.look_at(&mut look, &variant, None)?;
        }
        let all = Span::prefix(&view.prefix(TOUCHED.space()));
        let middle = KeyBuf::new(view.prefix(TOUCHED.space())).tail(FIRST_LARGE.as_bytes()).into_bytes();
        let small = Span { start: all.start, end: Some(middle.clone()) };
        let large = Span { start: middle, end: all.end };
        for span in [small, large] {
            turn.look_at_notes(view, &mut look, &span)?;
        }
        turn.next = next_due(view, turn.now)?;
        Ok(turn)
    }

    /// Is there nothing to be written?
    pub(super) fn is_idle(&self) -> bool {
        !self.is_beginning && self.news.is_empty() && self.done.is_empty()
    }

    /// The next moment at which there may be something.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.next
    }

    fn look_at_notes(&mut self, view: &dyn Read, look: &mut Look<'_>, span: &Span) -> Result<(), StoreError> {
        let n_max = look.n_decisions() + DECISIONS_PER_TURN;
        for (concern, seen) in notes(view, span)? {
            if self.n_free == 0 || look.n_decisions() >= n_max {
                break;
            }
            let only = concern.seller().map(|it| BTreeSet::from([it.to_owned()]));
            let (has_channels, after) = (self.has_channels, seen.after.as_deref());
            let rest = reach::variants(view, &concern, has_channels, after, &mut |variant| {
                Ok(match self.look_at(look, variant, only.as_ref())? {
                    false => Visited::Part,
                    true if self.n_free == 0 || look.n_decisions() >= n_max => Visited::Enough,
                    true => Visited::Whole,
                })
            })?;
            self.done.push(Done { concern, seen, rest });
        }
        Ok(())
    }

    /// Looks at a variant. Returns whether there was room for all that there is to say of it: the rest is
    /// news again when it is looked at again.
    fn look_at(
        &mut self,
        look: &mut Look<'_>,
        variant: &str,
        only: Option<&BTreeSet<String>>,
    ) -> Result<bool, StoreError> {
        // A damaged record holds up no other variant.
        let Some(looked) = skip_damaged(look.at(variant, only))?.filter(Looked::is_news) else {
            return Ok(true);
        };
        let changed: Vec<_> = looked.changed().map(|(seller, _)| seller.clone()).collect();
        let is_all = changed.len() <= self.n_free;
        // An earlier moment leads back to what there was no room for.
        let earlier = looked.before.due.filter(|_| !is_all);
        let news = self.news.entry(looked.variant).or_default();
        news.due = [news.due, looked.now.due, earlier].into_iter().flatten().min();
        news.sellers.extend(changed.iter().take(self.n_free).cloned());
        // A new moment alone is written, too.
        self.n_free = self.n_free.saturating_sub(changed.len().max(1));
        Ok(is_all)
    }

    /// Decides again on what is news, in this transaction; writes the events, and that they are written.
    pub(super) fn settle(self, tx: &mut dyn Write, at: &Moment) -> Result<(), StoreError> {
        let progress = Progress::read(tx)?;
        let now = self.now.max(at.now());
        if self.is_beginning {
            touch(tx, &Concern::EVERYTHING)?;
            // At the first start nothing is known of any variant.
            let first = progress.map_or(Some(String::new()), |it| it.first);
            Progress { first, has_channels: self.has_channels, looked_at: at.now() }.write(tx);
            return Ok(());
        }
        let mut progress = progress.unwrap_or_default();
        let mut look = Look::new(tx, now, self.has_channels)?;
        let mut news: Vec<Looked> = Vec::with_capacity(self.news.len());
        for (variant, it) in self.news {
            // What has changed since it was looked at is noted, and looked at again.
            let looked = skip_damaged(look.at(&variant, Some(&it.sellers)))?;
            news.extend(looked.map(|looked| looked.with_due(it.due)));
        }
        let mut sellers = look.into_sellers();
        for it in news {
            if progress.first.as_ref().is_none_or(|first| it.variant <= *first) {
                it.emit(tx, at)?;
            }
            sellers.announce(tx, &it.variant, &it.before, &it.now)?;
        }
        for done in self.done {
            done.settle(tx, &mut progress)?;
        }
        Progress { looked_at: now, ..progress }.write(tx);
        Ok(())
    }
}

impl Done {
    /// Removes the note, or moves it on, unless it was made again since.
    fn settle(self, tx: &mut dyn Write, progress: &mut Progress) -> Result<(), StoreError> {
        let key = self.concern.key();
        if TOUCHED.read(tx, &key)?.as_ref() != Some(&self.seen) {
            return Ok(());
        }
        if self.concern == Concern::EVERYTHING
            && let Some(first) = progress.first.take()
        {
            progress.first = self.rest.as_ref().map(|it| it.after.clone().unwrap_or_default().max(first));
        }
        match self.rest {
            Some(Rest { after }) => TOUCHED.write(tx, &key, &Touch { after, ..self.seen }),
            None => {
                let key = TOUCHED.key(tx, &key);
                tx.delete(key);
            }
        }
        Ok(())
    }
}

/// The next notes in this span.
fn notes(view: &dyn Read, span: &Span) -> Result<Vec<(Concern, Touch)>, StoreError> {
    let mut notes = Vec::new();
    view.scan(span, Direction::Ascending, &mut |key, value| {
        let note = skip_damaged(TOUCHED.decode(&key[2..], value))?;
        notes.extend(Concern::of_key(&key[2..]).zip(note));
        Ok(if notes.len() < NOTES_PER_TURN { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    Ok(notes)
}
