//! Walks of a list index in blocks agree with a model (property test): records come and go and get other
//! places, many of them the same one; every set of them is met in every order, from any position on; and the
//! blocks are those of an index that is built anew.

use std::sync::Arc;

use atoll_kernel::{
    Read, StoreError, Write,
    data::{Direction, ListIndex, Record, Scan, Service, Store},
    entity,
};
use atoll_storage::{
    NumberSet, SEQUENCES, SortKey, TableSource, Walk, WriteRows,
    engines::Memory,
    verify::{Findings, Scratch},
};
use atoll_testkit::{check_drawn, times};
use proptest::{prelude::*, sample::select, test_runner::TestCaseResult};

entity! {
    /// A leaf of a tree.
    pub struct Leaf = "leaf" / "leaves", "leaf" {
        /// The title, which many have.
        pub title: String,
    }
}

static LEAVES: Service<Leaf> = Service::new(&[]);
const LISTS: &str = "leaf.lists";
static INDEX: ListIndex = ListIndex {
    table: &LEAVES.table,
    numbers: "leaf.numbers",
    lists: LISTS,
    filters: &[],
    sorts: &["title"],
    // So small that some begin among equals.
    block_size: Some(4),
    search: false,
    children: None,
};

const N_LEAVES: usize = 300;

#[derive(Clone, Debug)]
enum Change {
    Plant,
    Retitle(String),
    Remove,
}

/// A change of a leaf, if it is one that can be made.
type Step = (usize, Change);

#[derive(Clone, Debug)]
struct Question {
    /// Every so many of them, from one on, are in the set, up to another.
    every: usize,
    within: (usize, usize),
    by_title: bool,
    is_descending: bool,
    /// The place in the list, of a leaf that may not be in the set, behind which the walk begins.
    after: Option<usize>,
    n_skipped: usize,
    limit: usize,
}

fn title() -> impl Strategy<Value = String> {
    // Half of them have the same one.
    prop_oneof![Just("middle".to_owned()), "[a-z]", "[a-z]{3}"]
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![3 => Just(Change::Plant), 2 => title().prop_map(Change::Retitle), 1 => Just(Change::Remove)];
    (0..N_LEAVES, change)
}

fn question() -> impl Strategy<Value = Question> {
    let set = (select(vec![1, 2, 7, 40]), (0..N_LEAVES, 0..N_LEAVES));
    let part = (prop::option::weighted(0.4, 0..N_LEAVES), select(vec![0, 0, 1, 30, 150]), 1..40_usize);
    (set, any::<bool>(), any::<bool>(), part).prop_map(
        |((every, within), by_title, is_descending, (after, n_skipped, limit))| Question {
            every,
            within,
            by_title,
            is_descending,
            after,
            n_skipped,
            limit,
        },
    )
}

fn open() -> Store {
    let spaces: Vec<_> = LEAVES.table.spaces().into_iter().chain([SEQUENCES, INDEX.numbers, LISTS]).collect();
    Store::open(Memory::default(), &spaces).expect("a store")
}

fn leaf(n: usize, title: &str) -> Leaf {
    // In another order than the numbers.
    Leaf { id: format!("leaf_{:03}", n * 7 % N_LEAVES).into(), title: title.to_owned(), ..Leaf::default() }
}

/// Makes the change, if it can be made.
fn change(tx: &mut dyn Write, (n, change): &Step) -> Result<(), StoreError> {
    let id = leaf(*n, "").id;
    let before = LEAVES.get(tx, &id)?;
    let after = match (&before, change) {
        (None, Change::Plant) => Some(leaf(*n, if n % 3 == 0 { "middle" } else { "new" })),
        (Some(_), Change::Retitle(title)) => Some(leaf(*n, title)),
        (Some(_), Change::Remove) => None,
        _ => return Ok(()),
    };
    match (&before, &after) {
        (Some(before), Some(after)) => LEAVES.table.replace(tx, before, after).expect("a leaf"),
        (None, Some(after)) => LEAVES.table.insert(tx, after).expect("a new leaf"),
        _ => drop(LEAVES.table.remove(tx, &id)?),
    }
    let [before, after] = [&before, &after].map(|it| it.as_ref().map(|it| it as &dyn Record));
    INDEX.update(tx, before, after)
}

/// The differences from an index that is built anew.
fn differences(view: &dyn Read) -> Vec<String> {
    let mut scratch = Scratch::new(view, vec![LISTS]);
    let leaves = LEAVES.table.list_all(view).expect("leaves");
    for leaf in &leaves {
        scratch.write(|tx| INDEX.update(tx, None, Some(leaf))).expect("an update");
    }
    let mut findings = Findings::new(10, Arc::default());
    scratch.compare(true, &mut findings).expect("a comparison");
    findings.into_report().findings.iter().map(|it| format!("{it:?}")).collect()
}

fn check(view: &dyn Read, question: &Question) -> TestCaseResult {
    let mut leaves = LEAVES.table.list_all(view).expect("leaves");
    if question.by_title {
        leaves.sort_by(|a, b| {
            let by_title = a.title.cmp(&b.title);
            if question.is_descending { by_title.reverse() } else { by_title }.then_with(|| a.id.cmp(&b.id))
        });
    } else if question.is_descending {
        leaves.reverse();
    }
    let is_in = |place: usize| {
        place.is_multiple_of(question.every) && (question.within.0..=question.within.1).contains(&place)
    };
    let mut set = NumberSet::new();
    for (_, leaf) in leaves.iter().enumerate().filter(|(place, _)| is_in(*place)) {
        set.extend(INDEX.number(view, &leaf.id).expect("a number"));
    }
    let after = question.after.and_then(|it| leaves.get(it).map(|leaf| (it, leaf)));
    let key = after.map(|(_, leaf)| SortKey::of(leaf.def(), "title", &leaf.scalar("title")));
    let expected: Vec<String> = leaves
        .iter()
        .enumerate()
        .skip(after.map_or(0, |(place, _)| place + 1))
        .filter(|(place, _)| is_in(*place))
        .map(|(_, leaf)| leaf.id.to_string())
        .skip(question.n_skipped)
        .take(question.limit)
        .collect();
    let walk = Walk {
        set: &set,
        field: question.by_title.then_some("title"),
        direction: if question.is_descending { Direction::Descending } else { Direction::Ascending },
        after: key.as_ref().zip(after.map(|(_, leaf)| leaf.id.as_str())),
        n_skipped: question.n_skipped as u64,
        n_wanted: question.limit as u64,
    };
    let mut met = Vec::new();
    let mut visit = |id: &str, _| {
        met.push(id.to_owned());
        Ok(if met.len() < question.limit { Scan::Continue(()) } else { Scan::Break(()) })
    };
    INDEX.walk(view, &walk, &mut visit).expect("a walk");
    prop_assert_eq!(met, expected, "{:?}", question);
    Ok(())
}

#[test]
fn walks_in_blocks_agree_with_a_model() {
    let steps = || prop::collection::vec(step(), 300..900);
    let questions = || prop::collection::vec(question(), 40);
    check_drawn(
        times("ATOLL_BLOCKS", 20),
        || (steps(), questions()),
        async |(steps, questions): (Vec<Step>, Vec<Question>)| {
            let store = open();
            for steps in steps.chunks(50) {
                let steps = steps.to_vec();
                let body = move |tx: &mut dyn Write| steps.iter().try_for_each(|it| change(tx, it));
                store.write(body).await.expect("changes");
            }
            let view = store.view();
            prop_assert_eq!(differences(&view), Vec::<String>::new());
            questions.iter().try_for_each(|it| check(&view, it))
        },
    );
}
