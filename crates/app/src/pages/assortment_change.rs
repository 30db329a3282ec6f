//! A change of many products of a channel at once: shown first as a difference, then done, and taken back if
//! nobody has changed these products since.

use atoll_kernel::{Fault, FaultKind, Timestamp};
use atoll_pages::{
    Address, Button, Done, Form, Markup, Next, Page, PageCall, admin_page, facts, hint, html, link, moment,
    nothing, table,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::assortment::{Channel, below, channel, list_of, of_channel, state_badge};

admin_page! {
    with "sales_channels";
    "/channels/:id/products/change" => show, act;
}

/// What would become of products.
#[derive(Deserialize)]
struct Plan {
    products: Vec<Change>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Change {
    product_id: String,
    title: String,
    before: Standing,
    after: Standing,
}

/// A product as the channel has it.
#[derive(Clone, Deserialize, Serialize)]
struct Standing {
    is_in_channel: bool,
    available_from: Option<Timestamp>,
    available_until: Option<Timestamp>,
    state: Option<String>,
}

impl Standing {
    fn is_on_sale(&self) -> bool {
        self.state.as_deref() == Some("on_sale")
    }

    /// As the API compares it.
    fn expected(&self) -> Value {
        json!({
            "is_in_channel": self.is_in_channel, "available_from": self.available_from,
            "available_until": self.available_until,
        })
    }

    fn shown(&self) -> Markup {
        let Some(state) = &self.state else { return html! { "Not in the channel" } };
        html! {
            (state_badge(state)) " "
            @match (self.available_from, self.available_until) {
                (None, None) => "always",
                (Some(from), None) => { "from " (moment(from)) },
                (None, Some(until)) => { "until " (moment(until)) },
                (Some(from), Some(until)) => { "from " (moment(from)) " until " (moment(until)) },
            }
        }
    }
}

impl Change {
    fn is_none(&self) -> bool {
        self.before.expected() == self.after.expected()
    }

    /// What the API is asked for: to leave it as it is afterwards, if it is now as it was before.
    fn terms(&self) -> Value {
        let mut terms = self.after.expected();
        terms["product_id"] = json!(self.product_id);
        terms["expected"] = self.before.expected();
        terms
    }

    fn undone(self) -> Change {
        Change { before: self.after, after: self.before, ..self }
    }
}

/// What the address asks for of a product.
fn wanted(call: &PageCall, product: &str) -> Result<Value, Fault> {
    match call.query("what") {
        "window" => period(call, product),
        "add" => Ok(json!({ "product_id": product, "is_in_channel": true })),
        "remove" => Ok(json!({ "product_id": product, "is_in_channel": false })),
        _ => Err(Fault::invalid("There is no such change")),
    }
}

/// The period that the address asks for: an end that it does not name stays as it is.
fn period(call: &PageCall, product: &str) -> Result<Value, Fault> {
    let mut terms = json!({ "product_id": product });
    for (end, name) in [("start", "available_from"), ("end", "available_until")] {
        match call.query_moment(name)? {
            Some(at) => terms[name] = json!(at),
            None if call.queries("without").contains(&end) => terms[name] = Value::Null,
            None => {}
        }
    }
    Ok(terms)
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let channel = channel(&call).await?;
    if call.is_refused("undo") {
        return Ok(page(
            &call,
            &channel,
            "Not taken back",
            nothing("The products are as somebody left them."),
        ));
    }
    let chosen = call.queries("product");
    if chosen.is_empty() {
        return Err(Fault::invalid("No product is chosen"));
    }
    let products = chosen.iter().map(|id| wanted(&call, id)).collect::<Result<Vec<_>, Fault>>()?;
    let dry = of_channel(&call).then("assortment").with("dry_run", "true");
    let plan: Plan = call.api().post(dry, &json!({ "products": products })).await?;
    let n_all = plan.products.len();
    let changes: Vec<Change> = plan.products.into_iter().filter(|it| !it.is_none()).collect();
    let count = |is_it: fn(&Change) -> bool| changes.iter().filter(|it| is_it(it)).count();
    let apply = format!("Change {}", products_in_words(changes.len()));
    let body = html! {
        (facts([
            ("Change", html! { (changes.len()) }),
            ("Go off sale now", html! { (count(|it| it.before.is_on_sale() && !it.after.is_on_sale())) }),
            ("Go on sale now", html! { (count(|it| !it.before.is_on_sale() && it.after.is_on_sale())) }),
            ("Stay as they are", html! { (n_all - changes.len()) }),
        ]))
        @if changes.is_empty() { (nothing("Nothing would change.")) } @else {
            (difference(&call, &changes, ["Product", "Now", "Then"]))
            (call.form_of(|_| kept(&changes), &[Button::new("apply", &apply)]))
        }
    };
    Ok(page(&call, &channel, "What would change", body))
}

fn page(call: &PageCall, channel: &Channel, title: &str, body: Markup) -> Page {
    below(call, channel, Page::new(title, body)).below(list_of(call), "Products of the channel")
}

fn products_in_words(n: usize) -> String {
    if n == 1 { "1 product".to_owned() } else { format!("{n} products") }
}

fn difference(call: &PageCall, changes: &[Change], columns: [&str; 3]) -> Markup {
    let row = |it: &Change| {
        let product = link(call, Address::of("/products").then(&it.product_id), &it.title);
        vec![product, it.before.shown(), it.after.shown()]
    };
    table(&columns, changes.iter().map(row))
}

/// The changes as the form sends them back.
fn kept(changes: &[Change]) -> Markup {
    html! { input type="hidden" name="changes" value=(json!(changes)); }
}

async fn act(call: PageCall, form: Form) -> Result<Next, Fault> {
    let changes: Vec<Change> = serde_json::from_str(form.text("changes"))
        .map_err(|_| Fault::invalid("The form does not say what is to be changed"))?;
    let body = json!({ "products": changes.iter().map(Change::terms).collect::<Vec<_>>() });
    let done = call.api().post::<Value>(of_channel(&call).then("assortment"), &body).await;
    done.map_err(|fault| in_words(fault, &changes))?;
    match form.action() {
        "undo" => Ok(Next::to(list_of(&call), Done::Saved)),
        _ => Ok(Next::Once(changed(&call, changes).await?)),
    }
}

/// What the API refuses, with the title of the product instead of its id.
fn in_words(fault: Fault, changes: &[Change]) -> Fault {
    let said = fault.to_string();
    match changes.iter().find(|it| said.contains(&it.product_id)) {
        Some(change) if fault.kind() == FaultKind::Conflict => Fault::new(
            FaultKind::Conflict,
            format!("{} was changed by somebody meanwhile, so nothing was written", change.title),
        ),
        _ => fault,
    }
}

/// The page after a change, from which it can be taken back.
async fn changed(call: &PageCall, changes: Vec<Change>) -> Result<Page, Fault> {
    let channel = channel(call).await?;
    let n = products_in_words(changes.len());
    let shown = difference(call, &changes, ["Product", "Before", "Now"]);
    let back: Vec<Change> = changes.into_iter().map(Change::undone).collect();
    let body = html! {
        p class="notice good" role="status" { (n) " changed." }
        (shown)
        (call.form_of(|_| kept(&back), &[Button::new("undo", "Undo").quiet()]))
        (hint("Undo puts these products back as they were, unless somebody changes them before."))
    };
    Ok(page(call, &channel, "Changed", body))
}
