//! Flows on shipping: profiles, fulfilment sets of stock locations and their zones, shipping options, and the
//! fulfilment providers of a location.

mod locations;
mod options;
mod prices;
mod profiles;
mod zones;

use atoll_kernel::part_of;

pub use locations::{
    CREATE_LOCATION_FULFILLMENT_SET, DELETE_FULFILLMENT_SETS, LINK_PROVIDERS_TO_STOCK_LOCATION,
    NewFulfillmentSet,
};
pub use options::{
    BATCH_SHIPPING_OPTION_RULES, CREATE_SHIPPING_OPTIONS, DELETE_SHIPPING_OPTIONS, NewOptionType,
    NewShippingOption, RuleBatch, RuleInput, RulesDone, ShippingOptionChanges, UPDATE_SHIPPING_OPTIONS,
};
pub use prices::{OptionPrice, TotalRule};
pub(crate) use profiles::check_profile;
pub use profiles::{
    CREATE_SHIPPING_OPTION_TYPES, CREATE_SHIPPING_PROFILES, DELETE_SHIPPING_OPTION_TYPES,
    DELETE_SHIPPING_PROFILES, UPDATE_SHIPPING_OPTION_TYPES, UPDATE_SHIPPING_PROFILES,
};
pub use zones::{
    CREATE_SERVICE_ZONES, DELETE_SERVICE_ZONES, NewServiceZone, OfSet, ServiceZoneChanges,
    UPDATE_SERVICE_ZONES,
};

part_of! { "fulfillment" }
