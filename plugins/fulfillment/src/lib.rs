//! Shipping: which goods go where, how and by whom. Profiles of goods, the zones that stock locations serve,
//! shipping options and fulfilment providers; and fulfilments: items of an order that were packed at one
//! stock location.

mod error;
mod manual;
mod option;
mod pack;
mod service;
mod types;
mod zone;

use atoll_kernel::{
    data::{Index, Module, Service},
    module,
    query::{Relation, Resolve, Visibility, Where},
};

pub use error::Error;
pub use manual::MANUAL;
pub use option::{
    ENABLED_IN_STORE, IS_RETURN, RuleContext, RuleOperator, ShippingOption, ShippingOptionRule,
    ShippingOptionType, ShippingOptionTypePatch, ShippingPriceType, ShippingProfile, ShippingProfilePatch,
};
pub use pack::{cancel, deliver, idle, pack, set_busy, ship};
pub use service::{
    create_option, create_zone, delete_profile, delete_set, delete_type, delete_zone, is_enabled, option,
    update_option, update_zone, zone_of,
};
pub use types::{
    Fulfillment, FulfillmentAddress, FulfillmentItem, FulfillmentLabel, FulfillmentProviderRecord, Packed,
};
pub use zone::{FulfillmentSet, GeoZone, GeoZoneInput, GeoZoneType, ServiceZone};

/// Entity name of fulfilments in links.
pub const FULFILLMENT: &str = "fulfillment";
/// Entity name of fulfilment sets in links.
pub const FULFILLMENT_SET: &str = "fulfillment_set";
/// Entity name of fulfilment providers in links.
pub const FULFILLMENT_PROVIDER: &str = "fulfillment_provider";
/// Entity name of shipping profiles in links.
pub const SHIPPING_PROFILE: &str = "shipping_profile";
/// Entity name of shipping options in links.
pub const SHIPPING_OPTION: &str = "shipping_option";
const SERVICE_ZONE: &str = "service_zone";

const PROFILE_BY_NAME: Index<ShippingProfile> =
    Index::unique("shipping_profile.by_name", &["name"], |it, keys| keys.add(&[&it.name]));
const SET_BY_NAME: Index<FulfillmentSet> =
    Index::unique("fulfillment_set.by_name", &["name"], |it, keys| keys.add(&[&it.name]));
const ZONE_BY_NAME: Index<ServiceZone> =
    Index::unique("service_zone.by_name", &["name"], |it, keys| keys.add(&[&it.name]));
/// The zones of a set.
pub const ZONES_BY_SET: Index<ServiceZone> =
    Index::on("service_zone.by_set", &["fulfillment_set_id"], |it, keys| {
        keys.add(&[&it.fulfillment_set_id]);
    });
/// The options of a zone.
pub const BY_ZONE: Index<ShippingOption> =
    Index::on("shipping_option.by_zone", &["service_zone_id"], |it, keys| keys.add(&[&it.service_zone_id]));
/// The options that ship the goods of a profile.
pub(crate) const BY_PROFILE: Index<ShippingOption> =
    Index::on("shipping_option.by_profile", &["shipping_profile_id"], |it, keys| {
        keys.add(&[&it.shipping_profile_id]);
    });
/// The options of a type.
pub(crate) const BY_TYPE: Index<ShippingOption> =
    Index::on("shipping_option.by_type", &["shipping_option_type_id"], |it, keys| {
        keys.add(&[&it.shipping_option_type_id]);
    });

/// The options for returns, and the others: `is_return`.
const BY_RETURN: Index<ShippingOption> =
    Index::on("shipping_option.by_return", &["is_return"], |it, keys| {
        keys.add(&[if it.is_return() { "true" } else { "false" }]);
    });
/// The options that only admins choose, and the others: `admin_only`.
const BY_ADMIN_ONLY: Index<ShippingOption> =
    Index::on("shipping_option.by_admin_only", &["admin_only"], |it, keys| {
        keys.add(&[if it.is_admin_only() { "true" } else { "false" }]);
    });

/// Records of the linked providers, written at every start.
pub static FULFILLMENT_PROVIDERS: Service<FulfillmentProviderRecord> = Service::new(&[]);
/// Profiles. Deleted by [`delete_profile`].
pub static SHIPPING_PROFILES: Service<ShippingProfile> = Service::new(&[PROFILE_BY_NAME]);
/// Sets. Deleted by [`delete_set`], with their zones.
pub static FULFILLMENT_SETS: Service<FulfillmentSet> = Service::new(&[SET_BY_NAME]);
/// Write through [`create_zone`], [`update_zone`] and [`delete_zone`].
pub static SERVICE_ZONES: Service<ServiceZone> = Service::new(&[ZONE_BY_NAME, ZONES_BY_SET]);
/// Types of options. Deleted by [`delete_type`].
pub static SHIPPING_OPTION_TYPES: Service<ShippingOptionType> = Service::new(&[]);
/// Write through [`create_option`] and [`update_option`].
pub static SHIPPING_OPTIONS: Service<ShippingOption> =
    Service::new(&[BY_ZONE, BY_PROFILE, BY_TYPE, BY_RETURN, BY_ADMIN_ONLY]);
/// Created by [`pack`], then changed by [`ship`], [`deliver`] and [`cancel`].
pub static FULFILLMENTS: Service<Fulfillment> = Service::new(&[]).visible(Visibility::With(&["order"]));

module! { Module {
    name: "fulfillment",
    summary: "Shipping profiles, zones, options and providers; fulfilments of orders",
    services: &[
        &FULFILLMENT_PROVIDERS, &SHIPPING_PROFILES, &FULFILLMENT_SETS, &SERVICE_ZONES,
        &SHIPPING_OPTION_TYPES, &SHIPPING_OPTIONS, &FULFILLMENTS,
    ],
    relations: &[
        Relation::many(FULFILLMENT_SET, "service_zones", SERVICE_ZONE, Resolve::Back("fulfillment_set_id")),
        // A set is deleted with its zones, and a zone with its options.
        Relation::one(SERVICE_ZONE, "fulfillment_set", FULFILLMENT_SET, Resolve::Field("fulfillment_set_id")),
        Relation::many(SERVICE_ZONE, "shipping_options", SHIPPING_OPTION, Resolve::Back("service_zone_id")),
        Relation::one(SHIPPING_OPTION, "service_zone", SERVICE_ZONE, Resolve::Field("service_zone_id")),
        // A profile or a type that options have cannot be deleted.
        Relation::one(
            SHIPPING_OPTION,
            "shipping_profile",
            SHIPPING_PROFILE,
            Resolve::Field("shipping_profile_id"),
        ),
        Relation::one(
            SHIPPING_OPTION,
            "type",
            "shipping_option_type",
            Resolve::Field("shipping_option_type_id"),
        ),
        Relation::many(
            SHIPPING_PROFILE,
            "shipping_options",
            SHIPPING_OPTION,
            Resolve::Back("shipping_profile_id"),
        ),
        Relation::many(
            "shipping_option_type",
            "shipping_options",
            SHIPPING_OPTION,
            Resolve::Back("shipping_option_type_id"),
        ),
        // Providers are not deleted.
        Relation::one(
            SHIPPING_OPTION,
            "provider",
            FULFILLMENT_PROVIDER,
            Resolve::Field("provider_id"),
        ),
        Relation::one(FULFILLMENT, "provider", FULFILLMENT_PROVIDER, Resolve::Field("provider_id")),
        // A fulfilment is a historical record: it keeps the id of an option that was deleted.
        Relation::one(
            FULFILLMENT,
            "shipping_option",
            SHIPPING_OPTION,
            Resolve::Field("shipping_option_id"),
        ),
    ],
    is_optional: true,
    seed: Some(service::seed),
    ..Module::EMPTY
} }

/// Filter for the options for returns, or for the others.
pub fn options_for_returns(is_return: bool) -> Where {
    Where { table: &SHIPPING_OPTIONS.table, field: "is_return", value: is_return.to_string() }
}

/// Filter for the options that only admins choose, or for the others.
pub fn options_of_admins(admin_only: bool) -> Where {
    Where { table: &SHIPPING_OPTIONS.table, field: "admin_only", value: admin_only.to_string() }
}
