//! What scenarios need to know of a data set that is served: keys, ids, and the login of the admin.

use std::{cell::RefCell, net::SocketAddr};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use hyper::{
    Method,
    header::{COOKIE, SET_COOKIE},
};
use serde_json::{Value, json};

use crate::{client::Client, generate_catalogue::COMMON_CATEGORY, server::ADMIN};

/// Products that requests for single ones take in turn.
const N_SAMPLES: usize = 200;
/// Records of a page when a cursor is moved.
const CURSOR_PAGE: usize = 1_000;

/// A served data set.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    token: String,
    /// The cookie of a session of the admin.
    session: String,
    /// A publishable key of the first channel.
    pub(crate) one: String,
    /// One of five channels.
    pub(crate) five: String,
    pub(crate) region: String,
    /// The first channel.
    pub(crate) channel: String,
    pub(crate) category: String,
    /// Products of the first channel, each with a variant.
    pub(crate) products: Vec<(String, String)>,
    /// How many products the first channel has.
    pub(crate) n_products: usize,
    /// Carts with a payment session, ready to be completed.
    pub(crate) ready: RefCell<Vec<String>>,
}

/// The text of a field that must be there.
pub(crate) fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("no text in an answer, but {value}"))
}

fn first<'a>(answer: &'a Value, list: &str) -> anyhow::Result<&'a Value> {
    answer[list].get(0).with_context(|| format!("the data set has no {list}"))
}

impl World {
    /// Logs in, and looks up what there is; creates the keys of the storefronts, if this is the first time.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<World> {
        let credentials = json!({ "email": ADMIN.0, "password": ADMIN.1 });
        let login = Client::new(address).post("/auth/user/emailpass", &credentials).await?;
        let token = text(&login["token"])?;
        let mut admin = Client::new(address).with_token(&token);
        let session = session(&mut admin).await?;
        let mut get = async |path: &str| admin.get(path).await?.json().with_context(|| path.to_owned());
        let mut channels = Vec::new();
        for n in 0..5 {
            let found = get(&format!("/admin/sales-channels?name=Channel%20{n}&fields=id")).await?;
            if let Some(channel) = found["sales_channels"].get(0) {
                channels.push(text(&channel["id"])?);
            }
        }
        let channel = channels.first().context("the data set has no channel")?.clone();
        let regions = get("/admin/regions?limit=1&fields=id").await?;
        let region = text(&first(&regions, "regions")?["id"])?;
        let categories =
            get(&format!("/admin/product-categories?handle={COMMON_CATEGORY}&fields=id")).await?;
        let category = text(&first(&categories, "product_categories")?["id"])?;
        let one = key(&mut admin, "one", &channels[..1]).await?;
        let five = key(&mut admin, "five", &channels).await?;
        let mut storefront = Client::new(address).with_key(&one);
        let sample = format!("/store/products?limit={N_SAMPLES}&fields=id,variants.id");
        let sample = storefront.get(&sample).await?.json()?;
        let mut products = Vec::new();
        for product in sample["products"].as_array().into_iter().flatten() {
            products.push((text(&product["id"])?, text(&first(product, "variants")?["id"])?));
        }
        ensure!(!products.is_empty(), "the first channel shows no products");
        let n_products = sample["count"].as_u64().context("a list has no count")? as usize;
        let ready = RefCell::default();
        Ok(World {
            address,
            token,
            session,
            one,
            five,
            region,
            channel,
            category,
            products,
            n_products,
            ready,
        })
    }

    /// A client with the login of the admin.
    pub(crate) fn admin(&self) -> Client {
        Client::new(self.address).with_token(&self.token)
    }

    /// A client with a session of the admin, as a browser has it.
    pub(crate) fn person(&self) -> Client {
        Client::new(self.address).with(COOKIE, &self.session)
    }

    /// A client with the key of the first channel.
    pub(crate) fn storefront(&self) -> Client {
        Client::new(self.address).with_key(&self.one)
    }

    /// How many records a list of the admin has.
    pub(crate) async fn count(&self, path: &str) -> anyhow::Result<usize> {
        let answer = self.admin().get(&format!("{path}?limit=1&fields=id")).await?.json()?;
        Ok(answer["count"].as_u64().context("a list has no count")? as usize)
    }

    /// The cursor behind nine tenths of the products of the first channel; none where lists have no cursors.
    pub(crate) async fn deep_cursor(&self) -> anyhow::Result<Option<String>> {
        let (mut storefront, mut cursor, mut n_passed) = (self.storefront(), String::new(), 0);
        let page = CURSOR_PAGE.min(self.n_products.div_ceil(10));
        while n_passed < self.n_products * 9 / 10 {
            let path = format!("/store/products?limit={page}&fields=id&cursor={cursor}");
            let answer = storefront.get(&path).await?;
            if answer.status == 400 && cursor.is_empty() {
                return Ok(None);
            }
            match answer.json()?["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return Ok(None),
            }
            n_passed += page;
        }
        Ok(Some(cursor))
    }
}

/// The cookie of a new session.
async fn session(admin: &mut Client) -> anyhow::Result<String> {
    let answer = admin.send(Method::POST, "/auth/session", Bytes::new()).await?;
    answer.json()?;
    let cookie = answer.headers.get(SET_COOKIE).context("a session has no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// The token of the key with this title; it is created for these channels, if there is none.
async fn key(admin: &mut Client, title: &str, channels: &[String]) -> anyhow::Result<String> {
    let found = admin.get("/admin/api-keys?type=publishable&limit=100").await?.json()?;
    let mut keys = found["api_keys"].as_array().into_iter().flatten();
    if let Some(key) = keys.find(|it| it["title"] == title) {
        return text(&key["token"]);
    }
    let key = json!({ "title": title, "type": "publishable" });
    let key = &admin.post("/admin/api-keys", &key).await?["api_key"];
    let path = format!("/admin/api-keys/{}/sales-channels", text(&key["id"])?);
    admin.post(&path, &json!({ "add": channels })).await?;
    text(&key["token"])
}
