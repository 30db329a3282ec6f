//! A temporal index: ids per channel, each with an availability window, readable for any time.
//!
//! Windows open and close without a write. The index holds the ids that were open at one time, the last
//! sweep. A reader for another time corrects it by the windows that opened or closed in between, from an
//! index of the window boundaries (edges). So answers are exact to the millisecond at any time after a sweep;
//! sweeping only keeps the correction small.

use std::{collections::BTreeMap, ptr};

use atoll_kernel::{
    Now, Read, StoreError, Timestamp, Write,
    data::{Direction, Scan, Space, group_count},
    query::Ids,
};
use atoll_links::Window;
use atoll_storage::{
    KeyBuf, ListIndex, NumberSet, Sets, Span, WriteKeys, add_to_group, get_each, group_key, key_text,
};

/// The key spaces of one index.
#[derive(Debug)]
pub(crate) struct TemporalIndex {
    /// Key: channel, id. The ids that were open at the last sweep, each with its window.
    pub(crate) listed: Space,
    /// Key: channel, id. The windows that are not unlimited.
    pub(crate) windows: Space,
    /// Key: channel, time, id. The starts and ends of windows.
    pub(crate) edges: Space,
    /// Key: channel. The time of the last sweep.
    pub(crate) swept: Space,
    /// The sets of the open ids, by their numbers.
    pub(crate) sets: Sets,
    /// The list index that has these numbers.
    pub(crate) numbers: &'static ListIndex,
}

/// The start or end of a window: its time, the id, and the window.
type Edge = (Timestamp, String, Window);

impl TemporalIndex {
    /// Sets the windows in which the channel lists these ids, which must ascend; `None` removes an id.
    pub(crate) fn set_all(
        &self,
        tx: &mut dyn Write,
        channel: &str,
        ids: &[(&str, Option<Window>)],
    ) -> Result<(), StoreError> {
        let mut before = vec![None; ids.len()];
        get_each(tx, &keys(tx, self.windows, channel, ids), &mut |n, value| {
            before[n] = Some(window_of(value));
            Ok(())
        })?;
        for ((id, window), before) in ids.iter().zip(before) {
            let key = key(tx, self.windows, channel, id);
            if let Some(before) = before {
                tx.delete(key.clone());
                for edge in edges(before) {
                    let edge = self.edge_key(tx, channel, edge, id);
                    tx.delete(edge);
                }
            }
            if let Some(window) = window.filter(|it| *it != Window::default()) {
                tx.put(key, bytes_of(window));
                for edge in edges(window) {
                    let edge = self.edge_key(tx, channel, edge, id);
                    tx.put(edge, bytes_of(window));
                }
            }
        }
        let swept = self.swept(tx, channel)?;
        let open = ids.iter().map(|(id, window)| (*id, window.filter(|it| it.is_open(swept))));
        self.list(tx, channel, &open.collect::<Vec<_>>())
    }

    /// Adds these ids, which must ascend, to the open ones, each with its window, or removes them.
    fn list(
        &self,
        tx: &mut dyn Write,
        channel: &str,
        ids: &[(&str, Option<Window>)],
    ) -> Result<(), StoreError> {
        let keys = keys(tx, self.listed, channel, ids);
        let mut were_open = vec![false; ids.len()];
        get_each(tx, &keys, &mut |n, _| {
            were_open[n] = true;
            Ok(())
        })?;
        let (mut changed, mut n_more) = (Vec::new(), 0);
        for (((id, open), was_open), key) in ids.iter().zip(were_open).zip(keys) {
            match (was_open, open) {
                (_, Some(window)) => tx.put(key, bytes_of(*window)),
                (true, None) => tx.delete(key),
                (false, None) => {}
            }
            if was_open != open.is_some() {
                changed.push((*id, open.is_some()));
                n_more += if was_open { -1 } else { 1 };
            }
        }
        let changed_ids: Vec<_> = changed.iter().map(|(id, _)| *id).collect();
        let numbers = self.numbers.numbers_or_new(tx, &changed_ids)?;
        let numbers = numbers.into_iter().zip(changed).map(|(number, (_, is_open))| (number, is_open));
        self.sets.set_all(tx, &set_of(channel), numbers.collect())?;
        add_to_group(tx, self.listed, &[channel], n_more)
    }

    /// Advances the index of a channel to `now`, or by at most `n_max` edges; back in time if it was swept
    /// while the clock was ahead.
    pub(crate) fn sweep(
        &self,
        tx: &mut dyn Write,
        channel: &str,
        now: Timestamp,
        n_max: usize,
    ) -> Result<(), StoreError> {
        let from = self.swept(tx, channel)?;
        let is_ahead = from.is_ahead_of(now);
        if now <= from && !is_ahead {
            // After a small correction of the clock, waiting is cheaper.
            return Ok(());
        }
        let (begin, end) = (from.min(now), from.max(now));
        let direction = if is_ahead { Direction::Descending } else { Direction::Ascending };
        let mut passed = self.edges_between(tx, channel, begin, end, direction, n_max)?;
        let to = match passed.last() {
            // Edges at the same time are swept in one step: back in time, to just before them.
            Some((last, ..)) if passed.len() >= n_max => {
                let (before, last) = (last.plus_millis(-1), *last);
                passed.extend(self.edges_between(tx, channel, before, last, direction, usize::MAX)?);
                if is_ahead { before } else { last }
            }
            _ => now,
        };
        // An id whose window opens and closes in between is there twice.
        let passed: BTreeMap<_, _> = passed.iter().map(|(_, id, window)| (id.as_str(), *window)).collect();
        let open = passed.into_iter().map(|(id, window)| (id, Some(window).filter(|it| it.is_open(to))));
        self.list(tx, channel, &open.collect::<Vec<_>>())?;
        let key = self.swept_key(tx, channel);
        tx.put(key, to.millis().to_be_bytes().to_vec());
        Ok(())
    }

    /// Are there edges to sweep up to this time?
    pub(crate) fn is_behind(
        &self,
        view: &dyn Read,
        channel: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let swept = self.swept(view, channel)?;
        let (begin, end) = (swept.min(now), swept.max(now));
        // After a small correction of the clock, waiting is cheaper.
        let is_due = swept <= now || swept.is_ahead_of(now);
        Ok(is_due && !self.edges_between(view, channel, begin, end, Direction::Ascending, 1)?.is_empty())
    }

    /// The time of the last sweep of a channel; the beginning of time if there was none.
    fn swept(&self, tx: &dyn Read, channel: &str) -> Result<Timestamp, StoreError> {
        let bytes = tx.get(&self.swept_key(tx, channel))?;
        Ok(bytes.and_then(|it| timestamp_of(&it)).unwrap_or(Timestamp::from_millis(i64::MIN)))
    }

    /// The edges in `(from, to]`, in this direction; at most `n_max`.
    pub(crate) fn edges_between(
        &self,
        tx: &dyn Read,
        channel: &str,
        from: Timestamp,
        to: Timestamp,
        direction: Direction,
        n_max: usize,
    ) -> Result<Vec<Edge>, StoreError> {
        let after = |at: Timestamp| self.edge_key(tx, channel, at.plus_millis(1), "");
        let span = Span { start: after(from), end: Some(after(to)) };
        let mut edges = Vec::new();
        self.scan_edges(tx, channel, &span, direction, &mut |edge| {
            if edges.len() >= n_max {
                return Scan::Break(());
            }
            edges.push(edge);
            Scan::Continue(())
        })?;
        Ok(edges)
    }

    /// The edges in `(from, to]`, and the time of the first one after `at`, which is one of both or between
    /// them.
    fn edges_and_next(
        &self,
        tx: &dyn Read,
        channel: &str,
        (from, to): (Timestamp, Timestamp),
        at: Timestamp,
    ) -> Result<(Vec<Edge>, Option<Timestamp>), StoreError> {
        let start = self.edge_key(tx, channel, from.plus_millis(1), "");
        let span = Span { start, ..Span::prefix(&key(tx, self.edges, channel, "")) };
        let (mut edges, mut next) = (Vec::new(), None);
        self.scan_edges(tx, channel, &span, Direction::Ascending, &mut |edge| {
            if edge.0 > at {
                next.get_or_insert(edge.0);
            }
            if edge.0 > to {
                return Scan::Break(());
            }
            edges.push(edge);
            Scan::Continue(())
        })?;
        Ok((edges, next))
    }

    /// The window of an id that is not unlimited; `None` for one that is, or that is not listed at any time.
    pub(crate) fn window(
        &self,
        view: &dyn Read,
        channel: &str,
        id: &str,
    ) -> Result<Option<Window>, StoreError> {
        window_at(view, &key(view, self.windows, channel, id))
    }

    /// Calls `visit` with the ids that have a window which is not unlimited, by id.
    pub(crate) fn scan_windows(
        &self,
        view: &dyn Read,
        channel: &str,
        after: Option<&str>,
        order: Direction,
        visit: &mut dyn FnMut(&str, Window) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let group = key(view, self.windows, channel, "");
        let mut span = Span::prefix(&group);
        if let Some(id) = after {
            span = span.beyond(&key(view, self.windows, channel, id), order);
        }
        view.scan(&span, order, &mut |key, value| {
            visit(&String::from_utf8_lossy(&key[group.len()..]), window_of(value))
        })
    }

    fn scan_edges(
        &self,
        tx: &dyn Read,
        channel: &str,
        span: &Span,
        direction: Direction,
        visit: &mut dyn FnMut(Edge) -> Scan,
    ) -> Result<(), StoreError> {
        let n_head = self.edge_key(tx, channel, Timestamp::default(), "").len();
        tx.scan(span, direction, &mut |key, value| {
            let corrupt = || StoreError::Corrupt {
                space: self.edges,
                key: key_text(key.get(2..).unwrap_or_default()),
                reason: "it has no time".to_owned(),
            };
            let (head, id) = key.split_at_checked(n_head).ok_or_else(corrupt)?;
            let at = time_of_ordered(*head.last_chunk().ok_or_else(corrupt)?);
            let id = String::from_utf8_lossy(id).into_owned();
            Ok(visit((at, id, window_of(value))))
        })
    }

    fn edge_key(&self, tx: &dyn Read, channel: &str, at: Timestamp, id: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.edges)).part(channel).tail(&ordered(at)).tail(id.as_bytes()).into_bytes()
    }

    fn swept_key(&self, tx: &dyn Read, channel: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.swept)).tail(channel.as_bytes()).into_bytes()
    }
}

/// The listing of one channel at a time.
#[derive(Debug)]
pub struct Listing {
    pub(crate) index: &'static TemporalIndex,
    pub(crate) channel: String,
    pub(crate) at: Now,
}

impl Listing {
    /// The ids that opened (true) or closed (false) between the last sweep and the time of the listing.
    fn corrections(&self, view: &dyn Read) -> Result<BTreeMap<String, bool>, StoreError> {
        let swept = self.index.swept(view, &self.channel)?;
        self.at.until(|at| {
            let between = (swept.min(at), swept.max(at));
            let (passed, next) = self.index.edges_and_next(view, &self.channel, between, at)?;
            let corrections =
                passed.into_iter().filter(|(.., window)| window.is_open(swept) != window.is_open(at));
            Ok((corrections.map(|(_, id, window)| (id, window.is_open(at))).collect(), next))
        })
    }
}

impl Ids for Listing {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        let corrections = self.corrections(view)?;
        let n_opened = corrections.values().filter(|is_open| **is_open).count();
        let n_closed = corrections.len() - n_opened;
        Ok(group_count(view, self.index.listed, &[&self.channel])? + n_opened as u64 - n_closed as u64)
    }

    fn scan(
        &self,
        view: &dyn Read,
        after: Option<&str>,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let corrections = self.corrections(view)?;
        let opened = corrections.iter().filter(|(_, is_open)| **is_open).map(|(id, _)| id.as_str());
        let opened = opened.filter(|it| after.is_none_or(|after| order.is_before(after, it)));
        let opened: Box<dyn Iterator<Item = &str>> = match order {
            Direction::Ascending => Box::new(opened),
            Direction::Descending => Box::new(opened.rev()),
        };
        let mut opened = opened.peekable();
        let group = key(view, self.index.listed, &self.channel, "");
        let mut span = Span::prefix(&group);
        if let Some(id) = after {
            span = span.beyond(&key(view, self.index.listed, &self.channel, id), order);
        }
        let mut last = Scan::Continue(());
        view.scan(&span, order, &mut |key, _| {
            let id = String::from_utf8_lossy(&key[group.len()..]);
            while let (Scan::Continue(()), Some(before)) =
                (last, opened.next_if(|it| order.is_before(*it, &*id)))
            {
                last = visit(before)?;
            }
            if last.is_continue() && !corrections.contains_key(&*id) {
                last = visit(&id)?;
            }
            Ok(last)
        })?;
        while let (Scan::Continue(()), Some(id)) = (last, opened.next()) {
            last = visit(id)?;
        }
        Ok(())
    }

    fn has_numbers(&self, index: &'static ListIndex) -> bool {
        ptr::eq(index, self.index.numbers)
    }

    fn numbers(&self, view: &dyn Read, index: &'static ListIndex) -> Result<Option<NumberSet>, StoreError> {
        if !self.has_numbers(index) {
            return Ok(None);
        }
        let mut open = self.index.sets.read(view, &set_of(&self.channel))?;
        for (id, is_open) in self.corrections(view)? {
            let Some(number) = index.number(view, &id)? else { continue };
            if is_open {
                open.insert(number);
            } else {
                open.remove(number);
            }
        }
        Ok(Some(open))
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        let window = match window_at(view, &key(view, self.index.listed, &self.channel, id))? {
            Some(window) => Some(window),
            // An id that was closed at the last sweep may be open at another time.
            None => window_at(view, &key(view, self.index.windows, &self.channel, id))?,
        };
        Ok(window.is_some_and(|it| it.is_open_now(&self.at)))
    }
}

fn key(tx: &dyn Read, space: Space, channel: &str, id: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(space)).part(channel).tail(id.as_bytes()).into_bytes()
}

/// The keys of these ids.
fn keys<T>(tx: &dyn Read, space: Space, channel: &str, ids: &[(&str, T)]) -> Vec<Vec<u8>> {
    ids.iter().map(|(id, _)| key(tx, space, channel, id)).collect()
}

/// The set of a channel.
fn set_of(channel: &str) -> Vec<u8> {
    group_key(&[channel])
}

fn edges(window: Window) -> impl Iterator<Item = Timestamp> {
    window.from.into_iter().chain(window.until)
}

const SIGN: u64 = 1 << 63;

/// Order-preserving encoding of a time.
pub(crate) fn ordered(at: Timestamp) -> [u8; 8] {
    (at.millis().cast_unsigned() ^ SIGN).to_be_bytes()
}

/// The time with this encoding.
pub(crate) fn time_of_ordered(bytes: [u8; 8]) -> Timestamp {
    Timestamp::from_millis((u64::from_be_bytes(bytes) ^ SIGN).cast_signed())
}

fn timestamp_of(bytes: &[u8]) -> Option<Timestamp> {
    bytes.try_into().ok().map(i64::from_be_bytes).map(Timestamp::from_millis)
}

/// Encodes a window: start and end, eight bytes each, with sentinels for none. The unlimited window is empty.
fn bytes_of(window: Window) -> Vec<u8> {
    if window == Window::default() {
        return Vec::new();
    }
    let from = window.from.map_or(i64::MIN, Timestamp::millis);
    let until = window.until.map_or(i64::MAX, Timestamp::millis);
    [from.to_be_bytes(), until.to_be_bytes()].concat()
}

fn window_of(bytes: &[u8]) -> Window {
    let (from, until) = bytes.split_at(bytes.len() / 2);
    Window {
        from: timestamp_of(from).filter(|it| it.millis() != i64::MIN),
        until: timestamp_of(until).filter(|it| it.millis() != i64::MAX),
    }
}

fn window_at(tx: &dyn Read, key: &[u8]) -> Result<Option<Window>, StoreError> {
    Ok(tx.get(key)?.map(|bytes| window_of(&bytes)))
}
