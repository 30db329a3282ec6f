//! Admin routes of fulfilments: `/admin/orders/:id/fulfillments` and `/admin/fulfillments`.

use std::sync::Arc;

use atoll_checkout::ParcelLabel;
use atoll_flows::order::{
    CANCEL_ORDER_FULFILLMENT, CREATE_ORDER_FULFILLMENT, CREATE_ORDER_SHIPMENT, CancelFulfillment,
    CreateFulfillment, CreateShipment, FulfillmentToCreate, LineQuantity, MARK_FULFILLMENT_DELIVERED,
    MarkDelivered,
};
use atoll_fulfillment::FULFILLMENTS;
use atoll_kernel::{
    Ctx, Decimal, Fault, FaultKind, Metadata, Read,
    data::{Entity, Service, View},
    http::{Body, Call, Field, ReadPlan, Reply, Resource, Type, optional, required},
    part_of, routes,
    saga::Outcome,
    serde_json::{Map, Value},
};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::ORDERS;
use serde::Deserialize;

use crate::{
    admin::orders::ORDER,
    reply::{perform, show_written},
    tables::{ADDRESS, METADATA, ONE, text},
};

part_of! { "fulfillment" }

routes! {
    of ORDER;
    /// Fulfils lines of an order, from the locations where they are reserved, and hands them to the
    /// fulfilment provider of the shipping option. Goods that are not in stock are refused, and an order has
    /// at most 500 fulfilments.
    Post "/admin/orders/:id/fulfillments" (Admin, ONE, FULFILL) => fulfill;
    /// Cancels a fulfilment that is not shipped. Its provider takes it back, and its goods go back to their
    /// location, and are reserved for the order again.
    Post "/admin/orders/:id/fulfillments/:fulfillment_id/cancel" (Admin, ONE, CALL_BACK) => call_back;
    /// Marks a fulfilment as shipped, with labels and tracking numbers. It is shipped as a whole: `items` are
    /// all that was packed.
    Post "/admin/orders/:id/fulfillments/:fulfillment_id/shipments" (Admin, ONE, SHIP) => ship;
    /// Marks a fulfilment as delivered.
    Post "/admin/orders/:id/fulfillments/:fulfillment_id/mark-as-delivered" (Admin, ONE, CALL_BACK) => deliver;
}

routes! {
    of FULFILLMENT;
    /// Fulfils lines of an order from one location, by this provider. It is the same as fulfilling them at
    /// the order, and shows the fulfilment.
    Post "/admin/fulfillments" (Admin, ONE, CREATE) => create;
    /// Cancels a fulfilment that is not shipped.
    Post "/admin/fulfillments/:id/cancel" (Admin, ONE, CALL_BACK) => cancel;
    /// Marks a fulfilment as shipped, with labels and tracking numbers.
    Post "/admin/fulfillments/:id/shipment" (Admin, ONE, SHIP_ALL) => ship_all;
}

static FULFILLMENT: Resource = Resource {
    entity: "fulfillment",
    one: "fulfillment",
    many: "fulfillments",
    fields: &[
        "id", "location_id", "packed_at", "shipped_at", "marked_shipped_by", "created_by", "delivered_at",
        "canceled_at", "data", "requires_shipping", "provider_id", "shipping_option_id", "metadata",
        "created_at", "updated_at", "deleted_at", "*delivery_address", "*items", "*labels",
    ],
    store_fields: None,
    renamed: &[],
};

const NO_NOTIFICATION: Field =
    optional("no_notification", Type::Bool).or_null().about("Whether the buyer gets no notification.");
const LINES: Type =
    Type::List(&Type::Object(&[required("id", Type::Text), required("quantity", Type::Positive)]));
const LABELS: Type = Type::List(&Type::Strict(&[&[
    required("tracking_number", Type::Text),
    required("tracking_url", Type::Text).about("An `http` or `https` URL; empty if there is none."),
    required("label_url", Type::Text).about("An `http` or `https` URL; empty if there is none."),
]]));
const FULFILL: Body = &[&[
    required("items", LINES),
    text("location_id").about("By default where each line is reserved, or that of the shipping option."),
    text("shipping_option_id").about("By default that of the order's shipping method."),
    optional("requires_shipping", Type::Bool).about("By default whether the lines do."),
    optional("delivery_address", ADDRESS).or_null().about("By default the order's shipping address."),
    NO_NOTIFICATION,
    METADATA,
]];
const CALL_BACK: Body = &[&[NO_NOTIFICATION]];
const SHIP: Body = &[&[required("items", LINES), optional("labels", LABELS), NO_NOTIFICATION, METADATA]];
const SHIP_ALL: Body = &[&[required("labels", LABELS)]];
const CREATE: Body = &[&[
    required("order_id", Type::Text).about("The order that is fulfilled."),
    required("location_id", Type::Text),
    required("provider_id", Type::Text),
    required(
        "items",
        Type::List(&Type::Object(&[
            required("line_item_id", Type::Text),
            required("quantity", Type::Positive),
        ])),
    )
    .about("Lines of the order. Their titles and stock keeping units are those of the records."),
    optional("labels", LABELS),
    text("shipping_option_id"),
    optional("delivery_address", ADDRESS).or_null(),
    optional("data", Type::Record).or_null().about("For the provider."),
    METADATA,
]];

async fn fulfill(mut call: Call) -> Result<Reply, Fault> {
    let input = CreateFulfillment { order_id: call.path("id").to_owned(), ..call.read()? };
    let (order, plan) = (input.order_id.clone(), ORDER.plan(&call));
    let (app, view, _) = start(call, &plan, input).await?;
    show(&app, &view, &plan, &ORDERS, &order).await
}

/// A body of `/admin/fulfillments`.
#[derive(Deserialize)]
struct New {
    order_id: String,
    location_id: String,
    provider_id: String,
    items: Vec<NewItem>,
    #[serde(default)]
    labels: Vec<ParcelLabel>,
    shipping_option_id: Option<String>,
    delivery_address: Option<Map<String, Value>>,
    #[serde(default)]
    data: Metadata,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct NewItem {
    line_item_id: String,
    quantity: Decimal,
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let new: New = call.read()?;
    check_urls(&new.labels)?;
    let line = |it: NewItem| LineQuantity { id: it.line_item_id, quantity: it.quantity };
    let input = CreateFulfillment {
        order_id: new.order_id,
        items: new.items.into_iter().map(line).collect(),
        location_id: Some(new.location_id),
        shipping_option_id: new.shipping_option_id,
        provider_id: Some(new.provider_id),
        delivery_address: new.delivery_address,
        labels: new.labels,
        data: new.data,
        metadata: new.metadata,
        ..CreateFulfillment::default()
    };
    let plan = FULFILLMENT.plan(&call);
    let (app, view, made) = start(call, &plan, input).await?;
    let id = made.first().ok_or_else(|| Fault::invalid("Field 'items' is empty: nothing to fulfill"))?;
    show(&app, &view, &plan, &FULFILLMENTS, id).await
}

async fn start(
    call: Call,
    plan: &ReadPlan,
    input: CreateFulfillment,
) -> Result<(Ctx, View, Vec<String>), Fault> {
    plan.check(&call.view)?;
    let input = FulfillmentToCreate::of(&call.view, input)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let order = input.transaction_id().to_owned();
    match app.start(&CREATE_ORDER_FULFILLMENT, pass.actor, Some(&order), input).await? {
        Outcome::Done(made, view) => Ok((app, view, made)),
        Outcome::Waiting(_) => Err(is_busy("Order", &order)),
    }
}

async fn call_back(mut call: Call) -> Result<Reply, Fault> {
    let (order_id, fulfillment_id) = path(&call);
    let input = CancelFulfillment { order_id: order_id.clone(), fulfillment_id, ..call.read()? };
    let plan = ORDER.plan(&call);
    let (app, view) = take_back(call, &plan, input).await?;
    show(&app, &view, &plan, &ORDERS, &order_id).await
}

async fn cancel(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let order_id = order_of(&call.view, &id)?;
    let input = CancelFulfillment { order_id, fulfillment_id: id.clone(), ..call.read()? };
    let plan = FULFILLMENT.plan(&call);
    let (app, view) = take_back(call, &plan, input).await?;
    show(&app, &view, &plan, &FULFILLMENTS, &id).await
}

async fn take_back(call: Call, plan: &ReadPlan, input: CancelFulfillment) -> Result<(Ctx, View), Fault> {
    plan.check(&call.view)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let id = input.fulfillment_id.clone();
    match app.start(&CANCEL_ORDER_FULFILLMENT, pass.actor, Some(&id), input).await? {
        Outcome::Done(_, view) => Ok((app, view)),
        Outcome::Waiting(_) => Err(is_busy("Fulfillment", &id)),
    }
}

async fn ship(mut call: Call) -> Result<Reply, Fault> {
    let (order_id, fulfillment_id) = path(&call);
    let input = CreateShipment { order_id, fulfillment_id, ..call.read()? };
    check_urls(&input.labels)?;
    perform(&ORDER, call, move |flow| flow.run(&CREATE_ORDER_SHIPMENT, input)).await
}

async fn ship_all(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let order_id = order_of(&call.view, &id)?;
    let input = CreateShipment { order_id, fulfillment_id: id.clone(), ..call.read()? };
    check_urls(&input.labels)?;
    perform(&FULFILLMENT, call, move |flow| {
        flow.run(&CREATE_ORDER_SHIPMENT, input)?;
        Ok(FULFILLMENTS.retrieve(flow.tx, &id)?)
    })
    .await
}

async fn deliver(mut call: Call) -> Result<Reply, Fault> {
    let (order_id, fulfillment_id) = path(&call);
    let input = MarkDelivered { order_id, fulfillment_id, ..call.read()? };
    perform(&ORDER, call, move |flow| flow.run(&MARK_FULFILLMENT_DELIVERED, input)).await
}

/// The ids of an order and its fulfilment.
fn path(call: &Call) -> (String, String) {
    (call.path("id").to_owned(), call.path("fulfillment_id").to_owned())
}

/// The order of a fulfilment.
fn order_of(view: &dyn Read, id: &str) -> Result<String, Fault> {
    let unknown = || Fault::not_found(format!("Fulfillment with id: {id} was not found"));
    FULFILLMENTS.get(view, id)?.ok_or_else(unknown)?;
    ORDER_FULFILLMENT.lefts(view, id)?.into_iter().next().ok_or_else(unknown)
}

fn is_busy(what: &str, id: &str) -> Fault {
    Fault::new(FaultKind::Conflict, format!("{what} {id} is being changed"))
}

/// Shoppers and admins follow the URLs of labels: they must be of the web.
fn check_urls(labels: &[ParcelLabel]) -> Result<(), Fault> {
    let is_web = |url: &str| url.is_empty() || url.starts_with("https://") || url.starts_with("http://");
    match labels.iter().all(|it| is_web(&it.tracking_url) && is_web(&it.label_url)) {
        true => Ok(()),
        false => Err(Fault::invalid("Invalid request: URL must use http: or https: scheme")),
    }
}

async fn show<T: Entity>(
    app: &Ctx,
    view: &View,
    plan: &ReadPlan,
    service: &'static Service<T>,
    id: &str,
) -> Result<Reply, Fault> {
    show_written(app, view, plan, Arc::new(service.retrieve(view, id)?)).await
}
