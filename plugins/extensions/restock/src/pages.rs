//! Pages for people: the list of who waits for what, and a section on the page of a product.

use atoll_kernel::{Decimal, Fault, Timestamp};
use atoll_pages::{
    Address, Button, Done, Form, Markup, Next, Page, PageCall, Records, admin_page, admin_widget, html,
    moment, nothing, pager, table,
};
use serde::Deserialize;

admin_page! {
    with "restock";
    "/restock" as "Waiting shoppers" in Catalogue 25 => show, remove;
}

admin_widget! { with "restock"; on Product, "Waiting shoppers" => of_product }

#[derive(Deserialize)]
struct Subscription {
    id: String,
    email: String,
    quantity: Decimal,
    status: String,
    created_at: Timestamp,
    variant: Option<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    title: Option<String>,
    product: Option<Product>,
}

#[derive(Deserialize)]
struct Product {
    title: String,
}

/// A page of subscriptions: the route of this module, with fields of other modules' records.
fn subscriptions(n: usize) -> Address {
    Address::of("/admin/restock-subscriptions")
        .with("fields", "id,email,quantity,status,created_at,variant.title,variant.product.title")
        .with("order", "-created_at")
        .with("limit", n)
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let address = subscriptions(50).with("offset", call.offset());
    let page: Records<Subscription> = call.api().list(address, "restock_subscriptions").await?;
    let rows = page.records.iter().map(|it| {
        let mut row = row(it);
        let goes = "The shopper is not told any more. Remove the entry?";
        row.push(call.button(Button::danger(&format!("remove {}", it.id), "Remove", goes).of(&it.email)));
        row
    });
    let body = html! {
        @if page.records.is_empty() { (nothing("Nobody waits.")) }
        @else { (table(&["Shopper", "Variant", "Quantity", "State", "Since", "Actions"], rows)) }
        (pager(&call, &page))
    };
    Ok(Page::new("Waiting shoppers", body))
}

fn row(it: &Subscription) -> Vec<Markup> {
    let variant = it.variant.as_ref();
    let product = variant.and_then(|it| it.product.as_ref()).map_or("", |it| it.title.as_str());
    let title = variant.and_then(|it| it.title.as_deref()).unwrap_or_default();
    vec![
        html! { (it.email) },
        html! { (product) " · " (title) },
        html! { (it.quantity) },
        html! { (it.status) },
        moment(it.created_at),
    ]
}

async fn remove(call: PageCall, form: Form) -> Result<Next, Fault> {
    let address = Address::of("/admin/restock-subscriptions").then(form.of_id());
    call.api().delete(address).await?;
    Ok(Next::to("/restock", Done::Deleted))
}

/// The shoppers who wait for a variant of this product, the latest first.
async fn of_product(call: PageCall, product: String) -> Result<Markup, Fault> {
    let address = subscriptions(10).with("variant[product_id]", product);
    let page: Records<Subscription> = call.api().list(address, "restock_subscriptions").await?;
    Ok(match page.count {
        0 => nothing("Nobody waits for it."),
        _ => table(&["Shopper", "Variant", "Quantity", "State", "Since"], page.records.iter().map(row)),
    })
}
