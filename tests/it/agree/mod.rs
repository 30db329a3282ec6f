//! Lists, counts, single records, carts, orders and explanations agree on what is for sale, and at which
//! price, with and without taxes, to a guest and to a customer in a group (property test).
//!
//! Random pages of states are drawn. The expected answers are computed in `world`, independently of the code,
//! and all routes are asked at the edges of the windows, one millisecond before and one after.

mod checkout;
mod till;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};

use atoll_availability::{CHANNEL, GROUPS, Question, explain, price_context, sweep};
use atoll_kernel::{Actor, Moment, Timestamp, Write, limits::ANSWERS_BYTES_MAX};
use atoll_testkit::{Client, Setup, Shop, check_drawn, id, times};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::{Value, json};

use self::world::{Buyer, Completed, Ground, Made, N_STATES, Page, State, make, moments, page, reprice};

/// Number of states: few by default, 100,000 in CI, a million in `cargo xtask thorough`.
fn n_states() -> u32 {
    times("ATOLL_STATES", 2_000)
}

#[test]
fn lists_counts_carts_and_explanations_agree_on_what_is_for_sale() {
    let n_asked = AtomicUsize::new(0);
    // Pages are half full on average.
    let n_pages = n_states() * 2 / N_STATES as u32 + 1;
    // With remembered answers, and without.
    let memory = || prop::sample::select(vec![0, ANSWERS_BYTES_MAX]);
    check_drawn(
        n_pages,
        || (page(), memory()),
        async |(page, answers_bytes_max): (Page, usize)| {
            n_asked.fetch_add(page.states.len(), Ordering::Relaxed);
            let app = Setup::default().answers_bytes_max(answers_bytes_max).init().await;
            let shop = Shop::open(app).await;
            Asked::new(&shop, &page).await.agrees().await
        },
    );
    eprintln!("{} states", n_asked.into_inner());
}

/// A page in a store, and a storefront that sees it.
struct Asked<'a> {
    shop: &'a Shop,
    page: &'a Page,
    ground: Ground,
    storefront: Client,
    /// The same storefront, where the customer is logged in.
    member: Client,
    made: Vec<Made>,
    /// Time at which the page was created.
    begin: Timestamp,
}

impl<'a> Asked<'a> {
    async fn new(shop: &'a Shop, page: &'a Page) -> Asked<'a> {
        let channel = shop.admin.post("/admin/sales-channels", json!({ "name": "Web" })).await.ok();
        let channel = channel["sales_channel"]["id"].as_str().expect("an id").to_owned();
        let storefront = shop.storefront(&[&channel]).await;
        let member = shop.customer(&storefront, "ann@test.dev").await;
        let customer = id(&member.get("/store/customers/me").await.ok()["customer"]);
        let group = json!({ "name": "Friends" });
        let group = id(&shop.admin.post("/admin/customer-groups", group).await.ok()["customer_group"]);
        let path = format!("/admin/customer-groups/{group}/customers");
        shop.admin.post(&path, json!({ "add": [customer] })).await.ok();
        let taxes = page.taxes;
        for (value, is_inclusive) in [("eur", taxes.of_currency), (&shop.region, taxes.of_region)] {
            let path = "/admin/price-preferences";
            let found = shop.admin.get(&format!("{path}?value={value}")).await.ok();
            let path = format!("{path}/{}", id(&found["price_preferences"][0]));
            shop.admin.post(&path, json!({ "is_tax_inclusive": is_inclusive })).await.ok();
        }
        let begin = shop.app.now();
        let ground = Ground { channel, region: shop.region.clone(), member: customer, group };
        let (drawn, on) = (page.clone(), ground.clone());
        let put = move |tx: &mut dyn Write, at: &Moment| {
            let made = make(tx, at, &drawn, &on)?;
            if let Some(to) = drawn.swept {
                sweep(tx, &on.channel, at.now().plus_millis(to), usize::MAX)?;
            }
            Ok(made)
        };
        let (made, _) = shop.app.ctx.write(Actor::System, put).await.expect("a page");
        Asked { shop, page, ground, storefront, member, made, begin }
    }

    async fn agrees(&self) -> TestCaseResult {
        for at in moments() {
            let now = self.shop.app.now().millis() - self.begin.millis();
            self.shop.app.advance_ms(at - now);
            self.agrees_at(at).await?;
        }
        Ok(())
    }

    fn client(&self, buyer: Buyer) -> &Client {
        match buyer {
            Buyer::Guest => &self.storefront,
            Buyer::Member => &self.member,
        }
    }

    fn states(&self) -> impl Iterator<Item = (&State, &Made)> {
        self.page.states.iter().zip(&self.made)
    }

    /// Changes the prices that are due now.
    async fn reprice(&self, at: i64) {
        let repriced = self.states().filter(|(state, _)| state.repriced_at == at);
        let repriced: Vec<(State, Made)> =
            repriced.map(|(state, made)| (state.clone(), made.clone())).collect();
        let write = move |tx: &mut dyn Write, moment: &Moment| {
            repriced.iter().try_for_each(|(state, made)| reprice(tx, moment, state, made))
        };
        self.shop.app.ctx.write(Actor::System, write).await.expect("new prices");
    }

    async fn agrees_at(&self, at: i64) -> TestCaseResult {
        self.reprice(at).await;
        self.lists_agree(at).await?;
        for (state, made) in self.states() {
            if state.added_at == at {
                self.looks_agree(state, made, at).await?;
            }
        }
        // Last, since an order takes its stock.
        for (state, made) in self.states() {
            if state.completed_at == at {
                self.explanation_agrees(state, made, at, false)?;
                let completed =
                    [self.complete(state, made, at).await?, self.complete(state, made, at).await?];
                let expected = self.page.completes(state, at);
                prop_assert_eq!(completed, expected, "completed at {}: {:?}", at, state);
            }
        }
        Ok(())
    }

    /// The list, its count, and the variants in it with their quantities.
    async fn lists_agree(&self, at: i64) -> TestCaseResult {
        let path = "/store/products?limit=100&fields=id,variants.id,variants.inventory_quantity";
        let list = self.storefront.get(path).await.json;
        let mut expected: Vec<Value> = Vec::new();
        for (state, made) in self.states().filter(|(state, _)| self.page.lists(state, at)) {
            let variant = json!({ "id": made.variant, "inventory_quantity": self.page.available(state) });
            let shown = self.page.shows_variant(state, at).then_some(variant);
            expected.push(json!({ "id": made.product, "variants": shown.into_iter().collect::<Vec<_>>() }));
        }
        expected.sort_by_key(|it| it["id"].to_string());
        let mut products = list["products"].as_array().cloned().unwrap_or_default();
        // Less stock may be left, since units were sold.
        let is_sold =
            |id: &Value| self.states().any(|(it, made)| *id == *made.variant && it.completed_at < at);
        for product in products.iter_mut().chain(&mut expected) {
            for variant in product["variants"].as_array_mut().into_iter().flatten() {
                let quantity =
                    if is_sold(&variant["id"]) { &Value::Null } else { &variant["inventory_quantity"] };
                *variant = json!([variant["id"], quantity]);
            }
        }
        prop_assert_eq!(list["count"].as_u64().unwrap_or_default(), expected.len() as u64, "count at {}", at);
        prop_assert_eq!(products, expected, "list at {}", at);
        Ok(())
    }

    /// The explanation for admins: is it for sale, at a price if it must have one?
    fn explanation_agrees(
        &self,
        state: &State,
        made: &Made,
        at: i64,
        must_have_price: bool,
    ) -> TestCaseResult {
        let now = self.begin.plus_millis(at);
        let Ground { channel, region, group, .. } = &self.ground;
        let group = (state.buyer == Buyer::Member).then(|| group.clone());
        let price = must_have_price.then(|| {
            let context = price_context("eur", Some(region), None, now);
            context.with(CHANNEL, Some(channel)).with_all(GROUPS, group)
        });
        let question = Question {
            channel,
            variant: &made.variant,
            quantity: state.quantity.into(),
            at: now,
            price: price.as_ref(),
        };
        let answer = explain(&self.shop.app.ctx.view(), &question).expect("an explanation");
        let expected = match must_have_price {
            true => self.page.sells_at_a_price(state, at),
            false => self.page.sells(state, at),
        };
        let is_sellable = answer["sellable"] == true;
        prop_assert_eq!(is_sellable, expected, "explained at {}: {:?} {}", at, state, answer);
        prop_assert_eq!(is_sellable, answer["reasons"] == json!([]), "{}", answer);
        Ok(())
    }

    /// One product by id, for both buyers, and a cart to which its variant is added.
    async fn looks_agree(&self, state: &State, made: &Made, at: i64) -> TestCaseResult {
        for buyer in [Buyer::Guest, Buyer::Member] {
            self.page_agrees(state, made, at, buyer).await?;
        }
        if state.completed_at >= at {
            self.explanation_agrees(state, made, at, true)?;
            self.cart_agrees(state, made, at).await?;
        }
        Ok(())
    }

    async fn page_agrees(&self, state: &State, made: &Made, at: i64, buyer: Buyer) -> TestCaseResult {
        let path = format!(
            "/store/products/{}?region_id={}&country_code=de&fields=id,variants.calculated_price",
            made.product, self.shop.region
        );
        let product = self.client(buyer).get(&path).await;
        let is_listed = self.page.lists(state, at);
        prop_assert_eq!(product.status.is_success(), is_listed, "shown at {}: {:?}", at, state);
        if !self.page.shows_variant(state, at) {
            return Ok(());
        }
        let shown = &product.json["product"]["variants"][0]["calculated_price"];
        let Some(price) = self.page.price(state, at, buyer) else {
            prop_assert!(shown.is_null(), "price at {}: {:?} {}", at, state, shown);
            return Ok(());
        };
        let expected = json!([price.amount, price.is_tax_inclusive]);
        let names = ["calculated_amount", "is_calculated_price_tax_inclusive"];
        prop_assert_eq!(json!(names.map(|it| &shown[it])), expected, "to {:?} at {}: {:?}", buyer, at, state);
        let names = ["calculated_amount_with_tax", "calculated_amount_without_tax"];
        let amounts = names.map(|it| shown[it].as_f64());
        prop_assert_eq!(amounts, price.of(1).map(Some), "to {:?} at {}: {:?}", buyer, at, state);
        Ok(())
    }

    /// The line of a cart charges what the page shows to its buyer.
    async fn cart_agrees(&self, state: &State, made: &Made, at: i64) -> TestCaseResult {
        let line = json!({ "variant_id": made.variant, "quantity": state.quantity });
        let path = format!("/store/carts/{}/line-items", made.cart);
        let added = self.client(state.buyer).post(&path, line).await;
        let expected = self.page.sells_at_a_price(state, at);
        prop_assert_eq!(added.status.is_success(), expected, "added at {}: {:?} {}", at, state, added.json);
        if let Some(price) = self.page.price(state, at, state.buyer).filter(|_| expected) {
            let cart = &added.json["cart"];
            let line = &cart["items"][0];
            let expected = json!([price.amount, price.is_tax_inclusive]);
            let charged = json!([line["unit_price"], line["is_tax_inclusive"]]);
            prop_assert_eq!(charged, expected, "charged at {}: {:?}", at, state);
            let amounts = ["item_total", "item_subtotal"].map(|it| cart[it].as_f64());
            prop_assert_eq!(amounts, price.of(state.quantity).map(Some), "charged at {}: {:?}", at, state);
        }
        Ok(())
    }

    async fn complete(&self, state: &State, made: &Made, at: i64) -> Result<Completed, TestCaseError> {
        let cart = format!("/store/carts/{}", made.full_cart);
        let client = self.client(state.buyer);
        let answer = client.post(&format!("{cart}/complete?fields=id"), json!({})).await.json;
        match answer["type"].as_str() {
            Some("order") => Ok(Completed::Order),
            Some("prices_changed") => {
                let shown = client.get(&format!("{cart}?fields=items.unit_price")).await.ok();
                let price = json!(self.page.price(state, at, state.buyer).map(|it| it.amount));
                prop_assert_eq!(&shown["cart"]["items"][0]["unit_price"], &price, "priced anew at {}", at);
                Ok(Completed::Repriced)
            }
            _ => Ok(Completed::Refused),
        }
    }
}
