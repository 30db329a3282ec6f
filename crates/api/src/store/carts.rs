//! Store routes of carts, their line items and their completion: `/store/carts`.

use std::{any::Any, sync::Arc};

use atoll_cart::{CARTS, Cart};
use atoll_flows::cart::{
    ADD_TO_CART, AddLine, AddToCart, COMPLETE_CART, CREATE_CART, CodeChange, CompleteCart, CreateCart,
    DELETE_LINE_ITEMS, DeleteLineItems, REFRESH_CART_ITEMS, Scoped, TRANSFER_CART_CUSTOMER, TransferCart,
    UPDATE_CART, UPDATE_CART_PROMOTIONS, UPDATE_LINE_ITEM, UPDATE_TAX_LINES, UpdateCart, UpdateCodes,
    UpdateLineItem, ask_providers, give_up_replaced,
};
use atoll_kernel::{
    Ctx, Decimal, Fault, FaultKind, Metadata,
    data::{Node, View, joined},
    flow::Flow,
    http::{Answer, Body, Call, Deleted, Part, ReadPlan, Reply, Resource, Type, optional, required},
    query::{Fields, StoreFields},
    routes,
    saga::Outcome,
    serde_json::json,
};
use atoll_order::ORDERS;
use serde::Deserialize;

use crate::{
    gate::scope,
    reply::{show_done, show_gone, show_written, write},
    store::orders::ORDER,
    tables::{
        ADDITIONAL_DATA, ADDRESS, IDS, METADATA, NOTHING, ONE, address_shown, tax_lines_shown, text, under,
    },
};

routes! {
    of CART;
    /// Creates a cart in a sales channel of the key. If the key has several, `sales_channel_id` says which.
    Post "/store/carts" (Store, ONE, CREATE) => create;
    /// Shows a cart of the channels of the key.
    Get "/store/carts/:id" (Store, ONE) => retrieve;
    /// Updates a cart. Another region or sales channel prices its lines anew.
    Post "/store/carts/:id" (Store, ONE, UPDATE) => update;
    /// Adds a variant to a cart, if the channel sells it. The same variant with the same metadata becomes one
    /// line; a cart has at most 100 lines.
    Post "/store/carts/:id/line-items" (Store, ONE, ADD_LINE) => add_line;
    /// Sets the quantity of a line of a cart. Zero removes the line.
    Post "/store/carts/:id/line-items/:line_id" (Store, ONE, UPDATE_LINE) => update_line;
    /// Removes a line from a cart.
    Delete "/store/carts/:id/line-items/:line_id" (Store, ONE) => remove_line: Answer::DeletedFrom(&CART);
    /// Calculates the taxes of a cart, and from then on with each change of it, also in a region that does
    /// not calculate them by itself.
    Post "/store/carts/:id/taxes" (Store, ONE, NOTHING) => tax;
    /// Completes a cart: authorises its payment, reserves its stock and places the order. A cart that was
    /// completed answers with its order again. A payment that needs more is answered with the cart, and
    /// prices that changed with 409.
    Post "/store/carts/:id/complete" (Store, ONE, NOTHING) => complete: COMPLETED;
}

/// The routes that leave with the module of promotions.
mod of_promotions {
    use atoll_flows::cart::CodeChange;
    use atoll_kernel::{
        Fault,
        http::{Answer, Call, Reply},
        part_of, routes,
    };

    use super::{CART, CODES, ONE, change_codes};

    part_of! { "promotion" }

    routes! {
        of CART;
        /// Adds codes of promotions to a cart. A code that no promotion has is refused; one that does not
        /// apply, or not yet, is kept, and applies as soon as it can.
        Post "/store/carts/:id/promotions" (Store, ONE, CODES) => add;
        /// Takes codes of promotions back. Automatic promotions stay.
        Delete "/store/carts/:id/promotions" (Store, ONE, CODES) => remove: Answer::One(&CART);
    }

    async fn add(call: Call) -> Result<Reply, Fault> {
        change_codes(call, CodeChange::Add).await
    }

    async fn remove(call: Call) -> Result<Reply, Fault> {
        change_codes(call, CodeChange::Remove).await
    }
}

/// The route that leaves with the module of shipping.
mod of_fulfillment {
    use atoll_flows::cart::{ADD_SHIPPING_METHODS, ChooseShipping, ChosenOption};
    use atoll_kernel::{
        Fault, Metadata,
        http::{Body, Call, Field, Reply, Type, optional, required},
        part_of, routes,
        serde::Deserialize,
    };

    use super::{CART, ONE, change};
    use crate::gate::scope;

    part_of! { "fulfillment" }

    routes! {
        of CART;
        /// Chooses how a cart is shipped: one of its shipping options, or a list of several. Each replaces
        /// the method of the same shipping profile.
        Post "/store/carts/:id/shipping-methods" (Store, ONE, CHOICE) => choose;
    }

    const DATA: Field = optional("data", Type::Record)
        .about("What the fulfilment provider needs to know, such as the id of a parcel shop.");
    const CHOSEN: &[Field] = &[required("option_id", Type::Text).about("The shipping option."), DATA];
    const CHOICE: Body = &[&[
        optional("option_id", Type::Text).about("The shipping option. Required, but for a list."),
        DATA,
        optional("options", Type::BareList(&Type::Object(CHOSEN))).about("Several shipping options."),
    ]];

    #[derive(Deserialize)]
    #[serde(crate = "atoll_kernel::serde")]
    struct Choice {
        option_id: Option<String>,
        #[serde(default)]
        data: Metadata,
        #[serde(default)]
        options: Vec<ChosenOption>,
    }

    async fn choose(mut call: Call) -> Result<Reply, Fault> {
        let (cart_id, Choice { option_id, data, mut options }) = (call.path("id").to_owned(), call.read()?);
        options.extend(option_id.map(|option_id| ChosenOption {
            option_id,
            data,
            ..ChosenOption::default()
        }));
        if options.is_empty() {
            return Err(Fault::invalid("Invalid request: Field 'option_id' is required"));
        }
        let choice = ChooseShipping { cart_id, options }.checked(&call.app, scope(&call)).await?;
        change(call, &ADD_SHIPPING_METHODS, choice).await
    }
}

/// The route that leaves with the module of customers.
mod of_customers {
    use atoll_kernel::{part_of, routes};

    use super::{CART, NOTHING, ONE, take};

    part_of! { "customer" }

    routes! {
        of CART;
        /// Takes over a cart for the customer who asks. Its lines are priced anew.
        Post "/store/carts/:id/customer" (Customer, ONE, NOTHING) => take;
    }
}

static CART: Resource = Resource {
    entity: "cart",
    one: "cart",
    many: "carts",
    fields: joined![
        [
            "id", "currency_code", "email", "locale", "region_id", "created_at", "updated_at",
            "completed_at", "total", "subtotal", "tax_total", "discount_total", "discount_subtotal",
            "discount_tax_total", "original_total", "original_tax_total", "item_total", "item_subtotal",
            "item_tax_total", "item_discount_total", "original_item_total", "original_item_subtotal",
            "original_item_tax_total", "shipping_total", "shipping_subtotal", "shipping_tax_total",
            "shipping_discount_total", "original_shipping_tax_total", "original_shipping_subtotal",
            "original_shipping_total", "credit_line_subtotal", "credit_line_tax_total", "credit_line_total",
            "metadata", "sales_channel_id", "customer_id", "*credit_lines"
        ],
        under!("items": "id", "thumbnail", "variant_id", "product_id", "is_giftcard", "product_type_id",
            "product_title", "product_description", "product_subtitle", "product_type", "product_collection",
            "product_handle", "variant_sku", "variant_barcode", "variant_title", "requires_shipping",
            "metadata", "created_at", "updated_at", "title", "quantity", "unit_price", "compare_at_unit_price",
            "is_tax_inclusive", "product.id", "product.collection_id",
            "product.type_id", "product.categories.id", "product.tags.id"),
        tax_lines_shown!("items.tax_lines"),
        under!("items.adjustments": "id", "code", "promotion_id", "amount", "is_tax_inclusive"),
        under!("shipping_methods": "id", "amount", "is_tax_inclusive", "shipping_option_id"),
        tax_lines_shown!("shipping_methods.tax_lines"),
        under!("shipping_methods.adjustments": "id", "code", "promotion_id", "amount"),
        under!("promotions": "id", "code", "is_automatic", "is_tax_inclusive", "application_method.value",
            "application_method.type", "application_method.currency_code"),
        ["shipping_address_id", "billing_address_id"],
        address_shown!("shipping_address"),
        address_shown!("billing_address"),
        [
            "region.id", "region.name", "region.currency_code", "region.automatic_taxes",
            "*region.countries", "customer.id", "customer.email", "customer.groups.id",
            "*payment_collection", "*payment_collection.payment_sessions"
        ],
    ],
    store_fields: Some(StoreFields {
        whole: &[
            "items", "items.tax_lines", "items.adjustments", "items.product", "items.variant",
            "shipping_methods", "shipping_methods.tax_lines", "shipping_methods.adjustments", "credit_lines",
            "shipping_address", "billing_address", "region", "region.countries", "payment_collection",
            "payment_collection.payment_sessions",
        ],
        parts: &[
            "items.product.categories.id", "items.product.tags.id", "customer.id", "customer.email",
            "customer.groups.id", "promotions.id", "promotions.code", "promotions.type",
            "promotions.is_automatic", "promotions.is_tax_inclusive", "promotions.application_method.id",
            "promotions.application_method.type", "promotions.application_method.value",
            "promotions.application_method.currency_code", "promotions.application_method.target_type",
            "promotions.application_method.allocation",
        ],
    }),
    renamed: &[],
};

const COMPLETED: Answer = Answer::OneOf(&[PLACED, NOT_PAID]);
const PLACED: Answer = Answer::Object(&[
    Part::value("type", Type::Words(&["order"]), "The order was placed."),
    Part::One("order", &ORDER),
]);
const NOT_PAID: Answer = Answer::Object(&[
    Part::value(
        "type",
        Type::Words(&["cart"]),
        "The payment was refused, or needs more: the cart stays open.",
    ),
    Part::One("cart", &CART),
    Part::value(
        "error",
        Type::Object(&[
            required("message", Type::Text).about("What is wrong, for people."),
            required("name", Type::Text).about("The kind of error, as `type`."),
            required("type", Type::Text).about("The kind of error, for programs."),
        ]),
        "Why it is not paid.",
    ),
]);
const LINE: &[atoll_kernel::http::Field] = &[
    required("variant_id", Type::Text).about("The variant."),
    required("quantity", Type::Positive).about("How many of it."),
    METADATA,
];
const CREATE: Body = &[&[
    text("region_id"),
    optional("shipping_address", ADDRESS).or_null(),
    optional("billing_address", ADDRESS).or_null(),
    optional("email", Type::Email).or_null(),
    text("currency_code"),
    text("locale"),
    optional("items", Type::List(&Type::Object(LINE))),
    text("sales_channel_id"),
    PROMO_CODES,
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
    PROMO_CODES,
    METADATA,
    ADDITIONAL_DATA,
]];
const CODES: Body = &[&[required("promo_codes", IDS).about("Codes of promotions, in exact case.")]];
const PROMO_CODES: atoll_kernel::http::Field =
    optional("promo_codes", IDS).about("Codes of promotions, in exact case, instead of those of the cart.");
const ADD_LINE: Body = &[LINE];
const UPDATE_LINE: Body = &[&[
    required("quantity", Type::NotNegative).about("How many there are to be; zero removes the line."),
    METADATA,
]];

#[derive(Deserialize)]
struct UpdateLine {
    quantity: Decimal,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// Runs a flow on a cart in the scope of the call, and shows the cart.
async fn change<I: Clone + Send + 'static>(
    call: Call,
    flow: &'static Flow<Scoped<I>, Cart>,
    input: I,
) -> Result<Reply, Fault> {
    let input = Scoped { scope: scope(&call).clone(), input };
    let plan = CART.plan(&call);
    let (app, node, view) = write_cart(&plan, call, flow, input).await?;
    show_written(&app, &view, &plan, node).await
}

/// Runs a flow on a cart, and asks the providers that the cart then waits for.
async fn write_cart<I: Clone + Send + 'static>(
    plan: &ReadPlan,
    call: Call,
    flow: &'static Flow<Scoped<I>, Cart>,
    input: Scoped<I>,
) -> Result<(Ctx, Node, View), Fault> {
    let (app, node, view) = write(plan, call, move |it| it.run(flow, input)).await?;
    let record: &dyn Any = &*node;
    if !record.downcast_ref::<Cart>().is_some_and(|it| it.is_stale) {
        return Ok((app, node, view));
    }
    let cart = node.key().to_owned();
    // Providers take their time, and a view that is held keeps the store from reusing space.
    drop((node, view));
    // The change is stored, whatever becomes of this: completing asks again.
    if let Err(fault) = ask_providers(&app, &cart).await {
        tracing::warn!(cart, %fault, "a provider of a cart was asked in vain");
    }
    let view = app.view();
    let node = Arc::new(CARTS.retrieve(&view, &cart)?);
    Ok((app, node, view))
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
    let id = call.path("id");
    match scope(&call).cart(&call.view, id)? {
        Some(cart) => CART.plan(&call).show(&call.view, Arc::new(cart)),
        None => Err(Fault::not_found(format!("Cart with id '{id}' not found"))),
    }
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let (cart_id, input) = (call.path("id").to_owned(), call.read::<UpdateCart>()?);
    change(call, &UPDATE_CART, UpdateCart { cart_id, ..input }).await
}

async fn tax(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    change(call, &UPDATE_TAX_LINES, id).await
}

#[derive(Deserialize)]
struct Codes {
    promo_codes: Vec<String>,
}

async fn change_codes(mut call: Call, change_of: CodeChange) -> Result<Reply, Fault> {
    let (cart_id, Codes { promo_codes }) = (call.path("id").to_owned(), call.read()?);
    change(call, &UPDATE_CART_PROMOTIONS, UpdateCodes { cart_id, codes: promo_codes, change: change_of })
        .await
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
    let gone = Deleted::new(line_id.as_str(), "line-item");
    let input = DeleteLineItems { cart_id, ids: vec![line_id] };
    let input = Scoped { scope: scope(&call).clone(), input };
    let plan = CART.plan(&call);
    let (app, node, view) = write_cart(&plan, call, &DELETE_LINE_ITEMS, input).await?;
    show_gone(&app, &view, &plan, gone, Some(node)).await
}

async fn complete(mut call: Call) -> Result<Reply, Fault> {
    let (plan, id) = (ORDER.plan(&call), call.path("id").to_owned());
    plan.check(&call.view)?;
    let Some(input) = CompleteCart::of(&call.app, scope(&call), &call.view, &id)? else {
        return Err(Fault::not_found(format!("Cart with id '{id}' not found")));
    };
    // If the payment is refused, the cart is shown with its default fields.
    call.params.fields = Fields::default();
    let cart = CART.plan(&call);
    let Call { app, pass, view, .. } = call;
    drop(view);
    let transaction = input.transaction_id().to_owned();
    if input.is_stale() {
        ask_providers(&app, &id).await?;
    }
    let start = || app.start(&COMPLETE_CART, pass.actor.clone(), Some(&transaction), input.clone());
    let mut outcome = start().await;
    if let Ok(Outcome::Waiting(run)) = &outcome
        && give_up_replaced(&app, run).await?
    {
        outcome = start().await;
    }
    let (order, view) = match outcome {
        Ok(Outcome::Done(order, view)) => (order, view),
        Ok(Outcome::Waiting(_)) => {
            let pending = Fault::new(FaultKind::PaymentRequiresMore, "Payment authorization is pending");
            return not_paid(&app.view(), &cart, &id, &pending);
        }
        Err(error) if matches!(error.kind(), FaultKind::PaymentRefused | FaultKind::PaymentRequiresMore) => {
            return not_paid(&app.view(), &cart, &id, &error);
        }
        Err(error) if error.kind() == FaultKind::PricesChanged => {
            // The shopper then sees the current amount, and the session over the old one is deleted. The
            // request itself has had no effect, and runs if it is retried with its key.
            app.beside().run(&REFRESH_CART_ITEMS, pass.actor, id).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let order = Arc::new(ORDERS.retrieve(&view, &order)?);
    show_done(&app, &view, &plan, move |view, plan| {
        Reply::object(|envelope| {
            envelope.field("type", "order");
            plan.write(view, order.clone(), envelope.name("order"))
        })
    })
    .await
}

/// On the wire a refused payment is not an error: the buyer goes on with the cart.
fn not_paid(view: &View, plan: &ReadPlan, id: &str, error: &Fault) -> Result<Reply, Fault> {
    let cart = CARTS.retrieve(view, id)?;
    Reply::object(|envelope| {
        envelope.field("type", "cart");
        plan.write(view, Arc::new(cart), envelope.name("cart"))?;
        let body = error.body();
        let error = json!({ "message": body["message"], "name": body["type"], "type": body["type"] });
        envelope.field("error", &error);
        Ok(())
    })
}
