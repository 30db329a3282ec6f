//! Scenarios: how each flow is run, over the same prepared shop.

use std::pin::Pin;

use atoll_api_key::{ApiKeyKind, NewToken};
use atoll_auth::PasswordHash;
use atoll_flows::api_key::{CREATE_API_KEYS, NewKey};
use atoll_flows::cart::{
    DELETE_EXPIRED_CARTS, DeleteExpired, ProviderAnswers, RECORD_PROVIDER_ANSWERS, REFRESH_CART_ITEMS,
    expired_carts,
};
use atoll_flows::order::{
    ACCEPT_ORDER_TRANSFER, AnswerTransfer, DECLINE_ORDER_TRANSFER, REQUEST_ORDER_TRANSFER, RequestTransfer,
};
use atoll_flows::user::{CREATE_INVITES, CREATE_USERS, NewInvite, NewUser, REFRESH_INVITES};
use atoll_kernel::{Actor, Ctx, Metadata, Registry, Timestamp, data::Store, http::Unsigned};
use atoll_storage::engines::Memory;
use atoll_testkit::{Client, Shipping, Shop, TestApp, Variant, pay_with};
use serde_json::{Value, json};

use crate::{
    bank,
    carrier::option_by_carrier,
    sagas::{CARELESS, TRIP, Trip},
    undoing::{Op, SCRIPT},
    world,
};

type Done = Pin<Box<dyn Future<Output = bool> + Send>>;

/// A flow that can be run on any copy of a prepared store.
pub(crate) struct Scenario {
    pub(crate) flow: &'static str,
    pub(crate) disk: Memory,
    /// Runs the flow. Returns whether it succeeded.
    pub(crate) run: Box<dyn Fn(&TestApp) -> Done>,
    /// The cart to be paid.
    pub(crate) cart: Option<String>,
    /// The external service.
    pub(crate) test: Option<String>,
}

/// A request and its client.
type Request = (Client, &'static str, String, Value);

/// Ids of the records in the shop.
struct Scene {
    shop: Shop,
    web: String,
    app: String,
    tea: Variant,
    cup: Variant,
    storefront: Client,
    cart: String,
    line: String,
    /// A location without stock.
    empty: String,
    reservation: String,
    key: String,
}

/// The id of a record, in its envelope or without.
fn id(made: &Value) -> String {
    let record = match made.get("id") {
        Some(_) => made,
        None => made.as_object().and_then(|it| it.values().next()).unwrap_or(made),
    };
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {made}")).to_owned()
}

impl Scene {
    async fn open(disk: &Memory) -> Scene {
        let spaces = Registry::linked().expect("a registry").spaces();
        let store = Store::open(disk.clone(), &spaces).expect("a store");
        let shop = Shop::open(TestApp::over(store, None).await).await;
        bank::open_for(&shop).await;
        let (web, app) = (shop.channel("Web").await, shop.channel("App").await);
        let (tea, cup) = (shop.product("Tea", &[&web], 9).await, shop.product("Cup", &[&web, &app], 9).await);
        let storefront = shop.storefront(&[&web]).await;
        let cart = shop.cart(&storefront, &tea.id, 2).await;
        let line = storefront.get(&format!("/store/carts/{cart}")).await.ok();
        let line = id(&line["cart"]["items"][0]);
        let empty = id(&shop.admin.post("/admin/stock-locations", json!({ "name": "Empty" })).await.ok());
        let promise = json!({ "inventory_item_id": cup.item, "location_id": shop.location, "quantity": 1 });
        let reservation = id(&shop.admin.post("/admin/reservations", promise).await.ok());
        let key = json!({ "title": "New", "type": "publishable" });
        let key = id(&shop.admin.post("/admin/api-keys", key).await.ok());
        Scene { shop, web, app, tea, cup, storefront, cart, line, empty, reservation, key }
    }

    fn post(&self, path: String, body: Value) -> Option<Request> {
        Some((self.shop.admin.clone(), "POST", path, body))
    }

    fn delete(&self, path: String) -> Option<Request> {
        Some((self.shop.admin.clone(), "DELETE", path, Value::Null))
    }

    /// The scenario of this flow.
    async fn request(&self, flow: &str) -> Request {
        let sorting = self.sorting(flow).await;
        let shipping = self.shipping(flow).await;
        let promotions = self.promotions(flow).await;
        let found = self.channels(flow).or(sorting).or(self.stock(flow)).or(shipping).or(promotions);
        let found = match found {
            Some(found) => Some(found),
            None => match self.products(flow).await {
                Some(found) => Some(found),
                None => self.carts(flow).await,
            },
        };
        found.unwrap_or_else(|| panic!("no scenario for the flow `{flow}`"))
    }

    fn channels(&self, flow: &str) -> Option<Request> {
        let Scene { shop, web, app, tea, cup, key, empty, .. } = self;
        let channel = format!("/admin/sales-channels/{web}");
        let providers = json!(["pp_system_default"]);
        match flow {
            "create-sales-channels" => self.post("/admin/sales-channels".into(), json!({ "name": "New" })),
            "update-sales-channels" => self.post(channel, json!({ "name": "New" })),
            "delete-sales-channels" => self.delete(channel),
            "update-sales-channel-assortment" => {
                let body = json!({
                    "products": [{ "product_id": tea.product, "available_until": "2100-01-01" }],
                    "variants": [{ "variant_id": cup.id, "is_enabled": false }],
                    "stock_locations": [{ "stock_location_id": shop.location, "priority": 1, "safety_stock": 2 }],
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

    async fn products(&self, flow: &str) -> Option<Request> {
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
    async fn sorting(&self, flow: &str) -> Option<Request> {
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

    /// Promotions, their rules, and campaigns.
    async fn promotions(&self, flow: &str) -> Option<Request> {
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

    fn stock(&self, flow: &str) -> Option<Request> {
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

    async fn shipping(&self, flow: &str) -> Option<Request> {
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

    async fn carts(&self, flow: &str) -> Option<Request> {
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
            _ if flow.contains("-price-") => self.prices(flow).await,
            _ if flow.contains("-tax-") => self.taxes(flow).await,
            _ if flow.contains("invite") || flow.contains("user") => self.users(flow).await,
            _ => match self.customers(flow).await {
                Some(found) => Some(found),
                None => self.payments(flow).await,
            },
        }
    }

    async fn prices(&self, flow: &str) -> Option<Request> {
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

    async fn taxes(&self, flow: &str) -> Option<Request> {
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

    async fn users(&self, flow: &str) -> Option<Request> {
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

    async fn customers(&self, flow: &str) -> Option<Request> {
        let Scene { shop, storefront, .. } = self;
        let me = "/store/customers/me";
        if flow == "create-customer-account" {
            let newcomer = shop.newcomer(storefront, "ann@test.dev").await;
            return Some((newcomer, "POST", "/store/customers".into(), json!({ "email": "ann@test.dev" })));
        }
        if !flow.contains("-customer") {
            return None;
        }
        if let Some(found) = self.customers_of_admins(flow).await {
            return Some(found);
        }
        let customer = shop.customer(storefront, "ann@test.dev").await;
        let addresses = format!("{me}/addresses");
        let home = json!({ "city": "Bern", "is_default_shipping": true });
        customer.post(&addresses, home.clone()).await.ok();
        let one = customer.get(&addresses).await.ok()["addresses"][0].clone();
        let one = format!("{addresses}/{}", id(&one));
        let (method, path, body) = match flow {
            "update-customers" => ("POST", me.to_owned(), json!({ "first_name": "Ann" })),
            "create-customer-addresses" => ("POST", addresses, home),
            "update-customer-addresses" => ("POST", one, json!({ "city": "Basel" })),
            "delete-customer-addresses" => ("DELETE", one, Value::Null),
            _ => return None,
        };
        Some((customer, method, path, body))
    }

    async fn customers_of_admins(&self, flow: &str) -> Option<Request> {
        let Scene { shop, storefront, .. } = self;
        let (customers, groups) = ("/admin/customers", "/admin/customer-groups");
        let vip = json!({ "name": "VIP" });
        match flow {
            "create-customers" => return self.post(customers.into(), json!({ "email": "bob@test.dev" })),
            "create-customer-groups" => return self.post(groups.into(), vip),
            "delete-customers" => {
                let customer = shop.customer(storefront, "ann@test.dev").await;
                let home = json!({ "city": "Bern" });
                let me = customer.post("/store/customers/me/addresses", home).await.ok();
                return self.delete(format!("{customers}/{}", id(&me)));
            }
            _ => {}
        }
        if !flow.contains("customer-group") {
            return None;
        }
        let customer = id(&shop.admin.post(customers, json!({ "email": "bob@test.dev" })).await.ok());
        let group = id(&shop.admin.post(groups, vip).await.ok());
        let members = format!("{groups}/{group}/customers");
        match flow {
            "link-customers-to-customer-group" => self.post(members, json!({ "add": [customer] })),
            "link-customer-groups-to-customer" => {
                self.post(format!("{customers}/{customer}/customer-groups"), json!({ "add": [group] }))
            }
            "update-customer-groups" => self.post(format!("{groups}/{group}"), json!({ "name": "New" })),
            "delete-customer-groups" => {
                shop.admin.post(&members, json!({ "add": [customer] })).await.ok();
                self.delete(format!("{groups}/{group}"))
            }
            _ => None,
        }
    }

    /// Flows after a payment through the bank.
    async fn payments(&self, flow: &str) -> Option<Request> {
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
                self.post(format!("{payment}/refund"), json!({ "amount": 5 }))
            }
            _ => self.orders(flow, &order).await,
        }
    }

    /// A customer with an account.
    async fn account(&self) -> String {
        let customer = self.shop.customer(&self.storefront, "account@test.dev").await;
        id(&customer.get("/store/customers/me").await.ok())
    }

    /// A placed order, and the customer who wants it.
    async fn transfer(&self) -> RequestTransfer {
        pay_with(&self.storefront, &self.cart, "pp_bank").await;
        let path = format!("/store/carts/{}/complete", self.cart);
        let order = self.storefront.post(&path, json!({})).await.ok();
        let (order_id, customer_id) = (id(&order["order"]), self.account().await);
        RequestTransfer { order_id, customer_id, ..RequestTransfer::default() }
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
}

/// Prepares a store for a flow: the same shop for all, and the records that the flow needs.
pub(crate) async fn scenario(flow: &'static str) -> Scenario {
    let disk = Memory::default();
    let scene = Scene::open(&disk).await;
    let of = |run: Box<dyn Fn(&TestApp) -> Done>| Scenario {
        flow,
        disk: disk.clone(),
        run,
        cart: None,
        test: None,
    };
    match flow {
        "trip" => {
            let test = world::new_test();
            let (product, channels) = (scene.tea.product, vec![scene.web, scene.app]);
            let trip = Trip { test: test.clone(), product, channels, ..Trip::default() };
            let run = move |app: &TestApp| {
                let (ctx, trip) = (app.ctx.clone(), trip.clone());
                Box::pin(async move { ctx.start(&TRIP, Actor::System, Some("one"), trip).await.is_ok() })
                    as Done
            };
            Scenario { test: Some(test), ..of(Box::new(run)) }
        }
        "script" => {
            let (test, tea) = (world::new_test(), scene.tea.product);
            let title = |title: &str| Op::Title(tea.clone(), title.into());
            let part = Op::Part(vec![
                title("in the part"),
                Op::TitleUndoneBy(tea.clone(), "still".into()),
                Op::Call,
                Op::Refused,
            ]);
            let input = (test.clone(), vec![title("before"), part, Op::Call, title("after")]);
            let run = move |app: &TestApp| {
                let (ctx, input) = (app.ctx.clone(), input.clone());
                Box::pin(async move { ctx.start(&SCRIPT, Actor::System, Some("one"), input).await.is_ok() })
                    as Done
            };
            Scenario { test: Some(test), ..of(Box::new(run)) }
        }
        "careless" => of(Box::new(|app| {
            let (ctx, test) = (app.ctx.clone(), world::new_test());
            Box::pin(async move { ctx.start(&CARELESS, Actor::System, None, test).await.is_ok() })
        })),
        "refresh-cart-items" => {
            let variant = format!("/admin/products/{}/variants/{}", scene.tea.product, scene.tea.id);
            let dearer = json!({ "prices": [{ "currency_code": "eur", "amount": 11 }] });
            scene.shop.admin.post(&variant, dearer).await.ok();
            let cart = scene.cart.clone();
            of(Box::new(move |app| {
                let (ctx, cart) = (app.ctx.clone(), cart.clone());
                Box::pin(async move { ctx.run(&REFRESH_CART_ITEMS, Actor::System, cart).await.is_ok() })
            }))
        }
        "record-provider-answers" => {
            let cart_id = scene.cart.clone();
            let variant = format!("/admin/products/{}/variants/{}", scene.tea.product, scene.tea.id);
            let dearer = json!({ "prices": [{ "currency_code": "eur", "amount": 11 }] });
            scene.shop.admin.post(&variant, dearer).await.ok();
            of(Box::new(move |app| {
                let answers = ProviderAnswers { cart_id: cart_id.clone(), ..ProviderAnswers::default() };
                let ctx = app.ctx.clone();
                Box::pin(
                    async move { ctx.run(&RECORD_PROVIDER_ANSWERS, Actor::System, answers).await.is_ok() },
                )
            }))
        }
        "delete-expired-carts" => {
            pay_with(&scene.storefront, &scene.cart, "pp_bank").await;
            of(Box::new(|app| {
                let ctx = app.ctx.clone();
                Box::pin(async move {
                    let carts = expired_carts(&ctx.view(), "9", None).expect("a store");
                    let all = DeleteExpired { first_kept: "9".into(), carts };
                    ctx.run(&DELETE_EXPIRED_CARTS, Actor::System, all).await.is_ok()
                })
            }))
        }
        "create-users-workflow" => {
            let password = PasswordHash::new("supersecret").expect("a hash");
            let user = NewUser { email: "new@test.dev".into(), password };
            of(Box::new(move |app| {
                let (ctx, users) = (app.ctx.clone(), vec![user.clone()]);
                Box::pin(async move { ctx.run(&CREATE_USERS, Actor::System, users).await.is_ok() })
            }))
        }
        // The route makes a new token each time, so the writes would differ.
        "create-api-keys" => {
            let token = NewToken::random(ApiKeyKind::Publishable).expect("a token");
            let new = NewKey { title: "Another".into(), token };
            of(Box::new(move |app| {
                let (ctx, new) = (app.ctx.clone(), new.clone());
                Box::pin(async move { ctx.run(&CREATE_API_KEYS, Actor::System, new).await.is_ok() })
            }))
        }
        "request-order-transfer" | "accept-order-transfer" | "decline-order-transfer-request" => {
            let wanted = scene.transfer().await;
            let now = scene.shop.app.now();
            let token = Unsigned::new("order.transfer", &json!({}), now, 1_000_000).expect("a token");
            let ask = move |ctx: Ctx| {
                let input = (wanted.clone(), token.clone());
                async move { ctx.run(&REQUEST_ORDER_TRANSFER, Actor::System, input).await.map(|it| it.0) }
            };
            if flow == "request-order-transfer" {
                return of(Box::new(move |app| {
                    let asked = ask(app.ctx.clone());
                    Box::pin(async move { asked.await.is_ok() })
                }));
            }
            let order = ask(scene.shop.app.ctx.clone()).await.expect("a transfer");
            let token = scene.shop.app.mailed_tokens("order.transfer_requested").pop().expect("a token");
            let answer = AnswerTransfer { order_id: order.id.to_string(), token };
            let flow = if flow == "accept-order-transfer" {
                &ACCEPT_ORDER_TRANSFER
            } else {
                &DECLINE_ORDER_TRANSFER
            };
            of(Box::new(move |app| {
                let (ctx, answer) = (app.ctx.clone(), answer.clone());
                Box::pin(async move { ctx.run(flow, Actor::System, answer).await.is_ok() })
            }))
        }
        "create-invite-step" => of(Box::new(|app| {
            let email = "new@test.dev".to_owned();
            let new = NewInvite { email, metadata: Metadata::default(), token: a_token() };
            let ctx = app.ctx.clone();
            Box::pin(async move { ctx.run(&CREATE_INVITES, Actor::System, new).await.is_ok() })
        })),
        "refresh-invite-tokens-workflow" => {
            let invite = json!({ "email": "new@test.dev" });
            let invite = id(&scene.shop.admin.post("/admin/invites", invite).await.ok());
            of(Box::new(move |app| {
                let (ctx, again) = (app.ctx.clone(), (invite.clone(), a_token()));
                Box::pin(async move { ctx.run(&REFRESH_INVITES, Actor::System, again).await.is_ok() })
            }))
        }
        _ => {
            let (client, method, path, body) = scene.request(flow).await;
            let run = move |app: &TestApp| {
                let (client, path, body) = (client.on(app), path.clone(), body.clone());
                Box::pin(async move {
                    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
                    client.send(method, &path, body.into()).await.status.is_success()
                }) as Done
            };
            let is_paid = ["complete-cart", "create-orders"].contains(&flow);
            Scenario { cart: is_paid.then_some(scene.cart), ..of(Box::new(run)) }
        }
    }
}

/// Deterministic.
fn a_token() -> Unsigned {
    Unsigned::new("invite", &json!({}), Timestamp::default(), 60).expect("a token")
}
