//! A small shop for tests, created through the admin routes.

use serde_json::{Value, json};

use crate::{Answer, Client, TestApp};

/// An admin, one region, one location, and channels with a key each.
pub struct Shop {
    /// The application.
    pub app: TestApp,
    /// Its admin.
    pub admin: Client,
    /// The region, which pays in euros.
    pub region: String,
    /// The location, from which all channels sell.
    pub location: String,
}

/// A variant of a test.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its id.
    pub id: String,
    /// Its product.
    pub product: String,
    /// Its inventory item, of which it takes one; empty if its stock is not managed.
    pub item: String,
}

/// What ships from the location of a shop.
#[derive(Clone, Debug)]
pub struct Shipping {
    /// The fulfilment set of the location.
    pub set: String,
    /// Its service zone.
    pub zone: String,
    /// The shipping option of the zone, for goods of the default profile: 5 euros.
    pub option: String,
}

impl Shop {
    /// Opens a shop.
    pub async fn open(app: TestApp) -> Shop {
        let (app, admin) = app.with_admin().await;
        let region = json!({
            "name": "Europe", "currency_code": "eur", "countries": ["de", "fr"],
            "payment_providers": ["pp_system_default"],
        });
        let region = id(&admin.post("/admin/regions", region).await.ok()["region"]);
        let location = json!({ "name": "Warehouse" });
        let location = id(&admin.post("/admin/stock-locations", location).await.ok()["stock_location"]);
        Shop { app, admin, region, location }
    }

    /// Opens a shop in memory with one channel, `Web`: the shop, the id of the channel, and its storefront.
    pub async fn web() -> (Shop, String, Client) {
        let shop = Shop::open(TestApp::init().await).await;
        let web = shop.channel("Web").await;
        let storefront = shop.storefront(&[&web]).await;
        (shop, web, storefront)
    }

    /// Creates a channel that sells from the location; returns its id.
    pub async fn channel(&self, name: &str) -> String {
        let channel = self.admin.post("/admin/sales-channels", json!({ "name": name })).await.ok();
        let channel = id(&channel["sales_channel"]);
        let path = format!("/admin/stock-locations/{}/sales-channels", self.location);
        self.admin.post(&path, json!({ "add": [channel] })).await.ok();
        channel
    }

    /// Lets the location ship into these countries, by hand and for 5 euros.
    pub async fn shipping(&self, countries: &[&str]) -> Shipping {
        self.shipping_from(&self.location, countries).await
    }

    /// As `shipping`, from another location.
    pub async fn shipping_from(&self, location: &str, countries: &[&str]) -> Shipping {
        let of_location = format!("Parcels of {location}");
        let location = format!("/admin/stock-locations/{location}");
        let providers = format!("{location}/fulfillment-providers");
        self.admin.post(&providers, json!({ "add": ["manual_manual"] })).await.ok();
        let sets = format!("{location}/fulfillment-sets?fields=fulfillment_sets.id");
        let set = json!({ "name": of_location, "type": "shipping" });
        let set = self.admin.post(&sets, set).await.ok();
        let set = id(&set["stock_location"]["fulfillment_sets"][0]);
        let zones = format!("/admin/fulfillment-sets/{set}/service-zones");
        let country = |code: &&str| json!({ "type": "country", "country_code": code });
        let countries: Vec<Value> = countries.iter().map(country).collect();
        let zone = json!({ "name": format!("Zone of {set}"), "geo_zones": countries });
        let zone = self.admin.post(&zones, zone).await.ok();
        let zone = id(&zone["fulfillment_set"]["service_zones"][0]);
        let option = self.option(&zone, "Standard", &self.default_profile().await, json!({})).await;
        Shipping { set, zone, option }
    }

    /// The profile that every shop begins with.
    pub async fn default_profile(&self) -> String {
        let profiles = self.admin.get("/admin/shipping-profiles?type=default&fields=id").await.ok();
        id(&profiles["shipping_profiles"][0])
    }

    /// Creates a shipping profile for heavy goods; returns its id.
    pub async fn heavy_profile(&self) -> String {
        let heavy = json!({ "name": "Heavy", "type": "oversized" });
        id(&self.admin.post("/admin/shipping-profiles", heavy).await.ok()["shipping_profile"])
    }

    /// Gives a product a shipping profile.
    pub async fn ship_as(&self, product: &str, profile: &str) {
        let path = format!("/admin/products/{product}");
        self.admin.post(&path, json!({ "shipping_profile_id": profile })).await.ok();
    }

    /// Creates a manual shipping option for 5 euros in a zone, with these additional fields; returns its id.
    pub async fn option(&self, zone: &str, name: &str, profile: &str, fields: Value) -> String {
        let mut option = json!({
            "name": name, "service_zone_id": zone, "shipping_profile_id": profile,
            "provider_id": "manual_manual", "price_type": "flat", "type": { "label": name, "code": "test" },
            "prices": [{ "currency_code": "eur", "amount": 5 }],
        });
        if let (Value::Object(option), Value::Object(fields)) = (&mut option, fields) {
            option.extend(fields);
        }
        id(&self.admin.post("/admin/shipping-options", option).await.ok()["shipping_option"])
    }

    /// Creates a publishable key for these channels; returns its token.
    pub async fn key(&self, channels: &[&str]) -> String {
        let key = json!({ "title": "test", "type": "publishable" });
        let key = self.admin.post("/admin/api-keys", key).await.ok();
        let path = format!("/admin/api-keys/{}/sales-channels", id(&key["api_key"]));
        self.admin.post(&path, json!({ "add": channels })).await.ok();
        key["api_key"]["token"].as_str().expect("a token").to_owned()
    }

    /// A storefront with a key for these channels.
    pub async fn storefront(&self, channels: &[&str]) -> Client {
        self.app.storefront(&self.key(channels).await)
    }

    /// Creates a published product with one variant at 10 euros, and this stock at the location.
    pub async fn product(&self, title: &str, channels: &[&str], stock: u32) -> Variant {
        self.product_with(title, channels, stock, json!({})).await
    }

    /// As `product`, with these additional fields of the variant.
    pub async fn product_with(&self, title: &str, channels: &[&str], stock: u32, fields: Value) -> Variant {
        let mut variant = json!({
            "title": "One", "sku": title, "options": { "Size": "One" },
            "prices": [{ "currency_code": "eur", "amount": 10 }],
        });
        if let (Value::Object(variant), Value::Object(fields)) = (&mut variant, fields) {
            variant.extend(fields);
        }
        let channels: Vec<Value> = channels.iter().map(|id| json!({ "id": id })).collect();
        let product = json!({
            "title": title, "status": "published", "options": [{ "title": "Size", "values": ["One"] }],
            "variants": [variant], "sales_channels": channels,
        });
        let shown = "/admin/products?fields=id,variants.id,*variants.inventory";
        let product = &self.admin.post(shown, product).await.ok()["product"];
        let items = product["variants"][0]["inventory"].as_array().cloned().unwrap_or_default();
        let item = items.first().map(id).unwrap_or_default();
        if items.len() == 1 && stock > 0 {
            self.stock(&item, &self.location, stock).await;
        }
        Variant { id: id(&product["variants"][0]), product: id(product), item }
    }

    /// Creates the stock level of an item at a location.
    pub async fn stock(&self, item: &str, location: &str, stocked: u32) {
        let level = json!({ "location_id": location, "stocked_quantity": stocked });
        self.admin.post(&format!("/admin/inventory-items/{item}/location-levels"), level).await.ok();
    }

    /// Reserved and stocked quantity of an item over all locations: `3 of 10`.
    pub async fn reserved(&self, item: &str) -> String {
        let item = &self.admin.get(&format!("/admin/inventory-items/{item}")).await.ok()["inventory_item"];
        format!("{} of {}", item["reserved_quantity"], item["stocked_quantity"])
    }

    /// A client that registered with this address at this storefront, without an actor yet.
    pub async fn newcomer(&self, storefront: &Client, email: &str) -> Client {
        bearer(storefront, "/auth/customer/emailpass/register", email).await
    }

    /// A customer that registered with this address and logged in, at this storefront.
    pub async fn customer(&self, storefront: &Client, email: &str) -> Client {
        let newcomer = self.newcomer(storefront, email).await;
        newcomer.post("/store/customers", json!({ "email": email })).await.ok();
        bearer(storefront, "/auth/customer/emailpass", email).await
    }

    /// This client, logged in with this address and the password of all tests at this path.
    pub async fn log_in(&self, client: &Client, path: &str, email: &str) -> Client {
        bearer(client, path, email).await
    }

    /// Creates a cart with a quantity of a variant; returns its id.
    pub async fn cart(&self, storefront: &Client, variant: &str, quantity: u32) -> String {
        self.cart_of(storefront, json!([{ "variant_id": variant, "quantity": quantity }])).await
    }

    /// Creates a cart with these lines; returns its id.
    pub async fn cart_of(&self, storefront: &Client, items: Value) -> String {
        id(&storefront.post("/store/carts", json!({ "items": items })).await.ok()["cart"])
    }
}

/// Chooses manual payment for a cart.
pub async fn pay(storefront: &Client, cart: &str) {
    pay_with(storefront, cart, "pp_system_default").await;
}

/// Opens a payment session of this provider for a cart, and passes it the cart's id.
pub async fn pay_with(storefront: &Client, cart: &str, provider: &str) {
    let collection = storefront.post("/store/payment-collections", json!({ "cart_id": cart })).await.ok();
    let path =
        format!("/store/payment-collections/{}/payment-sessions", id(&collection["payment_collection"]));
    storefront.post(&path, json!({ "provider_id": provider, "data": { "cart_id": cart } })).await.ok();
}

/// Pays for a cart, and completes it.
pub async fn complete(storefront: &Client, cart: &str) -> Answer {
    pay(storefront, cart).await;
    storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await
}

/// The client, with the token that this path returns for an address and the password of all tests.
async fn bearer(client: &Client, path: &str, email: &str) -> Client {
    let token = client.post(path, json!({ "email": email, "password": "supersecret" })).await.ok();
    let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
    client.clone().with_header("authorization", &token)
}

/// All pages of the list at `path`, which has a query string, by their cursors.
///
/// # Panics
/// When a page is an error.
pub async fn pages(client: &Client, path: &str) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    let mut cursor = Some(String::new());
    while let Some(at) = cursor {
        let page = client.get(&format!("{path}&cursor={at}")).await.ok();
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        pages.push(page);
    }
    pages
}

/// The id of a record, as an answer shows it.
///
/// # Panics
/// Where it has none.
pub fn id(record: &Value) -> String {
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {record}")).to_owned()
}
