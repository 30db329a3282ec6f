//! Carts, and the promotions on them.

use atoll_testkit::pay_with;
use serde_json::{Value, json};

use super::{Request, Scene, id};

impl Scene {
    pub(super) async fn carts(&self, flow: &str) -> Option<Request> {
        let Scene { shop, cup, storefront, line, .. } = self;
        let cart = format!("/store/carts/{}", self.cart);
        let line = format!("{cart}/line-items/{line}");
        let more = json!({ "variant_id": cup.id, "quantity": 2 });
        let ask = |method, path, body| Some((storefront.clone(), method, path, body));
        match flow {
            "create-cart" => ask("POST", "/store/carts".into(), json!({ "items": [more] })),
            "add-to-cart" => ask("POST", format!("{cart}/line-items"), more),
            "update-line-item-in-cart" => ask("POST", line, json!({ "quantity": 3 })),
            "delete-line-items" => ask("DELETE", line, Value::Null),
            "update-cart" => {
                let region = json!({ "name": "Isle", "currency_code": "eur", "countries": ["gb"] });
                let region = id(&shop.admin.post("/admin/regions", region).await.ok());
                ask("POST", cart, json!({ "region_id": region, "email": "me@example.com" }))
            }
            "update-tax-lines" => {
                let address = json!({ "shipping_address": { "country_code": "de" } });
                storefront.post(&cart, address).await.ok();
                ask("POST", format!("{cart}/taxes"), json!({}))
            }
            "add-shipping-method-to-cart" => {
                let option = shop.shipping(&["de"]).await.option;
                ask("POST", format!("{cart}/shipping-methods"), json!({ "option_id": option }))
            }
            "update-cart-promotions" => {
                let method = json!({
                    "type": "percentage", "target_type": "order", "value": 10, "allocation": "across",
                });
                let code = json!({
                    "code": "CART10", "type": "standard", "status": "active", "application_method": method,
                });
                shop.admin.post("/admin/promotions", code).await.ok();
                ask("POST", format!("{cart}/promotions"), json!({ "promo_codes": ["CART10"] }))
            }
            "complete-cart" | "create-orders" => {
                pay_with(storefront, &self.cart, "pp_bank").await;
                ask("POST", format!("{cart}/complete"), json!({}))
            }
            "transfer-cart-customer" => {
                let customer = shop.customer(storefront, "ann@test.dev").await;
                Some((customer, "POST", format!("{cart}/customer"), json!({})))
            }
            _ => None,
        }
    }

    /// Promotions, their rules, and campaigns.
    pub(super) async fn promotions(&self, flow: &str) -> Option<Request> {
        if !flow.contains("promotion") && !flow.ends_with("-campaigns") {
            return None;
        }
        let admin = &self.shop.admin;
        let budget = json!({ "type": "spend", "currency_code": "eur", "limit": 9 });
        let campaign = json!({ "name": "New", "campaign_identifier": "new", "budget": budget });
        if flow == "create-campaigns" {
            return self.post("/admin/campaigns".into(), campaign);
        }
        let rule = json!({ "attribute": "sales_channel_id", "operator": "in", "values": [self.web] });
        let method =
            json!({ "type": "percentage", "value": 10, "target_type": "items", "allocation": "across" });
        let promotion = json!({
            "code": "TEN", "type": "standard", "application_method": method, "rules": [rule],
            "campaign": campaign,
        });
        if flow == "create-promotions" {
            return self.post("/admin/promotions".into(), promotion);
        }
        let made = admin.post("/admin/promotions", promotion).await.ok();
        let (promotion, campaign) = (id(&made), id(&made["promotion"]["campaign"]));
        let (of_promotion, of_campaign) =
            (format!("/admin/promotions/{promotion}"), format!("/admin/campaigns/{campaign}"));
        match flow {
            "update-promotions" => {
                self.post(of_promotion, json!({ "code": "TWELVE", "application_method": { "value": 12 } }))
            }
            "batch-promotion-rules-workflow" => {
                let old = &made["promotion"]["rules"][0]["id"];
                let new = json!({ "attribute": "email", "operator": "ne", "values": "a@b.co" });
                self.post(format!("{of_promotion}/rules/batch"), json!({ "create": [new], "delete": [old] }))
            }
            "delete-promotions" => self.delete(of_promotion),
            "update-campaigns" => {
                self.post(of_campaign, json!({ "name": "Old", "budget": { "limit": null } }))
            }
            "add-or-remove-campaign-promotions" => {
                self.post(format!("{of_campaign}/promotions"), json!({ "remove": [promotion] }))
            }
            "delete-campaigns" => self.delete(of_campaign),
            _ => None,
        }
    }
}
