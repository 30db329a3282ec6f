//! Payments and placed orders.

use atoll_flows::order::RequestTransfer;
use atoll_testkit::pay_with;
use serde_json::json;

use crate::carrier::option_by_carrier;

use super::{Request, Scene, id};

impl Scene {
    /// Flows after a payment through the bank.
    pub(super) async fn payments(&self, flow: &str) -> Option<Request> {
        let Scene { shop, storefront, cart, .. } = self;
        let ask = |path: &str, body| Some((storefront.clone(), "POST", path.to_owned(), body));
        let collections = "/store/payment-collections";
        let of_cart = json!({ "cart_id": cart });
        match flow {
            "create-payment-collection-for-cart" => return ask(collections, of_cart),
            "create-payment-sessions" => {
                let collection = id(&storefront.post(collections, of_cart).await.ok());
                let path = format!("{collections}/{collection}/payment-sessions");
                return ask(&path, json!({ "provider_id": "pp_bank", "data": { "cart_id": cart } }));
            }
            _ => {}
        }
        pay_with(storefront, cart, "pp_bank").await;
        let order = storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await.ok();
        let order = format!("/admin/orders/{}", id(&order["order"]));
        let payments = shop.admin.get("/admin/payments").await.ok();
        let payment = format!("/admin/payments/{}", id(&payments["payments"][0]));
        match flow {
            "capture-payment-workflow" => self.post(format!("{payment}/capture"), json!({})),
            "refund-payment-workflow" => {
                shop.admin.post(&format!("{payment}/capture"), json!({})).await.ok();
                let reason = self.refund_reason().await;
                self.post(format!("{payment}/refund"), json!({ "amount": 5, "refund_reason_id": reason }))
            }
            _ => self.orders(flow, &order).await,
        }
    }

    /// Flows on a placed order.
    async fn orders(&self, flow: &str, order: &str) -> Option<Request> {
        let Scene { shop, .. } = self;
        let line = id(&shop.admin.get(order).await.ok()["order"]["items"][0]);
        let mut one = json!({ "items": [{ "id": line, "quantity": 1 }] });
        if flow.contains("fulfillment") {
            // A provider outside of the process is asked.
            one["shipping_option_id"] = option_by_carrier(shop).await.into();
        }
        match flow {
            "cancel-order" => self.post(format!("{order}/cancel"), json!({})),
            "create-order-credit-lines" => {
                let credit = json!({ "amount": 5, "reference": "voucher", "reference_id": "v_1" });
                self.post(format!("{order}/credit-lines"), credit)
            }
            "update-order-workflow" => self.post(order.to_owned(), json!({ "email": "new@test.dev" })),
            "complete-order-workflow" => self.post(format!("{order}/complete"), json!({})),
            "cancel-order-transfer-request" => {
                let customer = json!({ "customer_id": self.account().await });
                shop.admin.post(&format!("{order}/transfer"), customer).await.ok();
                self.post(format!("{order}/transfer/cancel"), json!({}))
            }
            "transfer-order-to-guest" => {
                self.post(format!("{order}/transfer/guest"), json!({ "email": "new@test.dev" }))
            }
            "archive-order-workflow" => {
                shop.admin.post(&format!("{order}/complete"), json!({})).await.ok();
                self.post(format!("{order}/archive"), json!({}))
            }
            "create-order-fulfillment" => self.post(format!("{order}/fulfillments"), one),
            "cancel-order-fulfillment"
            | "create-order-shipment"
            | "mark-order-fulfillment-as-delivered-workflow" => {
                shop.admin.post(&format!("{order}/fulfillments"), one.clone()).await.ok();
                let shown = shop.admin.get(order).await.ok();
                let sent = id(&shown["order"]["fulfillments"][0]);
                let what = match flow {
                    "cancel-order-fulfillment" => "cancel",
                    "create-order-shipment" => "shipments",
                    _ => "mark-as-delivered",
                };
                let body = if what == "shipments" { json!({ "items": one["items"] }) } else { json!({}) };
                self.post(format!("{order}/fulfillments/{sent}/{what}"), body)
            }
            _ => None,
        }
    }

    /// A placed order, and the customer who wants it.
    pub(super) async fn transfer(&self) -> RequestTransfer {
        pay_with(&self.storefront, &self.cart, "pp_bank").await;
        let path = format!("/store/carts/{}/complete", self.cart);
        let order = self.storefront.post(&path, json!({})).await.ok();
        let (order_id, customer_id) = (id(&order["order"]), self.account().await);
        RequestTransfer { order_id, customer_id, ..RequestTransfer::default() }
    }

    /// A customer with an account.
    async fn account(&self) -> String {
        let customer = self.shop.customer(&self.storefront, "account@test.dev").await;
        id(&customer.get("/store/customers/me").await.ok())
    }
}
