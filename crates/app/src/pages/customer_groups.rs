//! Customer groups and their members.

use atoll_kernel::{Fault, Timestamp, part_of};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, html, link,
    moment, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::named::full_name;

part_of! { "customer" }

admin_page! {
    "/customer-groups" as "Customer groups" in Sales 30 => list, create;
    "/customer-groups/:id" => show, change;
}

#[derive(Deserialize)]
struct Group {
    id: String,
    name: String,
    created_at: Timestamp,
}

#[derive(Deserialize)]
struct Member {
    id: String,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}

/// Groups, or members, on one page of a list.
const LIST_PAGE: usize = 30;

fn name<'a>(value: &str) -> Field<'a> {
    Field::text("name", "Name").value(value).required()
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/customer-groups")
        .with("fields", "id,name,created_at")
        .with("order", "name")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let groups: Records<Group> = call.api().list(address, "customer_groups").await?;
    let mut rows = Vec::new();
    for group in &groups.records {
        rows.push(vec![
            link(&call, Address::of("/customer-groups").then(&group.id), &group.name),
            html! { (members(&call, &group.id, 1).await?.count) },
            moment(group.created_at),
        ]);
    }
    let body = html! {
        @if rows.is_empty() { (nothing("No group yet: prices and promotions can be for a group alone.")) }
        @else { (table(&["Name", "Members", "Created"], rows)) }
        (pager(&call, &groups))
        section class="card" {
            h2 { "New group" }
            (call.form("create", "Create", &[name("")]))
        }
    };
    Ok(Page::new("Customer groups", body))
}

async fn members(call: &PageCall, group: &str, limit: usize) -> Result<Records<Member>, Fault> {
    let address = Address::of("/admin/customers")
        .with("fields", "id,email,first_name,last_name")
        .with("groups[id]", group)
        .with("order", "email")
        .with("limit", limit)
        .with("offset", if limit == 1 { 0 } else { call.offset() });
    call.api().list(address, "customers").await
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let answer: Value =
        call.api().post("/admin/customer-groups", &json!({ "name": form.text("name") })).await?;
    let id = answer["customer_group"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/customer-groups").then(id), Done::Created))
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let address =
        Address::of("/admin/customer-groups").then(call.path("id")).with("fields", "id,name,created_at");
    let group: Group = call.api().one(address, "customer_group").await?;
    let members = members(&call, &group.id, LIST_PAGE).await?;
    let rows = members.records.iter().map(|it| row(&call, it));
    let email = Field::line("email", "email", "E-mail of a customer").required();
    let body = html! {
        section class="card" {
            h2 { "Members" }
            @if members.records.is_empty() { (nothing("Nobody yet.")) }
            @else { (table(&["E-mail", "Name", "Actions"], rows)) }
            (pager(&call, &members))
            (call.form("add", "Add to the group", &[email]))
        }
        section class="card" {
            h2 { "Name" }
            (call.form("save", "Save", &[name(&group.name)]))
            (call.button(Button::danger("delete", "Delete the group", "Its customers stay. Delete the group?")))
        }
    };
    Ok(Page::new(group.name, body).below("/customer-groups", "Customer groups"))
}

fn row(call: &PageCall, member: &Member) -> Vec<Markup> {
    let name = full_name(member.first_name.as_deref(), member.last_name.as_deref());
    let email = member.email.as_deref().unwrap_or("–");
    vec![
        link(call, Address::of("/customers").then(&member.id), email),
        html! { (name) },
        call.button(Button::new(&format!("remove {}", member.id), "Remove").of(email)),
    ]
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let address = Address::of("/admin/customer-groups").then(call.path("id"));
    match form.action() {
        "save" => call.api().post::<Value>(address, &json!({ "name": form.text("name") })).await?,
        "add" => {
            let added = found(&call, form.text("email")).await?;
            call.api().post(address.then("customers"), &json!({ "add": added })).await?
        }
        "remove" => call.api().post(address.then("customers"), &json!({ "remove": [form.of_id()] })).await?,
        "delete" => {
            call.api().delete(address).await?;
            return Ok(Next::to("/customer-groups", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to(Address::of("/customer-groups").then(call.path("id")), Done::Saved))
}

/// The ids of the customers with this e-mail address: the account, and the guest.
async fn found(call: &PageCall, email: &str) -> Result<Vec<String>, Fault> {
    let address = Address::of("/admin/customers").with("fields", "id").with("email", email).with("limit", 2);
    #[derive(Deserialize)]
    struct Found {
        id: String,
    }
    let found: Records<Found> = call.api().list(address, "customers").await?;
    if found.records.is_empty() {
        return Err(Fault::invalid("No customer has this e-mail address"));
    }
    Ok(found.records.into_iter().map(|it| it.id).collect())
}
