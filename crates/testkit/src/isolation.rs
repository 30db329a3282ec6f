//! The isolation matrix: every store route that is linked in, with every kind of key, asked in every way. A
//! route that neither the table below nor a [`Subject`] of its module knows is an uncovered cell, and there
//! must be none. A module's own tests call these functions, too.

use std::collections::{BTreeMap, BTreeSet};

use atoll_kernel::{
    Registry,
    http::{Auth, Method, ParamKind, Route},
    storefront::Subject,
};
use serde_json::{Value, json};

use crate::{Client, Dump, Shipping, Shop, TestApp, Variant, complete, id, pay};

/// A shop of two channels. Names of records of the web shop begin with `Web`, those of the till with `Till`.
struct Scene {
    shop: Shop,
    web: Side,
    till: Side,
    /// Groups of products that both channels share.
    collection: String,
    category: String,
    tag: String,
    option: String,
    kind: String,
}

/// The records of one channel.
struct Side {
    channel: String,
    storefront: Client,
    tea: Variant,
    cart: String,
    line: String,
    collection: String,
    order: String,
    /// A shipping option of a location that only this channel sells from; empty where nothing is shipped.
    option: String,
    /// What the modules' subjects have made, by their prefix.
    made: BTreeMap<&'static str, String>,
}

impl Side {
    /// The text of a subject, about this side.
    fn filled(&self, shop: &Shop, text: &str) -> String {
        [
            ("{channel}", &self.channel),
            ("{product}", &self.tea.product),
            ("{variant}", &self.tea.id),
            ("{cart}", &self.cart),
            ("{order}", &self.order),
            ("{region}", &shop.region),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    /// Makes the records of the modules' subjects.
    async fn make(mut self, shop: &Shop) -> Side {
        let routes = shop.app.ctx.routes();
        let is_served = |subject: &&Subject| {
            routes.iter().any(|it| Subject::of(it.path).is_some_and(|it| it.prefix == subject.prefix))
        };
        let subjects = Subject::all().filter(is_served);
        for (subject, made) in subjects.filter_map(|it| Some((it, it.made_by.as_ref()?))) {
            let client = if made.by_admin { &shop.admin } else { &self.storefront };
            let body = self.filled(shop, made.body);
            let body: Value = serde_json::from_str(&body).expect("the body of a subject is JSON");
            let answer = client.post(&self.filled(shop, made.path), body).await.ok();
            self.made.insert(subject.prefix, id(&answer[made.one]));
        }
        self
    }
}

async fn side(shop: &Shop, name: &str, sorting: &Value) -> Side {
    let channel = shop.channel(name).await;
    let storefront = shop.storefront(&[&channel]).await;
    let storefront = shop.customer(&storefront, &format!("{name}@test.dev")).await;
    let tea = shop.product(&format!("{name} tea"), &[&channel], 9).await;
    shop.admin.post(&format!("/admin/products/{}", tea.product), sorting.clone()).await.ok();
    let bought = shop.cart(&storefront, &tea.id, 1).await;
    let order = complete(&storefront, &bought).await.ok();
    let cart = shop.cart(&storefront, &tea.id, 1).await;
    pay(&storefront, &cart).await;
    let shown = storefront.get(&format!("/store/carts/{cart}")).await.ok();
    let (line, order) = (id(&shown["cart"]["items"][0]), id(&order["order"]));
    let collection = id(&shown["cart"]["payment_collection"]);
    let made = BTreeMap::new();
    let option = option(shop, name, &channel).await;
    Side { channel, storefront, tea, cart, line, collection, order, option, made }.make(shop).await
}

/// A shipping option of a location that only this channel sells from, and from where it ships everywhere.
async fn option(shop: &Shop, name: &str, channel: &str) -> String {
    if !shop.app.ctx.routes().iter().any(|it| it.path == CALCULATE) {
        return String::new();
    }
    let location = json!({ "name": format!("{name} depot") });
    let location = id(&shop.admin.post("/admin/stock-locations", location).await.ok()["stock_location"]);
    let channels = format!("/admin/stock-locations/{location}/sales-channels");
    shop.admin.post(&channels, json!({ "add": [channel] })).await.ok();
    let Shipping { zone, .. } = shop.shipping_from(&location, &["de", "fr"]).await;
    shop.option(&zone, &format!("{name} tea by post"), &shop.default_profile().await, json!({})).await
}

/// The route that the module of shipping has.
const CALCULATE: &str = "/store/shipping-options/:id/calculate";

impl Scene {
    async fn new() -> Scene {
        let shop = Shop::open(TestApp::init().await).await;
        let make =
            async |path: &str, body: Value, one: &str| id(&shop.admin.post(path, body).await.ok()[one]);
        let collection = make("/admin/collections", json!({ "title": "All" }), "collection").await;
        let category = json!({ "name": "All", "is_active": true });
        let category = make("/admin/product-categories", category, "product_category").await;
        let tag = make("/admin/product-tags", json!({ "value": "all" }), "product_tag").await;
        let kind = make("/admin/product-types", json!({ "value": "all" }), "product_type").await;
        let sorting = json!({
            "collection_id": collection, "type_id": kind, "tags": [{ "id": tag }], "categories": [{ "id": category }],
        });
        let (web, till) = (side(&shop, "Web", &sorting).await, side(&shop, "Till", &sorting).await);
        let option = json!({ "title": "Colour", "values": ["red"] });
        let option = make("/admin/product-options", option, "product_option").await;
        Scene { shop, web, till, collection, category, tag, option, kind }
    }

    /// The path with the ids of a channel's records; `None` if the table does not know the route.
    fn path(&self, route: &Route, side: &Side) -> Option<String> {
        let path = route.path;
        let of_id = match path.split('/').nth(2).unwrap_or_default() {
            "products" => &side.tea.product,
            "product-variants" => &side.tea.id,
            "carts" => &side.cart,
            "orders" => &side.order,
            "collections" => &self.collection,
            "product-categories" => &self.category,
            "product-tags" => &self.tag,
            "product-options" => &self.option,
            "product-types" => &self.kind,
            "regions" => &self.shop.region,
            "currencies" => "eur",
            "payment-providers" => "",
            "payment-collections" => &side.collection,
            "customers" => "cus_x",
            "shipping-options" => &side.option,
            _ => side.made.get(Subject::of(path)?.prefix).map_or("", String::as_str),
        };
        let filled = path.split('/').map(|it| match it {
            ":id" | ":code" => of_id,
            ":line_id" => &side.line,
            ":product_id" => &side.tea.product,
            ":variant_id" => &side.tea.id,
            ":cart_id" => &side.cart,
            ":order_id" => &side.order,
            it if it.starts_with(':') => "x",
            it => it,
        });
        Some(filled.collect::<Vec<_>>().join("/"))
    }

    /// A valid body for the route, with ids of this channel.
    fn body(&self, route: &Route, side: &Side) -> Value {
        let line = json!({ "variant_id": side.tea.id, "quantity": 1 });
        let of_module = Subject::of(route.path)
            .and_then(|it| it.bodies.iter().find(|(path, _)| *path == route.path))
            .map(|(_, body)| side.filled(&self.shop, body));
        if let Some(body) = of_module {
            return serde_json::from_str(&body).expect("the body of a subject is JSON");
        }
        match route.path {
            CALCULATE => json!({ "cart_id": side.cart }),
            "/store/carts" => json!({ "sales_channel_id": side.channel, "items": [line] }),
            "/store/carts/:id/line-items" => line,
            "/store/carts/:id/line-items/:line_id" => json!({ "quantity": 2 }),
            "/store/carts/:id/shipping-methods" => json!({ "option_id": side.option }),
            "/store/carts/:id/promotions" => json!({ "promo_codes": [] }),
            "/store/carts/:id" => json!({ "email": "a@b.co" }),
            "/store/payment-collections" => json!({ "cart_id": side.cart }),
            "/store/payment-collections/:id/payment-sessions" => {
                json!({ "provider_id": "pp_system_default" })
            }
            "/store/customers" => json!({ "email": "c@b.co" }),
            "/store/orders/:id/transfer/accept" | "/store/orders/:id/transfer/decline" => {
                json!({ "token": "x" })
            }
            _ => json!({}),
        }
    }

    /// Every query of a route that reads: plain, with each filter, searched, sorted, counted, and with all
    /// relations.
    fn questions(&self, route: &Route, side: &Side) -> Vec<String> {
        let wide = format!("fields={}", nested(3).into_iter().collect::<Vec<_>>().join(","));
        let mut all = vec![String::new(), wide, "sales_channel_id[]=".to_owned() + &side.channel];
        if route.params.limit.is_some() {
            all.extend(["limit=1&offset=0", "order=-created_at", "order=id", "q=tea"].map(str::to_owned));
        }
        let value = &side.tea.product;
        let (name, handle) = if side.channel == self.web.channel { ("Web", "web") } else { ("Till", "till") };
        for param in route.params.own {
            let filter = param.name;
            all.push(match (filter, &param.kind) {
                ("id", _) => format!("id={value}"),
                ("handle", _) => format!("handle={handle}-tea"),
                ("title", _) => format!("title={name}%20tea"),
                ("collection_id", _) => format!("collection_id={}", self.collection),
                ("category_id", _) => format!("category_id={}", self.category),
                ("tag_id", _) => format!("tag_id={}", self.tag),
                ("type_id", _) => format!("type_id={}", self.kind),
                ("region_id", _) => format!("region_id={}", self.shop.region),
                ("cart_id", _) => format!("cart_id={}", side.cart),
                ("variants", ParamKind::Nested(_)) => format!("variants[id]={}", side.tea.id),
                (_, ParamKind::Date) => format!("{filter}[$gt]=2000-01-01"),
                (_, ParamKind::Bool) => format!("{filter}=false"),
                _ => format!("{filter}={value}"),
            });
        }
        all
    }
}

/// All relations, one after the other, as a curious client might select them.
fn nested(depth: usize) -> BTreeSet<String> {
    let graph = Registry::graph();
    let names: BTreeSet<&str> =
        graph.entities().into_iter().flat_map(|it| graph.relations(it.name)).map(|it| it.name).collect();
    let interesting: Vec<&str> = [
        "products", "product", "variants", "variant", "items", "carts", "orders", "sales_channels",
        "sales_channel", "products_link",
    ]
    .into_iter()
    .filter(|it| names.contains(it))
    .collect();
    let mut paths: Vec<String> = vec![String::new()];
    let mut all: BTreeSet<String> = names.iter().map(|it| format!("+*{it}")).collect();
    for _ in 0..depth {
        paths = paths
            .iter()
            .flat_map(|path| {
                interesting
                    .iter()
                    .map(move |it| if path.is_empty() { (*it).to_owned() } else { format!("{path}.{it}") })
            })
            .collect();
        all.extend(paths.iter().map(|it| format!("+*{it}")));
    }
    all
}

/// Does an answer show names or ids of a channel?
fn tells_of(answer: &Value, side: &Side, name: &str) -> bool {
    let text = answer.to_string();
    let marks = [
        format!("{name} tea"),
        side.tea.product.clone(),
        side.tea.id.clone(),
        side.channel.clone(),
        side.order.clone(),
        side.option.clone(),
    ];
    marks.iter().filter(|it| !it.is_empty()).chain(side.made.values()).any(|it| text.contains(it.as_str()))
}

fn store_routes(shop: &Shop) -> Vec<&'static Route> {
    shop.app
        .ctx
        .routes()
        .into_iter()
        .filter(|it| it.auth.is_store() && it.auth != Auth::NewCustomer)
        .collect()
}

/// The answer without the ids and names of its request.
async fn ask(client: &Client, path: &str, question: &str) -> Value {
    let answer = client.get(&format!("{path}?{question}")).await;
    assert!(answer.status.as_u16() < 500, "{path}?{question}: {}", answer.json);
    // An error may repeat the request, and reveals nothing by that.
    if answer.status.is_success() { answer.json } else { Value::Null }
}

/// No store route shows records of other channels.
///
/// # Panics
/// With what leaks, and with the routes that nobody has described.
pub async fn reads() {
    let scene = Scene::new().await;
    let (web, till) = (&scene.web, &scene.till);
    let both = scene.shop.storefront(&[&web.channel, &till.channel]).await;
    let none = scene.shop.storefront(&[]).await;
    let (mut uncovered, mut leaks, mut shown) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut n_cells = 0;
    for route in store_routes(&scene.shop).into_iter().filter(|it| it.method == Method::Get) {
        let (Some(own), Some(other)) = (scene.path(route, web), scene.path(route, till)) else {
            uncovered.push(route.path);
            continue;
        };
        for question in scene.questions(route, web) {
            // Keys of the channel see it, and no other.
            for (client, has_till) in [(&web.storefront, false), (&both, true)] {
                let answer = ask(client, &own, &question).await;
                if tells_of(&answer, web, "Web") {
                    shown.insert(route.path);
                }
                if !has_till && tells_of(&answer, till, "Till") {
                    leaks.push(format!("own key: {own}?{question}"));
                }
            }
            for (what, client) in [("no channels", &none), ("other key", &till.storefront)] {
                if tells_of(&ask(client, &own, &question).await, web, "Web") {
                    leaks.push(format!("{what}: {own}?{question}"));
                }
            }
            n_cells += 4;
        }
        // Filters by ids of the other channel.
        for question in scene.questions(route, till) {
            if tells_of(&ask(&web.storefront, &other, &question).await, till, "Till") {
                leaks.push(format!("foreign ids: {other}?{question}"));
            }
            n_cells += 1;
        }
    }
    assert_eq!(uncovered, [""; 0], "the table of subjects does not know these routes");
    assert_eq!(leaks, [""; 0], "of {n_cells} cells");
    let core = ["/store/products", "/store/products/:id", "/store/carts/:id", "/store/orders/:id"];
    let of_modules = store_routes(&scene.shop).into_iter().filter(|it| {
        let subject = Subject::of(it.path).filter(|it| it.made_by.is_some());
        it.method == Method::Get && subject.is_some()
    });
    let shipping = scene.shop.app.ctx.routes().iter().any(|it| it.path == CALCULATE);
    let shipping = shipping.then_some("/store/shipping-options");
    for path in of_modules.map(|it| it.path).chain(core).chain(shipping) {
        assert!(shown.contains(path), "{path} shows nothing at all, so it proves nothing");
    }
}

/// Disabled or deleted channels and revoked keys show nothing.
///
/// # Panics
/// With what leaks.
pub async fn ends() {
    for end in ["disabled", "deleted", "revoked"] {
        let scene = Scene::new().await;
        let (web, admin) = (&scene.web, &scene.shop.admin);
        let key = scene.shop.key(&[&web.channel]).await;
        let client = scene.shop.app.storefront(&key);
        match end {
            "disabled" => {
                let path = format!("/admin/sales-channels/{}", web.channel);
                admin.post(&path, json!({ "is_disabled": true })).await.ok();
            }
            "deleted" => {
                admin.delete(&format!("/admin/sales-channels/{}", web.channel)).await.ok();
            }
            _ => {
                let keys = admin.get(&format!("/admin/api-keys?token={key}")).await.ok();
                let path = format!("/admin/api-keys/{}/revoke", id(&keys["api_keys"][0]));
                admin.post(&path, json!({})).await.ok();
            }
        }
        let mut leaks = Vec::new();
        for route in store_routes(&scene.shop).into_iter().filter(|it| it.method == Method::Get) {
            let Some(path) = scene.path(route, web) else { continue };
            // Carts of a disabled channel can still be read: the line as it was bought.
            let is_begun = path.contains("/carts/") || path.contains("/orders/");
            if end == "disabled" && is_begun {
                continue;
            }
            for question in scene.questions(route, web) {
                let answer = ask(&client, &path, &question).await;
                if tells_of(&answer, web, "Web") {
                    leaks.push(format!("{end}: {path}?{question}"));
                }
                if answer["count"].as_u64().is_some_and(|it| it > 0) && path == "/store/products" {
                    leaks.push(format!("{end}: {path}?{question} counts"));
                }
            }
        }
        assert_eq!(leaks, [""; 0]);
    }
}

/// No store route writes into other channels.
///
/// # Panics
/// With what is written, and with what is not refused.
pub async fn writes() {
    let scene = Scene::new().await;
    let (web, till) = (&scene.web, &scene.till);
    let none = scene.shop.storefront(&[]).await;
    let mut wrong = Vec::new();
    for route in store_routes(&scene.shop).into_iter().filter(|it| it.method != Method::Get) {
        let Some(path) = scene.path(route, web) else {
            wrong.push(format!("{} is not known", route.path));
            continue;
        };
        // Requests that concern no channel are allowed for all.
        if path.starts_with("/store/customers") {
            continue;
        }
        let before = Dump::after_undoing(&scene.shop.app.ctx);
        for (what, client) in [("other key", &till.storefront), ("no channels", &none)] {
            let body = if route.method == Method::Delete {
                String::new()
            } else {
                scene.body(route, web).to_string()
            };
            let method = route.method.to_string();
            let answer = client.send(&method, &path, axum::body::Body::from(body)).await;
            if !answer.status.is_client_error() {
                wrong.push(format!("{what}: {method} {path}: {} {}", answer.status, answer.json));
            }
        }
        // The caller's cart, and a variant or a shipping option of another channel.
        let foreign = match route.path {
            "/store/carts/:id/line-items" => scene.path(route, till).map(|it| (it, scene.body(route, web))),
            CALCULATE => Some((path.clone(), scene.body(route, till))),
            _ => None,
        };
        if let Some((path, body)) = foreign {
            let answer = till.storefront.post(&path, body).await;
            if !answer.status.is_client_error() {
                wrong.push(format!("foreign ids: {path}: {}", answer.json));
            }
        }
        let changed = before.difference(&Dump::after_undoing(&scene.shop.app.ctx));
        if !changed.is_empty() {
            wrong.push(format!("{path} wrote {changed:?}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}
