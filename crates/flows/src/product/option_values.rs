//! Updating and deleting single values of a product option.

use atoll_kernel::{Fault, Read, flow, flow::Local};
use atoll_product::{OPTION_VALUES, ProductOptionValue, ProductOptionValuePatch, delete_option_value};

use crate::points::{
    Ids, OPTION_VALUES_DELETED, OPTION_VALUES_UPDATED, OfOptionValue, Records, VALIDATE_OPTION_VALUE,
};

/// A value, and the option that it belongs to.
#[derive(Clone, Debug)]
pub struct ValueOf {
    /// The id of the option.
    pub option_id: String,
    /// The id of the value.
    pub id: String,
}

impl ValueOf {
    /// What hooks get.
    fn input(&self) -> OfOptionValue {
        OfOptionValue { option_id: self.option_id.clone(), id: self.id.clone() }
    }
}

flow! {
    /// Updates a value of an option.
    pub static UPDATE_PRODUCT_OPTION_VALUES: Flow<(ValueOf, ProductOptionValuePatch), ProductOptionValue> =
        "update-product-option-values" (update), hooks: &[&VALIDATE_OPTION_VALUE, &OPTION_VALUES_UPDATED];
}

fn update(
    flow: &mut Local<'_>,
    (value, patch): (ValueOf, ProductOptionValuePatch),
) -> Result<ProductOptionValue, Fault> {
    flow.hook(&VALIDATE_OPTION_VALUE, || value.input())?;
    let updated = flow.step("update-product-option-values", |tx, at| {
        check_value(tx, &value)?;
        Ok(OPTION_VALUES.update(tx, at, &value.id, patch)?)
    })?;
    flow.hook(&OPTION_VALUES_UPDATED, || Records::one(&updated))?;
    Ok(updated)
}

flow! {
    /// Soft-deletes a value of an option, unless a variant has it. An unknown id is ignored, as on the wire.
    pub static DELETE_PRODUCT_OPTION_VALUES: Flow<ValueOf, ()> =
        "delete-product-option-values" (delete), hooks: &[&VALIDATE_OPTION_VALUE, &OPTION_VALUES_DELETED];
}

fn delete(flow: &mut Local<'_>, value: ValueOf) -> Result<(), Fault> {
    flow.hook(&VALIDATE_OPTION_VALUE, || value.input())?;
    let deleted = flow.step("delete-product-option-values", |tx, at| {
        if OPTION_VALUES.table.exists(tx, &value.id)? {
            check_value(tx, &value)?;
        }
        Ok(delete_option_value(tx, at, &value.id)?)
    })?;
    let ids: Vec<String> = deleted.iter().map(|it| it.id.to_string()).collect();
    flow.hook(&OPTION_VALUES_DELETED, || Ids::of(&ids))?;
    Ok(())
}

/// The value must exist, and be one of its option.
pub fn check_value(tx: &dyn Read, value: &ValueOf) -> Result<(), Fault> {
    match OPTION_VALUES.get(tx, &value.id)? {
        Some(it) if *it.option_id == *value.option_id => Ok(()),
        _ => Err(Fault::not_found(format!("Product option value with id: {} was not found", value.id))),
    }
}
