//! Products, what they are sorted by, and their prices.

use serde_json::json;

use super::{Request, Scene, id};

impl Scene {
    pub(super) async fn products(&self, flow: &str) -> Option<Request> {
        let Scene { shop, web, app, tea, .. } = self;
        let product = format!("/admin/products/{}", tea.product);
        let variant = format!("{product}/variants/{}", tea.id);
        let one = json!([{ "title": "Size", "values": ["One"] }]);
        match flow {
            "create-products" => {
                let body = json!({
                    "title": "New", "options": one, "sales_channels": [{ "id": web }],
                    "variants": [{
                        "title": "One", "options": { "Size": "One" },
                        "prices": [{ "currency_code": "eur", "amount": 1 }],
                    }],
                });
                self.post("/admin/products".into(), body)
            }
            "update-products" => {
                self.post(product, json!({ "title": "New", "sales_channels": [{ "id": app }] }))
            }
            "delete-products" => self.delete(product),
            "create-product-variants" => {
                let bare =
                    shop.admin.post("/admin/products", json!({ "title": "Cap", "options": one })).await;
                let path = format!("/admin/products/{}/variants", id(&bare.ok()));
                self.post(path, json!({ "title": "One", "options": { "Size": "One" }, "prices": [] }))
            }
            "update-product-variants" => {
                let prices = json!([{ "currency_code": "eur", "amount": 11 }, { "currency_code": "usd", "amount": 12 }]);
                self.post(variant, json!({ "title": "New", "prices": prices }))
            }
            "delete-product-variants" => self.delete(variant),
            "batch-variant-images" => {
                let body = json!({ "images": [{ "url": "http://x/a.png" }, { "url": "http://x/b.png" }] });
                let pictured = shop.admin.post(&product, body).await.ok();
                let image = id(&pictured["product"]["images"][0]);
                self.post(format!("{variant}/images/batch"), json!({ "add": [image] }))
            }
            "link-inventory-items-to-variants" => self
                .post(format!("{variant}/inventory-items/{}", tea.item), json!({ "required_quantity": 2 })),
            "update-stores" => {
                let store = id(&shop.admin.get("/admin/stores").await.ok()["stores"][0]);
                self.post(format!("/admin/stores/{store}"), json!({ "name": "New" }))
            }
            "delete-api-keys" => {
                let key = format!("/admin/api-keys/{}", self.key);
                shop.admin.post(&format!("{key}/revoke"), json!({})).await.ok();
                self.delete(key)
            }
            "update-product-option-values" | "delete-product-option-values" => {
                let option = json!({ "title": "Cut", "values": ["slim"] });
                let option = shop.admin.post("/admin/product-options", option).await.ok();
                let value = id(&option["product_option"]["values"][0]);
                let value = format!("/admin/product-options/{}/values/{value}", id(&option));
                match flow {
                    "update-product-option-values" => self.post(value, json!({ "value": "wide" })),
                    _ => self.delete(value),
                }
            }
            "link-product-options-to-product" => {
                let body = json!({ "add": [{ "title": "Cut", "values": ["slim"] }] });
                self.post(format!("{product}/options/batch"), body)
            }
            _ => None,
        }
    }

    /// Categories, collections, tags, types and options.
    pub(super) async fn sorting(&self, flow: &str) -> Option<Request> {
        let (path, body) = match flow {
            _ if flow.ends_with("-product-tags") => ("/admin/product-tags", json!({ "value": "New" })),
            _ if flow.ends_with("-product-types") => ("/admin/product-types", json!({ "value": "New" })),
            _ if flow.ends_with("-product-options") => {
                ("/admin/product-options", json!({ "title": "New", "values": ["a", "b"] }))
            }
            _ if flow.ends_with("-product-categories") || flow.ends_with("-to-category") => {
                ("/admin/product-categories", json!({ "name": "New" }))
            }
            _ if flow.ends_with("-collections") || flow.ends_with("-to-collection") => {
                ("/admin/collections", json!({ "title": "New" }))
            }
            _ => return None,
        };
        if flow.starts_with("create-") {
            return self.post(path.into(), body);
        }
        let changed = json!({ "metadata": { "a": 1 } });
        let one = format!("{path}/{}", id(&self.shop.admin.post(path, body).await.ok()));
        match flow {
            _ if flow.starts_with("update-") => self.post(one, changed),
            _ if flow.starts_with("delete-") => self.delete(one),
            _ => self.post(format!("{one}/products"), json!({ "add": [self.tea.product] })),
        }
    }

    pub(super) async fn prices(&self, flow: &str) -> Option<Request> {
        if !flow.contains("-price-") {
            return None;
        }
        let Scene { shop, tea, cup, .. } = self;
        let (lists, preferences) = ("/admin/price-lists", "/admin/price-preferences");
        let price = |variant: &str, amount| json!({ "variant_id": variant, "currency_code": "eur", "amount": amount });
        let list = json!({
            "title": "Sale", "description": "All of it", "status": "active", "prices": [price(&tea.id, 7)],
        });
        let pounds = json!({ "attribute": "currency_code", "value": "gbp" });
        match flow {
            "create-price-lists" => return self.post(lists.into(), list),
            "create-price-preferences" => return self.post(preferences.into(), pounds),
            _ => {}
        }
        if flow.contains("preference") {
            let there = shop.admin.post(preferences, pounds).await.ok();
            let there = format!("{preferences}/{}", id(&there));
            return match flow {
                "update-price-preferences" => self.post(there, json!({ "is_tax_inclusive": true })),
                "delete-price-preferences" => self.delete(there),
                _ => None,
            };
        }
        let list = format!("{lists}/{}", id(&shop.admin.post(lists, list).await.ok()));
        let there = shop.admin.get(&format!("{list}/prices")).await.ok()["prices"][0]["id"].clone();
        match flow {
            "update-price-lists" => self.post(list, json!({ "ends_at": "2100-01-01" })),
            "delete-price-lists" => self.delete(list),
            "batch-price-list-prices" => {
                let body = json!({ "create": [price(&cup.id, 6)], "update": [{ "id": there, "amount": 8 }] });
                self.post(format!("{list}/prices/batch"), body)
            }
            "remove-price-list-products" => {
                self.post(format!("{list}/products"), json!({ "remove": [tea.product] }))
            }
            _ => None,
        }
    }
}
