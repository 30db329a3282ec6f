//! `verify` of links: both directions of each pair, both ends, the number of partners, the counters, and the
//! rows kept for deleted records.

use atoll_storage::{KeyBuf, Span, split_part};

use atoll_storage::verify::{Groups, verify_counters};

use crate::{
    Read, Registry, StoreError,
    data::{Direction, Record, Scan},
    link::{Link, Side},
    verify::{Verify, readable},
};

/// Checks a link.
pub(crate) fn verify(link: &'static Link, it: &mut Verify<'_>) -> Result<(), StoreError> {
    let one_sided = pairs(link, it)?;
    reverse(link, it, one_sided)?;
    waiting(link, it)
}

/// Called for each record in turn, with `None` for one that cannot be read.
type VisitRecord<'a> = dyn FnMut(Option<&dyn Record>) -> Result<(), StoreError> + 'a;

/// Visits the pairs of a link as records.
pub(crate) fn records(
    link: &'static Link,
    view: &dyn Read,
    visit: &mut VisitRecord<'_>,
) -> Result<(), StoreError> {
    view.scan(&Span::prefix(&view.prefix(link.name)), Direction::Ascending, &mut |key, value| {
        let pair = split_part(&key[2..]);
        let row = readable(link.decode("", value))?;
        match pair.zip(row) {
            Some(((left, right), row)) => {
                visit(Some(&link.record(&left, &String::from_utf8_lossy(right), row)))?;
            }
            None => visit(None)?,
        }
        Ok(Scan::Continue(()))
    })
}

/// The reverse entries that the rows of a link imply.
struct Reverse {
    n_found: u64,
    missing: Groups,
}

/// Checks the pairs: their rows, their ends, and their reverse entries.
fn pairs(link: &'static Link, it: &mut Verify<'_>) -> Result<Reverse, StoreError> {
    let (view, findings) = (it.view, &mut *it.findings);
    let mut reverse = Reverse { n_found: 0, missing: Groups::default() };
    let mut last_left = None;
    view.scan(&Span::prefix(&view.prefix(link.name)), Direction::Ascending, &mut |key, value| {
        findings.checked("pairs of links")?;
        let key = &key[2..];
        let Some((left, right)) = split_part(key) else {
            findings.add("link.malformed", link.name, key, "a key without a right end", "both ids");
            return Ok(Scan::Continue(()));
        };
        let right = String::from_utf8_lossy(right);
        findings.read(link.name, key, value, |key| link.decode(key, value));
        for (end, id) in [(&link.left, left.as_str()), (&link.right, &right)] {
            if !Registry::graph().table(end.entity).has(view, id)? {
                let found = format!("there is no {} `{id}`", end.entity);
                findings.add("link.dangling", link.name, key, found, "both ends");
            }
        }
        let there = link.key(view, Side::Right, &right, &left);
        if view.get(&there)?.is_some() {
            reverse.n_found += 1;
        } else {
            reverse.missing.note(&KeyBuf::new([0; 2]).part(&right).into_bytes()[2..]);
            findings.add(
                "link.one_sided",
                link.reverse,
                &there[2..],
                "nothing",
                "the pair, seen from its right end",
            );
        }
        if !link.left.many && last_left.as_ref() == Some(&left) {
            findings.add("link.several", link.name, key, "a second partner", "one at most");
        }
        last_left = Some(left);
        Ok(Scan::Continue(()))
    })?;
    if link.counted == Some(Side::Left) {
        verify_counters(view, link.name, Groups::default(), findings, &mut |_, _| Ok(false))?;
    }
    Ok(reverse)
}

/// Checks the reverse entries: each has its pair.
fn reverse(link: &'static Link, it: &mut Verify<'_>, of: Reverse) -> Result<(), StoreError> {
    let (view, findings) = (it.view, &mut *it.findings);
    let is_stale = |key: &[u8]| -> Result<bool, StoreError> {
        let Some((right, left)) = split_part(key) else { return Ok(true) };
        Ok(!link.has(view, &String::from_utf8_lossy(left), &right)?)
    };
    let (mut n_there, mut last_right) = (0, None);
    view.scan(&Span::prefix(&view.prefix(link.reverse)), Direction::Ascending, &mut |key, _| {
        n_there += 1;
        let right = split_part(&key[2..]).map(|(right, _)| right);
        if !link.right.many && right.is_some() && last_right == right {
            findings.add("link.several", link.reverse, &key[2..], "a second partner", "one at most");
        }
        last_right = right;
        Ok(Scan::Continue(()))
    })?;
    let any_stale = n_there != of.n_found;
    if any_stale {
        view.scan(&Span::prefix(&view.prefix(link.reverse)), Direction::Ascending, &mut |key, _| {
            if is_stale(&key[2..])? {
                findings.add(
                    "link.one_sided",
                    link.reverse,
                    &key[2..],
                    "an entry",
                    "nothing: there is no such pair",
                );
            }
            Ok(Scan::Continue(()))
        })?;
    }
    if link.counted != Some(Side::Right) {
        return Ok(());
    }
    verify_counters(view, link.reverse, of.missing, findings, &mut |key, _| Ok(any_stale && is_stale(key)?))
}

/// Checks the rows that soft deletions removed: each belongs to a record that is soft-deleted.
fn waiting(link: &'static Link, it: &mut Verify<'_>) -> Result<(), StoreError> {
    let (view, findings) = (it.view, &mut *it.findings);
    view.scan(&Span::prefix(&view.prefix(link.deleted)), Direction::Ascending, &mut |key, value| {
        findings.checked("links of soft-deleted records")?;
        let key = &key[2..];
        findings.read(link.deleted, key, value, |key| link.decode(key, value));
        let Some((side, (id, _))) = split_part(key).and_then(|(side, rest)| Some((side, split_part(rest)?)))
        else {
            findings.add("link.malformed", link.deleted, key, "a key without an id", "a side and both ids");
            return Ok(Scan::Continue(()));
        };
        let end = if side == "left" { &link.left } else { &link.right };
        let table = Registry::graph().table(end.entity);
        if table.has(view, &id)? {
            let found = format!("the {} is not deleted", end.entity);
            findings.add("link.waiting", link.deleted, key, found, "nothing waits for a live record");
        } else if readable(table.deleted_node(view, &id))?.is_some_and(|it| it.is_none()) {
            let found = format!("there is no {}, deleted or not", end.entity);
            findings.add("link.waiting", link.deleted, key, found, "a record that can be restored");
        }
        Ok(Scan::Continue(()))
    })
}
