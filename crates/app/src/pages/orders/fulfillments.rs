//! The fulfilments of an order: what was packed, shipped and delivered, and the forms that do it.

use atoll_kernel::{Decimal, Fault, Timestamp};
use atoll_pages::{
    Address, Blank, Button, Field, Form, Markup, PageCall, badge, facts, hint, html, moment, nothing, outside,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::show::{Line, Order};
use crate::pages::named::{Named, options_or};

/// A fulfilment of an order.
#[derive(Deserialize)]
pub(super) struct Fulfillment {
    id: String,
    location_id: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) shipped_at: Option<Timestamp>,
    pub(super) delivered_at: Option<Timestamp>,
    pub(super) canceled_at: Option<Timestamp>,
    requires_shipping: bool,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    labels: Vec<Label>,
}

/// What was taken from stock.
#[derive(Deserialize)]
struct Item {
    title: String,
    sku: Option<String>,
    quantity: Decimal,
}

#[derive(Deserialize)]
struct Label {
    tracking_number: String,
    tracking_url: String,
}

impl Fulfillment {
    fn state(&self) -> Markup {
        match self {
            _ if self.canceled_at.is_some() => badge("bad", "Cancelled"),
            _ if self.delivered_at.is_some() => badge("good", "Delivered"),
            _ if self.shipped_at.is_some() => badge("good", "Shipped"),
            _ => badge("warn", "Packed"),
        }
    }
}

/// The fulfilments of an order, each with what can be done, and the form of the next.
pub(super) fn shown(call: &PageCall, order: &Order, locations: &[Named]) -> Markup {
    let is_open = order.is_open() && order.items.iter().any(|it| it.open() > Decimal::ZERO);
    html! {
        @if order.fulfillments().is_empty() { (nothing("Nothing was packed yet.")) }
        @for (index, fulfillment) in order.fulfillments().iter().enumerate() {
            (one(call, index + 1, fulfillment, locations))
        }
        @if is_open { (next(call, order, locations)) }
    }
}

fn one(call: &PageCall, number: usize, fulfillment: &Fulfillment, locations: &[Named]) -> Markup {
    let Fulfillment { id, location_id, shipped_at, delivered_at, canceled_at, .. } = fulfillment;
    let location = locations.iter().find(|it| Some(&it.id) == location_id.as_ref());
    let (is_canceled, parcel) = (canceled_at.is_some(), format!("Parcel {number}"));
    html! {
        h3 { (parcel) " " (fulfillment.state()) }
        (facts([
            ("From", html! { (location.map_or("–", |it| &*it.name)) }),
            ("Packed", moment(fulfillment.created_at)),
        ]))
        ul {
            @for item in &fulfillment.items {
                li { (item.quantity) " × " (item.title) " " code { (item.sku.as_deref().unwrap_or_default()) } }
            }
        }
        @for label in &fulfillment.labels {
            @let Label { tracking_number: number, tracking_url: url } = label;
            p { "Tracking: " (outside(url, if number.is_empty() { url } else { number })) }
        }
        @if !is_canceled && shipped_at.is_none() && fulfillment.requires_shipping { (shipping(call, id)) }
        div class="buttons" {
            @if !is_canceled && delivered_at.is_none() {
                @let arrived = "This cannot be taken back. Has the parcel arrived?";
                (call.button(Button::new(&format!("deliver {id}"), "Mark as delivered").asking(arrived).of(&parcel)))
            }
            @if !is_canceled && shipped_at.is_none() && delivered_at.is_none() {
                @let back = "The goods go back to their location. Unpack?";
                (call.button(Button::danger(&format!("take-back {id}"), "Unpack", back).of(&parcel)))
            }
        }
    }
}

fn shipping(call: &PageCall, id: &str) -> Markup {
    let action = format!("ship {id}");
    let fields = [
        Field::text("tracking_number", "Tracking number").hint("Empty if there is none."),
        Field::line("url", "tracking_url", "Address at which the buyer follows it"),
        Field::line("url", "label_url", "Address of the label to print"),
    ];
    call.fold(
        "Mark as shipped…",
        &[&action],
        html! {
            (hint("A shipped parcel cannot be unpacked any more."))
            (call.form(&action, "Mark as shipped", &fields))
        },
    )
}

/// The form that packs what is open.
fn next(call: &PageCall, order: &Order, locations: &[Named]) -> Markup {
    let from = options_or("where it is reserved", locations);
    let lines = order.items.iter().filter(|it| it.open() > Decimal::ZERO);
    let quantity = |form: &Blank<'_>, line: &Line| {
        let (name, label) = (format!("quantity[{}]", line.id), line.name());
        form.field(&Field::number(&name, &label).value(line.open().to_string()))
    };
    let fields = |form: &Blank<'_>| {
        html! {
            @for line in lines { (quantity(form, line)) }
            (form.field(&Field::choice("location_id", "From", from)))
        }
    };
    html! { h3 { "Pack" } (call.form_of(fields, &[Button::new("pack", "Pack")])) }
}

/// Packs the quantities of the form.
pub(super) async fn pack(call: &PageCall, form: &Form, order: Address) -> Result<(), Fault> {
    let none = Map::new();
    let quantities = form.nested("quantity").as_object().unwrap_or(&none);
    let quantities = Form::of(quantities.clone());
    let mut items = Vec::new();
    for id in form.nested("quantity").as_object().unwrap_or(&none).keys() {
        let quantity = quantities.number(id)?;
        if !quantity.is_null() && quantity != 0 {
            items.push(json!({ "id": id, "quantity": quantity }));
        }
    }
    if items.is_empty() {
        return Err(Fault::invalid("Say of at least one line how many are packed"));
    }
    let body = json!({ "items": items, "location_id": form.or_null("location_id") });
    call.api().post::<Value>(order.then("fulfillments"), &body).await.map(drop)
}

/// Marks a parcel as shipped. Without a label of its own, the address of the buyer's is that of the label.
pub(super) async fn ship(call: &PageCall, form: &Form) -> Result<(), Fault> {
    let (number, tracking) = (form.text("tracking_number"), form.text("tracking_url"));
    let label = Some(form.text("label_url")).filter(|it| !it.is_empty()).unwrap_or(tracking);
    let labels = match number.is_empty() && label.is_empty() {
        true => json!([]),
        false => json!([{ "tracking_number": number, "tracking_url": tracking, "label_url": label }]),
    };
    let address = Address::of("/admin/fulfillments").then(form.of_id()).then("shipment");
    call.api().post::<Value>(address, &json!({ "labels": labels })).await.map(drop)
}

/// Marks a parcel as delivered.
pub(super) async fn deliver(call: &PageCall, form: &Form, order: Address) -> Result<(), Fault> {
    let address = order.then("fulfillments").then(form.of_id()).then("mark-as-delivered");
    call.api().post::<Value>(address, &json!({})).await.map(drop)
}

/// Cancels a fulfilment that is not shipped.
pub(super) async fn take_back(call: &PageCall, form: &Form, order: Address) -> Result<(), Fault> {
    let address = order.then("fulfillments").then(form.of_id()).then("cancel");
    call.api().post::<Value>(address, &json!({})).await.map(drop)
}
