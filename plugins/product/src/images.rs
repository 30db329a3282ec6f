//! The pictures of variants: those of their products.

use std::collections::HashMap;

use atoll_kernel::{
    Computed, Env, Id, Node, QueryError, computed, of,
    serde_json::{Value, json},
};

use crate::{PRODUCTS, Product, ProductVariant, VARIANT};

computed! {
    /// The pictures of a variant.
    pub static VARIANT_IMAGES = Computed { entity: VARIANT, name: "images", shows: &[], compute };
}

fn compute(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let mut of_product: HashMap<&Id<Product>, Value> = HashMap::new();
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        let variant: &ProductVariant = of(node);
        if !of_product.contains_key(&variant.product_id) {
            let product = PRODUCTS.get(env.view, &variant.product_id)?;
            of_product.insert(&variant.product_id, json!(product.map(|it| it.images).unwrap_or_default()));
        }
        all.push(of_product.get(&variant.product_id).cloned());
    }
    Ok(all)
}
