//! The computed field `inventory_quantity`: the available stock of a variant, in a channel or in total.

use atoll_inventory::{BY_ITEM, INVENTORY_LEVELS};
use atoll_kernel::{
    Decimal, Read, StoreError, computed,
    data::{FieldKind, Node, of},
    query::{Computed, Env, QueryError, Wall},
    serde_json::{Value, json},
};
use atoll_product::{ProductVariant, VARIANT};

use crate::{
    Seller, Shelf,
    shelf::{components, whole_pieces},
};

computed! {
    /// The available quantity of a variant in the channel of the context, or (for admins) in total. Absent if
    /// inventory is not managed; null if the variant has no inventory item.
    pub static INVENTORY_QUANTITY = Computed {
        entity: VARIANT,
        name: "inventory_quantity",
        text: "How many are available: in the channels of the request, or (for admins) in all locations. Absent if the \
               stock is not managed; null without an inventory item.",
        kind: FieldKind::OrNull(&FieldKind::Decimal),
        also_shows: &["manage_inventory"],
        sorts: false,
        compute,
    };
}

fn compute(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let mut shelf = match env.context.wall().map(Wall::channel_ids) {
        // Admins see what is at all locations.
        None => None,
        Some(None) => Some(Seller::everything(&env.context.at).shelf(env.view)?),
        Some(Some(channels)) => match channels[..] {
            [channel] => Some(Shelf::open(env.view, channel, &env.context.at)?),
            _ => {
                return Err(QueryError::Context(
                    "Inventory availability cannot be calculated in the given context. Either provide a single \
                     sales channel id or configure a single sales channel in the publishable key"
                        .into(),
                ));
            }
        },
    };
    let mut quantities = Vec::with_capacity(nodes.len());
    for node in nodes {
        let variant: &ProductVariant = of(node);
        if !variant.manage_inventory {
            quantities.push(None);
            continue;
        }
        let components = components(env.view, &variant.id)?;
        if components.is_empty() {
            quantities.push(Some(Value::Null));
            continue;
        }
        let quantity = match &mut shelf {
            Some(shelf) => shelf.pieces(&components)?,
            None => whole_pieces(&components, |item| total(env.view, item))?,
        };
        quantities.push(Some(json!(quantity)));
    }
    Ok(quantities)
}

/// What is available of an item at all locations.
fn total(view: &dyn Read, item: &str) -> Result<Decimal, StoreError> {
    let levels = INVENTORY_LEVELS.table.list_by(view, &BY_ITEM, &[item])?;
    Ok(levels.iter().map(|level| level.available()).sum())
}
