//! What the decision reads, and what must be decided again when it changes (dirty marks).
//!
//! Each record that the decision reads is of an input below; `tests/it/announced.rs` reads along and
//! compares. A note is a key of what a change concerns. Further changes of the same concern the same, so
//! there are never more notes than records, however long nobody takes them.

use atoll_inventory::{INVENTORY_LEVEL, INVENTORY_LEVELS};
use atoll_kernel::{
    Read, StoreError, Write,
    data::{Change, Direction, Projection, Record, Scalar, Scan, Slots, Space, skip_damaged},
    projection,
    serde::{Deserialize, Serialize},
    stored,
};
use atoll_links::{AVAILABLE_FROM, AVAILABLE_UNTIL, SAFETY_STOCK};
use atoll_product::{PRODUCT, VARIANT};
use atoll_sales_channel::SALES_CHANNEL;
use atoll_stock_location::STOCK_LOCATION;
use atoll_storage::{Span, group_key, split_part};

use crate::listing::WHOLE;

/// An entity or link that the decision reads.
struct Input {
    of: &'static str,
    /// The fields that it reads; beside them it matters that the record is there.
    fields: &'static [&'static str],
    /// What a change of this record concerns.
    concern: ConcernOf,
}

type ConcernOf = fn(&dyn Read, &dyn Record) -> Result<Option<Concern>, StoreError>;

const INPUTS: [Input; 10] = [
    Input {
        of: PRODUCT,
        fields: &["status"],
        concern: |_, it| Ok(Some(Concern::new(Kind::Product, it.key(), ""))),
    },
    Input {
        of: VARIANT,
        fields: &["manage_inventory", "allow_backorder", "product_id"],
        concern: |_, it| Ok(Some(Concern::new(Kind::Article, it.key(), text(it, "product_id")))),
    },
    Input {
        of: SALES_CHANNEL,
        fields: &["is_disabled"],
        concern: |_, it| Ok(Some(Concern::new(Kind::Seller, it.key(), ""))),
    },
    // The shop as a whole sells from all of them.
    Input {
        of: STOCK_LOCATION,
        fields: &[],
        concern: |_, _| Ok(Some(Concern::new(Kind::Seller, WHOLE, ""))),
    },
    Input {
        of: INVENTORY_LEVEL,
        fields: &["stocked_quantity", "reserved_quantity", "inventory_item_id", "location_id"],
        concern: |_, it| Ok(Some(Concern::new(Kind::Item, text(it, "inventory_item_id"), ""))),
    },
    Input {
        of: "product_sales_channel",
        fields: &[AVAILABLE_FROM, AVAILABLE_UNTIL],
        concern: |_, it| {
            Ok(Some(Concern::new(Kind::Product, text(it, "product_id"), text(it, "sales_channel_id"))))
        },
    },
    Input { of: "sales_channel_excluded_variant", fields: &[], concern: of_variant },
    Input { of: "product_variant_inventory_item", fields: &["required_quantity"], concern: of_variant },
    Input {
        of: "sales_channel_stock_location",
        fields: &[SAFETY_STOCK],
        concern: |_, it| Ok(Some(Concern::new(Kind::Seller, text(it, "sales_channel_id"), ""))),
    },
    Input {
        of: "sales_channel_inventory_level",
        fields: &[SAFETY_STOCK],
        concern: |tx, it| {
            // A level that is gone was noted itself.
            let level = INVENTORY_LEVELS.get(tx, text(it, "inventory_level_id"))?;
            Ok(level.map(|it| Concern::new(Kind::Item, &it.inventory_item_id, "")))
        },
    },
];

fn of_variant(_: &dyn Read, it: &dyn Record) -> Result<Option<Concern>, StoreError> {
    Ok(Some(Concern::new(Kind::Article, text(it, "variant_id"), "")))
}

/// Their names.
const FOLLOWED: [&str; INPUTS.len()] = {
    let mut names = [""; INPUTS.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = INPUTS[n].of;
        n += 1;
    }
    names
};

projection! {
    /// Notes what must be decided again.
    pub static INPUTS_TOUCHED = Projection {
        name: "availability.inputs",
        follows: &FOLLOWED,
        update,
        renew: Some(|tx| touch(tx, &Concern::EVERYTHING)),
        notes: &[TOUCHED_SPACE],
        ..Projection::EMPTY
    };
}

fn update(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    let Some(input) = INPUTS.iter().find(|it| it.of == change.of) else { return Ok(()) };
    if let (Some(before), Some(after)) = (change.before, change.after)
        && input.fields.iter().all(|it| before.scalar(it) == after.scalar(it))
    {
        return Ok(());
    }
    let concern = |tx: &dyn Read, it: Option<&dyn Record>| it.map_or(Ok(None), |it| (input.concern)(tx, it));
    let (before, after) = (concern(tx, change.before)?, concern(tx, change.after)?);
    let moved = before.filter(|it| after.as_ref() != Some(it));
    after.iter().chain(&moved).try_for_each(|it| touch(tx, it))
}

fn text<'a>(record: &'a dyn Record, field: &str) -> &'a str {
    match record.scalar(field) {
        Scalar::Text(text) => text,
        _ => "",
    }
}

/// The kinds of what a change concerns, from the smallest to the largest; their names sort like that, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A variant; with its product, if that is known: of a deleted one nothing else says it.
    Article,
    /// The variants that need an inventory item.
    Item,
    /// The variants of a product; in one channel, if that is named.
    Product,
    /// The variants that a channel may sell, or the shop as a whole.
    Seller,
    /// All variants.
    Everything,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Article, Kind::Item, Kind::Product, Kind::Seller, Kind::Everything];

    fn name(self) -> &'static str {
        match self {
            Kind::Article => "article",
            Kind::Item => "item",
            Kind::Product => "product",
            Kind::Seller => "seller",
            Kind::Everything => "whole",
        }
    }
}

/// The first name of a kind that may concern a large part of the shop.
pub(super) const FIRST_LARGE: &str = "seller";

/// What a change concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Concern {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// The product of a variant, or the channel of a product; empty if it is not known, or not one.
    pub(super) with: String,
}

impl Concern {
    pub(super) const EVERYTHING: Concern =
        Concern { kind: Kind::Everything, id: String::new(), with: String::new() };

    fn new(kind: Kind, id: &str, with: &str) -> Concern {
        Concern { kind, id: id.to_owned(), with: with.to_owned() }
    }

    pub(super) fn key(&self) -> Vec<u8> {
        group_key(&[self.kind.name(), &self.id, &self.with])
    }

    /// The concern with this key, which is without the prefix of the space.
    pub(super) fn of_key(key: &[u8]) -> Option<Concern> {
        let (name, key) = split_part(key)?;
        let (id, key) = split_part(key)?;
        let (with, _) = split_part(key)?;
        let kind = Kind::ALL.into_iter().find(|it| it.name() == name)?;
        Some(Concern { kind, id, with })
    }

    /// The seller that alone it concerns; `None` for all.
    pub(super) fn seller(&self) -> Option<&str> {
        match self.kind {
            Kind::Product if !self.with.is_empty() => Some(&self.with),
            Kind::Seller => Some(&self.id),
            _ => None,
        }
    }
}

stored! {
    /// A note of something that must be decided again.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, crate = "atoll_kernel::serde")]
    pub(super) struct Touch {
        /// How often it was changed again since it was noted: what was decided before the last time does not
        /// count.
        pub(super) n_again: u32,
        /// Where to go on, if a part of it was decided on.
        pub(super) after: Option<String>,
    }
}

/// The notes, by what they concern.
pub(super) const TOUCHED: Slots<Touch> = Slots::new(TOUCHED_SPACE);

const TOUCHED_SPACE: Space = "availability.touched";

/// Notes that this must be decided again, from the beginning.
pub(super) fn touch(tx: &mut dyn Write, concern: &Concern) -> Result<(), StoreError> {
    let key = concern.key();
    // A damaged one must not fail the shop's own transactions: what it said is said again.
    let before = skip_damaged(TOUCHED.read(tx, &key))?.flatten();
    let n_again = before.map_or(0, |it| it.n_again.wrapping_add(1));
    TOUCHED.write(tx, &key, &Touch { n_again, after: None });
    Ok(())
}

/// The product of a variant that was deleted, as the note of that says.
pub(super) fn product_of_deleted(view: &dyn Read, variant: &str) -> Result<Option<String>, StoreError> {
    let group = TOUCHED.key(view, &group_key(&[Kind::Article.name(), variant]));
    let mut product = None;
    view.scan(&Span::prefix(&group), Direction::Ascending, &mut |key, _| {
        product = Concern::of_key(&key[2..]).map(|it| it.with).filter(|it| !it.is_empty());
        Ok(if product.is_none() { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    Ok(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kinds_sort_from_the_smallest_to_the_largest() {
        assert!(Kind::ALL.is_sorted_by_key(|it| it.name()));
        assert!(Kind::ALL.iter().any(|it| it.name() == FIRST_LARGE));
    }

    #[test]
    fn key_of_a_concern_leads_back_to_it() {
        for kind in Kind::ALL {
            let concern = Concern::new(kind, "id", "with");
            assert_eq!(Concern::of_key(&concern.key()), Some(concern));
        }
    }
}
