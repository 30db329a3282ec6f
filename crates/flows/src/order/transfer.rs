//! Transfers orders to other customers: requested, and accepted or declined by whoever gets the token, which
//! is mailed to the buyer; or by admins to a guest, at once.

use atoll_customer::{CUSTOMERS, Customer, find_or_create_guest};
use atoll_kernel::{
    Actor, Ctx, Fault, Metadata, Read, flow,
    flow::Local,
    http::{UNSIGNED_TOKEN, Unsigned, digest, random_token},
    limits::TRANSFERS_ASKED_MAX,
    part_of,
    serde_json::{Map, Value, json},
};
use atoll_order::{
    CHANGES_BY_ORDER, ChangeStatus, ORDERS, Order, OrderChange, OrderChangeAction, end_change, open_change,
    request_change,
};
use serde::Deserialize;

use crate::points::{ORDER_UPDATED, OfOrder, OrderNow, VALIDATE_ORDER};

part_of! { "customer" }

/// What tokens of transfers are for.
const PURPOSE: &str = "order.transfer";

/// How long the token of a transfer is valid: 30 days. Then the transfer must be withdrawn, and asked for
/// again.
const TOKEN_LIFETIME_S: i64 = 30 * 24 * 60 * 60;

/// A transfer of an order to a customer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RequestTransfer {
    /// The order.
    pub order_id: String,
    /// Id of the customer who is to have it.
    pub customer_id: String,
    /// Text of the one who asks.
    pub description: Option<String>,
    /// Text for admins.
    pub internal_note: Option<String>,
    /// Does the order get the e-mail address of the customer?
    pub update_order_email: Option<bool>,
}

/// Makes the token of a transfer, before the transaction. Only its digest is stored, and the event holds it
/// without its signature: what is stored accepts nothing.
pub fn transfer_token(ctx: &Ctx, order_id: &str) -> Result<Unsigned, Fault> {
    let claims = json!({ "order_id": order_id, "jti": random_token().map_err(Fault::unexpected)? });
    Unsigned::new(PURPOSE, &claims, ctx.now(), TOKEN_LIFETIME_S)
}

flow! {
    /// Asks for the transfer of an order to a customer with an account; it waits until it is accepted,
    /// declined or withdrawn. Event: `order.transfer_requested`, which holds the token. Errors: the order is
    /// theirs, or has an open change; it had [`TRANSFERS_ASKED_MAX`], and it is no admin who asks.
    pub static REQUEST_ORDER_TRANSFER: Flow<(RequestTransfer, Unsigned), Order> =
        "request-order-transfer" (request), hooks: &[&VALIDATE_ORDER];
}

fn request(flow: &mut Local<'_>, (input, token): (RequestTransfer, Unsigned)) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&input.order_id))?;
    let RequestTransfer { order_id, customer_id, description, internal_note, update_order_email } = input;
    let order = found(flow.tx, &order_id)?;
    if matches!(flow.at.actor(), Actor::Customer(_))
        && CHANGES_BY_ORDER.count_up_to(flow.tx, &[&order_id], TRANSFERS_ASKED_MAX)? >= TRANSFERS_ASKED_MAX
    {
        let text = format!("The transfer of order {order_id} was requested too often: ask the shop");
        return Err(Fault::not_allowed(text));
    }
    let customer = CUSTOMERS.get(flow.tx, &customer_id)?;
    let customer =
        customer.ok_or_else(|| Fault::not_found(format!("Customer id not found: {customer_id}")))?;
    if !customer.has_account {
        let text =
            format!("Cannot transfer order: {order_id} to a guest customer account: {}", customer.email);
        return Err(Fault::invalid(text));
    }
    if order.customer_id.as_deref() == Some(&*customer.id) {
        let text = format!("Order: {order_id} already belongs to customer: {customer_id}");
        return Err(Fault::invalid(text));
    }
    let mut details = Map::from_iter([("original_email".to_owned(), json!(order.email))]);
    if update_order_email == Some(true) {
        details.insert(UPDATE_EMAIL.to_owned(), true.into());
    }
    let action = to(&customer, Metadata(Some(details)), internal_note.clone());
    let stored = digest(&flow.ctx().signed(&token));
    let change = OrderChange {
        order_id,
        change_type: Some("transfer".to_owned()),
        description,
        internal_note,
        token_digest: stored,
        actions: vec![action],
        ..OrderChange::default()
    };
    let change = flow.step("request-order-transfer", |tx, at| Ok(request_change(tx, at, change)?))?;
    let data = json!({
        "id": order.id, "order_change_id": change.id, "email": order.email, UNSIGNED_TOKEN: token,
    });
    flow.emit("order.transfer_requested", data)?;
    Ok(ORDERS.retrieve(flow.tx, &order.id)?)
}

/// In the details of the action: the order gets the e-mail address of the customer.
const UPDATE_EMAIL: &str = "update_order_email";

fn to(customer: &Customer, details: Metadata, internal_note: Option<String>) -> OrderChangeAction {
    OrderChangeAction {
        action: "TRANSFER_CUSTOMER".to_owned(),
        reference: Some("customer".to_owned()),
        reference_id: Some(customer.id.to_string()),
        details,
        internal_note,
        ..OrderChangeAction::default()
    }
}

fn found(tx: &dyn Read, order_id: &str) -> Result<Order, Fault> {
    let unknown = || Fault::not_found(format!("Order id not found: {order_id}"));
    ORDERS.get(tx, order_id)?.ok_or_else(unknown)
}

/// The answer to a transfer, with its token.
#[derive(Clone, Debug, Default)]
pub struct AnswerTransfer {
    /// The order.
    pub order_id: String,
    /// The token that was mailed.
    pub token: String,
}

flow! {
    /// Accepts a transfer: the order becomes the customer's. Event: `order.updated`. Errors: there is none,
    /// or the token is not its token.
    pub static ACCEPT_ORDER_TRANSFER: Flow<AnswerTransfer, Order> = "accept-order-transfer" (accept),
        hooks: &[&VALIDATE_ORDER, &ORDER_UPDATED];
}

fn accept(flow: &mut Local<'_>, input: AnswerTransfer) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&input.order_id))?;
    let change = answered(flow, &input)?;
    let action = change.actions.first().cloned().unwrap_or_default();
    let customer = action.reference_id.unwrap_or_default();
    let unknown = || Fault::not_found(format!("Customer id not found: {customer}"));
    let customer = CUSTOMERS.get(flow.tx, &customer)?.ok_or_else(unknown)?;
    let takes_email =
        action.details.0.as_ref().and_then(|it| it.get(UPDATE_EMAIL)) == Some(&Value::Bool(true));
    let order = flow.step("accept-order-transfer", |tx, at| {
        Ok(end_change(tx, at, &change, ChangeStatus::Confirmed, person(at.actor()), |it| {
            it.customer_id = Some(customer.id.to_string());
            if takes_email {
                it.email = Some(customer.email);
            }
        })?)
    })?;
    changed(flow, order)
}

fn changed(flow: &mut Local<'_>, order: Order) -> Result<Order, Fault> {
    flow.emit("order.updated", json!({ "id": order.id }))?;
    flow.hook(&ORDER_UPDATED, || OrderNow { order: order.clone() })?;
    Ok(order)
}

flow! {
    /// Declines a transfer. Errors: there is none, or the token is not its token.
    pub static DECLINE_ORDER_TRANSFER: Flow<AnswerTransfer, Order> = "decline-order-transfer-request" (decline),
        hooks: &[&VALIDATE_ORDER];
}

fn decline(flow: &mut Local<'_>, input: AnswerTransfer) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&input.order_id))?;
    let change = answered(flow, &input)?;
    flow.step("decline-order-transfer", |tx, at| {
        Ok(end_change(tx, at, &change, ChangeStatus::Declined, person(at.actor()), |_| {})?)
    })
}

/// The open transfer of an order, if this is its token. The signature of the token is checked in constant
/// time, before anything is compared.
fn answered(flow: &Local<'_>, input: &AnswerTransfer) -> Result<OrderChange, Fault> {
    let change = open_change(flow.tx, &input.order_id)?;
    let is_signed = flow.ctx().read_mailed::<Value>(PURPOSE, &input.token).is_some();
    if is_signed && digest(&input.token) == change.token_digest {
        return Ok(change);
    }
    Err(Fault::not_allowed("Invalid token."))
}

/// Who answers, if that is known: the holder of a token need not log in.
fn person(actor: &Actor) -> Option<String> {
    match actor {
        Actor::Shopper(_) | Actor::Nobody => None,
        actor => Some(actor.id().to_owned()),
    }
}

flow! {
    /// Withdraws the transfer of the order with this id. Errors: there is none, or the customer who asks has
    /// not asked for it.
    pub static CANCEL_ORDER_TRANSFER: Flow<String, Order> = "cancel-order-transfer-request" (cancel),
        hooks: &[&VALIDATE_ORDER];
}

fn cancel(flow: &mut Local<'_>, order_id: String) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&order_id))?;
    let change = open_change(flow.tx, &order_id)?;
    let is_theirs = match flow.at.actor() {
        Actor::User(_) | Actor::ApiKey(_) | Actor::System => true,
        actor => change.requested_by.as_deref() == Some(actor.id()),
    };
    if !is_theirs {
        return Err(Fault::not_allowed("This customer is not allowed to cancel the transfer."));
    }
    flow.step("cancel-order-transfer", |tx, at| {
        Ok(end_change(tx, at, &change, ChangeStatus::Canceled, person(at.actor()), |_| {})?)
    })
}

/// A transfer of an order to a guest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TransferToGuest {
    /// The order.
    pub order_id: String,
    /// E-mail address of the guest.
    pub email: String,
    /// Text of the one who transfers it.
    pub description: Option<String>,
    /// Text for admins.
    pub internal_note: Option<String>,
}

flow! {
    /// Transfers an order to the guest with an e-mail address, which becomes that of the order. Event:
    /// `order.updated`. Error: the order has an open change.
    pub static TRANSFER_ORDER_TO_GUEST: Flow<TransferToGuest, Order> = "transfer-order-to-guest" (to_guest),
        hooks: &[&VALIDATE_ORDER, &ORDER_UPDATED];
}

fn to_guest(flow: &mut Local<'_>, input: TransferToGuest) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&input.order_id))?;
    let TransferToGuest { order_id, email, description, internal_note } = input;
    let order = found(flow.tx, &order_id)?;
    let order = flow.step("transfer-order-to-guest", |tx, at| {
        let guest = find_or_create_guest(tx, at, &email)?;
        let details = Map::from_iter([("original_email".to_owned(), json!(order.email))]);
        let change = OrderChange {
            order_id,
            change_type: Some("transfer".to_owned()),
            description,
            internal_note: internal_note.clone(),
            actions: vec![to(&guest, Metadata(Some(details)), internal_note)],
            ..OrderChange::default()
        };
        let change = request_change(tx, at, change)?;
        Ok(end_change(tx, at, &change, ChangeStatus::Confirmed, person(at.actor()), |it| {
            it.customer_id = Some(guest.id.to_string());
            it.email = Some(guest.email);
        })?)
    })?;
    changed(flow, order)
}
