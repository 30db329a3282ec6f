//! Computed fields of inventory items: stocked and reserved quantity, summed over all locations.

use atoll_kernel::{
    Decimal, computed,
    data::{FieldKind, Node},
    query::{Computed, Env, QueryError},
    serde_json::{Value, json},
};

use crate::{BY_ITEM, INVENTORY_ITEM, INVENTORY_LEVELS, InventoryLevel};

computed! {
    /// The stocked quantity at all locations.
    pub static STOCKED = Computed {
        entity: INVENTORY_ITEM,
        name: "stocked_quantity",
        text: "The stocked quantity at all locations.",
        kind: FieldKind::Decimal,
        also_shows: &[],
        sorts: true,
        compute: |env, nodes| sums(env, nodes, |level| level.stocked_quantity),
    };
}

computed! {
    /// The reserved quantity at all locations.
    pub static RESERVED = Computed {
        entity: INVENTORY_ITEM,
        name: "reserved_quantity",
        text: "The reserved quantity at all locations.",
        kind: FieldKind::Decimal,
        also_shows: &[],
        sorts: true,
        compute: |env, nodes| sums(env, nodes, |level| level.reserved_quantity),
    };
}

fn sums(
    env: &Env<'_>,
    nodes: &[Node],
    quantity: fn(&InventoryLevel) -> Decimal,
) -> Result<Vec<Option<Value>>, QueryError> {
    let mut sums = Vec::with_capacity(nodes.len());
    for node in nodes {
        let levels = INVENTORY_LEVELS.table.list_by(env.view, &BY_ITEM, &[node.key()])?;
        sums.push(Some(json!(levels.iter().map(quantity).sum::<Decimal>())));
    }
    Ok(sums)
}
