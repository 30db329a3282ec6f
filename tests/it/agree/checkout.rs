//! What a store page and the list of shipping options show is what the cart charges and what the order holds,
//! to the cent, also where a promotion or a sale begins or ends while somebody buys (property test).
//!
//! The sums are expected in `till`, in exact fractions and independently of the code. At each edge of a
//! window, one millisecond before and one after, a new cart is taken through the checkout, and one that was
//! ready to be completed at the moment before.

use atoll_kernel::Timestamp;
use atoll_testkit::{Client, Shop, Variant, check_drawn, complete, id, pay, times};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::{Value, json};

use super::{
    till::{Amount, Discount, Reach, Sums, Till, Window, till},
    world::moments,
};

#[test]
fn pages_carts_and_orders_agree_on_what_is_charged() {
    check_drawn(times("ATOLL_CHECKOUTS", 40), till, async |till: Till| {
        Counter::open(till).await.agrees().await
    });
}

/// A shop with the records of a till.
struct Counter {
    till: Till,
    shop: Shop,
    storefront: Client,
    goods: [Variant; 2],
    option: String,
    codes: Vec<String>,
    begin: Timestamp,
}

impl Counter {
    async fn open(till: Till) -> Counter {
        let (shop, web, storefront) = Shop::web().await;
        let begin = shop.app.now();
        let price = |amount: i64| json!({ "prices": [{ "currency_code": "eur", "amount": amount }] });
        let [tea, cup] = till.goods;
        let goods = [
            shop.product_with("Tea", &[&web], 999, price(tea.price)).await,
            shop.product_with("Cup", &[&web], 999, price(cup.price)).await,
        ];
        let zone = shop.shipping(&["de"]).await.zone;
        let profile = shop.default_profile().await;
        let mut prices = vec![json!({ "currency_code": "eur", "amount": till.shipping.price })];
        if let Some((amount, from)) = till.shipping.lower {
            let rules = [json!({ "attribute": "item_total", "operator": "gte", "value": from })];
            prices.push(json!({ "currency_code": "eur", "amount": amount, "rules": rules }));
        }
        let option = shop.option(&zone, "Parcel", &profile, json!({ "prices": prices })).await;
        let mut counter = Counter { till, shop, storefront, goods, option, codes: Vec::new(), begin };
        counter.tax().await;
        counter.put_on_sale().await;
        let Till { on_items, on_shipping, .. } = counter.till.clone();
        // Those with the smallest value are made first: the order does not come from their ids.
        for discount in on_shipping.into_iter().chain(on_items).rev() {
            let code = format!("{:?}{}", discount.reach, discount.value);
            counter.promote(&code, discount, &web).await;
            counter.codes.extend(discount.has_code.then_some(code));
        }
        counter
    }

    async fn tax(&self) {
        if let Some(percent) = self.till.percent {
            let rate = json!({ "rate": percent, "code": "vat", "name": "VAT" });
            let body = json!({ "country_code": "de", "provider_id": "tp_system", "default_tax_rate": rate });
            self.shop.admin.post("/admin/tax-regions", body).await.ok();
        }
        let found = self.shop.admin.get("/admin/price-preferences?value=eur").await.ok();
        let path = format!("/admin/price-preferences/{}", id(&found["price_preferences"][0]));
        let body = json!({ "is_tax_inclusive": self.till.is_tax_inclusive });
        self.shop.admin.post(&path, body).await.ok();
    }

    async fn put_on_sale(&self) {
        let Till { sale, .. } = self.till;
        let price = json!({ "variant_id": self.goods[0].id, "currency_code": "eur", "amount": sale.price });
        let mut body = json!({
            "title": "Sale", "description": "A sale", "type": "sale", "status": "active", "prices": [price],
        });
        self.bound(&mut body, sale.window);
        self.shop.admin.post("/admin/price-lists", body).await.ok();
    }

    async fn promote(&self, code: &str, discount: Discount, web: &str) {
        let mut campaign = json!({ "name": code, "campaign_identifier": code });
        self.bound(&mut campaign, discount.window);
        let mut method = json!({
            "type": if discount.is_percentage { "percentage" } else { "fixed" },
            "value": discount.value, "currency_code": "eur",
        });
        let (target, allocation) = match discount.reach {
            Reach::Each(n_max) => {
                method["max_quantity"] = json!(n_max);
                ("items", "each")
            }
            Reach::Across => ("items", "across"),
            Reach::Order => ("order", "across"),
            Reach::Shipping => ("shipping_methods", "across"),
        };
        method["target_type"] = json!(target);
        method["allocation"] = json!(allocation);
        let mut body = json!({
            "code": code, "type": "standard", "is_automatic": !discount.has_code, "campaign": campaign,
            "status": if discount.is_active { "active" } else { "draft" },
            "is_tax_inclusive": discount.is_tax_inclusive, "application_method": method,
        });
        if let Some(is_of_channel) = discount.is_of_channel {
            let channel = if is_of_channel { web.to_owned() } else { self.shop.channel("Other").await };
            let rule = json!({ "attribute": "sales_channel_id", "operator": "in", "values": [channel] });
            body["rules"] = json!([rule]);
        }
        self.shop.admin.post("/admin/promotions", body).await.ok();
    }

    /// Sets the edges of a window, without which it has none.
    fn bound(&self, body: &mut Value, window: Window) {
        for (name, edge) in [("starts_at", window.from), ("ends_at", window.until)] {
            if let Some(edge) = edge {
                body[name] = json!(self.begin.plus_millis(edge));
            }
        }
    }

    async fn agrees(&self) -> TestCaseResult {
        let mut ready: Option<(String, Sums)> = None;
        for at in moments() {
            let now = self.shop.app.now().millis() - self.begin.millis();
            self.shop.app.advance_ms(at - now);
            let sums = self.till.sums(at);
            self.page_agrees(&sums, at).await?;
            if let Some((cart, before)) = ready {
                self.waited(&cart, &before, &sums, at).await?;
            }
            let cart = self.cart_agrees(&sums, at).await?;
            let order = complete(&self.storefront, &cart).await;
            self.order_agrees(&order.json, &sums, at).await?;
            let cart = self.cart_agrees(&sums, at).await?;
            pay(&self.storefront, &cart).await;
            ready = Some((cart, sums));
        }
        Ok(())
    }

    async fn page_agrees(&self, sums: &Sums, at: i64) -> TestCaseResult {
        let path = format!(
            "/store/products/{}?region_id={}&fields=variants.calculated_price",
            self.goods[0].product, self.shop.region
        );
        let page = self.storefront.get(&path).await.ok();
        let price = &page["product"]["variants"][0]["calculated_price"]["calculated_amount"];
        prop_assert_eq!(price, &json!(sums.unit_price), "page at {}", at);
        Ok(())
    }

    /// A new cart: what it is offered, and what it comes to with the option.
    async fn cart_agrees(&self, sums: &Sums, at: i64) -> Result<String, TestCaseError> {
        let lines = self.goods.iter().zip(&self.till.goods);
        let lines: Vec<Value> =
            lines.map(|(it, good)| json!({ "variant_id": it.id, "quantity": good.quantity })).collect();
        let body = json!({
            "region_id": self.shop.region, "items": lines, "promo_codes": self.codes,
            "shipping_address": { "country_code": "de" }, "email": "ann@test.dev",
        });
        let cart = id(&self.storefront.post("/store/carts", body).await.ok()["cart"]);
        let options = self.storefront.get(&format!("/store/shipping-options?cart_id={cart}")).await.ok();
        let mut options = options["shipping_options"].as_array().expect("a list").iter();
        let option = options.find(|it| it["id"] == *self.option).expect("the option");
        prop_assert_eq!(&option["amount"], &json!(sums.option), "offered at {}: {}", at, option);
        let path = format!("/store/carts/{cart}/shipping-methods");
        let chosen = self.storefront.post(&path, json!({ "option_id": self.option })).await.ok();
        check(&chosen["cart"], sums, "cart", at)?;
        prop_assert_eq!(
            &chosen["cart"]["items"][0]["unit_price"],
            &json!(sums.unit_price),
            "charged at {}",
            at
        );
        Ok(cart)
    }

    /// A cart that was ready at the moment before: nobody pays what they were not shown.
    async fn waited(&self, cart: &str, before: &Sums, now: &Sums, at: i64) -> TestCaseResult {
        let path = format!("/store/carts/{cart}");
        let answer = self.storefront.post(&format!("{path}/complete"), json!({})).await.json;
        if answer["type"] == "order" {
            prop_assert_eq!(before, now, "completed at {} without being shown the sums", at);
            return self.order_agrees(&answer, now, at).await;
        }
        prop_assert_eq!(&answer["type"], "prices_changed", "at {}: {}", at, answer);
        check(&self.storefront.get(&path).await.ok()["cart"], now, "cart that is shown again", at)?;
        let order = complete(&self.storefront, cart).await;
        self.order_agrees(&order.json, now, at).await
    }

    /// The order holds what the cart came to, and that is what was paid.
    async fn order_agrees(&self, completed: &Value, sums: &Sums, at: i64) -> TestCaseResult {
        prop_assert_eq!(&completed["type"], "order", "at {}: {}", at, completed);
        let path = format!("/store/orders/{}", id(&completed["order"]));
        let order = &self.storefront.get(&path).await.ok()["order"];
        check(order, sums, "order", at)?;
        let method = &order["shipping_methods"][0]["amount"];
        prop_assert_eq!(method, &json!(sums.option), "shipping of the order at {}", at);
        let paid = &order["payment_collections"][0]["amount"];
        // An order for nothing has no payment.
        let cents = (paid.as_f64().unwrap_or(0.0) * 100.0).round() as i128;
        prop_assert_eq!(cents, sums.cents(), "paid at {}: {}", at, paid);
        Ok(())
    }
}

/// The totals of a cart or of an order are the sums.
fn check(shown: &Value, sums: &Sums, what: &str, at: i64) -> TestCaseResult {
    for (name, expected) in sums.totals() {
        let is_near = shown[name].as_f64().is_some_and(|it| (it - float(expected)).abs() < 1e-9);
        let expected = float(expected);
        prop_assert!(is_near, "{} of the {} at {}: {} is not {}", name, what, at, shown[name], expected);
    }
    Ok(())
}

fn float(amount: Amount) -> f64 {
    *amount.numer() as f64 / *amount.denom() as f64
}
