//! Admin routes of customer groups and their members: `/admin/customer-groups`.

use atoll_flows::customer::{
    CREATE_CUSTOMER_GROUPS, DELETE_CUSTOMER_GROUPS, LINK_CUSTOMERS_TO_CUSTOMER_GROUP, UPDATE_CUSTOMER_GROUPS,
};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Param, ParamKind, Params, Reply, Resource, Type, optional, required},
    part_of, routes,
};

use crate::{
    crud::crud,
    reply::{link_ids, perform},
    tables::{LINK, METADATA, ONE, any, date, list},
};

part_of! { "customer" }

crud! {
    of CUSTOMER_GROUP at "/admin/customer-groups" for Admin;
    called "a customer group" / "customer groups";
    not_found "Customer group with id: {} not found";
    page LIST;
    find ONE;
    create ONE, CREATE by CREATE_CUSTOMER_GROUPS;
    update ONE, UPDATE by UPDATE_CUSTOMER_GROUPS;
    /// Its customers stay.
    delete "customer_group" by DELETE_CUSTOMER_GROUPS;
}

routes! {
    of CUSTOMER_GROUP;
    /// Adds customers to a customer group, and removes others. One call has at most 10,000.
    Post "/admin/customer-groups/:id/customers" (Admin, ONE, LINK) => link_customers;
}

static CUSTOMER_GROUP: Resource = Resource {
    entity: "customer_group",
    one: "customer_group",
    many: "customer_groups",
    fields: &["id", "name", "created_by", "created_at", "updated_at", "deleted_at", "metadata"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("name"),
        Param::new(
            "customers",
            ParamKind::Related(&[
                any("id"),
                any("email"),
                any("company_name"),
                any("first_name"),
                any("last_name"),
                any("created_by"),
                date("created_at"),
                date("updated_at"),
                date("deleted_at"),
            ]),
        ),
        any("created_by"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);
const CREATE: Body = &[&[required("name", Type::Text), METADATA]];
const UPDATE: Body = &[&[optional("name", Type::Text), METADATA]];

async fn link_customers(call: Call) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(&CUSTOMER_GROUP, call, move |flow| flow.run(&LINK_CUSTOMERS_TO_CUSTOMER_GROUP, ids)).await
}
