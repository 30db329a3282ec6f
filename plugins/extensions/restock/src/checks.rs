//! Check: a rule between records that `atoll verify` and `POST /admin/verify` look at. Tables, indexes and
//! links are verified for every module without it.

use atoll_kernel::{StoreError, check, verify::Verify};

use crate::{RESTOCK_SUBSCRIPTION, RESTOCK_SUBSCRIPTION_ORDER, RESTOCK_SUBSCRIPTIONS, RestockStatus};

check! { "restock.states": "Who was told has a time of that, and who has bought an order" => states }

fn states(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&RESTOCK_SUBSCRIPTIONS.table, |it, row| {
        let was_told = row.told_at.is_some();
        let has_order = !RESTOCK_SUBSCRIPTION_ORDER.rights(it.view, &row.id)?.is_empty();
        let holds = match row.status {
            RestockStatus::Waiting => !was_told && !has_order,
            RestockStatus::Told => was_told && !has_order,
            // With or without having been told.
            RestockStatus::Bought => has_order,
        };
        if !holds {
            let found = format!("{}, told: {was_told}, ordered: {has_order}", row.status.as_str());
            it.wrong("restock.states", RESTOCK_SUBSCRIPTION, &row.id, found, "a state that fits");
        }
        Ok(())
    })
}
