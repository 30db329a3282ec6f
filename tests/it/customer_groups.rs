//! Customers, their addresses and groups for admins; what customers see of their groups.

use atoll_customer::CUSTOMERS as STORED;
use atoll_kernel::limits::{GROUP_CHANGES_MAX, GROUPS_OF_CUSTOMER_MAX};
use atoll_testkit::{Client, Shop, TestApp, id};
use serde_json::{Value, json};

const CUSTOMERS: &str = "/admin/customers";
const GROUPS: &str = "/admin/customer-groups";

async fn admin() -> (TestApp, Client) {
    TestApp::init().await.with_admin().await
}

async fn customer(admin: &Client, email: &str) -> String {
    id(&admin.post(CUSTOMERS, json!({ "email": email })).await.ok()["customer"])
}

async fn group(admin: &Client, name: &str) -> String {
    id(&admin.post(GROUPS, json!({ "name": name })).await.ok()["customer_group"])
}

/// The e-mail addresses of a list of customers.
async fn emails(admin: &Client, query: &str) -> Vec<String> {
    let list = admin.get(&format!("{CUSTOMERS}?{query}")).await.ok();
    let rows = list["customers"].as_array().expect("a list");
    assert_eq!(list["count"], rows.len(), "{query}");
    rows.iter().map(|it| it["email"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn check(client: &Client, path: &str, body: Value, expected: &str) {
    assert_eq!(client.post(path, body.clone()).await.error(), expected, "{path} {body}");
}

#[tokio::test]
async fn admins_create_find_change_and_delete_customers() {
    let (_app, admin) = admin().await;
    let ann =
        json!({ "email": " Ann@Test.dev", "first_name": "Ann", "last_name": "Cox", "metadata": { "a": 1 } });
    check(&admin, CUSTOMERS, ann.clone(), "400 invalid_data: Invalid request: Invalid email address").await;
    let ann =
        json!({ "email": "Ann@Test.dev", "first_name": "Ann", "last_name": "Cox", "metadata": { "a": 1 } });
    let ann = admin.post(CUSTOMERS, ann).await.ok()["customer"].clone();
    assert_eq!((&ann["email"], &ann["has_account"]), (&json!("ann@test.dev"), &json!(false)));
    assert!(
        ann["created_by"].is_string() && ann.get("addresses").is_none() && ann.get("group_ids").is_none()
    );
    let taken = "400 invalid_data: Customer with email: ann@test.dev, has_account: false, already exists.";
    check(&admin, CUSTOMERS, json!({ "email": "ANN@test.dev" }), taken).await;
    check(&admin, CUSTOMERS, json!({}), "400 invalid_data: Invalid request: Field 'email' is required").await;
    let bob = customer(&admin, "bob@test.dev").await;
    let path = format!("{CUSTOMERS}/{}", id(&ann));
    let changed = json!({ "email": "Anna@test.dev", "phone": "1", "metadata": { "b": 2 } });
    let changed = admin.post(&path, changed).await.ok()["customer"].clone();
    assert_eq!(
        (&changed["email"], &changed["metadata"]),
        (&json!("anna@test.dev"), &json!({ "a": 1, "b": 2 }))
    );
    check(
        &admin,
        &format!("{CUSTOMERS}/{bob}"),
        json!({ "email": "Anna@Test.dev" }),
        &taken.replace("ann@", "anna@"),
    )
    .await;
    for (query, expected) in [
        ("q=cox", &["anna@test.dev"][..]),
        ("q=bob", &["bob@test.dev"]),
        ("email=bob@test.dev", &["bob@test.dev"]),
        ("has_account=true", &[]),
        ("order=-email", &["bob@test.dev", "anna@test.dev"]),
        ("first_name=Ann&last_name[]=Cox&last_name[]=Box", &["anna@test.dev"]),
        ("created_at[$gt]=2099-01-01", &[]),
    ] {
        assert_eq!(emails(&admin, query).await, expected, "{query}");
    }
    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone, json!({ "id": ann["id"], "object": "customer", "deleted": true }));
    let unknown = format!("404 not_found: Customer with id: {} not found", id(&ann));
    assert_eq!(admin.get(&path).await.error(), unknown);
    let unknown = format!("404 not_found: Customer with id \"{}\" not found", id(&ann));
    check(&admin, &path, json!({ "phone": "2" }), &unknown).await;
    assert_eq!(admin.delete(&path).await.error(), unknown);
    // Its e-mail address is free.
    customer(&admin, "anna@test.dev").await;
}

#[tokio::test]
async fn admins_reach_an_address_through_its_customer_only() {
    let (_app, admin) = admin().await;
    let (ann, bob) = (customer(&admin, "ann@test.dev").await, customer(&admin, "bob@test.dev").await);
    let addresses = format!("{CUSTOMERS}/{ann}/addresses");
    for city in ["Bern", "Basel"] {
        admin
            .post(&addresses, json!({ "city": city, "country_code": "CH", "is_default_shipping": true }))
            .await
            .ok();
    }
    let shown = "fields=id,city,country_code,is_default_shipping&order=city";
    let list = admin.get(&format!("{addresses}?{shown}")).await.ok()["addresses"].clone();
    let of = |it: &Value| (it["city"].clone(), it["country_code"].clone(), it["is_default_shipping"].clone());
    let list: Vec<Value> = list.as_array().expect("a list").clone();
    assert_eq!(
        list.iter().map(of).collect::<Vec<_>>(),
        [(json!("Basel"), json!("CH"), json!(true)), (json!("Bern"), json!("CH"), json!(false))]
    );
    assert_eq!(admin.get(&format!("{addresses}?q=bas&city=Basel")).await.ok()["count"], 1);
    let (bern, unknown) =
        (id(&list[1]), format!("404 not_found: Address with id: {} was not found", id(&list[1])));
    for (path, expected) in [
        (format!("{CUSTOMERS}/{bob}/addresses/{bern}"), unknown.as_str()),
        (format!("{addresses}/cuaddr_x"), "404 not_found: Address with id: cuaddr_x was not found"),
    ] {
        assert_eq!(admin.get(&path).await.error(), expected);
        check(&admin, &path, json!({ "city": "Bonn" }), expected).await;
        assert_eq!(admin.delete(&path).await.error(), expected);
    }
    let path = format!("{addresses}/{bern}");
    admin.post(&path, json!({ "city": "Thun", "is_default_billing": true })).await.ok();
    assert_eq!(admin.get(&path).await.ok()["address"]["city"], "Thun");
    let gone = admin.delete(&path).await.ok();
    assert_eq!((&gone["object"], &gone["parent"]["id"]), (&json!("customer_address"), &json!(ann)));
    let nobody =
        "404 not_found: You tried to set relationship customer_id: cus_x, but such entity does not exist";
    check(&admin, &format!("{CUSTOMERS}/cus_x/addresses"), json!({ "city": "Bonn" }), nobody).await;
    let nobody = "404 not_found: Customer with id: cus_x not found";
    assert_eq!(admin.get(&format!("{CUSTOMERS}/cus_x/addresses")).await.error(), nobody);
    // They go with their customer.
    admin.delete(&format!("{CUSTOMERS}/{ann}")).await.ok();
    assert_eq!(admin.get(&addresses).await.status, 404);
}

#[tokio::test]
async fn customers_are_put_into_groups_and_found_by_them() {
    let (app, admin) = admin().await;
    let (ann, bob) = (customer(&admin, "ann@test.dev").await, customer(&admin, "bob@test.dev").await);
    let (vip, retail) = (group(&admin, "VIP").await, group(&admin, "Retail").await);
    let taken = "400 invalid_data: Customer group with name: VIP, already exists.";
    check(&admin, GROUPS, json!({ "name": " VIP " }), taken).await;
    check(&admin, &format!("{GROUPS}/{retail}"), json!({ "name": "VIP" }), taken).await;
    let no_name = "400 invalid_data: Invalid request: Field 'name' must have 1 to 256 characters";
    for name in ["", "  ", &"x".repeat(257)] {
        check(&admin, GROUPS, json!({ "name": name }), no_name).await;
    }
    let members = format!("{GROUPS}/{vip}/customers");
    let of_ann = format!("{CUSTOMERS}/{ann}/customer-groups");
    // Twice is as good as once.
    for _ in 0..2 {
        admin.post(&members, json!({ "add": [ann, bob, bob] })).await.ok();
        admin.post(&of_ann, json!({ "add": [retail], "remove": [] })).await.ok();
    }
    let groups = |customer: &str| {
        let customer = STORED.get(&app.ctx.view(), customer).expect("a customer").unwrap_or_default();
        customer.group_ids.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!((groups(&ann).len(), groups(&bob)), (2, vec![vip.clone()]));
    assert!(groups("cus_x").is_empty());
    for query in [format!("groups={retail}"), format!("groups[]={retail}"), "groups[name]=Retail".into()] {
        assert_eq!(emails(&admin, &query).await, ["ann@test.dev"], "{query}");
    }
    assert_eq!(emails(&admin, &format!("groups={vip}&order=email")).await, ["ann@test.dev", "bob@test.dev"]);
    for query in [format!("customers={bob}"), "customers[email]=bob@test.dev".into()] {
        let list = admin.get(&format!("{GROUPS}?{query}&fields=name,customers.email&order=name")).await.ok();
        assert_eq!(
            (&list["count"], &list["customer_groups"][0]["name"]),
            (&json!(1), &json!("VIP")),
            "{query}"
        );
        assert_eq!(list["customer_groups"][0]["customers"].as_array().map(Vec::len), Some(2));
    }
    for _ in 0..2 {
        admin.post(&members, json!({ "remove": [bob, "cus_x"] })).await.ok();
    }
    assert!(groups(&bob).is_empty());
    let no_customer =
        "404 not_found: You tried to set relationship customer_id: cus_x, but such entity does not exist";
    check(&admin, &members, json!({ "add": [bob, "cus_x"] }), no_customer).await;
    assert!(groups(&bob).is_empty(), "nothing of a refused call is written");
    check(&admin, &format!("{CUSTOMERS}/cus_x/customer-groups"), json!({ "add": [vip] }), no_customer).await;
    let no_group = "404 not_found: You tried to set relationship customer_group_id: cusgroup_x, but such entity does not exist";
    check(&admin, &format!("{GROUPS}/cusgroup_x/customers"), json!({ "add": [bob] }), no_group).await;
    check(&admin, &of_ann, json!({ "add": ["cusgroup_x"] }), no_group).await;

    // A deleted group has no members, and a deleted customer no groups.
    admin.delete(&format!("{GROUPS}/{vip}")).await.ok();
    assert_eq!(groups(&ann), std::slice::from_ref(&retail));
    let unknown = format!("404 not_found: Customer group with id \"{vip}\" not found");
    assert_eq!(admin.delete(&format!("{GROUPS}/{vip}")).await.error(), unknown);
    check(&admin, &format!("{GROUPS}/{vip}"), json!({ "name": "x" }), &unknown).await;
    let unknown = format!("404 not_found: Customer group with id: {vip} not found");
    assert_eq!(admin.get(&format!("{GROUPS}/{vip}")).await.error(), unknown);
    admin.delete(&format!("{CUSTOMERS}/{ann}")).await.ok();
    assert!(groups(&ann).is_empty());
    let shown = admin.get(&format!("{GROUPS}/{retail}?fields=customers.id")).await.ok();
    assert_eq!(shown["customer_group"]["customers"], json!([]));
}

#[tokio::test]
async fn the_numbers_of_groups_and_members_are_limited() {
    let (_app, admin) = admin().await;
    let ann = customer(&admin, "ann@test.dev").await;
    let mut groups = Vec::new();
    for n in 0..=GROUPS_OF_CUSTOMER_MAX {
        groups.push(group(&admin, &format!("Group {n}")).await);
    }
    let path = format!("{CUSTOMERS}/{ann}/customer-groups");
    let refused = "400 invalid_data: a customer is in at most 100 groups";
    check(&admin, &path, json!({ "add": groups }), refused).await;
    admin.post(&path, json!({ "add": groups[1..] })).await.ok();
    check(&admin, &format!("{GROUPS}/{}/customers", groups[0]), json!({ "add": [ann] }), refused).await;
    let many: Vec<String> = (0..=GROUP_CHANGES_MAX).map(|n| format!("cus_{n}")).collect();
    let refused = "400 invalid_data: one call adds and removes at most 10000";
    check(&admin, &format!("{GROUPS}/{}/customers", groups[0]), json!({ "remove": many }), refused).await;
}

#[tokio::test]
async fn a_customer_sees_the_names_of_their_groups_and_nothing_else_of_them() {
    let (shop, _, storefront) = Shop::web().await;
    let ann = shop.customer(&storefront, "ann@test.dev").await;
    let bob = shop.customer(&storefront, "bob@test.dev").await;
    let me = id(&ann.get("/store/customers/me").await.ok()["customer"]);
    let vip = json!({ "name": "VIP", "metadata": { "margin": 3 } });
    let vip = id(&shop.admin.post(GROUPS, vip).await.ok()["customer_group"]);
    shop.admin.post(&format!("{GROUPS}/{vip}/customers"), json!({ "add": [me] })).await.ok();
    let groups = async |client: &Client, fields: &str| {
        client.get(&format!("/store/customers/me?fields=id,{fields}")).await.ok()["customer"]["groups"]
            .clone()
    };
    assert_eq!(groups(&ann, "groups.name").await, json!([{ "id": vip, "name": "VIP" }]));
    assert_eq!(groups(&bob, "groups.name").await, json!([]));
    for fields in ["*groups", "groups.metadata", "groups.customers.email", "groups.created_by"] {
        let shown = groups(&ann, fields).await.to_string();
        assert!(
            !shown.contains("margin") && !shown.contains("test.dev") && !shown.contains("user_"),
            "{shown}"
        );
    }
}

/// Whoever types the address of a guest is no member of their groups, and does not learn of them.
#[tokio::test]
async fn cart_shows_the_groups_of_an_account_and_none_of_a_guest() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let guest = customer(&shop.admin, "guest@test.dev").await;
    let ann = shop.customer(&storefront, "ann@test.dev").await;
    let me = id(&ann.get("/store/customers/me").await.ok()["customer"]);
    let vip = group(&shop.admin, "VIP").await;
    shop.admin.post(&format!("{GROUPS}/{vip}/customers"), json!({ "add": [me, guest] })).await.ok();
    for (client, email, groups) in
        [(&ann, "ann@test.dev", json!([{ "id": vip }])), (&storefront, "guest@test.dev", json!([]))]
    {
        let cart = format!("/store/carts/{}", shop.cart(client, &tea.id, 1).await);
        client.post(&cart, json!({ "email": email })).await.ok();
        let path = format!("{cart}?fields=customer.id,customer.email,customer.groups.id");
        let buyer = client.get(&path).await.ok()["cart"]["customer"].clone();
        assert_eq!((&buyer["email"], &buyer["groups"]), (&json!(email), &groups));
        assert_eq!(buyer["id"] == json!(guest), email == "guest@test.dev");
    }
    // Admins see who is in a group.
    let path = format!("{CUSTOMERS}/{guest}?fields=groups.id");
    assert_eq!(shop.admin.get(&path).await.ok()["customer"]["groups"], json!([{ "id": vip }]));
}

#[tokio::test]
async fn a_deleted_customer_cannot_log_in_and_may_register_again() {
    let (shop, _, storefront) = Shop::web().await;
    let ann = shop.customer(&storefront, "ann@test.dev").await;
    let me = id(&ann.get("/store/customers/me").await.ok()["customer"]);
    shop.admin.delete(&format!("{CUSTOMERS}/{me}")).await.ok();
    assert_eq!(ann.get("/store/customers/me").await.status, 401);
    let login = json!({ "email": "ann@test.dev", "password": "supersecret" });
    check(&storefront, "/auth/customer/emailpass", login, "401 unauthorized: Invalid email or password")
        .await;
    let again = shop.customer(&storefront, "ann@test.dev").await;
    assert_ne!(id(&again.get("/store/customers/me").await.ok()["customer"]), me);
}

#[tokio::test]
async fn an_open_cart_of_a_deleted_customer_is_completed() {
    let (shop, web, storefront) = Shop::web().await;
    let tea = shop.product("Tea", &[&web], 9).await;
    let ann = shop.customer(&storefront, "ann@test.dev").await;
    let me = id(&ann.get("/store/customers/me").await.ok()["customer"]);
    let cart = shop.cart(&ann, &tea.id, 1).await;
    shop.admin.delete(&format!("{CUSTOMERS}/{me}")).await.ok();
    let order = atoll_testkit::complete(&storefront, &cart).await.ok()["order"].clone();
    assert_eq!(order["email"], "ann@test.dev");
}

#[tokio::test]
async fn an_admin_who_buys_keeps_their_login_when_the_customer_is_deleted() {
    let (shop, _, storefront) = Shop::web().await;
    let ann = shop.customer(&storefront, "ann@test.dev").await;
    let me = id(&ann.get("/store/customers/me").await.ok()["customer"]);
    let invite = shop.admin.post("/admin/invites", json!({ "email": "ann@test.dev" })).await.ok();
    let token = invite["invite"]["token"].as_str().expect("a token").to_owned();
    let login = json!({ "email": "ann@test.dev", "password": "supersecret" });
    let session = storefront.post("/auth/user/emailpass", login.clone()).await.ok();
    let bearer = format!("Bearer {}", session["token"].as_str().expect("a token"));
    let newcomer = shop.app.client().with_header("authorization", &bearer);
    newcomer
        .post(&format!("/admin/invites/accept?token={token}"), json!({ "email": "ann@test.dev" }))
        .await
        .ok();
    shop.admin.delete(&format!("{CUSTOMERS}/{me}")).await.ok();
    storefront.post("/auth/user/emailpass", login).await.ok();
}
