//! Hook points: where other crates join the flows of this extension, and what their hooks get.

use atoll_kernel::{flow::HookPoint, stored};
use serde::{Deserialize, Serialize};

use crate::RestockSubscription;

/// Before a shopper is subscribed; in `subscribe-to-restock`. A hook may refuse.
pub static VALIDATE: HookPoint<ToSubscribe> = HookPoint::new("validate");
/// A shopper was subscribed; in `subscribe-to-restock`.
pub static SUBSCRIBED: HookPoint<SubscriptionNow> = HookPoint::new("restockSubscribed");
/// A subscription was deleted on request; in `unsubscribe-from-restock`.
pub static UNSUBSCRIBED: HookPoint<SubscriptionNow> = HookPoint::new("restockUnsubscribed");
/// Shoppers are told; in `tell-restock`.
pub static AVAILABLE: HookPoint<SubscriptionsNow> = HookPoint::new("restockAvailable");
/// Subscriptions have expired, and were deleted; in `expire-restock-subscriptions`.
pub static EXPIRED: HookPoint<SubscriptionsNow> = HookPoint::new("restockExpired");

stored! {
    /// What a shopper asks for.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub struct ToSubscribe {
        /// The variant, by its id.
        pub variant_id: String,
        /// Where to; none for the address of the customer who is logged in.
        pub email: Option<String>,
    }
}

stored! {
    /// A subscription.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub struct SubscriptionNow {
        /// The subscription, as it is or was.
        pub restock_subscription: RestockSubscription,
    }
}

stored! {
    /// Several subscriptions.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub struct SubscriptionsNow {
        /// The subscriptions, as they are or were.
        pub restock_subscriptions: Vec<RestockSubscription>,
    }
}
