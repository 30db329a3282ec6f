//! The table of templates in the documentation: it names what each is filled with.

use std::collections::BTreeMap;

use atoll_testkit::{RECORDED, Setup, Shop};
use serde_json::json;

use crate::{
    folder::{SENDS, label, restock, ship},
    invite,
};

const DOCUMENTATION: &str = include_str!("../../../../docs/operations.md");

/// The row of a template: its name, and the names of what it is filled with, without what is said of these in
/// brackets.
fn row(line: &str) -> Option<(String, Vec<String>)> {
    let (template, cell) = line.strip_prefix("| `")?.split_once("` | ")?;
    let cell: String = cell.split('(').map(|it| it.rsplit(')').next().unwrap_or(it)).collect();
    let mut names: Vec<String> = cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    names.sort();
    Some((template.to_owned(), names))
}

#[tokio::test]
async fn the_documentation_names_what_templates_are_filled_with() {
    let setup = Setup::default().email_provider(RECORDED).public_url("https://admin.test");
    let shop = Shop::open(setup.init().await).await;
    let channel = shop.channel("Web").await;
    invite(&shop, "ann@mail.test").await;
    let reset = json!({ "identifier": "admin@test.dev" });
    assert_eq!(shop.app.client().post("/auth/user/emailpass/reset-password", reset).await.status, 201);
    let order = ship(&shop, &channel, label()).await;
    restock(&shop, &channel).await;
    let storefront = shop.storefront(&[&channel]).await;
    let customer = shop.customer(&storefront, "eve@mail.test").await;
    let path = format!("/store/orders/{}/transfer/request", order["id"].as_str().expect("an id"));
    customer.post(&path, json!({})).await.ok();
    shop.admin.post("/admin/notifications/test", json!({ "email": "me@mail.test" })).await.ok();
    for subscriber in SENDS {
        shop.app.deliver(subscriber).await;
    }
    let mut sent = BTreeMap::new();
    for mail in shop.app.mails() {
        let names: Vec<String> = mail.data.as_object().expect("an object").keys().cloned().collect();
        sent.insert(mail.template, names);
    }
    sent.values_mut().for_each(|it| it.sort());
    let said: BTreeMap<String, Vec<String>> = DOCUMENTATION.lines().filter_map(row).collect();
    assert_eq!(sent.len(), 7, "{sent:?}");
    for (template, names) in &sent {
        assert_eq!(said.get(template), Some(names), "{template}");
    }
}
