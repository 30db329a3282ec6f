//! Schema of nested structs, tuples and spaces that are no tables. A change is detected, migrated if a step
//! says how, and refused without a step or if a row does not decode.

use atoll_kernel::{
    Registry, Write,
    data::{Module, Service, Slots, Step},
    entity,
    migration::FORMAT,
    serde::{Deserialize, Serialize},
    serde_json::{Map, Value, json},
    stored,
};
use atoll_storage::{KeyBuf, WriteKeys, WriteRows, decode, encode, engines::Memory};

use super::migration::{all, open, program, refused, start, write};

/// A program with racks: their boards have a field of this name and type, and their views too.
macro_rules! racks {
    ($program:ident: $field:ident: $Field:ty, $who:ident, $rack_history:tt, $seen_history:expr) => {
        mod $program {
            use super::*;

            stored! {
                /// A board.
                #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
                #[serde(crate = "::atoll_kernel::serde", default)]
                pub struct Board {
                    pub $field: $Field,
                    pub wood: String,
                }
            }

            entity! {
                /// A rack.
                pub struct Rack = "rack" / "racks", "rack" {
                    /// What is on it.
                    pub boards: Vec<Board>,
                }
                history $rack_history
            }

            stored! {
                /// Who saw it.
                #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
                #[serde(crate = "::atoll_kernel::serde", default)]
                pub struct Seen {
                    pub $who: String,
                }
            }

            pub(super) static RACKS: Service<Rack> = Service::new(&[]);
            pub(super) const SEEN: Slots<Seen> = Slots::new("rack.seen").history($seen_history);
            static MODULE: Module =
                Module { name: "racks", services: &[&RACKS], spaces: &[SEEN.def()], ..Module::EMPTY };

            pub(super) fn program() -> &'static Registry {
                super::program(|it| it.modules.push(&MODULE))
            }
        }
    };
}

racks!(before: width: u32, by, [], &[]);
racks!(
    after: breadth: u64,
    who,
    [[Step::Renamed { from: "boards.width", to: "boards.breadth" }]],
    &[&[Step::Renamed { from: "by", to: "who" }]]
);
racks!(silent: breadth: u32, who, [], &[]);
racks!(narrow: width: u16, by, [], &[]);

/// A disk with data of the old program.
async fn old_disk() -> Memory {
    let disk = Memory::default();
    start(&disk, before::program()).await.expect("a new database");
    let store = open(&disk, before::program());
    write(&store, |tx: &mut dyn Write| {
        let board = before::Board { width: 80, wood: "oak".into() };
        let rack = before::Rack { id: "rack_1".into(), boards: vec![board], ..before::Rack::default() };
        before::RACKS.table.insert(tx, &rack).expect("a rack");
        before::SEEN.write(tx, b"rack_1", &before::Seen { by: "Ann".into() });
    })
    .await;
    store.close();
    disk
}

#[tokio::test]
async fn nested_field_is_migrated_by_a_step() {
    let disk = old_disk().await;
    start(&disk, after::program()).await.expect("a migration");
    let store = open(&disk, after::program());
    let rack = after::RACKS.get(&store.view(), "rack_1").expect("a get").expect("a rack");
    assert_eq!(rack.boards, [after::Board { breadth: 80, wood: "oak".into() }]);
    let seen = after::SEEN.read(&store.view(), b"rack_1").expect("a get");
    assert_eq!(seen, Some(after::Seen { who: "Ann".into() }));
    store.close();
    let refusals = refused(&disk, before::program());
    assert!(refusals[0].starts_with("space rack.seen is in version 2"), "{refusals:?}");
    assert!(refusals[1].starts_with("table rack is in version 2"), "{refusals:?}");
}

#[tokio::test]
async fn nested_field_changed_without_a_step_is_refused() {
    let disk = old_disk().await;
    let unknown = |of: &str, field: &str| {
        format!(
            "{of} has stored `{field}`, which this program does not know: it is older than the data, or the field was \
             renamed or dropped without a step in the `history` of its record"
        )
    };
    assert_eq!(
        refused(&disk, silent::program()),
        [unknown("space rack.seen", "by"), unknown("table rack", "boards.width")]
    );
    assert_eq!(
        refused(&disk, narrow::program()),
        [
            "table rack has stored `boards.width` as whole number of 32 bits, and it is whole number of 16 bits now: that \
          needs a step in the `history` of its record"
        ]
    );
}

/// Stores a value under a key of a space, as a faulty program would.
async fn plant(disk: &Memory, space: &'static str, key: &'static str, value: Value) {
    let store = open(disk, before::program());
    write(&store, move |tx: &mut dyn Write| {
        let key = KeyBuf::new(tx.prefix(space)).tail(key.as_bytes()).into_bytes();
        tx.put(key, encode(&value));
    })
    .await;
    store.close();
}

#[tokio::test]
async fn a_row_that_does_not_decode_is_named_before_anything_is_written() {
    for (space, key, value) in [
        ("rack", "rack_2", json!({ "id": "rack_2", "boards": 5 })),
        ("rack", "rack_2", json!({ "id": "rack_3" })),
        ("rack.deleted", "rack_2", json!({ "id": "rack_2", "boards": "none" })),
        ("rack.seen", "rack_2", json!({ "by": 5 })),
    ] {
        let disk = old_disk().await;
        plant(&disk, space, key, value).await;
        let found = all(&disk, before::program());
        let refusals = refused(&disk, after::program());
        let named = format!("corrupt record `{key}` in `{space}`: ");
        assert!(refusals.len() == 1 && refusals[0].starts_with(&named), "{refusals:?}");
        assert!(start(&disk, after::program()).await.is_err());
        assert!(all(&disk, before::program()) == found, "something was changed");
        start(&disk, before::program()).await.expect("the previous program starts");
    }
}

/// Sets the fingerprint of the racks as Atoll 0.1 wrote it up to the end of November 2026.
async fn make_coarse(disk: &Memory) {
    let store = open(disk, before::program());
    write(&store, |tx: &mut dyn Write| {
        let place = KeyBuf::new(tx.prefix(FORMAT)).tail(b"table rack").into_bytes();
        let kept = tx.get(&place).expect("a get").expect("a fingerprint");
        let mut kept: Map<String, Value> = decode(FORMAT, "table rack", &kept).expect("a fingerprint");
        let fields = kept["fields"].as_object_mut().expect("fields");
        fields.retain(|name, _| !name.starts_with("boards."));
        fields.insert("boards".into(), json!("list of anything"));
        tx.put(place, encode(&kept));
        let place = KeyBuf::new(tx.prefix(FORMAT)).tail(b"space rack.seen").into_bytes();
        tx.delete(place);
    })
    .await;
    store.close();
}

#[tokio::test]
async fn coarse_fingerprint_is_accepted_if_every_row_decodes() {
    let disk = old_disk().await;
    let whole = all(&disk, before::program());
    make_coarse(&disk).await;
    assert!(all(&disk, before::program()) != whole);
    start(&disk, before::program()).await.expect("a start");
    assert!(all(&disk, before::program()) == whole, "it says as much as others now");
    // From then on a change is detected.
    assert_eq!(refused(&disk, silent::program()).len(), 2);

    make_coarse(&disk).await;
    plant(&disk, "rack", "rack_2", json!({ "id": "rack_2", "boards": [{ "width": "wide" }] })).await;
    let refusals = refused(&disk, before::program());
    assert!(refusals[0].starts_with("corrupt record `rack_2` in `rack`: "), "{refusals:?}");
}
