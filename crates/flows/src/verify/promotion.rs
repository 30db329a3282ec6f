//! `verify` check: promotions against the orders that used them.

use std::collections::HashMap;

use atoll_kernel::{StoreError, check, verify::Verify};
use atoll_order::{ORDERS, OrderStatus};
use atoll_promotion::{PROMOTION, PROMOTIONS};

check! { "promotion.uses": "A promotion was used by as many orders as it says; cancelled ones have given it back" => uses }

fn uses(it: &mut Verify<'_>) -> Result<(), StoreError> {
    if !PROMOTIONS.is_on() {
        return Ok(());
    }
    let mut by_promotion: HashMap<String, u64> = HashMap::new();
    it.rows(&ORDERS.table, |_, order| {
        if order.status != OrderStatus::Canceled {
            for used in order.promotion_uses {
                *by_promotion.entry(used.promotion_id).or_default() += 1;
            }
        }
        Ok(())
    })?;
    it.rows(&PROMOTIONS.table, |it, promotion| {
        let n_orders = by_promotion.get(&*promotion.id).copied().unwrap_or_default();
        if promotion.used != n_orders {
            let (found, expected) = (promotion.used.to_string(), n_orders.to_string());
            it.wrong("promotion.uses", PROMOTION, &promotion.id, found, expected);
        }
        Ok(())
    })
}
