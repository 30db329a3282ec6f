//! Flows on groups of customers, and their members.

use atoll_customer::{
    Customer, CustomerGroup, CustomerGroupPatch, GroupChanges, change_groups, change_members, create_group,
    delete_group, update_group,
};
use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};

use crate::{
    points::{
        GROUPS_CREATED, GROUPS_DELETED, GROUPS_UPDATED, MEMBERS_CHANGED, VALIDATE_GROUPS, VALIDATE_LINKS,
    },
    records::record_flows,
    sales_channel::LinkIds,
};

record_flows! {
    records: CustomerGroup, from CustomerGroup, CustomerGroupPatch, event "customer-group";
    CREATE_CUSTOMER_GROUPS = "create-customer-groups" (VALIDATE_GROUPS, GROUPS_CREATED) by create_group;
    UPDATE_CUSTOMER_GROUPS = "update-customer-groups" (GROUPS_UPDATED) by update_group;
    DELETE_CUSTOMER_GROUPS = "delete-customer-groups" (GROUPS_DELETED) by
        |tx, at, id| delete_group(tx, at, id).map(Some);
}

flow! {
    /// Adds customers to a group, and removes others; returns the group. Event: `customer-group.updated`.
    pub static LINK_CUSTOMERS_TO_CUSTOMER_GROUP: Flow<LinkIds, CustomerGroup> =
        "link-customers-to-customer-group" (link_members), hooks: &[&VALIDATE_LINKS, &MEMBERS_CHANGED];
}

fn link_members(flow: &mut Local<'_>, ids: LinkIds) -> Result<CustomerGroup, Fault> {
    flow.hook(&VALIDATE_LINKS, || ids.as_input())?;
    let group = flow.step("link-customers-to-customer-group", |tx, at| {
        Ok(change_members(tx, at, &ids.id, &changes(&ids))?)
    })?;
    flow.emit("customer-group.updated", json!({ "id": group.id }))?;
    flow.hook(&MEMBERS_CHANGED, || ids.as_input())?;
    Ok(group)
}

flow! {
    /// Adds groups to a customer, and removes others; returns the customer. Event: `customer.updated`.
    pub static LINK_CUSTOMER_GROUPS_TO_CUSTOMER: Flow<LinkIds, Customer> =
        "link-customer-groups-to-customer" (link_groups), hooks: &[&VALIDATE_LINKS, &MEMBERS_CHANGED];
}

fn link_groups(flow: &mut Local<'_>, ids: LinkIds) -> Result<Customer, Fault> {
    flow.hook(&VALIDATE_LINKS, || ids.as_input())?;
    let customer = flow.step("link-customer-groups-to-customer", |tx, at| {
        Ok(change_groups(tx, at, &ids.id, &changes(&ids))?)
    })?;
    flow.emit("customer.updated", json!({ "id": customer.id }))?;
    flow.hook(&MEMBERS_CHANGED, || ids.as_input())?;
    Ok(customer)
}

fn changes(ids: &LinkIds) -> GroupChanges {
    GroupChanges { add: ids.add.clone(), remove: ids.remove.clone() }
}
