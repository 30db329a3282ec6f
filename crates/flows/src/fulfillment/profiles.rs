//! Flows on shipping profiles and on types of shipping options; the profile of a product.

use atoll_fulfillment::{
    SHIPPING_OPTION_TYPES, SHIPPING_PROFILES, ShippingOptionType, ShippingOptionTypePatch, ShippingProfile,
    ShippingProfilePatch, delete_profile, delete_type,
};
use atoll_kernel::{Fault, Moment, Read, Write};
use atoll_product::BY_SHIPPING_PROFILE;

use crate::points::{
    OPTION_TYPES_CREATED, OPTION_TYPES_DELETED, OPTION_TYPES_UPDATED, PROFILES_CREATED, PROFILES_DELETED,
    PROFILES_UPDATED, VALIDATE_OPTION_TYPES, VALIDATE_PROFILES,
};
use crate::records::record_flows;

record_flows! {
    profiles: ShippingProfile, from ShippingProfile, ShippingProfilePatch, event "shipping-profile";
    CREATE_SHIPPING_PROFILES = "create-shipping-profiles-workflow" (VALIDATE_PROFILES, PROFILES_CREATED) by
        |tx, at, it| SHIPPING_PROFILES.create(tx, at, it);
    UPDATE_SHIPPING_PROFILES = "update-shipping-profiles-workflow" (PROFILES_UPDATED) by
        |tx, at, id, it| SHIPPING_PROFILES.update(tx, at, id, it);
    DELETE_SHIPPING_PROFILES = "delete-shipping-profile-workflow" (PROFILES_DELETED) by delete_unused;
}

record_flows! {
    types: ShippingOptionType, from ShippingOptionType, ShippingOptionTypePatch, event "shipping-option-type";
    CREATE_SHIPPING_OPTION_TYPES = "create-shipping-option-types" (VALIDATE_OPTION_TYPES, OPTION_TYPES_CREATED) by
        |tx, at, it| SHIPPING_OPTION_TYPES.create(tx, at, it);
    UPDATE_SHIPPING_OPTION_TYPES = "update-shipping-option-types" (OPTION_TYPES_UPDATED) by
        |tx, at, id, it| SHIPPING_OPTION_TYPES.update(tx, at, id, it);
    DELETE_SHIPPING_OPTION_TYPES = "delete-shipping-option-types" (OPTION_TYPES_DELETED) by delete_type;
}

/// Products that an error names; the others are left out.
const N_NAMED_MAX: usize = 10;

fn delete_unused(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<ShippingProfile>, Fault> {
    let products = BY_SHIPPING_PROFILE.next_ids(tx, &[id], None, N_NAMED_MAX)?;
    if products.is_empty() {
        return Ok(delete_profile(tx, at, id)?);
    }
    Err(Fault::invalid(format!(
        "Cannot delete following shipping profiles because they are linked to products: {}",
        products.join(", ")
    )))
}

/// Checks that the shipping profile of a product exists, unless shipping is switched off.
pub(crate) fn check_profile(tx: &dyn Read, profile: Option<&str>) -> Result<(), Fault> {
    let Some(id) = profile.filter(|_| SHIPPING_PROFILES.is_on()) else { return Ok(()) };
    match SHIPPING_PROFILES.table.exists(tx, id)? {
        true => Ok(()),
        false => Err(atoll_fulfillment::Error::no_target("shipping_profile_id", id).into()),
    }
}
