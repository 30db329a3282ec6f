//! Transfers of orders to other customers: who may ask, who may answer, and who sees the token.

use atoll_kernel::limits::TRANSFERS_ASKED_MAX;
use atoll_testkit::{Client, Shop, complete, id};
use serde_json::{Value, json};

/// A shop with an order of a guest, and customers who want it.
struct Scene {
    shop: Shop,
    storefront: Client,
    anna: Client,
    bert: Client,
    /// `/store/orders/…`
    order: String,
}

impl Scene {
    async fn open() -> Scene {
        let (shop, web, storefront) = Shop::web().await;
        let tea = shop.product("Tea", &[&web], 9).await;
        let anna = shop.customer(&storefront, "anna@test.dev").await;
        let bert = shop.customer(&storefront, "bert@test.dev").await;
        let cart = shop.cart(&storefront, &tea.id, 1).await;
        let email = json!({ "email": "guest@test.dev" });
        storefront.post(&format!("/store/carts/{cart}"), email).await.ok();
        let order = id(&complete(&storefront, &cart).await.ok()["order"]);
        Scene { shop, storefront, anna, bert, order: format!("/store/orders/{order}") }
    }

    fn id(&self) -> &str {
        self.order.trim_start_matches("/store/orders/")
    }

    fn admin_path(&self, what: &str) -> String {
        format!("/admin/orders/{}{what}", self.id())
    }

    async fn ask(&self, client: &Client, body: Value) -> String {
        client.post(&format!("{}/transfer/request", self.order), body).await.ok();
        let tokens = self.shop.app.mailed_tokens("order.transfer_requested");
        tokens.last().cloned().expect("a token")
    }

    async fn answer(&self, what: &str, token: &str) -> atoll_testkit::Answer {
        self.storefront.post(&format!("{}/transfer/{what}", self.order), json!({ "token": token })).await
    }

    /// `guest@test.dev v1`, and whether these customers see it in their lists.
    async fn stand(&self) -> (String, bool, bool) {
        let order = self.shop.admin.get(&self.admin_path("")).await.ok()["order"].clone();
        let shown = self.shop.admin.get(&self.admin_path("?fields=email")).await.ok();
        let owns = async |client: &Client| client.get("/store/orders").await.ok()["count"] == 1;
        let email = shown["order"]["email"].as_str().unwrap_or_default();
        (format!("{email} v{}", order["version"]), owns(&self.anna).await, owns(&self.bert).await)
    }

    async fn changes(&self, query: &str) -> Vec<Value> {
        let list = self.shop.admin.get(&self.admin_path(&format!("/changes{query}"))).await.ok();
        assert_eq!(list.as_object().map(|it| it.len()), Some(1), "{list}");
        list["order_changes"].as_array().cloned().expect("a list")
    }
}

const NONE: &str = "400 invalid_data: An active Order Change is required to proceed";
const WRONG: &str = "400 not_allowed: Invalid token.";

#[tokio::test]
async fn who_has_the_token_accepts_once() {
    let scene = Scene::open().await;
    assert_eq!(scene.changes("").await, [] as [Value; 0]);
    let token = scene.ask(&scene.anna, json!({ "description": "mine", "update_order_email": true })).await;
    assert_eq!(scene.stand().await, ("guest@test.dev v1".into(), false, false));
    let again = scene.bert.post(&format!("{}/transfer/request", scene.order), json!({})).await;
    let open =
        format!("400 invalid_data: Order ({}) already has an existing active order change", scene.id());
    assert_eq!(again.error(), open);

    let change = &scene.changes("?status=requested&change_type=transfer").await[0];
    // Dashboards ask for changes of every type, also of those that are not there.
    let of_all =
        "?change_type[]=edit&change_type[]=claim&change_type[]=return_request&change_type[]=transfer";
    assert_eq!(&scene.changes(of_all).await[0]["id"], &change["id"]);
    assert_eq!(scene.changes("?change_type=edit").await, [] as [Value; 0]);
    assert_eq!((&change["description"], &change["version"]), (&json!("mine"), &json!(2)));
    let action = &change["actions"][0];
    assert_eq!(action["details"], json!({ "original_email": "guest@test.dev", "update_order_email": true }));
    assert_eq!((&action["action"], &action["applied"]), (&json!("TRANSFER_CUSTOMER"), &json!(false)));
    assert_eq!(scene.changes("?status=confirmed").await.len(), 0);
    let preview = scene.shop.admin.get(&scene.admin_path("/preview")).await.ok();
    assert_eq!(preview["order"]["order_change"]["id"], change["id"]);

    for token in ["wrong", "", &token[..token.len() - 2], &format!("{token}x")] {
        assert_eq!(scene.answer("accept", token).await.error(), WRONG, "{token}");
        assert_eq!(scene.answer("decline", token).await.error(), WRONG, "{token}");
    }
    scene.answer("accept", &token).await.ok();
    assert_eq!(scene.stand().await, ("anna@test.dev v2".into(), true, false));
    let change = &scene.changes("").await[0];
    assert_eq!((&change["status"], &change["actions"][0]["applied"]), (&json!("confirmed"), &json!(true)));
    for what in ["accept", "decline"] {
        assert_eq!(scene.answer(what, &token).await.error(), NONE);
    }

    // It is hers now, and another transfer has another token.
    let own = scene.anna.post(&format!("{}/transfer/request", scene.order), json!({})).await.error();
    assert!(own.contains("already belongs to customer"), "{own}");
    let second = scene.ask(&scene.bert, json!({})).await;
    assert_eq!(scene.answer("accept", &token).await.error(), WRONG);
    scene.answer("accept", &second).await.ok();
    assert_eq!(scene.stand().await, ("anna@test.dev v3".into(), false, true));
}

/// Neither a response nor a record holds a token that accepts: only the mail does.
#[tokio::test]
async fn token_is_shown_to_nobody_else() {
    let scene = Scene::open().await;
    let token = scene.ask(&scene.anna, json!({})).await;
    let signature = token.rsplit('.').next().expect("a signature");
    let wide = "?fields=*order_change,*order_change.actions,%2Border_change.token_digest";
    for path in ["/changes", "/preview", wide] {
        let shown = scene.shop.admin.get(&scene.admin_path(path)).await.json.to_string();
        assert!(!shown.contains(signature) && !shown.contains("token"), "{shown}");
    }
    let shown = scene.anna.get(&format!("{}?fields=*order_change", scene.order)).await.ok();
    assert_eq!(shown["order"].get("order_change"), None, "{shown}");
    // After its time it accepts nothing.
    scene.shop.app.advance_ms(31 * 24 * 60 * 60 * 1000);
    assert_eq!(scene.answer("accept", &token).await.error(), WRONG);
}

#[tokio::test]
async fn transfer_is_declined_by_token_and_withdrawn_by_who_asked() {
    let scene = Scene::open().await;
    let token = scene.ask(&scene.anna, json!({})).await;
    scene.answer("decline", &token).await.ok();
    assert_eq!(scene.changes("").await[0]["status"], "declined");
    assert_eq!(scene.answer("accept", &token).await.error(), NONE);

    scene.ask(&scene.anna, json!({})).await;
    let cancel = format!("{}/transfer/cancel", scene.order);
    assert_eq!(scene.storefront.post(&cancel, json!({})).await.status, 401);
    assert_eq!(
        scene.bert.post(&cancel, json!({})).await.error(),
        "400 not_allowed: This customer is not allowed to cancel the transfer."
    );
    scene.anna.post(&cancel, json!({})).await.ok();
    assert_eq!(scene.anna.post(&cancel, json!({})).await.error(), NONE);
    // An admin withdraws any.
    let token = scene.ask(&scene.anna, json!({})).await;
    scene.shop.admin.post(&scene.admin_path("/transfer/cancel"), json!({})).await.ok();
    assert_eq!(scene.answer("accept", &token).await.error(), NONE);
    assert_eq!(scene.stand().await, ("guest@test.dev v1".into(), false, false));
}

#[tokio::test]
async fn admins_transfer_to_accounts_by_consent_and_to_guests_at_once() {
    let scene = Scene::open().await;
    let Scene { shop, bert, .. } = &scene;
    let bert = id(&bert.get("/store/customers/me").await.ok()["customer"]);
    let transfer = async |customer: &str| {
        let body = json!({ "customer_id": customer, "internal_note": "by phone" });
        shop.admin.post(&scene.admin_path("/transfer"), body).await
    };
    assert_eq!(transfer("cus_x").await.error(), "404 not_found: Customer id not found: cus_x");
    let karl = json!({ "email": "karl@test.dev" });
    let karl = id(&shop.admin.post("/admin/customers", karl).await.ok()["customer"]);
    let guest = format!("Cannot transfer order: {} to a guest customer account: karl@test.dev", scene.id());
    assert_eq!(transfer(&karl).await.error(), format!("400 invalid_data: {guest}"));
    transfer(&bert).await.ok();
    let token = shop.app.mailed_tokens("order.transfer_requested").pop().expect("a token");
    let to_guest = scene.admin_path("/transfer/guest");
    let busy = shop.admin.post(&to_guest, json!({ "email": "new@test.dev" })).await.error();
    assert!(busy.contains("already has an existing active order change"), "{busy}");
    scene.answer("accept", &token).await.ok();
    assert_eq!(scene.stand().await, ("guest@test.dev v2".into(), false, true));

    shop.admin.post(&to_guest, json!({ "email": "karl@test.dev" })).await.ok();
    assert_eq!(scene.stand().await, ("karl@test.dev v3".into(), false, false));
    let order = shop.admin.get(&scene.admin_path("?fields=customer_id")).await.ok();
    assert_eq!(order["order"]["customer_id"], json!(karl));
    let unknown = shop.admin.get("/admin/orders/order_x/changes").await;
    assert_eq!(unknown.error(), "404 not_found: Order id not found: order_x");
}

#[tokio::test]
async fn order_of_another_channel_is_not_there() {
    let scene = Scene::open().await;
    let token = scene.ask(&scene.anna, json!({})).await;
    let till = scene.shop.channel("Till").await;
    let stranger = scene.shop.storefront(&[&till]).await;
    let customer = scene.shop.log_in(&stranger, "/auth/customer/emailpass", "anna@test.dev").await;
    let unknown = format!("404 not_found: Order id not found: {}", scene.id());
    for (what, body) in [
        ("accept", json!({ "token": token })),
        ("decline", json!({ "token": token })),
        ("request", json!({})),
        ("cancel", json!({})),
    ] {
        let answer = customer.post(&format!("{}/transfer/{what}", scene.order), body).await;
        assert_eq!(answer.error(), unknown, "{what}");
    }
}

/// Each is mailed to the buyer.
#[tokio::test]
async fn customers_cannot_ask_for_transfers_without_end() {
    let scene = Scene::open().await;
    for _ in 0..TRANSFERS_ASKED_MAX {
        scene.ask(&scene.anna, json!({})).await;
        scene.anna.post(&format!("{}/transfer/cancel", scene.order), json!({})).await.ok();
    }
    let ask = format!("{}/transfer/request", scene.order);
    for client in [&scene.anna, &scene.bert] {
        let refused = client.post(&ask, json!({})).await.error();
        assert!(
            refused.starts_with("400") && refused.ends_with("requested too often: ask the shop"),
            "{refused}"
        );
    }
    assert_eq!(scene.shop.app.mailed_tokens("order.transfer_requested").len() as u64, TRANSFERS_ASKED_MAX);
}
