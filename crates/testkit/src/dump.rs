//! The whole store as text, so that a test can say that nothing, or only this, was changed.

use std::collections::BTreeMap;

use atoll_kernel::{Ctx, Order, Read, SEQUENCES, Scan, Space, Span};

/// Every key of a store, by the name of its space.
#[derive(Clone, PartialEq, Eq)]
pub struct Dump(BTreeMap<(Space, Vec<u8>), Vec<u8>>);

impl Dump {
    /// What is in the store now, but for spaces whose names begin with one of `without`.
    pub fn of(ctx: &Ctx, without: &[&str]) -> Dump {
        let view = ctx.view();
        let is_left_out = |space: &str| without.iter().any(|it| space.starts_with(it));
        let spaces = ctx.registry().spaces();
        let left_out: Vec<[u8; 2]> =
            spaces.iter().filter(|it| is_left_out(it)).map(|it| view.prefix(it)).collect();
        let mut keys = BTreeMap::new();
        for space in spaces.into_iter().filter(|it| !is_left_out(it)) {
            let span = Span::prefix(&view.prefix(space));
            view.scan(&span, Order::Ascending, &mut |key, value| {
                // Counters are named by the prefix of what they count.
                let counts_left_out = space == SEQUENCES
                    && key.get(2) == Some(&0)
                    && left_out.iter().any(|prefix| key[3..].starts_with(prefix));
                if !counts_left_out {
                    keys.insert((space, key[2..].to_vec()), value.to_vec());
                }
                Ok(Scan::Continue(()))
            })
            .expect("a scan");
        }
        Dump(keys)
    }

    /// What differs, a line each; empty where nothing does.
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
