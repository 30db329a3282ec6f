//! No input of the decision is forgotten: what it reads is of a record whose changes are noted.

use std::{cell::RefCell, collections::BTreeSet};

use atoll_availability::Seller;
use atoll_kernel::{Decimal, Read, StoreError, data::Space};
use atoll_product::VARIANTS;
use atoll_storage::{Direction, Span, Visit};

use super::world::World;

/// A view that notes which spaces are read.
struct Along<'a> {
    view: &'a dyn Read,
    spaces: RefCell<BTreeSet<Space>>,
}

impl Read for Along<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.view.get(key)
    }

    fn scan(&self, span: &Span, direction: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.view.scan(span, direction, visit)
    }

    fn prefix(&self, space: Space) -> [u8; 2] {
        self.spaces.borrow_mut().insert(space);
        self.view.prefix(space)
    }
}

#[tokio::test]
async fn each_record_that_the_decision_reads_is_noted_when_it_changes() {
    let world = World::new().await;
    let view = world.app.ctx.view();
    let along = Along { view: &view, spaces: RefCell::default() };
    let now = world.app.now();
    let sellers = world.channels().map(|it| Seller::in_channel(it, &now.into()));
    for seller in sellers.chain([Seller::everything(now)]) {
        let mut shelf = seller.shelf(&along).expect("a shelf");
        for variant in VARIANTS.table.list_all(&view).expect("variants") {
            shelf.decide(&variant.id, Decimal::ONE, None).expect("a verdict");
        }
    }
    let projections = &world.app.ctx.registry().projections;
    let noted =
        projections.iter().find(|it| it.name == "availability.inputs").expect("the projection").follows;
    // The indexes and ends of a record are named after it.
    let of = |space: Space| space.split('.').next().unwrap_or_default().to_owned();
    let read: BTreeSet<String> = along.spaces.into_inner().into_iter().map(of).collect();
    // Counters lie beside what they count.
    let read: Vec<&str> = read.iter().map(String::as_str).filter(|it| *it != "sequence").collect();
    let mut noted = noted.to_vec();
    noted.sort_unstable();
    assert_eq!(read, noted, "what is read, and what is noted");
}
