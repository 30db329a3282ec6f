//! Shipping profiles, options and zones.

use atoll_testkit::Shipping;
use serde_json::{Value, json};

use super::{Request, Scene, id};

impl Scene {
    pub(super) async fn shipping(&self, flow: &str) -> Option<Request> {
        let Scene { shop, .. } = self;
        let location = format!("/admin/stock-locations/{}", shop.location);
        let manual = json!({ "add": ["manual_manual"] });
        let (profiles, types) =
            ("/admin/shipping-profiles".to_owned(), "/admin/shipping-option-types".to_owned());
        let profile = json!({ "name": "Heavy", "type": "heavy" });
        let kind = json!({ "label": "Fast", "code": "fast" });
        let make = async |path: &str, body: &Value| id(&shop.admin.post(path, body.clone()).await.ok());
        match flow {
            "create-shipping-profiles-workflow" => return self.post(profiles, profile),
            "update-shipping-profiles-workflow" => {
                let profile = make(&profiles, &profile).await;
                return self.post(format!("{profiles}/{profile}"), json!({ "name": "Bulky" }));
            }
            "delete-shipping-profile-workflow" => {
                return self.delete(format!("{profiles}/{}", make(&profiles, &profile).await));
            }
            "create-shipping-option-types" => return self.post(types, kind),
            "update-shipping-option-types" => {
                let kind = make(&types, &kind).await;
                return self.post(format!("{types}/{kind}"), json!({ "label": "Faster" }));
            }
            "delete-shipping-option-types" => {
                return self.delete(format!("{types}/{}", make(&types, &kind).await));
            }
            "link-fulfillment-providers-to-stock-location" => {
                return self.post(format!("{location}/fulfillment-providers"), manual);
            }
            "create-location-fulfillment-set" => {
                let set = json!({ "name": "Parcels", "type": "shipping" });
                return self.post(format!("{location}/fulfillment-sets"), set);
            }
            _ if !flow.contains("shipping-option")
                && !flow.contains("fulfillment-sets")
                && !flow.contains("service-zones") =>
            {
                return None;
            }
            _ => {}
        }
        let Shipping { set, zone, option } = shop.shipping(&["de"]).await;
        let (set, option) =
            (format!("/admin/fulfillment-sets/{set}"), format!("/admin/shipping-options/{option}"));
        let france = json!([{ "type": "country", "country_code": "fr" }]);
        let rule = json!({ "attribute": "is_return", "operator": "eq", "value": "false" });
        match flow {
            "delete-fulfillment-sets-workflow" => self.delete(set),
            "create-service-zones-workflow" => {
                self.post(format!("{set}/service-zones"), json!({ "name": "West", "geo_zones": france }))
            }
            "update-service-zones-workflow" => self
                .post(format!("{set}/service-zones/{zone}"), json!({ "name": "All", "geo_zones": france })),
            "delete-service-zones-workflow" => self.delete(format!("{set}/service-zones/{zone}")),
            "create-shipping-options-workflow" => {
                let profile = shop.default_profile().await;
                let body = json!({
                    "name": "Express", "service_zone_id": zone, "shipping_profile_id": profile,
                    "provider_id": "manual_manual", "price_type": "flat", "type": kind, "rules": [rule],
                    "prices": [{ "currency_code": "eur", "amount": 9 }, { "region_id": shop.region, "amount": 8 }],
                });
                self.post("/admin/shipping-options".into(), body)
            }
            "update-shipping-options-workflow" => {
                let prices = json!([{ "currency_code": "eur", "amount": 7 }]);
                self.post(option, json!({ "name": "Slow", "type": kind, "prices": prices, "rules": [rule] }))
            }
            "delete-shipping-options-workflow" => self.delete(option),
            "batch-shipping-option-rules-workflow" => {
                self.post(format!("{option}/rules/batch"), json!({ "create": [rule] }))
            }
            _ => None,
        }
    }
}
