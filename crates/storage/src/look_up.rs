//! Looking up many keys at once, in their order: neighbours are read by one scan, and only what lies apart is
//! sought (batch get, leapfrog).

use crate::{Direction, Read, Scan, Span, StoreError};

/// Entries between two wanted keys that a scan passes over; beyond them it seeks the next one, which costs
/// about as much.
const N_PASSED_MAX: usize = 8;

/// Called with the position of a wanted key, and its value.
type VisitValue<'a> = dyn FnMut(usize, &[u8]) -> Result<(), StoreError> + 'a;

/// Called with the position of a wanted key, the rest of the key that was found, and its value.
type VisitFound<'a> = dyn FnMut(usize, &[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// Calls `visit` with the position and the value of each of these keys that exists. They must ascend.
pub fn get_each(tx: &dyn Read, keys: &[Vec<u8>], visit: &mut VisitValue<'_>) -> Result<(), StoreError> {
    match keys {
        [] => Ok(()),
        [key] => tx.get(key)?.map_or(Ok(()), |value| visit(0, &value)),
        [.., last] => {
            let end = [last, &[0][..]].concat();
            leap(tx, keys, Some(end), |wanted, key| wanted == key, &mut |n, _, value| visit(n, value))
        }
    }
}

/// Calls `visit` with each entry whose key begins with one of these prefixes. They must ascend, and none may
/// begin with another.
pub fn scan_each(tx: &dyn Read, prefixes: &[Vec<u8>], visit: &mut VisitFound<'_>) -> Result<(), StoreError> {
    let Some(last) = prefixes.last() else { return Ok(()) };
    leap(tx, prefixes, Span::prefix(last).end, |wanted, key| key.starts_with(wanted), visit)
}

fn leap(
    tx: &dyn Read,
    wanted: &[Vec<u8>],
    end: Option<Vec<u8>>,
    is_found: impl Fn(&[u8], &[u8]) -> bool,
    visit: &mut VisitFound<'_>,
) -> Result<(), StoreError> {
    debug_assert!(wanted.is_sorted(), "keys that are looked up ascend");
    let mut at = 0;
    while at < wanted.len() {
        let span = Span { start: wanted[at].clone(), end: end.clone() };
        let (mut n_passed, mut is_over) = (0, true);
        tx.scan(&span, Direction::Ascending, &mut |key, value| {
            while wanted.get(at).is_some_and(|it| it.as_slice() < key && !is_found(it, key)) {
                at += 1;
            }
            let Some(it) = wanted.get(at) else { return Ok(Scan::Break(())) };
            if is_found(it, key) {
                visit(at, &key[it.len()..], value)?;
                n_passed = 0;
                return Ok(Scan::Continue(()));
            }
            n_passed += 1;
            is_over = n_passed <= N_PASSED_MAX;
            Ok(if is_over { Scan::Continue(()) } else { Scan::Break(()) })
        })?;
        if is_over {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::BTreeMap};

    use proptest::prelude::*;

    use super::*;
    use crate::{Space, Visit};

    /// Keys in memory, and how often they were sought.
    struct Keys(BTreeMap<Vec<u8>, Vec<u8>>, Cell<usize>);

    impl Keys {
        fn of(keys: impl IntoIterator<Item = Vec<u8>>) -> Keys {
            Keys(keys.into_iter().map(|key| (key.clone(), key)).collect(), Cell::default())
        }
    }

    impl Read for Keys {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.1.update(|it| it + 1);
            Ok(self.0.get(key).cloned())
        }

        fn scan(&self, span: &Span, _: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
            self.1.update(|it| it + 1);
            let is_in = |key: &[u8]| span.end.as_ref().is_none_or(|end| key < end.as_slice());
            for (key, value) in self.0.range(span.start.clone()..).take_while(|(key, _)| is_in(key)) {
                if visit(key, value)?.is_break() {
                    break;
                }
            }
            Ok(())
        }

        fn prefix(&self, _: Space) -> [u8; 2] {
            [0, 1]
        }
    }

    fn got(keys: &Keys, wanted: &[Vec<u8>]) -> Vec<(usize, Vec<u8>)> {
        let mut found = Vec::new();
        let visit = &mut |n, value: &[u8]| {
            found.push((n, value.to_vec()));
            Ok(())
        };
        get_each(keys, wanted, visit).expect("memory does not fail");
        found
    }

    /// Short keys, of which many begin with others.
    fn some_keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let key = prop::collection::vec(prop::sample::select(vec![0_u8, 1, 2, 255]), 0..4);
        prop::collection::btree_set(key, 0..40).prop_map(|it| it.into_iter().collect())
    }

    proptest! {
        #[test]
        fn keys_are_found_as_one_by_one(stored in some_keys(), wanted in some_keys()) {
            let keys = Keys::of(stored);
            let expected = wanted.iter().enumerate();
            let expected: Vec<_> =
                expected.filter(|(_, it)| keys.0.contains_key(*it)).map(|(n, it)| (n, it.clone())).collect();
            prop_assert_eq!(got(&keys, &wanted), expected);
        }

        #[test]
        fn groups_are_found_as_one_by_one(stored in some_keys(), wanted in some_keys()) {
            let (keys, mut prefixes) = (Keys::of(stored), wanted);
            prefixes.dedup_by(|later, earlier| later.starts_with(earlier));
            let mut expected = Vec::new();
            for (n, prefix) in prefixes.iter().enumerate() {
                let rest = keys.0.keys().filter_map(|key| key.strip_prefix(prefix.as_slice()));
                expected.extend(rest.map(|rest| (n, rest.to_vec())));
            }
            let mut found = Vec::new();
            scan_each(&keys, &prefixes, &mut |n, rest, _| {
                found.push((n, rest.to_vec()));
                Ok(())
            }).expect("memory does not fail");
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn neighbours_are_read_by_one_scan_and_distant_keys_are_sought() {
        let key = |n: u16| n.to_be_bytes().to_vec();
        let keys = Keys::of((0..1_000).map(key));
        let n_seeks = |wanted: Vec<Vec<u8>>| {
            let before = keys.1.get();
            assert_eq!(got(&keys, &wanted).len(), wanted.len());
            keys.1.get() - before
        };
        assert_eq!(n_seeks((0..1_000).map(key).collect()), 1);
        assert_eq!(n_seeks((0..1_000).step_by(N_PASSED_MAX).map(key).collect()), 1);
        assert_eq!(n_seeks((0..1_000).step_by(100).map(key).collect()), 10);
        assert_eq!(got(&Keys::of([]), &[key(1), key(2), key(3)]), []);
    }
}
