//! Computed fields: fields of another module's record that are computed when a query asks for them. Admins
//! ask by `/admin/products?fields=variants.n_waiting_for_restock`, and see what is worth buying in;
//! storefronts by `/store/products?fields=+variants.restock_state`, and know whether to offer a subscription.

use atoll_availability::{Seller, Shelf};
use atoll_kernel::{
    Decimal, StoreError, computed,
    data::{FieldKind, Node},
    query::{Computed, Env, QueryError},
    serde_json::{Value, json},
};
use atoll_product::VARIANT;

use crate::{RestockState, WAITING_BY_CUSTOMER, WAITING_BY_VARIANT};

computed! {
    /// How many shoppers wait for a variant. Storefronts do not see it: no resource of theirs offers it.
    pub static N_WAITING_FOR_RESTOCK = Computed {
        entity: VARIANT,
        name: "n_waiting_for_restock",
        text: "How many shoppers wait for the variant, over all channels.",
        kind: FieldKind::Whole(64),
        also_shows: &[],
        sorts: false,
        compute: n_waiting,
    };
}

/// One look-up per variant: the index counts its entries.
fn n_waiting(env: &Env<'_>, variants: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let count = |it: &Node| Ok(Some(json!(WAITING_BY_VARIANT.count(env.view, &[it.key()])?)));
    variants.iter().map(count).collect()
}

computed! {
    /// What a storefront shows of a variant in the channels of its key; `extend.rs` offers it to them.
    pub static RESTOCK_STATE = Computed {
        entity: VARIANT,
        name: "restock_state",
        text: "Whether one piece can be bought in the channels of the request, or the shopper may subscribe, or (logged \
               in) has. Absent for admins.",
        kind: FieldKind::Words(RestockState::WORDS),
        also_shows: &[],
        sorts: false,
        compute: states,
    };
}

/// Some look-ups per variant and channel; each stock level is read once for the whole page.
fn states(env: &Env<'_>, variants: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let Some(wall) = env.context.wall() else { return Ok(vec![None; variants.len()]) };
    let (view, at) = (env.view, &env.context.at);
    let channels = wall.channel_ids();
    let mut shelves: Vec<Shelf<'_>> = match &channels {
        None => vec![Seller::everything(at).shelf(view)?],
        Some(ids) => ids.iter().map(|id| Shelf::open(view, id, at)).collect::<Result<_, StoreError>>()?,
    };
    let waits = |variant: &str| -> Result<bool, StoreError> {
        let Some(customer) = wall.customer() else { return Ok(false) };
        // The shop as a whole is the channel without an id.
        for channel in channels.as_deref().unwrap_or(&[""]) {
            if WAITING_BY_CUSTOMER.has_any(view, &[customer, variant, channel])? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let mut state = |variant: &str| -> Result<RestockState, StoreError> {
        for shelf in &mut shelves {
            if shelf.decide(variant, Decimal::ONE, None)?.sellable {
                return Ok(RestockState::Available);
            }
        }
        Ok(if waits(variant)? { RestockState::Subscribed } else { RestockState::SoldOut })
    };
    variants.iter().map(|it| Ok(Some(json!(state(it.key())?)))).collect()
}
