//! Customers: the list, and the page of one with addresses, groups and orders.

use atoll_kernel::{Decimal, Fault, Timestamp, part_of};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, PageOf, Records, admin_page, badge,
    facts, hint, html, link, moment, nothing, pager, table, widgets,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    named::{CUSTOMER_GROUPS, Named, full_name, named, options, options_or},
    orders::states::{PAYMENT, STATUS},
    postal::Postal,
};

part_of! { "customer" }

admin_page! {
    "/customers" as "Customers" in Sales 20 => list;
    "/customers/new" => ask_new, create;
    "/customers/:id" => show, change;
    "/customers/:id/addresses/:address_id" => show_address, change_address;
}

/// A customer, as these pages show it.
#[derive(Deserialize)]
struct Customer {
    id: String,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    company_name: Option<String>,
    phone: Option<String>,
    has_account: bool,
    created_at: Timestamp,
    #[serde(default)]
    groups: Vec<Named>,
}

const FIELDS: &str =
    "id,email,first_name,last_name,company_name,phone,has_account,created_at,groups.id,groups.name";

/// Customers on one page of the list.
const LIST_PAGE: usize = 30;

/// Orders that the page of a customer shows: the latest.
const ORDERS_SHOWN: usize = 10;

/// Addresses that the page of a customer shows.
const ADDRESSES_SHOWN: usize = 20;

impl Customer {
    /// What they are called: by name, company, or e-mail address.
    fn called(&self) -> String {
        let name = full_name(self.first_name.as_deref(), self.last_name.as_deref());
        let others = [&self.company_name, &self.email].into_iter().flatten().cloned();
        std::iter::once(name)
            .chain(others)
            .find(|it| !it.trim().is_empty())
            .unwrap_or_else(|| self.id.clone())
    }

    fn account(&self) -> Markup {
        if self.has_account { badge("good", "Account") } else { badge("", "Guest") }
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/customers")
        .with("fields", FIELDS)
        .with("q", call.query("q"))
        .with("groups[id]", call.query("group"))
        .with("order", "-created_at")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let customers: Records<Customer> = call.api().list(address, "customers").await?;
    let groups = named(&call, CUSTOMER_GROUPS).await?;
    let rows = customers.records.iter().map(|it| {
        vec![
            link(&call, Address::of("/customers").then(&it.id), it.called()),
            html! { (it.email.as_deref().unwrap_or("–")) },
            html! { (it.groups.iter().map(|it| &*it.name).collect::<Vec<_>>().join(", ")) },
            it.account(),
            moment(it.created_at),
        ]
    });
    let body = html! {
        div class="buttons" { a class="button" href=(call.to("/customers/new")) { "New customer" } }
        (call.search("/customers", "Search", &[
            Field::line("search", "q", "Name, company or e-mail").value(call.query("q")),
            Field::choice("group", "Group", options_or("any", &groups)).value(call.query("group")),
        ]))
        @if customers.records.is_empty() { (nothing("There is no such customer.")) }
        @else { (table(&["Name", "E-mail", "Groups", "Kind", "Since"], rows)) }
        (pager(&call, &customers))
    };
    Ok(Page::new("Customers", body))
}

fn fields<'a>(customer: Option<&Customer>) -> [Field<'a>; 5] {
    let of = |value: fn(&Customer) -> &Option<String>| {
        customer.and_then(|it| value(it).clone()).unwrap_or_default()
    };
    [
        Field::line("email", "email", "E-mail").value(of(|it| &it.email)).required(),
        Field::text("first_name", "First name").value(of(|it| &it.first_name)),
        Field::text("last_name", "Last name").value(of(|it| &it.last_name)),
        Field::text("company_name", "Company").value(of(|it| &it.company_name)),
        Field::text("phone", "Phone").value(of(|it| &it.phone)),
    ]
}

fn described(form: &Form) -> Value {
    json!({
        "email": form.text("email"),
        "first_name": form.or_null("first_name"),
        "last_name": form.or_null("last_name"),
        "company_name": form.or_null("company_name"),
        "phone": form.or_null("phone"),
    })
}

async fn ask_new(call: PageCall) -> Result<Page, Fault> {
    let body = html! { section class="card" { (call.form("create", "Create", &fields(None))) } };
    Ok(Page::new("New customer", body).below("/customers", "Customers"))
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let answer: Value = call.api().post("/admin/customers", &described(&form)).await?;
    let id = answer["customer"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/customers").then(id), Done::Created))
}

async fn customer(call: &PageCall) -> Result<Customer, Fault> {
    let address = Address::of("/admin/customers").then(call.path("id")).with("fields", FIELDS);
    call.api().one(address, "customer").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let customer = customer(&call).await?;
    let groups = named(&call, CUSTOMER_GROUPS).await?;
    let own_groups = customer.groups.iter().map(|it| it.id.clone());
    let goes = "Their addresses go with them, and they cannot log in any more; their orders stay. Delete the \
                customer?";
    let body = html! {
        section class="card" {
            (facts([
                ("Kind", customer.account()),
                ("E-mail", html! { (customer.email.as_deref().unwrap_or("–")) }),
                ("Since", moment(customer.created_at)),
            ]))
            (call.button(Button::danger("delete", "Delete", goes)))
        }
        section class="card" { h2 { "Latest orders" } (orders(&call, &customer.id).await?) }
        section class="card" {
            h2 { "Name and contact" }
            (call.form("save", "Save", &fields(Some(&customer))))
        }
        section class="card" { h2 { "Addresses" } (addresses(&call, &customer.id).await?) }
        section class="card" {
            h2 { "Groups" }
            (call.form("groups", "Save", &[Field::boxes("groups", "Member of", options(&groups), own_groups)]))
        }
        (widgets(&call, PageOf::Customer, &customer.id).await)
    };
    Ok(Page::new(customer.called(), body).below("/customers", "Customers"))
}

async fn orders(call: &PageCall, customer: &str) -> Result<Markup, Fault> {
    #[derive(Deserialize)]
    struct Order {
        id: String,
        display_id: u64,
        created_at: Timestamp,
        status: String,
        payment_status: String,
        total: Decimal,
        currency_code: String,
    }

    let address = Address::of("/admin/orders")
        .with("fields", "id,display_id,created_at,total,currency_code")
        .with("customer_id", customer)
        .with("order", "-created_at")
        .with("limit", ORDERS_SHOWN);
    let orders: Records<Order> = call.api().list(address, "orders").await?;
    let rows = orders.records.iter().map(|it| {
        vec![
            link(call, Address::of("/orders").then(&it.id), format!("#{}", it.display_id)),
            moment(it.created_at),
            STATUS.badge(&it.status),
            PAYMENT.badge(&it.payment_status),
            call.money(it.total, &it.currency_code),
        ]
    });
    let all = Address::of("/orders").with("customer", customer);
    Ok(html! {
        @if orders.records.is_empty() { (nothing("No order yet.")) }
        @else { (table(&["Order", "Placed", "State", "Payment", "Total"], rows)) }
        @if orders.count > orders.records.len() { p { (link(call, all, "All orders")) } }
    })
}

/// An address of a customer.
#[derive(Deserialize)]
struct CustomerAddress {
    id: String,
    address_name: Option<String>,
}

async fn addresses(call: &PageCall, customer: &str) -> Result<Markup, Fault> {
    let address =
        Address::of("/admin/customers").then(customer).then("addresses").with("limit", ADDRESSES_SHOWN);
    let addresses: Records<Value> = call.api().list(address, "addresses").await?;
    let mut shown = Vec::new();
    for value in &addresses.records {
        let postal = Postal::deserialize(value).map_err(Fault::unexpected)?;
        let CustomerAddress { id, address_name } =
            CustomerAddress::deserialize(value).map_err(Fault::unexpected)?;
        let at = Address::of("/customers").then(customer).then("addresses").then(&id);
        let called =
            address_name.as_ref().or(postal.address_1.as_ref()).or(postal.city.as_ref()).unwrap_or(&id);
        shown.push(html! {
            @if let Some(name) = &address_name { h3 { (name) } }
            (postal.shown())
            a href=(call.to(at)) aria-label=(format!("Change: {called}")) { "Change" }
        });
    }
    let new = Address::of("/customers").then(customer).then("addresses").then("new");
    Ok(html! {
        @if shown.is_empty() { (nothing("No address yet.")) }
        @let n_more = addresses.count.saturating_sub(shown.len());
        ul class="cards" { @for it in shown { li class="card" { (it) } } }
        @if n_more > 0 { (hint(format!("And {n_more} more, which the API lists."))) }
        p { a class="button quiet" href=(call.to(new)) { "New address" } }
    })
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let address = Address::of("/admin/customers").then(call.path("id"));
    match form.action() {
        "save" => call.api().post::<Value>(address, &described(&form)).await?,
        "groups" => call.api().post(address.then("customer-groups"), &form.change("groups")).await?,
        "delete" => {
            call.api().delete(address).await?;
            return Ok(Next::to("/customers", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to(Address::of("/customers").then(call.path("id")), Done::Saved))
}

/// The path of the address in the API; none for one that is yet to be made.
fn address_of(call: &PageCall) -> (Address, bool) {
    let all = Address::of("/admin/customers").then(call.path("id")).then("addresses");
    match call.path("address_id") {
        "new" => (all, true),
        id => (all.then(id), false),
    }
}

async fn show_address(call: PageCall) -> Result<Page, Fault> {
    let customer = customer(&call).await?;
    let (address, is_new) = address_of(&call);
    let postal: Postal = if is_new { Postal::default() } else { call.api().one(address, "address").await? };
    let body = html! {
        section class="card" {
            (call.form_of(|form| postal.fields(form, Postal::FIELDS), &[Button::new("save", "Save")]))
            @if !is_new { (call.button(Button::danger("delete", "Delete", "Delete the address?"))) }
        }
    };
    let title = if is_new { "New address" } else { "Address" };
    let above = Address::of("/customers").then(&customer.id);
    Ok(Page::new(title, body).below("/customers", "Customers").below(above, customer.called()))
}

async fn change_address(call: PageCall, form: Form) -> Result<Next, Fault> {
    let (address, is_new) = address_of(&call);
    let done = match form.action() {
        "save" => {
            call.api().post::<Value>(address, &Postal::typed(&form, Postal::FIELDS)).await?;
            if is_new { Done::Created } else { Done::Saved }
        }
        "delete" => {
            call.api().delete(address).await?;
            Done::Deleted
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to(Address::of("/customers").then(call.path("id")), done))
}
