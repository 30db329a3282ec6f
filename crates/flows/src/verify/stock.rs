//! `verify` checks: reservations against inventory levels and order lines.

use atoll_inventory::{INVENTORY_LEVELS, RESERVATIONS, RESERVED_BY_ITEM, level_at, reservations_of};
use atoll_kernel::{Decimal, StoreError, check, verify::Verify};
use atoll_order::ORDERS;

use crate::order::Out;

// Reserved quantities match the reservations.
check! {
    "inventory.reserved": "A level reserves the sum of its reservations, and no more than is stocked but for backorders" => reserved
}

// What is reserved for an order line is outstanding, and reserved once.
check! {
    "order.reservations": "Nothing is reserved for lines beyond what they take, that were sent, or whose order is cancelled" => order_reservations
}

fn reserved(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let view = it.view;
    it.rows(&INVENTORY_LEVELS.table, |it, level| {
        let reservations =
            RESERVATIONS.table.list_by(view, &RESERVED_BY_ITEM, &[&level.inventory_item_id])?;
        let here = reservations.iter().filter(|it| it.location_id == level.location_id);
        let (mut sum, mut backordered) = (Decimal::ZERO, Decimal::ZERO);
        for reservation in here {
            sum += reservation.quantity;
            if reservation.allow_backorder {
                backordered += reservation.quantity;
            }
        }
        let (reserved, stocked) = (level.reserved_quantity, level.stocked_quantity);
        if reserved != sum {
            it.wrong(
                "inventory.reserved",
                "inventory_level",
                &level.id,
                reserved.to_string(),
                sum.to_string(),
            );
        } else if reserved - backordered > stocked {
            let found = format!("{reserved} reserved, {backordered} of them backordered");
            it.wrong("inventory.oversold", "inventory_level", &level.id, found, format!("{stocked} stocked"));
        }
        Ok(())
    })?;
    it.rows(&RESERVATIONS.table, |it, reservation| {
        let (item, location) = (&reservation.inventory_item_id, &reservation.location_id);
        if level_at(view, item, location)?.is_none() {
            let found = format!("item `{item}` at location `{location}`, where it is not stocked");
            it.wrong("inventory.nowhere", "reservation_item", &reservation.id, found, "a level");
        }
        Ok(())
    })
}

fn order_reservations(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let view = it.view;
    it.rows(&ORDERS.table, |it, order| {
        let out = Out::of(view, &order.id)?;
        for line in &order.items {
            let why = if order.is_canceled() {
                Some("of a cancelled order")
            } else {
                line.open().is_zero().then_some("of a line that was sent")
            };
            for reservation in reservations_of(view, &line.id)? {
                let wrong = |it: &mut Verify<'_>, why: &str, expected: &str| {
                    let found = format!("{} {why} (`{}`)", reservation.quantity, order.id);
                    it.wrong("order.reservation", "reservation_item", &reservation.id, found, expected);
                };
                if let Some(why) = why {
                    wrong(it, why, "nothing reserved");
                    continue;
                }
                let left = out.reservable(view, line, &reservation.inventory_item_id)?;
                // Rows of earlier versions did not store what they take.
                if !line.takes.is_empty() && left < Decimal::ZERO {
                    wrong(it, "of a line that takes less", "no more than is outstanding");
                }
            }
        }
        Ok(())
    })
}
