//! Random operations against a `BTreeMap`.

use std::collections::BTreeMap;

use atoll_storage::{Direction, KeyBuf, Read, Scan, Span, StoreError, Write, WriteKeys};
use proptest::prelude::*;

use crate::every_engine;

/// What may happen in a transaction.
#[derive(Clone, Debug)]
enum Op {
    Put(u8, u8),
    Delete(u8),
    Get(u8),
    Scan { from: u8, to: u8, descending: bool, limit: usize },
}

/// A transaction, and whether its body ends well.
type Transaction = (Vec<Op>, bool);

fn op() -> impl Strategy<Value = Op> {
    let key = 0..24_u8;
    prop_oneof![
        4 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Op::Put(key, value)),
        2 => key.clone().prop_map(Op::Delete),
        2 => key.clone().prop_map(Op::Get),
        2 => (key.clone(), key, any::<bool>(), 0..6_usize)
            .prop_map(|(from, to, descending, limit)| Op::Scan { from, to, descending, limit }),
    ]
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn key(prefix: [u8; 2], key: u8) -> Vec<u8> {
    // Keys of different lengths, of which some begin with others.
    KeyBuf::new(prefix).tail(&vec![key / 3; 1 + usize::from(key % 3)]).into_bytes()
}

/// Runs the operations, and compares every answer with the model's.
fn run(tx: &mut dyn Write, model: &mut Model, ops: &[Op]) -> Result<(), StoreError> {
    let prefix = tx.prefix("test");
    for op in ops {
        match op {
            Op::Put(k, value) => {
                tx.put(key(prefix, *k), vec![*value; 3]);
                model.insert(key(prefix, *k), vec![*value; 3]);
            }
            Op::Delete(k) => {
                tx.delete(key(prefix, *k));
                model.remove(&key(prefix, *k));
            }
            Op::Get(k) => assert_eq!(tx.get(&key(prefix, *k))?, model.get(&key(prefix, *k)).cloned()),
            Op::Scan { from, to, descending, limit } => {
                let order = if *descending { Direction::Descending } else { Direction::Ascending };
                let span = Span { start: key(prefix, *from), end: Some(key(prefix, *to)) };
                assert_eq!(scan(tx, &span, order, *limit)?, expected(model, &span, order, *limit));
            }
        }
    }
    Ok(())
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn scan(tx: &dyn Read, span: &Span, order: Direction, limit: usize) -> Result<Entries, StoreError> {
    let mut entries = Vec::new();
    tx.scan(span, order, &mut |key, value| {
        if entries.len() == limit {
            return Ok(Scan::Break(()));
        }
        entries.push((key.to_vec(), value.to_vec()));
        Ok(Scan::Continue(()))
    })?;
    Ok(entries)
}

fn expected(model: &Model, span: &Span, order: Direction, limit: usize) -> Entries {
    let inside = |key: &Vec<u8>| *key >= span.start && span.end.as_ref().is_none_or(|end| key < end);
    let mut entries: Entries = model
        .iter()
        .filter(|(key, _)| inside(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if order == Direction::Descending {
        entries.reverse();
    }
    entries.truncate(limit);
    entries
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_engine_behaves_like_an_ordered_map(
        transactions in prop::collection::vec((prop::collection::vec(op(), 0..12), prop::bool::weighted(0.8)), 1..12)
    ) {
        check(&transactions);
    }
}

fn check(transactions: &[Transaction]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for (name, store, _folder) in every_engine() {
        let mut model = Model::new();
        for (ops, ends_well) in transactions {
            let (ops, ends_well, before) = (ops.clone(), *ends_well, model.clone());
            let body = move |tx: &mut dyn Write| {
                let mut model = before.clone();
                run(tx, &mut model, &ops)?;
                if ends_well { Ok(model) } else { Err(StoreError::Engine("it thought better of it".into())) }
            };
            if let Ok(after) = runtime.block_on(store.write(body)) {
                model = after;
            }
            let view = store.view();
            let all = Span::prefix(&view.prefix("test"));
            let stored = scan(&view, &all, Direction::Ascending, usize::MAX).expect("a scan");
            assert_eq!(stored, expected(&model, &all, Direction::Ascending, usize::MAX), "{name}");
        }
        store.close();
    }
}
