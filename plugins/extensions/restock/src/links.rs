//! Links: relations through a field that holds the id of another module's record (`FieldLink`), and an
//! association that neither module stores (`Link`). They give the graph its relations in both directions.

use atoll_customer::CUSTOMER;
use atoll_kernel::{
    data::{End, FieldLink},
    link,
    query::OnDelete,
};
use atoll_order::ORDER;
use atoll_product::VARIANT;
use atoll_sales_channel::SALES_CHANNEL;

use crate::RESTOCK_SUBSCRIPTION;

link! {
    /// The variant of a subscription.
    pub static RESTOCK_SUBSCRIPTION_VARIANT: FieldLink = FieldLink {
        from: RESTOCK_SUBSCRIPTION,
        field: "variant_id",
        relation: "variant",
        many: false,
        to: VARIANT,
        back: Some("restock_subscriptions"),
        // A deleted variant is sold nowhere, so nobody is told of it unless it is restored.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}

link! {
    /// The sales channel of a subscription.
    pub static RESTOCK_SUBSCRIPTION_SALES_CHANNEL: FieldLink = FieldLink {
        from: RESTOCK_SUBSCRIPTION,
        field: "sales_channel_id",
        relation: "sales_channel",
        many: false,
        to: SALES_CHANNEL,
        back: None,
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}

link! {
    /// The customer of a subscription. Without the account it is that of a guest.
    pub static RESTOCK_SUBSCRIPTION_CUSTOMER: FieldLink = FieldLink {
        from: RESTOCK_SUBSCRIPTION,
        field: "customer_id",
        relation: "customer",
        many: false,
        to: CUSTOMER,
        back: Some("restock_subscriptions"),
        on_delete: OnDelete::Clear,
        reveals: false,
    };
}

link! {
    /// The order by which the shopper bought the variant after all.
    pub static RESTOCK_SUBSCRIPTION_ORDER: Link("restock_subscription_order", "rsuborder") = {
        left: End {
            entity: RESTOCK_SUBSCRIPTION,
            key: "restock_subscription_id",
            alias: "restock_subscription",
            others: Some("order"),
            rows: "order_link",
            many: false,
            cascade: false,
        },
        right: End {
            entity: ORDER,
            key: "order_id",
            alias: "order",
            others: Some("restock_subscriptions"),
            rows: "restock_subscriptions_link",
            many: true,
            cascade: false,
        },
    };
}
