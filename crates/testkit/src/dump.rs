//! A dump of the whole store as text, so that a test can assert that nothing else was changed.

use std::collections::BTreeMap;

use atoll_kernel::{
    Ctx, Read,
    data::{Direction, Scan, Space},
};
use atoll_storage::{SEQUENCES, Span};

/// Letters of an id after its prefix.
const ID_LEN: usize = 26;

/// Positions of ids in a line, after their prefix and its underscore.
fn ids_in(line: &[u8]) -> Vec<usize> {
    let is_letter = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let windows = line.windows(ID_LEN + 1).enumerate();
    windows
        .filter(|(_, it)| it[0] == b'_' && it[1..].iter().all(is_letter))
        .map(|(start, _)| start + 1)
        .collect()
}

/// Every key of a store, by the name of its space.
#[derive(Clone, PartialEq, Eq)]
pub struct Dump(BTreeMap<(Space, Vec<u8>), Vec<u8>>);

impl Dump {
    /// The current content of the store, except for spaces whose names begin with one of `without`, and for
    /// the numbers of list indexes: they are given once, and no compensation takes them back.
    pub fn of(ctx: &Ctx, without: &[&str]) -> Dump {
        let view = ctx.view();
        let numbers = ctx.registry().projections.iter().filter_map(|it| Some(it.list_index?.numbers));
        let without: Vec<&str> = without.iter().copied().chain(numbers).collect();
        let is_left_out = |space: &str| without.iter().any(|it| space.starts_with(it));
        let spaces = ctx.registry().spaces();
        let left_out: Vec<[u8; 2]> =
            spaces.iter().filter(|it| is_left_out(it)).map(|it| view.prefix(it)).collect();
        let mut keys = BTreeMap::new();
        for space in spaces.into_iter().filter(|it| !is_left_out(it)) {
            let span = Span::prefix(&view.prefix(space));
            view.scan(&span, Direction::Ascending, &mut |key, value| {
                // Counters are named by the prefix of what they count, sequences by the space that they
                // number.
                let counts_left_out = space == SEQUENCES
                    && match key.get(2) {
                        Some(0) => left_out.iter().any(|prefix| key[3..].starts_with(prefix)),
                        _ => without.iter().any(|it| key[2..].starts_with(it.as_bytes())),
                    };
                if !counts_left_out {
                    keys.insert((space, key[2..].to_vec()), value.to_vec());
                }
                Ok(Scan::Continue(()))
            })
            .expect("a scan");
        }
        Dump(keys)
    }

    /// The current content of the store, except for what undoing leaves: the log of runs, and notes of what
    /// is to be decided again, which are no more than a reason to look.
    pub fn after_undoing(ctx: &Ctx) -> Dump {
        Dump::of(ctx, &["workflow_execution", "availability.touched"])
    }

    /// Are both equal? New ids are compared by their order, since they differ between runs.
    pub fn same_as(&self, other: &Dump) -> bool {
        self.named() == other.named()
    }

    /// The keys and values, with ids numbered in the order of their creation.
    fn named(&self) -> Vec<(Space, Vec<u8>)> {
        let both =
            |(space, key): &(Space, Vec<u8>), value: &Vec<u8>| (*space, [key, &b"="[..], value].concat());
        let mut lines: Vec<(Space, Vec<u8>)> = self.0.iter().map(|(key, value)| both(key, value)).collect();
        let mut ids = BTreeMap::new();
        for (_, line) in &lines {
            for at in ids_in(line) {
                ids.insert(line[at..at + ID_LEN].to_vec(), 0_usize);
            }
        }
        ids.values_mut().enumerate().for_each(|(n, it)| *it = n);
        for (_, line) in &mut lines {
            for at in ids_in(line) {
                let n = ids[&line[at..at + ID_LEN]];
                let name = format!("{n:0width$}", width = ID_LEN);
                line[at..at + ID_LEN].copy_from_slice(name.as_bytes());
            }
        }
        lines.sort();
        lines
    }

    /// The differences, one line each.
    pub fn difference(&self, after: &Dump) -> Vec<String> {
        let line = |sign: &str, (space, key): &(Space, Vec<u8>), value: &[u8]| {
            let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
            format!("{sign} {space} {key:?} = {value:?}")
        };
        let gone = self.0.iter().filter(|(key, value)| after.0.get(key) != Some(value));
        let come = after.0.iter().filter(|(key, value)| self.0.get(key) != Some(value));
        gone.map(|(key, value)| line("-", key, value))
            .chain(come.map(|(key, value)| line("+", key, value)))
            .collect()
    }
}
