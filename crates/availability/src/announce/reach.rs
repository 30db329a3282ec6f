//! How far a change reaches: the variants that it concerns, in an order in which one can stop and go on.

use std::collections::BTreeSet;

use atoll_kernel::{
    Read, StoreError,
    data::{Direction, Scan, Space},
    query::Ids,
};
use atoll_links::{PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM};
use atoll_product::{BY_PRODUCT, PRODUCT, VARIANT};
use atoll_storage::{KeyBuf, Span};

use super::{
    inputs::{Concern, Kind},
    state::ANNOUNCED,
};
use crate::listing::WHOLE;

/// Ids that are read at once where all of a table are gone through.
const IDS_AT_ONCE: usize = 500;

/// Called with an id, until it breaks.
type Visit<'a> = dyn FnMut(&str) -> Result<Scan, StoreError> + 'a;

/// What became of a visit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visited {
    /// Go on with the next one.
    Whole,
    /// Go on with the next one another time.
    Enough,
    /// There was no room for all of it: begin with it another time.
    Part,
}

/// Where to go on: after this variant, or product of a channel; `None`: from the beginning.
pub(super) struct Rest {
    pub(super) after: Option<String>,
}

/// Calls `visit` with the variants that a change concerns, after the id `after`, until it has had enough.
/// Returns where to go on; `None` after all of them. Of a channel whole products are visited, unless there
/// is no room for all of one.
///
/// What is announced of a variant that is gone, or of a product in a channel that it is not in any more, is
/// not found from the channel or the product: that was a change of its own.
pub(super) fn variants(
    view: &dyn Read,
    concern: &Concern,
    has_channels: bool,
    after: Option<&str>,
    visit: &mut dyn FnMut(&str) -> Result<Visited, StoreError>,
) -> Result<Option<Rest>, StoreError> {
    let id = &*concern.id;
    let (mut rest, mut is_all) = (Rest { after: after.map(str::to_owned) }, true);
    let mut noting = |id: &str, visited: Visited| {
        if visited != Visited::Part {
            rest.after = Some(id.to_owned());
        }
        is_all = visited == Visited::Whole;
        Ok(if is_all { Scan::Continue(()) } else { Scan::Break(()) })
    };
    let mut variant = |id: &str| noting(id, visit(id)?);
    match concern.kind {
        Kind::Article => {
            let is_part = visit(id)? == Visited::Part;
            return Ok(is_part.then_some(Rest { after: None }));
        }
        Kind::Item => {
            let variants = PRODUCT_VARIANT_INVENTORY_ITEM.lefts_set(id.to_owned());
            variants.scan(view, after, Direction::Ascending, &mut variant)?;
        }
        Kind::Product => BY_PRODUCT.scan(view, &[id], after, Direction::Ascending, &mut variant)?,
        Kind::Everything => each_id(view, &[VARIANT, ANNOUNCED], after, &mut variant)?,
        // It sells nothing: while channels are switched off, only the shop as a whole does.
        Kind::Seller if (id == WHOLE) == has_channels => {}
        Kind::Seller => {
            let mut product = |id: &str| {
                let mut last = Visited::Whole;
                BY_PRODUCT.scan(view, &[id], None, Direction::Ascending, &mut |it| {
                    last = visit(it)?;
                    Ok(if last == Visited::Part { Scan::Break(()) } else { Scan::Continue(()) })
                })?;
                noting(id, last)
            };
            match id {
                WHOLE => each_id(view, &[PRODUCT], after, &mut product)?,
                _ => {
                    let products = PRODUCT_SALES_CHANNEL.lefts_set(id.to_owned());
                    products.scan(view, after, Direction::Ascending, &mut product)?;
                }
            }
        }
    }
    Ok(if is_all { None } else { Some(rest) })
}

/// Calls `visit` with the ids in these spaces, whose keys are ids, in one order and each once.
fn each_id(
    view: &dyn Read,
    spaces: &[Space],
    after: Option<&str>,
    visit: &mut Visit<'_>,
) -> Result<(), StoreError> {
    let mut after = after.map(str::to_owned);
    loop {
        let (mut ids, mut end): (BTreeSet<String>, Option<String>) = (BTreeSet::new(), None);
        for space in spaces {
            let some = some_ids(view, space, after.as_deref())?;
            if some.len() == IDS_AT_ONCE {
                // Where one was cut off, the others go no further.
                end = end.into_iter().chain(some.last().cloned()).min();
            }
            ids.extend(some);
        }
        for id in ids.iter().filter(|id| end.as_ref().is_none_or(|end| *id <= end)) {
            if visit(id)?.is_break() {
                return Ok(());
            }
        }
        match end {
            Some(end) => after = Some(end),
            None => return Ok(()),
        }
    }
}

fn some_ids(view: &dyn Read, space: Space, after: Option<&str>) -> Result<Vec<String>, StoreError> {
    let mut span = Span::prefix(&view.prefix(space));
    if let Some(id) = after {
        let last = KeyBuf::new(view.prefix(space)).tail(id.as_bytes()).into_bytes();
        span = span.beyond(&last, Direction::Ascending);
    }
    let mut ids = Vec::new();
    view.scan(&span, Direction::Ascending, &mut |key, _| {
        ids.push(String::from_utf8_lossy(&key[2..]).into_owned());
        Ok(if ids.len() < IDS_AT_ONCE { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    Ok(ids)
}
