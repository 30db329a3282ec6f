//! Flows that no request runs, or that a request would run with random input.

use atoll_api_key::{ApiKeyKind, NewToken};
use atoll_auth::PasswordHash;
use atoll_checkout::PaymentTold;
use atoll_flows::api_key::{CREATE_API_KEYS, NewKey};
use atoll_flows::cart::{
    DELETE_EXPIRED_CARTS, DeleteExpired, ProviderAnswers, RECORD_PROVIDER_ANSWERS, REFRESH_CART_ITEMS,
    expired_carts,
};
use atoll_flows::order::{
    ACCEPT_ORDER_TRANSFER, AnswerTransfer, DECLINE_ORDER_TRANSFER, REQUEST_ORDER_TRANSFER,
};
use atoll_flows::payment::{PaidInVain, RETURN_PAYMENT};
use atoll_flows::user::{
    CREATE_FIRST_USER, CREATE_INVITES, CREATE_USERS, NewInvite, NewUser, REFRESH_INVITES,
};
use atoll_kernel::{Actor, Metadata, Moment, Timestamp, Write, http::Unsigned, saga::Saga};
use atoll_payment::PAYMENT_COLLECTIONS;
use atoll_testkit::pay_with;
use atoll_user::USERS;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    sagas::{CARELESS, TRIP, Trip},
    undoing::{Op, SCRIPT},
    world,
};

use super::{Run, Scene, id, run};

impl Scene {
    /// Sagas of these tests, and the name under which each calls the external service.
    pub(super) fn saga(&self, flow: &str) -> Option<(String, Run)> {
        let (test, tea) = (world::new_test(), &self.tea.product);
        let run = match flow {
            "trip" => {
                let channels = vec![self.web.clone(), self.app.clone()];
                let trip = Trip { test: test.clone(), product: tea.clone(), channels, ..Trip::default() };
                start(&TRIP, Some("one"), trip)
            }
            "script" => {
                let title = |title: &str| Op::Title(tea.clone(), title.into());
                let part = Op::Part(vec![
                    title("in the part"),
                    Op::TitleUndoneBy(tea.clone(), "still".into()),
                    Op::Call,
                    Op::Refused,
                ]);
                let ops = vec![title("before"), part, Op::Call, title("after")];
                start(&SCRIPT, Some("one"), (test.clone(), ops))
            }
            "careless" => start(&CARELESS, None, test.clone()),
            _ => return None,
        };
        Some((test, run))
    }

    pub(super) async fn direct(&self, flow: &str) -> Option<Run> {
        Some(match flow {
            "refresh-cart-items" => {
                self.raise_price().await;
                run(&REFRESH_CART_ITEMS, self.cart.clone())
            }
            "record-provider-answers" => {
                self.raise_price().await;
                let answers = ProviderAnswers { cart_id: self.cart.clone(), ..ProviderAnswers::default() };
                run(&RECORD_PROVIDER_ANSWERS, answers)
            }
            "delete-expired-carts" => {
                pay_with(&self.storefront, &self.cart, "pp_bank").await;
                let carts = expired_carts(&self.shop.app.ctx.view(), "9", None).expect("a store");
                run(&DELETE_EXPIRED_CARTS, DeleteExpired { first_kept: "9".into(), carts })
            }
            "return-payment" => {
                pay_with(&self.storefront, &self.cart, "pp_bank").await;
                let view = self.shop.app.ctx.view();
                let collections = PAYMENT_COLLECTIONS.table.list_all(&view).expect("a store");
                let session = collections[0].payment_sessions[0].clone();
                let told = PaymentTold { amount: session.amount, ..PaymentTold::default() };
                run(&RETURN_PAYMENT, PaidInVain { session, is_captured: true, told })
            }
            "create-users-workflow" => {
                let password = PasswordHash::new("supersecret").expect("a hash");
                run(&CREATE_USERS, vec![NewUser { email: "new@test.dev".into(), password }])
            }
            "create-first-user" => {
                let users = self.shop.admin.get("/admin/users").await.ok();
                let admin = id(&users["users"][0]);
                let remove =
                    move |tx: &mut dyn Write, at: &Moment| Ok(USERS.delete(tx, at, &admin).map(drop)?);
                self.shop.app.ctx.write(Actor::System, remove).await.expect("nobody can log in");
                let password = PasswordHash::new("supersecret").expect("a hash");
                run(&CREATE_FIRST_USER, NewUser { email: "first@test.dev".into(), password })
            }
            // The route makes a new token each time, so the writes would differ.
            "create-api-keys" => {
                let token = NewToken::random(ApiKeyKind::Publishable).expect("a token");
                run(&CREATE_API_KEYS, NewKey { title: "Another".into(), token })
            }
            "create-invite-step" => {
                let (email, metadata) = ("new@test.dev".to_owned(), Metadata::default());
                run(&CREATE_INVITES, NewInvite { email, metadata, token: a_token() })
            }
            "refresh-invite-tokens-workflow" => {
                let invite = json!({ "email": "new@test.dev" });
                let invite = id(&self.shop.admin.post("/admin/invites", invite).await.ok());
                run(&REFRESH_INVITES, (invite, a_token()))
            }
            _ => return self.transfers(flow).await,
        })
    }

    async fn transfers(&self, flow: &str) -> Option<Run> {
        let flow = match flow {
            "request-order-transfer" => None,
            "accept-order-transfer" => Some(&ACCEPT_ORDER_TRANSFER),
            "decline-order-transfer-request" => Some(&DECLINE_ORDER_TRANSFER),
            _ => return None,
        };
        let app = &self.shop.app;
        let token = Unsigned::new("order.transfer", &json!({}), app.now(), 1_000_000).expect("a token");
        let wanted = (self.transfer().await, token);
        let Some(flow) = flow else { return Some(run(&REQUEST_ORDER_TRANSFER, wanted)) };
        let asked = app.ctx.run(&REQUEST_ORDER_TRANSFER, Actor::System, wanted).await;
        let order_id = asked.expect("a transfer").0.id.to_string();
        let token = app.mailed_tokens("order.transfer_requested").pop().expect("a token");
        Some(run(flow, AnswerTransfer { order_id, token }))
    }

    /// Makes what is in the cart dearer.
    async fn raise_price(&self) {
        let variant = format!("/admin/products/{}/variants/{}", self.tea.product, self.tea.id);
        let dearer = json!({ "prices": [{ "currency_code": "eur", "amount": 11 }] });
        self.shop.admin.post(&variant, dearer).await.ok();
    }
}

/// Starts a saga with this input.
fn start<I, O>(saga: &'static Saga<I, O>, transaction_id: Option<&'static str>, input: I) -> Run
where
    I: Clone + Serialize + DeserializeOwned + Send + 'static,
    O: Serialize + DeserializeOwned + Send + 'static,
{
    Box::new(move |app| {
        let (ctx, input) = (app.ctx.clone(), input.clone());
        Box::pin(async move { ctx.start(saga, Actor::System, transaction_id, input).await.is_ok() })
    })
}

/// Deterministic.
fn a_token() -> Unsigned {
    Unsigned::new("invite", &json!({}), Timestamp::default(), 60).expect("a token")
}
