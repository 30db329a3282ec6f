//! Restock: a shopper subscribes to a variant that is sold out in a sales channel, and is told once, by the
//! event `restock.available`, when the channel can sell it again.
//!
//! This file shows how an extension registers a module: its tables and their indexes. Each other file shows
//! one extension point, which its first line names.

mod admin;
mod checks;
mod computed;
mod decide;
pub mod events;
mod extend;
mod flag;
mod flows;
mod hooks;
mod jobs;
mod links;
mod mail;
mod pages;
pub mod points;
mod settings;
mod store;
mod subscribers;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    dropped, module,
    query::Visibility,
};

pub use decide::{Decision, decide};
pub use flag::RESTOCK;
pub use flows::{
    EXPIRE_RESTOCK_SUBSCRIPTIONS, SUBSCRIBE_TO_RESTOCK, Subscribe, TELL_RESTOCK, UNSUBSCRIBE_FROM_RESTOCK,
};
pub use links::{
    RESTOCK_SUBSCRIPTION_CUSTOMER, RESTOCK_SUBSCRIPTION_ORDER, RESTOCK_SUBSCRIPTION_SALES_CHANNEL,
    RESTOCK_SUBSCRIPTION_VARIANT,
};
pub use settings::{BATCH, RECHECK_AFTER, RestockSettings, WAITING_PER_VARIANT_MAX};
pub use types::{RestockState, RestockStatus, RestockSubscription};

/// Entity name of subscriptions in links and queries.
pub const RESTOCK_SUBSCRIPTION: &str = "restock_subscription";

/// Unique: a shopper waits once for a variant in a channel. Only waiting subscriptions are in it.
pub const ONE_PER_SHOPPER: Index<RestockSubscription> = Index::unique(
    "restock_subscription.one_per_shopper",
    &["variant_id", "sales_channel_id", "email"],
    |it, keys| {
        if it.is_waiting() {
            keys.add(&[&it.variant_id, it.channel(), &it.email]);
        }
    },
);

/// The waiting subscriptions of a variant, to be asked about when its stock changes.
pub const WAITING_BY_VARIANT: Index<RestockSubscription> =
    Index::counted("restock_subscription.waiting_by_variant", &["variant_id", "status"], |it, keys| {
        if it.is_waiting() {
            keys.add(&[&it.variant_id]);
        }
    });

/// The waiting subscriptions of a customer to a variant in a channel, for the computed field `restock_state`.
pub const WAITING_BY_CUSTOMER: Index<RestockSubscription> = Index::on(
    "restock_subscription.waiting_by_customer",
    &["customer_id", "variant_id", "sales_channel_id", "status"],
    |it, keys| {
        if let (true, Some(customer)) = (it.is_waiting(), &it.customer_id) {
            keys.add(&[customer, &it.variant_id, it.channel()]);
        }
    },
);

/// The waiting subscriptions of a channel, to be asked about when the channel itself changes.
pub const WAITING_BY_CHANNEL: Index<RestockSubscription> =
    Index::on("restock_subscription.waiting_by_channel", &["sales_channel_id", "status"], |it, keys| {
        if it.is_waiting() {
            keys.add(&[it.channel()]);
        }
    });

/// The waiting subscriptions by the time at which the decision is asked again.
pub const WAITING_BY_CHECK: Index<RestockSubscription> =
    Index::on("restock_subscription.waiting_by_check", &["check_at", "status"], |it, keys| {
        if it.is_waiting() {
            keys.add(&[&it.check_at.to_string()]);
        }
    });

/// All subscriptions by the time at which they expire.
pub const BY_EXPIRY: Index<RestockSubscription> =
    Index::on("restock_subscription.by_expiry", &["expires_at", "id"], |it, keys| {
        keys.add(&[&it.expires_at.to_string()]);
    });

/// All subscriptions of an e-mail address: an index on one field also answers filters on it.
pub const BY_EMAIL: Index<RestockSubscription> =
    Index::on("restock_subscription.by_email", &["email"], |it, keys| keys.add(&[&it.email]));

/// All subscriptions of a variant, for the relation `product_variant.restock_subscriptions`.
pub const BY_VARIANT: Index<RestockSubscription> =
    Index::counted("restock_subscription.by_variant", &["variant_id"], |it, keys| {
        keys.add(&[&it.variant_id])
    });

/// All subscriptions of a customer, for the relation `customer.restock_subscriptions`.
pub const BY_CUSTOMER: Index<RestockSubscription> =
    Index::on("restock_subscription.by_customer", &["customer_id"], |it, keys| {
        keys.add_some(it.customer_id.as_deref());
    });

/// The service of subscriptions. The flows of this crate write them.
///
/// A storefront sees one if it knows its id, with a key of its channel, as it does a cart; only the customer
/// has a list of them.
pub static RESTOCK_SUBSCRIPTIONS: Service<RestockSubscription> = Service::new(&[
    ONE_PER_SHOPPER, WAITING_BY_VARIANT, WAITING_BY_CUSTOMER, WAITING_BY_CHANNEL, WAITING_BY_CHECK,
    BY_EXPIRY, BY_EMAIL, BY_VARIANT, BY_CUSTOMER,
])
.visible(Visibility::ById { channel: "sales_channel_id", customer: "customer_id" });

module! { Module {
    name: "restock",
    summary: "Shoppers who wait for sold-out variants",
    services: &[&RESTOCK_SUBSCRIPTIONS],
    // Version 1 kept a record of each mail; `told_at` says what they did.
    dropped: &[dropped!("restock_notice", "restock_notice.by_email")],
    is_optional: true,
    ..Module::EMPTY
} }
