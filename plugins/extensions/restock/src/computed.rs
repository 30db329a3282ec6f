//! Computed field: a field of another module's record that is computed when a query asks for it. Admins ask
//! by `/admin/products?fields=variants.n_waiting_for_restock`, and see what is worth buying in.

use atoll_kernel::{
    computed,
    data::{FieldKind, Node},
    query::{Computed, Env, QueryError},
    serde_json::{Value, json},
};
use atoll_product::VARIANT;

use crate::WAITING_BY_VARIANT;

computed! {
    /// How many shoppers wait for a variant. Storefronts do not see it: no resource of theirs offers it.
    pub static N_WAITING_FOR_RESTOCK = Computed {
        entity: VARIANT,
        name: "n_waiting_for_restock",
        text: "How many shoppers wait for the variant, over all channels.",
        kind: FieldKind::Whole(64),
        also_shows: &[],
        sorts: false,
        compute,
    };
}

/// One look-up per variant: the index counts its entries.
fn compute(env: &Env<'_>, variants: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let count = |it: &Node| Ok(Some(json!(WAITING_BY_VARIANT.count(env.view, &[it.key()])?)));
    variants.iter().map(count).collect()
}
