//! Which products a channel lists: the index form of the decision, so that a page of a storefront costs keys in
//! proportion to the page and its count costs one.
//!
//! A product is listed in a channel when it is linked to it, published, and inside its window. That the channel is
//! enabled is one look at the channel, and is left to whoever reads the listing.
//!
//! Time opens and closes windows without anybody writing. The index holds what was open at one moment, at which it was
//! swept; whoever reads it for another moment adds and leaves out what opened or closed between the two, from an index
//! of these edges. So the answer is right to the millisecond whether or not anybody sweeps; sweeping keeps the
//! difference small.

use std::{collections::BTreeMap, time::Duration};

use atoll_kernel::{
    Actor, Change, Ctx, Fault, Ids, KeyBuf, Moment, Order, Projection, Read, Scalar, Scan, Space, Span,
    StoreError, TableSource, Tick, Timestamp, Write, add_to_group, group_count, job, projection,
};
use atoll_links::{AVAILABLE_FROM, AVAILABLE_UNTIL, PRODUCT_SALES_CHANNEL, Window};
use atoll_product::{PRODUCTS, ProductStatus};
use atoll_sales_channel::SALES_CHANNELS;

/// Channel, then product: what was open when the channel was swept, with its window.
const LISTED: Space = "availability.listing";
/// Channel, then product: its window, where that is not always open.
const WINDOWS: Space = "availability.windows";
/// Channel, then moment, then product: where a window begins or ends.
const EDGES: Space = "availability.edges";
/// Channel: the moment for which it was swept.
const SWEPT: Space = "availability.swept";

/// Edges that one transaction sweeps: the writer is everybody's.
const N_SWEPT_MAX: usize = 500;

projection! {
    /// Follows products and their channels.
    pub static LISTING = Projection {
        name: LISTED,
        follows: &["product", "product_sales_channel"],
        spaces: &[LISTED, WINDOWS, EDGES, SWEPT],
        update,
    };
}

fn update(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    let Some(record) = change.after.or(change.before) else { return Ok(()) };
    if change.of == PRODUCT_SALES_CHANNEL.name {
        let (Scalar::Text(product), Scalar::Text(channel)) =
            (record.scalar("product_id"), record.scalar("sales_channel_id"))
        else {
            return Ok(());
        };
        let listed = change.after.is_some()
            && PRODUCTS.get(tx, product)?.is_some_and(|it| it.status == ProductStatus::Published);
        let moment = |column| match record.scalar(column) {
            Scalar::Text(text) => text.parse().ok(),
            _ => None,
        };
        let window = Window { from: moment(AVAILABLE_FROM), until: moment(AVAILABLE_UNTIL) };
        return set(tx, channel, product, listed.then_some(window));
    }
    let published = Scalar::Text(ProductStatus::Published.as_str());
    let was = change.before.is_some_and(|it| it.scalar("status") == published);
    let is = change.after.is_some_and(|it| it.scalar("status") == published);
    if was != is {
        for (channel, row) in PRODUCT_SALES_CHANNEL.rows_of(tx, record.key())? {
            set(tx, &channel, record.key(), is.then(|| Window::of(&row)))?;
        }
    }
    Ok(())
}

/// Notes that the channel lists the product within this window, or not at all.
fn set(tx: &mut dyn Write, channel: &str, product: &str, window: Option<Window>) -> Result<(), StoreError> {
    let key = key(tx, WINDOWS, channel, product);
    if let Some(before) = window_at(tx, &key)? {
        tx.delete(key.clone());
        for edge in edges(before) {
            let edge = edge_key(tx, channel, edge, product);
            tx.delete(edge);
        }
    }
    if let Some(window) = window.filter(|it| *it != Window::default()) {
        tx.put(key, bytes_of(window));
        for edge in edges(window) {
            let edge = edge_key(tx, channel, edge, product);
            tx.put(edge, bytes_of(window));
        }
    }
    let swept = swept(tx, channel)?;
    list(tx, channel, product, window.filter(|it| it.is_open(swept)))
}

/// Puts the product into the index, with its window, or takes it out.
fn list(tx: &mut dyn Write, channel: &str, product: &str, open: Option<Window>) -> Result<(), StoreError> {
    let key = key(tx, LISTED, channel, product);
    let was_open = tx.get(&key)?.is_some();
    match (was_open, open) {
        (_, Some(window)) => tx.put(key, bytes_of(window)),
        (true, None) => tx.delete(key),
        (false, None) => {}
    }
    add_to_group(tx, LISTED, &[channel], i64::from(open.is_some()) - i64::from(was_open))
}

job! { "availability.sweep-listings" every Duration::from_secs(60) => sweep_all }

async fn sweep_all(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let mut channels = Vec::new();
    SALES_CHANNELS.table.scan(&ctx.view(), None, Order::Ascending, &mut |channel| {
        channels.push(channel.id.to_string());
        Ok(Scan::Continue(()))
    })?;
    for channel in channels {
        let now = ctx.now();
        while !edges_between(&ctx.view(), &channel, swept(&ctx.view(), &channel)?, now, 1)?.is_empty() {
            let channel = channel.clone();
            let step = move |tx: &mut dyn Write, _: &Moment| Ok(sweep(tx, &channel, now, N_SWEPT_MAX)?);
            ctx.write(Actor::System, step).await?;
        }
    }
    Ok(())
}

/// Brings the index of a channel to the moment `now`, or as far on the way as `n_max` edges lead.
pub fn sweep(tx: &mut dyn Write, channel: &str, now: Timestamp, n_max: usize) -> Result<(), StoreError> {
    let from = swept(tx, channel)?;
    if now <= from {
        return Ok(());
    }
    let mut passed = edges_between(tx, channel, from, now, n_max)?;
    let to = match passed.last() {
        // What happens at one moment is swept together.
        Some((last, ..)) if passed.len() >= n_max => {
            let last = *last;
            passed.extend(edges_between(tx, channel, last.plus_millis(-1), last, usize::MAX)?);
            last
        }
        _ => now,
    };
    for (_, product, window) in passed {
        list(tx, channel, &product, Some(window).filter(|it| it.is_open(to)))?;
    }
    let key = swept_key(tx, channel);
    tx.put(key, to.millis().to_be_bytes().to_vec());
    Ok(())
}

/// The products that one channel lists at a moment.
pub struct Listing {
    /// The channel, by its id.
    pub channel: String,
    /// The moment.
    pub at: Timestamp,
}

impl Listing {
    /// What opened, and what closed, between the moment of the index and that of the listing.
    fn flips(&self, view: &dyn Read) -> Result<BTreeMap<String, bool>, StoreError> {
        let swept = swept(view, &self.channel)?;
        let (begin, end) = (swept.min(self.at), swept.max(self.at));
        let passed = edges_between(view, &self.channel, begin, end, usize::MAX)?;
        let flips =
            passed.into_iter().filter(|(.., window)| window.is_open(swept) != window.is_open(self.at));
        Ok(flips.map(|(_, product, window)| (product, window.is_open(self.at))).collect())
    }
}

impl Ids for Listing {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        let flips = self.flips(view)?;
        let n_opened = flips.values().filter(|is_open| **is_open).count();
        let n_closed = flips.len() - n_opened;
        Ok(group_count(view, LISTED, &[&self.channel])? + n_opened as u64 - n_closed as u64)
    }

    fn scan(
        &self,
        view: &dyn Read,
        order: Order,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let flips = self.flips(view)?;
        let opened = flips.iter().filter(|(_, is_open)| **is_open).map(|(product, _)| product.as_str());
        let opened: Box<dyn Iterator<Item = &str>> = match order {
            Order::Ascending => Box::new(opened),
            Order::Descending => Box::new(opened.rev()),
        };
        let mut opened = opened.peekable();
        let comes_before = |a: &str, b: &str| if order == Order::Ascending { a < b } else { a > b };
        let group = key(view, LISTED, &self.channel, "");
        let mut last = Scan::Continue(());
        view.scan(&Span::prefix(&group), order, &mut |key, _| {
            let id = String::from_utf8_lossy(&key[group.len()..]);
            while let (Scan::Continue(()), Some(before)) = (last, opened.next_if(|it| comes_before(it, &id)))
            {
                last = visit(before)?;
            }
            if last.is_continue() && !flips.contains_key(&*id) {
                last = visit(&id)?;
            }
            Ok(last)
        })?;
        while let (Scan::Continue(()), Some(id)) = (last, opened.next()) {
            last = visit(id)?;
        }
        Ok(())
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        let window = match window_at(view, &key(view, LISTED, &self.channel, id))? {
            Some(window) => Some(window),
            // What is not in the index may open later, or have been open before.
            None => window_at(view, &key(view, WINDOWS, &self.channel, id))?,
        };
        Ok(window.is_some_and(|it| it.is_open(self.at)))
    }
}

/// The products that the shop as a whole lists, where sales channels are switched off.
pub struct Published;

impl Ids for Published {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        PRODUCTS.table.count_where(view, "status", ProductStatus::Published.as_str())
    }

    fn scan(
        &self,
        view: &dyn Read,
        order: Order,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        PRODUCTS.table.ids_where(view, "status", ProductStatus::Published.as_str(), order, visit)
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        Ok(PRODUCTS.get(view, id)?.is_some_and(|it| it.status == ProductStatus::Published))
    }
}

fn key(tx: &dyn Read, space: Space, channel: &str, product: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(space)).part(channel).tail(product.as_bytes()).into_bytes()
}

fn edge_key(tx: &dyn Read, channel: &str, at: Timestamp, product: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(EDGES)).part(channel).tail(&ordered(at)).tail(product.as_bytes()).into_bytes()
}

fn swept_key(tx: &dyn Read, channel: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(SWEPT)).tail(channel.as_bytes()).into_bytes()
}

/// The moment for which the index of a channel holds: the beginning of time, before it was swept at all.
fn swept(tx: &dyn Read, channel: &str) -> Result<Timestamp, StoreError> {
    let bytes = tx.get(&swept_key(tx, channel))?;
    Ok(bytes.and_then(|it| moment(&it)).unwrap_or(Timestamp::from_millis(i64::MIN)))
}

/// The edges after `from` and not after `to`, in order: when, which product, and its window. At most `n_max`.
fn edges_between(
    tx: &dyn Read,
    channel: &str,
    from: Timestamp,
    to: Timestamp,
    n_max: usize,
) -> Result<Vec<(Timestamp, String, Window)>, StoreError> {
    let after = |at: Timestamp| edge_key(tx, channel, at.plus_millis(1), "");
    let span = Span { start: after(from), end: Some(after(to)) };
    let n_head = edge_key(tx, channel, from, "").len();
    let mut edges = Vec::new();
    tx.scan(&span, Order::Ascending, &mut |key, value| {
        if edges.len() >= n_max {
            return Ok(Scan::Break(()));
        }
        let at = u64::from_be_bytes(key[n_head - 8..n_head].try_into().expect("eight bytes")) ^ SIGN;
        let product = String::from_utf8_lossy(&key[n_head..]).into_owned();
        edges.push((Timestamp::from_millis(at.cast_signed()), product, window_of(value)));
        Ok(Scan::Continue(()))
    })?;
    Ok(edges)
}

fn edges(window: Window) -> impl Iterator<Item = Timestamp> {
    window.from.into_iter().chain(window.until)
}

const SIGN: u64 = 1 << 63;

/// Bytes that sort as the moments do.
fn ordered(at: Timestamp) -> [u8; 8] {
    (at.millis().cast_unsigned() ^ SIGN).to_be_bytes()
}

fn moment(bytes: &[u8]) -> Option<Timestamp> {
    bytes.try_into().ok().map(i64::from_be_bytes).map(Timestamp::from_millis)
}

/// Both ends, eight bytes each; an open one is the end of time. Nothing at all is always.
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
        from: moment(from).filter(|it| it.millis() != i64::MIN),
        until: moment(until).filter(|it| it.millis() != i64::MAX),
    }
}

fn window_at(tx: &dyn Read, key: &[u8]) -> Result<Option<Window>, StoreError> {
    Ok(tx.get(key)?.map(|bytes| window_of(&bytes)))
}
