//! A turn of the worker: which part of what was noted it looks at, planned on a snapshot, and settled in a
//! transaction.

use std::collections::BTreeSet;

use atoll_kernel::{
    Moment, Read, StoreError, Timestamp, Write,
    data::{Direction, Scan, skip_damaged},
};
use atoll_storage::{KeyBuf, Span, WriteKeys};

use super::{
    inputs::{Concern, FIRST_LARGE, TOUCHED, Touch, touch},
    look::{Look, Looked},
    reach,
    state::{Progress, due, next_due},
};

/// Decisions of a turn on what concerns little, and as many on what concerns much: some ten milliseconds on a
/// snapshot. So a channel with a million products that is switched off holds up nothing else.
const DECISIONS_PER_TURN: usize = 2_000;

/// Decisions that the transaction of a turn makes again, and so the most events that it writes, but for those
/// of the last product: a long transaction holds up all others.
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
    /// The variants of which there is something to say.
    news: BTreeSet<String>,
    n_decisions_again: usize,
    done: Vec<Done>,
    next: Option<Timestamp>,
}

/// A note that was looked at.
struct Done {
    concern: Concern,
    seen: Touch,
    /// Where to go on; `None` if all of it was looked at.
    after: Option<String>,
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
            news: BTreeSet::new(),
            n_decisions_again: 0,
            done: Vec::new(),
            next: None,
        };
        if turn.is_beginning {
            return Ok(turn);
        }
        let mut look = Look::new(view, turn.now, has_channels)?;
        for variant in due(view, turn.now, DECISIONS_PER_COMMIT)? {
            if turn.is_full() {
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

    fn is_full(&self) -> bool {
        self.n_decisions_again >= DECISIONS_PER_COMMIT
    }

    fn look_at_notes(&mut self, view: &dyn Read, look: &mut Look<'_>, span: &Span) -> Result<(), StoreError> {
        let n_max = look.n_decisions() + DECISIONS_PER_TURN;
        for (concern, seen) in notes(view, span)? {
            let (has_channels, only) = (self.has_channels, concern.seller());
            let after =
                reach::variants(view, &concern, has_channels, seen.after.as_deref(), &mut |variant| {
                    self.look_at(look, variant, only)?;
                    let is_enough = self.is_full() || look.n_decisions() >= n_max;
                    Ok(if is_enough { Scan::Break(()) } else { Scan::Continue(()) })
                })?;
            self.done.push(Done { concern, seen, after });
            if self.is_full() || look.n_decisions() >= n_max {
                break;
            }
        }
        Ok(())
    }

    fn look_at(&mut self, look: &mut Look<'_>, variant: &str, only: Option<&str>) -> Result<(), StoreError> {
        // A damaged record holds up no other variant.
        if let Some(looked) = skip_damaged(look.at(variant, only))?
            && looked.is_news()
            && self.news.insert(looked.variant)
        {
            self.n_decisions_again += looked.asked.len();
        }
        Ok(())
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
        for variant in &self.news {
            news.extend(skip_damaged(look.at(variant, None))?);
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
            progress.first = self.after.clone().map(|after| after.max(first));
        }
        match self.after {
            Some(after) => TOUCHED.write(tx, &key, &Touch { after: Some(after), ..self.seen }),
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
