//! The published storefront of the original, from home to order confirmation, against the demo: its own
//! sequence of calls (`pages.rs`), as a guest in the app and as a customer in the web shop. No page is empty.

mod call;
mod demo;
mod pages;

use atoll_host::{Demo, load_demo};
use atoll_kernel::Decimal;
use atoll_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::{
    call::Visitor,
    pages::{
        ADD_TO_CART, CART, CATEGORY, CHECKOUT, COLLECTION, DISCOUNT, HOME, LAYOUT, LAYOUT_WITH_CART, ORDER,
        ORDERS, PRODUCT, PROFILE, REGISTER, STORE, TAKE_CART,
    },
};

/// An application with the demo, and an admin.
async fn demo() -> (TestApp, Client, Demo) {
    let (app, admin) = TestApp::init().await.with_admin().await;
    let demo = load_demo(&app.ctx, &app.first_run).await.expect("the demo");
    assert_eq!(demo.lacks, [""; 0]);
    (app, admin, demo)
}

/// The storefront of a channel of the demo.
fn storefront(app: &TestApp, demo: &Demo, channel: &str) -> Client {
    let key = demo.keys.iter().find(|it| it.channel == channel).expect("a channel of the demo");
    app.storefront(&key.token)
}

fn decimal(value: &Value) -> Decimal {
    value.to_string().parse().unwrap_or_else(|_| panic!("{value} is no amount"))
}

#[tokio::test]
async fn guest_buys_in_the_app_with_a_code() {
    let (app, _, demo) = demo().await;
    let mut guest = Visitor::new(storefront(&app, &demo, "Mobile App"));
    let browsing = [&HOME, &STORE, &CATEGORY, &COLLECTION, &PRODUCT];
    let buying = [&ADD_TO_CART, &CART, &DISCOUNT, &CHECKOUT, &ORDER];
    guest.walk(&LAYOUT, &LAYOUT_WITH_CART, &browsing).await;
    guest.walk(&LAYOUT, &LAYOUT_WITH_CART, &buying).await;
    assert_eq!(guest.kept("code"), "APP10");
    // Two mugs for 12.90, with the tax in it, of which a tenth is off; and the parcel.
    assert_eq!(guest.kept("total").to_string(), "28.12");
    assert_same_money(&guest);
}

#[tokio::test]
async fn customer_registers_buys_and_finds_the_order() {
    let (app, _, demo) = demo().await;
    let mut ada = Visitor::new(storefront(&app, &demo, "Web Shop"));
    ada.walk(&LAYOUT, &LAYOUT_WITH_CART, &[&HOME, &PRODUCT, &ADD_TO_CART, &REGISTER, &TAKE_CART]).await;
    ada.walk(&LAYOUT, &LAYOUT_WITH_CART, &[&PROFILE, &CART, &CHECKOUT, &ORDER, &ORDERS]).await;
    assert_eq!(ada.kept("newest_order"), ada.kept("order"));
    // The code is of another channel.
    assert_eq!(ada.kept("total").to_string(), "30.7");
    assert_same_money(&ada);
}

/// What the checkout form showed is what the order holds and what was paid.
fn assert_same_money(visitor: &Visitor) {
    let [total, ordered, confirmed, paid] =
        ["total", "ordered_total", "confirmed_total", "paid"].map(|it| decimal(visitor.kept(it)));
    assert_eq!([ordered, confirmed, paid], [total; 3]);
    assert_eq!(decimal(visitor.kept("option_price")), decimal(visitor.kept("shipping")));
}

#[tokio::test]
async fn order_of_a_product_that_has_left_the_channel_shows_what_its_line_remembers() {
    let (app, admin, demo) = demo().await;
    let storefront = storefront(&app, &demo, "Mobile App");
    let mut guest = Visitor::new(storefront.clone());
    guest.walk(&LAYOUT, &LAYOUT_WITH_CART, &[&HOME, &PRODUCT, &ADD_TO_CART, &CHECKOUT, &ORDER]).await;
    let text = |name: &str| guest.kept(name).as_str().expect("an id").to_owned();
    let channels = json!({ "sales_channels": [] });
    admin.post(&format!("/admin/products/{}", text("product")), channels).await.ok();
    let path = format!("/store/orders/{}?fields=*items,*items.variant,*items.product", text("order"));
    let line = storefront.get(&path).await.ok()["order"]["items"][0].clone();
    let remembered = ["product_title", "variant_title", "product_handle"].map(|it| line[it].clone());
    assert_eq!(remembered, ["Enamel Mug", "White", "enamel-mug"]);
    // FIXME: the storefront reads titles and handle of these, too: they should be those of the line.
    assert_eq!([&line["product"], &line["variant"]], [&Value::Null; 2]);
}
