//! `/store/carts`

use std::{io::Write as _, sync::Arc};

use atoll_cart::{CARTS, Cart};
use atoll_flows::cart::{
    ADD_TO_CART, AddLine, AddToCart, COMPLETE_CART, CREATE_CART, CompleteCart, CreateCart, DELETE_LINE_ITEMS,
    DeleteLineItems, REFRESH_CART_ITEMS, Scoped, TRANSFER_CART_CUSTOMER, TransferCart, UPDATE_CART,
    UPDATE_LINE_ITEM, UpdateCart, UpdateLineItem,
};
use atoll_kernel::{
    Answer, Body, Call, Decimal, Fault, FaultKind, Flow, Metadata, Offer, Outcome, Reply, Resource, Type,
    optional, required, routes,
    serde_json::{Value, json},
};
use atoll_order::ORDERS;
use serde::Deserialize;

use crate::{
    gate::{scope, scope_to_write},
    reply::{context, perform, show_done},
    store::orders::ORDER,
    tables::{ADDITIONAL_DATA, ADDRESS, METADATA, NOTHING, ONE, text},
};

routes! {
    of CART;
    Post "/store/carts" (Store, ONE, CREATE) => create;
    Get "/store/carts/:id" (Store, ONE) => retrieve;
    Post "/store/carts/:id" (Store, ONE, UPDATE) => update;
    Post "/store/carts/:id/line-items" (Store, ONE, ADD_LINE) => add_line;
    Post "/store/carts/:id/line-items/:line_id" (Store, ONE, UPDATE_LINE) => update_line;
    Delete "/store/carts/:id/line-items/:line_id" (Store, ONE) => remove_line: Answer::DeletedFrom(&CART);
    Post "/store/carts/:id/customer" (Customer, ONE, NOTHING) => take;
    Post "/store/carts/:id/complete" (Store, ONE, NOTHING) => complete: Answer::Object;
}

static CART: Resource = Resource {
    entity: "cart",
    one: "cart",
    many: "carts",
    fields: &[
        "id", "currency_code", "email", "locale", "region_id", "created_at", "updated_at", "completed_at",
        "total", "subtotal", "tax_total", "discount_total", "discount_subtotal", "discount_tax_total",
        "original_total", "original_tax_total", "item_total", "item_subtotal", "item_tax_total",
        "item_discount_total", "original_item_total", "original_item_subtotal", "original_item_tax_total",
        "shipping_total", "shipping_subtotal", "shipping_tax_total", "shipping_discount_total",
        "original_shipping_tax_total", "original_shipping_subtotal", "original_shipping_total",
        "credit_line_subtotal", "credit_line_tax_total", "credit_line_total", "metadata", "sales_channel_id",
        "customer_id", "shipping_methods", "credit_lines", "promotions", "items.id", "items.thumbnail",
        "items.variant_id", "items.product_id", "items.is_giftcard", "items.product_type_id",
        "items.product_title", "items.product_description", "items.product_subtitle", "items.product_type",
        "items.product_collection", "items.product_handle", "items.variant_sku", "items.variant_barcode",
        "items.variant_title", "items.requires_shipping", "items.metadata", "items.created_at",
        "items.updated_at", "items.title", "items.quantity", "items.unit_price",
        "items.compare_at_unit_price", "items.is_tax_inclusive", "items.tax_lines", "items.adjustments",
        "items.product.id", "items.product.collection_id", "items.product.type_id",
        "items.product.categories.id", "items.product.tags.id", "shipping_address_id", "billing_address_id",
        "shipping_address.id", "shipping_address.first_name", "shipping_address.last_name",
        "shipping_address.company", "shipping_address.address_1", "shipping_address.address_2",
        "shipping_address.city", "shipping_address.postal_code", "shipping_address.country_code",
        "shipping_address.province", "shipping_address.phone", "billing_address.id",
        "billing_address.first_name", "billing_address.last_name", "billing_address.company",
        "billing_address.address_1", "billing_address.address_2", "billing_address.city",
        "billing_address.postal_code", "billing_address.country_code", "billing_address.province",
        "billing_address.phone", "region.id", "region.name", "region.currency_code",
        "region.automatic_taxes", "*region.countries", "customer.id", "customer.email", "customer.groups",
        "*payment_collection", "*payment_collection.payment_sessions",
    ],
    offer: Some(Offer {
        whole: &[
            "items", "shipping_address", "billing_address", "region", "region.countries",
            "payment_collection", "payment_collection.payment_sessions",
        ],
        // The line holds what was known of the product when it was added; what it is now is the channel's to show.
        parts: &[
            "items.product.id", "items.product.collection_id", "items.product.type_id",
            "items.product.categories.id", "items.product.tags.id", "customer.id", "customer.email",
            "customer.groups",
        ],
    }),
    renamed: &[],
};

const LINE: &[atoll_kernel::Field] =
    &[required("variant_id", Type::Text), required("quantity", Type::Positive), METADATA];
const CREATE: Body = &[&[
    text("region_id"),
    optional("shipping_address", ADDRESS).or_null(),
    optional("billing_address", ADDRESS).or_null(),
    optional("email", Type::Email).or_null(),
    text("currency_code"),
    text("locale"),
    optional("items", Type::List(&Type::Object(LINE))),
    text("sales_channel_id"),
    METADATA,
    ADDITIONAL_DATA,
]];
const UPDATE: Body = &[&[
    text("region_id"),
    optional("shipping_address", ADDRESS).or_null(),
    optional("billing_address", ADDRESS).or_null(),
    optional("email", Type::Email).or_null(),
    text("locale"),
    text("sales_channel_id"),
    METADATA,
    ADDITIONAL_DATA,
]];
const ADD_LINE: Body = &[LINE];
const UPDATE_LINE: Body = &[&[required("quantity", Type::NotNegative), METADATA]];

#[derive(Deserialize)]
struct UpdateLine {
    quantity: Decimal,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// Runs a flow of carts within the scope of the call, and shows the cart.
async fn change<I: Clone + Send + 'static>(
    call: Call,
    flow: &'static Flow<Scoped<I>, Cart>,
    input: I,
) -> Result<Reply, Fault> {
    let input = Scoped { scope: scope_to_write(&call)?, input };
    perform(&CART, call, move |it| it.run(flow, input.clone())).await
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let customer_id = call.pass.customer().map(str::to_owned);
    let input = CreateCart { customer_id, ..call.read()? };
    change(call, &CREATE_CART, input).await
}

async fn take(call: Call) -> Result<Reply, Fault> {
    let customer_id = call.pass.actor.id().to_owned();
    let cart_id = call.path("id").to_owned();
    change(call, &TRANSFER_CART_CUSTOMER, TransferCart { cart_id, customer_id }).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let (view, id) = (call.app.view(), call.path("id"));
    match scope(&call).cart(&view, id)? {
        Some(cart) => CART.show(&view, &context(&call), Arc::new(cart), call.params.fields.as_deref()),
        None => Err(Fault::not_found(format!("Cart with id '{id}' not found"))),
    }
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let (cart_id, input) = (call.path("id").to_owned(), call.read::<UpdateCart>()?);
    change(call, &UPDATE_CART, UpdateCart { cart_id, ..input }).await
}

async fn add_line(mut call: Call) -> Result<Reply, Fault> {
    let (cart_id, items) = (call.path("id").to_owned(), vec![call.read::<AddLine>()?]);
    change(call, &ADD_TO_CART, AddToCart { cart_id, items }).await
}

async fn update_line(mut call: Call) -> Result<Reply, Fault> {
    let (cart_id, line_id) = (call.path("id").to_owned(), call.path("line_id").to_owned());
    let UpdateLine { quantity, metadata } = call.read()?;
    change(call, &UPDATE_LINE_ITEM, UpdateLineItem { cart_id, line_id, quantity, metadata }).await
}

async fn remove_line(call: Call) -> Result<Reply, Fault> {
    let (cart_id, line_id) = (call.path("id").to_owned(), call.path("line_id").to_owned());
    let gone = line_id.clone();
    let reply = change(call, &DELETE_LINE_ITEMS, DeleteLineItems { cart_id, ids: vec![line_id] }).await?;
    let shown: Value = serde_json::from_slice(&reply.json).map_err(Fault::unexpected)?;
    Ok(Reply::json(&json!({ "id": gone, "object": "line-item", "deleted": true, "parent": shown["cart"] })))
}

async fn complete(call: Call) -> Result<Reply, Fault> {
    let (view, id) = (call.app.view(), call.path("id"));
    ORDER.check(&view, &context(&call), call.params.fields.as_deref())?;
    let Some(input) = CompleteCart::of(&call.app, &scope_to_write(&call)?, &view, id)? else {
        return Err(Fault::not_found(format!("Cart with id '{id}' not found")));
    };
    // A view that is held keeps the store from reusing space.
    drop(view);
    let (actor, transaction) = (call.pass.actor.clone(), input.transaction_id().to_owned());
    let (order, view) = match call.app.start(&COMPLETE_CART, actor, Some(&transaction), input).await {
        Ok(Outcome::Done(order, view)) => (order, view),
        Ok(Outcome::Waiting(_)) => {
            return Err(Fault::new(FaultKind::Conflict, format!("Cart {id} is being completed")));
        }
        Err(error) if matches!(error.kind(), FaultKind::PaymentRefused | FaultKind::PaymentRequiresMore) => {
            return not_paid(&call, &error);
        }
        Err(error) if error.kind() == FaultKind::PricesChanged => {
            // So that the shopper sees what is to be paid now, and a session over what was to be paid is gone.
            // The request itself has done nothing, and runs when it comes again with its key.
            let beside = call.app.beside();
            beside.run(&REFRESH_CART_ITEMS, call.pass.actor.clone(), id.to_owned()).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let (order, context) = (Arc::new(ORDERS.retrieve(&view, &order)?), context(&call));
    show_done(&call.app, &view, call.params.fields.clone(), move |view, fields| {
        let mut json = br#"{"type":"order","order":"#.to_vec();
        ORDER.write(view, &context, order.clone(), &ORDER.field_list(fields), &mut json)?;
        json.push(b'}');
        Ok(Reply::raw(json))
    })
    .await
}

/// Not paying is no error on the wire: the buyer goes on with the cart.
fn not_paid(call: &Call, error: &Fault) -> Result<Reply, Fault> {
    let (view, id) = (call.app.view(), call.path("id"));
    let cart = CARTS.retrieve(&view, id)?;
    let mut json = br#"{"type":"cart","cart":"#.to_vec();
    CART.write(&view, &context(call), Arc::new(cart), &CART.field_list(None), &mut json)?;
    let body = error.body();
    let told = json!({ "message": body["message"], "name": body["type"], "type": body["type"] });
    write!(json, ",\"error\":{told}}}").map_err(Fault::unexpected)?;
    Ok(Reply::raw(json))
}
