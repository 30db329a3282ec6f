//! Channels, keys, locations, stock, regions, taxes and users.

use serde_json::json;

use super::{Request, Scene, id};

impl Scene {
    pub(super) fn channels(&self, flow: &str) -> Option<Request> {
        let Scene { shop, web, app, tea, cup, key, empty, .. } = self;
        let channel = format!("/admin/sales-channels/{web}");
        let providers = json!(["pp_system_default"]);
        match flow {
            "create-sales-channels" => self.post("/admin/sales-channels".into(), json!({ "name": "New" })),
            "update-sales-channels" => self.post(channel, json!({ "name": "New" })),
            "delete-sales-channels" => self.delete(channel),
            "update-sales-channel-assortment" => {
                let body = json!({
                    "products": [
                        { "product_id": tea.product, "available_until": "2100-01-01" },
                        { "product_id": cup.product, "is_in_channel": false },
                    ],
                    "variants": [{ "variant_id": cup.id, "is_enabled": false }],
                    "stock_locations": [{ "stock_location_id": shop.location, "priority": 1, "safety_stock": 2 }],
                    "inventory_items": [
                        { "inventory_item_id": tea.item, "stock_location_id": shop.location, "safety_stock": 1 },
                    ],
                });
                self.post(format!("{channel}/assortment"), body)
            }
            "link-products-to-sales-channel" => {
                let body = json!({ "add": [tea.product], "remove": [cup.product] });
                self.post(format!("/admin/sales-channels/{app}/products"), body)
            }
            "link-sales-channels-to-stock-location" => {
                let path = format!("/admin/stock-locations/{}/sales-channels", shop.location);
                self.post(path, json!({ "add": [web], "remove": [app] }))
            }
            "link-sales-channels-to-api-key" => {
                self.post(format!("/admin/api-keys/{key}/sales-channels"), json!({ "add": [web, app] }))
            }
            "update-api-keys" => self.post(format!("/admin/api-keys/{key}"), json!({ "title": "Named" })),
            "revoke-api-keys" => self.post(format!("/admin/api-keys/{key}/revoke"), json!({})),
            "create-stock-locations-workflow" => {
                let address = json!({ "address_1": "Pier 1", "country_code": "de" });
                self.post("/admin/stock-locations".into(), json!({ "name": "New", "address": address }))
            }
            "update-stock-locations-workflow" => {
                self.post(format!("/admin/stock-locations/{empty}"), json!({ "name": "Full" }))
            }
            "delete-stock-locations-workflow" => self.delete(format!("/admin/stock-locations/{empty}")),
            "create-regions" => {
                let body = json!({ "name": "Isle", "currency_code": "eur", "countries": ["gb"] });
                self.post("/admin/regions".into(), body)
            }
            "update-regions" => {
                let body = json!({ "name": "New", "countries": ["de"], "payment_providers": providers });
                self.post(format!("/admin/regions/{}", shop.region), body)
            }
            "delete-regions" => self.delete(format!("/admin/regions/{}", shop.region)),
            _ => None,
        }
    }

    pub(super) fn stock(&self, flow: &str) -> Option<Request> {
        let Scene { shop, tea, cup, empty, .. } = self;
        let reservation = format!("/admin/reservations/{}", self.reservation);
        let here = &shop.location;
        match flow {
            "create-inventory-items-workflow" => {
                let level = json!({ "location_id": here, "stocked_quantity": 4 });
                let body = json!({ "sku": "NEW", "location_levels": [level] });
                self.post("/admin/inventory-items".into(), body)
            }
            "update-inventory-items-workflow" => {
                self.post(format!("/admin/inventory-items/{}", tea.item), json!({ "title": "New" }))
            }
            "batch-inventory-item-levels" => {
                let body = json!({
                    "create": [{ "inventory_item_id": tea.item, "location_id": empty, "stocked_quantity": 4 }],
                    "update": [{ "inventory_item_id": cup.item, "location_id": here, "stocked_quantity": 5 }],
                });
                self.post("/admin/inventory-items/location-levels/batch".into(), body)
            }
            "transfer-inventory" => {
                let body = json!({ "from_location_id": here, "to_location_id": empty, "quantity": 1 });
                self.post(format!("/admin/inventory-items/{}/location-levels/transfer", cup.item), body)
            }
            "delete-inventory-item-workflow" => self.delete(format!("/admin/inventory-items/{}", tea.item)),
            "create-reservations-workflow" => {
                let body = json!({ "inventory_item_id": cup.item, "location_id": here, "quantity": 1 });
                self.post("/admin/reservations".into(), body)
            }
            "update-reservations-workflow" => self.post(reservation, json!({ "quantity": 3 })),
            "delete-reservations" => self.delete(reservation),
            _ => None,
        }
    }

    pub(super) async fn taxes(&self, flow: &str) -> Option<Request> {
        if !flow.contains("-tax-") {
            return None;
        }
        let (regions, rates) = ("/admin/tax-regions", "/admin/tax-rates");
        let default = json!({ "name": "VAT", "code": "vat", "rate": 19 });
        let region = json!({ "country_code": "de", "provider_id": "tp_system", "default_tax_rate": default });
        if flow == "create-tax-regions" {
            return self.post(regions.into(), region);
        }
        let region = id(&self.shop.admin.post(regions, region).await.ok());
        let rule = json!({ "reference": "product", "reference_id": self.tea.product });
        let rate =
            json!({ "name": "Food", "code": "food", "rate": 7, "tax_region_id": region, "rules": [rule] });
        if flow == "create-tax-rates" {
            return self.post(rates.into(), rate);
        }
        let made = self.shop.admin.post(rates, rate).await.ok();
        let rate = format!("{rates}/{}", id(&made));
        let other = json!({ "reference": "product", "reference_id": self.cup.product });
        match flow {
            "update-tax-regions" => {
                self.post(format!("{regions}/{region}"), json!({ "metadata": { "a": 1 } }))
            }
            "delete-tax-regions" => self.delete(format!("{regions}/{region}")),
            "update-tax-rates" => self.post(rate, json!({ "rate": 8, "rules": [other] })),
            "delete-tax-rates" => self.delete(rate),
            "create-tax-rate-rules" => self.post(format!("{rate}/rules"), other),
            "delete-tax-rate-rules" => {
                self.delete(format!("{rate}/rules/{}", id(&made["tax_rate"]["rules"][0])))
            }
            _ => None,
        }
    }

    pub(super) async fn users(&self, flow: &str) -> Option<Request> {
        if !flow.contains("invite") && !flow.contains("user") {
            return None;
        }
        let Scene { shop, storefront, .. } = self;
        let (users, invites) = ("/admin/users", "/admin/invites");
        if flow == "update-users-workflow" {
            let me = format!("{users}/{}", id(&shop.admin.get(&format!("{users}/me")).await.ok()));
            return self.post(me, json!({ "first_name": "Ann" }));
        }
        let invite = shop.admin.post(invites, json!({ "email": "new@test.dev" })).await.ok();
        let accept = async || {
            let token = invite["invite"]["token"].as_str().expect("a token");
            let newcomer = shop.newcomer(storefront, "new@test.dev").await;
            (newcomer, format!("{invites}/accept?token={token}"))
        };
        match flow {
            "delete-invites-workflow" => self.delete(format!("{invites}/{}", id(&invite))),
            "accept-invite-workflow" => {
                let (newcomer, path) = accept().await;
                Some((newcomer, "POST", path, json!({})))
            }
            "remove-user-account" => {
                let (newcomer, path) = accept().await;
                self.delete(format!("{users}/{}", id(&newcomer.post(&path, json!({})).await.ok())))
            }
            _ => None,
        }
    }
}
