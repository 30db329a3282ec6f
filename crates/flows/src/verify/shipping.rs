//! `verify` check: shipping options, their zones and their sets, and the stock locations that ship by them.

use atoll_fulfillment::{
    FULFILLMENT_SET, FULFILLMENT_SETS, SERVICE_ZONES, SHIPPING_OPTION, SHIPPING_OPTION_TYPES,
    SHIPPING_OPTIONS, SHIPPING_PROFILES,
};
use atoll_kernel::{StoreError, check, verify::Verify};
use atoll_links::STOCK_LOCATION_FULFILLMENT_SET;

check! { "shipping.options": "A shipping option has a profile, a type and a zone; its zone has a set, and the set one location" => options }

fn options(it: &mut Verify<'_>) -> Result<(), StoreError> {
    if !SHIPPING_OPTIONS.is_on() {
        return Ok(());
    }
    let view = it.view;
    it.rows(&SHIPPING_OPTIONS.table, |it, option| {
        let has = [
            ("zone", &*option.service_zone_id, SERVICE_ZONES.table.exists(view, &option.service_zone_id)?),
            (
                "profile",
                &*option.shipping_profile_id,
                SHIPPING_PROFILES.table.exists(view, &option.shipping_profile_id)?,
            ),
            (
                "type",
                &*option.shipping_option_type_id,
                SHIPPING_OPTION_TYPES.table.exists(view, &option.shipping_option_type_id)?,
            ),
        ];
        for (what, id, _) in has.into_iter().filter(|(_, _, is_there)| !is_there) {
            let found = format!("no {what} `{id}`");
            it.wrong("shipping.option", SHIPPING_OPTION, &option.id, found, format!("a {what}"));
        }
        Ok(())
    })?;
    it.rows(&SERVICE_ZONES.table, |it, zone| {
        if !FULFILLMENT_SETS.table.exists(view, &zone.fulfillment_set_id)? {
            let found = format!("no set `{}`", zone.fulfillment_set_id);
            it.wrong("shipping.zone", "service_zone", &zone.id, found, "a fulfilment set");
        }
        Ok(())
    })?;
    it.rows(&FULFILLMENT_SETS.table, |it, set| {
        let locations = STOCK_LOCATION_FULFILLMENT_SET.lefts(view, &set.id)?;
        if locations.len() != 1 {
            let found = format!("{} locations", locations.len());
            it.wrong("shipping.set", FULFILLMENT_SET, &set.id, found, "one stock location");
        }
        Ok(())
    })
}
