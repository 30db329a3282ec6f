//! Admin routes of shipping profiles: `/admin/shipping-profiles`.

use atoll_flows::fulfillment::{
    CREATE_SHIPPING_PROFILES, DELETE_SHIPPING_PROFILES, UPDATE_SHIPPING_PROFILES,
};
use atoll_kernel::{
    http::{Body, Params, Resource, Type, optional, required},
    part_of,
};

use crate::{
    crud::crud,
    tables::{METADATA, ONE, any, date, list},
};

part_of! { "fulfillment" }

crud! {
    of RESOURCE at "/admin/shipping-profiles" for Admin;
    called "a shipping profile" / "shipping profiles";
    not_found "Shipping profile with id: {} was not found";
    page LIST;
    find ONE;
    /// Products of a profile are shipped by the shipping options of that profile.
    create ONE, CREATE by CREATE_SHIPPING_PROFILES;
    update ONE, UPDATE by UPDATE_SHIPPING_PROFILES;
    /// One that products or shipping options have is refused.
    delete "shipping_profile" by DELETE_SHIPPING_PROFILES;
}

static RESOURCE: Resource = Resource {
    entity: "shipping_profile",
    one: "shipping_profile",
    many: "shipping_profiles",
    fields: &["id", "name", "type", "metadata", "created_at", "updated_at"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[any("id"), any("name"), any("type"), date("created_at"), date("updated_at"), date("deleted_at")],
    20,
);
const CREATE: Body = &[&[required("name", Type::Text), required("type", Type::Text), METADATA]];
const UPDATE: Body = &[&[optional("name", Type::Text), optional("type", Type::Text), METADATA]];
