//! Groups of customers and their members. A customer holds the ids of its groups, so that prices and
//! promotions read one record.

use atoll_kernel::{
    Id, Moment, Read, StoreError, Write,
    limits::{GROUP_CHANGES_MAX, GROUP_NAME_CHARS_MAX, GROUPS_OF_CUSTOMER_MAX},
};

use crate::{CUSTOMER_GROUPS, CUSTOMERS, Customer, CustomerGroup, CustomerGroupPatch, Error};

/// What is added and removed. What is in both lists is removed; what is there already, or is not, stays so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupChanges {
    /// Ids to add.
    pub add: Vec<String>,
    /// Ids to remove.
    pub remove: Vec<String>,
}

/// The groups that a buyer has shown to be in, by their ids: those of a customer with an account, who has
/// logged in. None of a guest, whose address anybody may type; and none while the module is switched off.
pub fn groups_of(tx: &dyn Read, customer_id: Option<&str>) -> Result<Vec<String>, StoreError> {
    let Some(id) = customer_id.filter(|_| CUSTOMERS.is_on()) else { return Ok(Vec::new()) };
    let customer = CUSTOMERS.get(tx, id)?.filter(|it| it.has_account).unwrap_or_default();
    Ok(customer.group_ids.into_iter().map(|it| it.to_string()).collect())
}

/// Creates a group.
pub fn create_group(tx: &mut dyn Write, at: &Moment, group: CustomerGroup) -> Result<CustomerGroup, Error> {
    let name = checked(&group.name)?;
    let created_by = Some(at.actor().id().to_owned());
    Ok(CUSTOMER_GROUPS.create(tx, at, CustomerGroup { name, created_by, ..group })?)
}

/// Changes a group.
pub fn update_group(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: CustomerGroupPatch,
) -> Result<CustomerGroup, Error> {
    let name = patch.name.as_deref().map(checked).transpose()?;
    Ok(CUSTOMER_GROUPS.update(tx, at, id, CustomerGroupPatch { name, ..patch })?)
}

fn checked(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let is_short = !name.is_empty() && name.chars().count() <= GROUP_NAME_CHARS_MAX;
    if is_short { Ok(name.to_owned()) } else { Err(Error::Name) }
}

/// Soft-deletes a group; its customers are in it no more.
pub fn delete_group(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<CustomerGroup, Error> {
    CUSTOMER_GROUPS.soft_delete(tx, at, id)?.ok_or_else(|| Error::NoGroup(id.to_owned()))
}

/// Adds customers to a group, and removes others; returns the group.
pub fn change_members(
    tx: &mut dyn Write,
    at: &Moment,
    group_id: &str,
    changes: &GroupChanges,
) -> Result<CustomerGroup, Error> {
    let unknown = || Error::Unknown { field: "customer_group_id", id: group_id.to_owned() };
    let group = CUSTOMER_GROUPS.get(tx, group_id)?.ok_or_else(unknown)?;
    check_number(changes)?;
    for id in &changes.add {
        if !CUSTOMERS.table.exists(tx, id)? {
            return Err(Error::Unknown { field: "customer_id", id: id.clone() });
        }
        put(tx, at, id, |groups| groups.push(group.id.clone()))?;
    }
    for id in &changes.remove {
        if CUSTOMERS.table.exists(tx, id)? {
            put(tx, at, id, |groups| groups.retain(|it| *it != group.id))?;
        }
    }
    Ok(group)
}

/// Adds groups to a customer, and removes others; returns the customer.
pub fn change_groups(
    tx: &mut dyn Write,
    at: &Moment,
    customer_id: &str,
    changes: &GroupChanges,
) -> Result<Customer, Error> {
    if !CUSTOMERS.table.exists(tx, customer_id)? {
        return Err(Error::Unknown { field: "customer_id", id: customer_id.to_owned() });
    }
    check_number(changes)?;
    for id in &changes.add {
        if !CUSTOMER_GROUPS.table.exists(tx, id)? {
            return Err(Error::Unknown { field: "customer_group_id", id: id.clone() });
        }
    }
    put(tx, at, customer_id, |groups| {
        groups.extend(changes.add.iter().map(|it| Id::from(it.as_str())));
        groups.retain(|it| !changes.remove.iter().any(|gone| **it == **gone));
    })
}

fn check_number(changes: &GroupChanges) -> Result<(), Error> {
    let n_changes = changes.add.len() + changes.remove.len();
    if n_changes <= GROUP_CHANGES_MAX { Ok(()) } else { Err(Error::TooMany) }
}

/// Changes the groups of a customer, each of which is there once.
fn put(
    tx: &mut dyn Write,
    at: &Moment,
    customer_id: &str,
    change: impl FnOnce(&mut Vec<Id<CustomerGroup>>),
) -> Result<Customer, Error> {
    let mut groups = CUSTOMERS.retrieve(tx, customer_id)?.group_ids;
    change(&mut groups);
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > GROUPS_OF_CUSTOMER_MAX {
        return Err(Error::Groups);
    }
    Ok(CUSTOMERS.update(tx, at, customer_id, |it: &mut Customer| it.group_ids = groups)?)
}
