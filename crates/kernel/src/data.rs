//! Stored data: modules with their entities, tables, indexes and services; links between modules;
//! projections.
//!
//! A module reads its tables, and writes by its services, so that indexes, links, projections and events
//! follow; what it stores beside its tables is in [`Slots`] and [`Groups`]. Writing rows and single keys is
//! not here: parts of the core that store something in a form of their own name `atoll-storage`.
//!
//! ```
//! use atoll_kernel::{Moment, Read, Write, data::{RowError, Service}, entity};
//!
//! entity! {
//!     /// What a buyer says of a product.
//!     pub struct Review = "review" / "reviews", "rev" {
//!         /// From 1 to 5.
//!         pub rating: u32,
//!     }
//! }
//!
//! static REVIEWS: Service<Review> = Service::new(&[]);
//!
//! fn add(tx: &mut dyn Write, at: &Moment, review: Review) -> Result<(), RowError> {
//!     assert_eq!(REVIEWS.table.count(tx)?, 0);
//!     REVIEWS.create(tx, at, review).map(drop)
//! }
//! ```
//!
//! The same past the service does not compile, nor does a key by hand, nor walking what others registered:
//!
//! ```compile_fail,E0599
//! # use atoll_kernel::{Moment, Read, Write, data::{RowError, Service}, entity};
//! #
//! # entity! {
//! #     /// What a buyer says of a product.
//! #     pub struct Review = "review" / "reviews", "rev" {
//! #         /// From 1 to 5.
//! #         pub rating: u32,
//! #     }
//! # }
//! #
//! # static REVIEWS: Service<Review> = Service::new(&[]);
//! #
//! fn add(tx: &mut dyn Write, at: &Moment, review: Review) -> Result<(), RowError> {
//!     REVIEWS.table.insert(tx, &review)
//! }
//! ```
//!
//! ```compile_fail,E0599
//! # use atoll_kernel::Write;
//! fn forge(tx: &mut dyn Write) {
//!     tx.put(tx.prefix("order").to_vec(), Vec::new());
//! }
//! ```
//!
//! ```compile_fail,E0080
//! # use atoll_kernel::data::Groups;
//! const ORDERS: Groups = Groups::new("order");
//! ```
//!
//! ```compile_fail,E0080
//! # use atoll_kernel::data::Slots;
//! const WAITING: Slots<u64> = Slots::new("order_cart.deleted");
//! ```
//!
//! ```
//! # use atoll_kernel::data::{Groups, Slots};
//! const SHELF: Groups = Groups::new("review.shelf");
//! const SEEN: Slots<u64> = Slots::new("review.seen");
//! ```
//!
//! ```compile_fail,E0624
//! # use atoll_kernel::{Ctx, Moment, Write};
//! fn delete(ctx: &Ctx, tx: &mut dyn Write, at: &Moment, id: &str) {
//!     for service in ctx.registry().modules.iter().flat_map(|it| it.services) {
//!         service.erased().delete(tx, at, id);
//!     }
//! }
//! ```
//!
//! ```compile_fail,E0616
//! for entry in atoll_kernel::MODULES.iter() {
//!     println!("{}", entry.0.name);
//! }
//! ```

pub use atoll_storage::{
    Children, ComputedFields, Direction, Embed, Entity, EntityDef, Exact, FieldKind, FieldValue, Groups,
    History, Index, IndexDef, JsonObject, Keys, ListIndex, Node, Record, RowError, Scalar, Scan, Slots,
    Space, SpaceDef, Step, Store, Table, TableSource, View, group_count, json_value, last_number,
    next_number, present, skip_damaged,
};
pub use atoll_values::{flattened, joined};

pub use crate::link::{Column, End, FieldLink, Link, LinkError, LinkRow, OtherEnd, Side};
pub use crate::module::{DroppedTable, Module, Seed};
pub use crate::projection::{Change, Projection, Renew, UpdateAll};
pub use crate::room::{LowDisk, Room};
pub use crate::service::{AnyService, Patch, Service, of};

#[doc(hidden)]
pub use atoll_storage::field_name;
