//! Records: `entity!` with an enumeration (`words!`), hidden fields, and the history of its second version.

use std::time::Duration;

use atoll_kernel::{
    Decimal, Fault, Timestamp,
    data::Step,
    entity,
    serde_json::{Map, Value},
    words,
};

words! {
    /// What a storefront shows a shopper of a variant.
    pub enum RestockState {
        /// It can be bought.
        #[default]
        Available = "available",
        /// It cannot be bought: the shopper may subscribe.
        SoldOut = "sold_out",
        /// It cannot be bought, and the customer who is logged in waits for it.
        Subscribed = "subscribed",
    }
}

words! {
    /// State of a subscription.
    pub enum RestockStatus {
        /// The shopper waits for the variant.
        #[default]
        Waiting = "waiting",
        /// The shopper was told that it is available.
        Told = "told",
        /// The shopper has bought it.
        Bought = "bought",
    }
}

entity! {
    /// A shopper who wants to be told when a sold-out variant is available again in a sales channel.
    pub struct RestockSubscription = "restock_subscription" / "restock_subscriptions", "restock" {
        /// The variant, by its id.
        pub variant_id: String,
        /// The sales channel, by its id; null for the shop as a whole, where sales channels are switched off.
        pub sales_channel_id: Option<String>,
        /// The customer, by its id; null for a guest.
        pub customer_id: Option<String>,
        /// Where to, in lower case.
        pub email: String,
        /// How many are wanted: the shopper is told when so many can be bought.
        pub quantity: Decimal = Decimal::ONE,
        /// The language in which to tell the shopper, as the storefront names it: `de-CH`; null if it did
        /// not. New in version 2: a field with a default needs no step.
        pub locale: Option<String>,
        /// State of the subscription.
        pub status: RestockStatus,
        /// When the shopper was told; null before.
        pub told_at: Option<Timestamp>,
        /// When the subscription is deleted.
        pub expires_at: Timestamp,
        /// When the decision is asked again, if no event asks it before.
        pub check_at: Timestamp,
    }
    search [email]
    hidden [check_at]
    history [
        // Version 2: `amount` became `quantity`; `notified` became `status` and `told_at`; subscriptions
        // expire, and are checked at times.
        [
            Step::Renamed { from: "amount", to: "quantity" },
            Step::Changed(add_states),
            Step::Dropped("notified"),
        ],
    ]
}

impl RestockSubscription {
    /// Does the shopper wait to be told?
    pub fn is_waiting(&self) -> bool {
        self.status == RestockStatus::Waiting
    }

    /// The id of the channel in keys of indexes; empty for the shop as a whole.
    pub fn channel(&self) -> &str {
        self.sales_channel_id.as_deref().unwrap_or_default()
    }
}

/// Time after which subscriptions of version 1 expire: what the setting `days` says by default. A migration
/// depends on the stored records alone, and reads no settings.
const FIRST_EXPIRE_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Brings a record of version 1 to version 2. Stored times are numbers of milliseconds.
fn add_states(fields: &mut Map<String, Value>) -> Result<(), String> {
    let millis = |name: &str| fields.get(name).and_then(Value::as_i64);
    let (Some(created), Some(updated)) = (millis("created_at"), millis("updated_at")) else {
        return Err("it does not say when it was made and changed".into());
    };
    let was_told = fields.get("notified").and_then(Value::as_bool).unwrap_or_default();
    let status = if was_told { RestockStatus::Told } else { RestockStatus::Waiting };
    let expires = Timestamp::from_millis(created).plus(FIRST_EXPIRE_AFTER);
    fields.insert("status".into(), status.as_str().into());
    fields.insert("told_at".into(), if was_told { updated.into() } else { Value::Null });
    fields.insert("expires_at".into(), expires.millis().into());
    fields.insert("check_at".into(), created.into());
    Ok(())
}

/// 404, for routes that name a subscription.
pub(crate) fn unknown(id: &str) -> Fault {
    Fault::not_found(format!("Restock subscription with id: {id} was not found"))
}
