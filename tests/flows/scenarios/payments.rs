//! Payments of orders by admins: collections of an order without a payment, and reasons of refunds.

use serde_json::json;

use super::{Request, Scene, id};

impl Scene {
    pub(super) async fn payments_of_admins(&self, flow: &str) -> Option<Request> {
        let admin = &self.shop.admin;
        let (reasons, collections) = ("/admin/refund-reasons", "/admin/payment-collections");
        let lost = json!({ "label": "Lost", "code": "lost" });
        match flow {
            "create-refund-reasons-workflow" => return self.post(reasons.into(), lost),
            "update-refund-reasons" => {
                return self.post(format!("{reasons}/{}", self.refund_reason().await), lost);
            }
            "delete-refund-reasons-workflow" => {
                return self.delete(format!("{reasons}/{}", self.refund_reason().await));
            }
            "create-order-payment-collection"
            | "delete-order-payment-collections"
            | "mark-payment-collection-as-paid" => {}
            _ => return None,
        }
        let line = json!({ "title": "Tea", "quantity": 2, "unit_price": 10 });
        let input = json!({ "input": { "currency_code": "eur", "items": [line] } });
        admin.post("/admin/workflows-executions/create-orders/run", input).await.ok();
        let order = id(&admin.get("/admin/orders").await.ok()["orders"][0]);
        let asked = json!({ "order_id": order, "amount": 15 });
        if flow == "create-order-payment-collection" {
            return self.post(collections.into(), asked);
        }
        let collection = format!("{collections}/{}", id(&admin.post(collections, asked).await.ok()));
        match flow {
            "delete-order-payment-collections" => self.delete(collection),
            _ => self.post(format!("{collection}/mark-as-paid"), json!({ "order_id": order })),
        }
    }

    /// A reason of refunds.
    pub(super) async fn refund_reason(&self) -> String {
        let reason = json!({ "label": "Late", "code": "late" });
        id(&self.shop.admin.post("/admin/refund-reasons", reason).await.ok())
    }
}
