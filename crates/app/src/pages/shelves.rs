//! Collections, categories, tags and types: lists of names under which products are found. They have one
//! shape: the list with a form for a new one, and the page of one.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, html, link, nothing,
    pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::named::{CATEGORIES, COLLECTIONS, Named, NamedList, TAGS, TYPES, choices, options_or};
use crate::pages::deletion::deletion;

admin_page! {
    "/collections" as "Collections" in Catalogue 30 => show, create;
    "/collections/:id" => show_one, change;
    "/categories" as "Categories" in Catalogue 40 => show, create;
    "/categories/:id" => show_one, change;
    "/tags" as "Tags and types" in Catalogue 50 => show, create;
    "/tags/:id" => show_one, change;
    "/types" => show, create;
    "/types/:id" => show_one, change;
}

/// Records on one page of a list.
const LIST_PAGE: usize = 50;

/// A list of names under which products are found.
struct Shelf {
    /// The path of its page.
    at: &'static str,
    title: &'static str,
    /// What one is called in a sentence.
    called: &'static str,
    list: NamedList,
    /// What an answer calls one.
    one: &'static str,
    /// The filter of the list of products.
    filter: &'static str,
    /// Does it have a name in addresses?
    has_handle: bool,
    /// Is it below another one, and shown or not?
    is_tree: bool,
    /// The list that the menu has no place for.
    beside: Option<(&'static str, &'static str)>,
}

const COLLECTION: Shelf = Shelf {
    at: "/collections",
    title: "Collections",
    called: "collection",
    list: COLLECTIONS,
    one: "collection",
    filter: "collection_id",
    has_handle: true,
    is_tree: false,
    beside: None,
};
static SHELVES: [Shelf; 4] = [
    COLLECTION,
    Shelf {
        at: "/categories",
        title: "Categories",
        called: "category",
        list: CATEGORIES,
        one: "product_category",
        filter: "category_id",
        is_tree: true,
        ..COLLECTION
    },
    Shelf {
        at: "/tags",
        title: "Tags",
        called: "tag",
        list: TAGS,
        one: "product_tag",
        filter: "tag_id",
        has_handle: false,
        beside: Some(("/types", "Types of products")),
        ..COLLECTION
    },
    Shelf {
        at: "/types",
        title: "Types",
        called: "type",
        list: TYPES,
        one: "product_type",
        filter: "type_id",
        has_handle: false,
        beside: Some(("/tags", "Tags of products")),
        ..COLLECTION
    },
];

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(alias = "title", alias = "value")]
    name: String,
    handle: Option<String>,
    #[serde(default)]
    is_active: bool,
    #[serde(default)]
    is_internal: bool,
    parent_category: Option<Named>,
}

impl Shelf {
    /// The one that this page is of.
    fn of(call: &PageCall) -> Result<&'static Shelf, Fault> {
        let at = call.at().split('/').nth(1).unwrap_or_default();
        let found = SHELVES.iter().find(|it| &it.at[1..] == at);
        found.ok_or_else(|| Fault::not_found("There is no such page"))
    }

    fn fields(&self) -> String {
        let mut fields = format!("id,{}", self.list.name);
        if self.has_handle {
            fields.push_str(",handle");
        }
        if self.is_tree {
            fields.push_str(",is_active,is_internal,parent_category.id,parent_category.name");
        }
        fields
    }

    /// The products that are found there.
    fn products(&self, id: &str) -> Address {
        Address::of("/products").with(self.filter, id)
    }

    /// What a form asks for.
    async fn form(&self, call: &PageCall, record: Option<&Record>) -> Result<Markup, Fault> {
        let of = |text: fn(&Record) -> &str| record.map_or("", text);
        let mut fields = vec![Field::text("name", "Name").value(of(|it| &it.name)).required()];
        if self.has_handle {
            let handle = of(|it| it.handle.as_deref().unwrap_or_default());
            let hint = "The name in addresses; empty: made of the name.";
            fields.push(Field::text("handle", "Handle").value(handle).hint(hint));
        }
        if self.is_tree {
            let parent = record.and_then(|it| it.parent_category.clone());
            let mut all = choices(call, self.list, parent.as_slice()).await?;
            all.retain(|it| record.is_none_or(|record| record.id != it.id));
            let chosen = parent.map_or_else(String::new, |it| it.id);
            fields.push(Field::choice("parent", "Below", options_or("none", &all)).value(chosen));
            fields.push(Field::tick("active", "Shown in storefronts", record.is_none_or(|it| it.is_active)));
            let is_internal = record.is_some_and(|it| it.is_internal);
            fields.push(Field::tick("internal", "For us alone", is_internal));
        }
        let (action, label) = if record.is_some() { ("save", "Save") } else { ("create", "Create") };
        Ok(call.form(action, label, &fields))
    }

    /// What a form was filled in with, as bodies have it.
    fn body(&self, form: &Form) -> Value {
        let mut body = json!({ self.list.name: form.text("name") });
        if self.has_handle {
            body["handle"] = json!(form.text("handle"));
        }
        if self.is_tree {
            body["parent_category_id"] = form.or_null("parent");
            body["is_active"] = json!(form.is_on("active"));
            body["is_internal"] = json!(form.is_on("internal"));
        }
        body
    }
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let shelf = Shelf::of(&call)?;
    let address = Address::of(shelf.list.at)
        .with("fields", shelf.fields())
        .with("order", shelf.list.name)
        .with("q", call.query("q"))
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let records: Records<Record> = call.api().list(address, shelf.list.many).await?;
    let mut columns = vec!["Name", "Products"];
    if shelf.is_tree {
        columns.extend(["Below", "Shown"]);
    }
    let body = html! {
        @if let Some((at, title)) = shelf.beside { p { (link(&call, at, title)) } }
        (call.search(call.at(), "Search", &[Field::line("search", "q", "Name").value(call.query("q"))]))
        @if records.records.is_empty() { (nothing("None.")) }
        @else { (table(&columns, records.records.iter().map(|it| row(&call, shelf, it)))) }
        (pager(&call, &records))
        section class="card" { h2 { "New " (shelf.called) } (shelf.form(&call, None).await?) }
    };
    Ok(Page::new(shelf.title, body))
}

fn row(call: &PageCall, shelf: &Shelf, record: &Record) -> Vec<Markup> {
    let mut cells = vec![
        link(call, Address::of(shelf.at).then(&record.id), &record.name),
        link(call, shelf.products(&record.id), "Products"),
    ];
    if shelf.is_tree {
        let parent = record.parent_category.as_ref().map_or("–", |it| &it.name);
        let is_shown = record.is_active && !record.is_internal;
        cells.extend([html! { (parent) }, html! { @if is_shown { "yes" } @else { "no" } }]);
    }
    cells
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let shelf = Shelf::of(&call)?;
    call.api().post::<Value>(shelf.list.at, &shelf.body(&form)).await?;
    Ok(Next::to(shelf.at, Done::Created))
}

async fn show_one(call: PageCall) -> Result<Page, Fault> {
    let shelf = Shelf::of(&call)?;
    let address = Address::of(shelf.list.at).then(call.path("id")).with("fields", shelf.fields());
    let record: Record = call.api().one(address, shelf.one).await?;
    let question = format!("Delete the {}? Its products stay.", shelf.called);
    let body = html! {
        section class="card" {
            p { (link(&call, shelf.products(&record.id), "Its products")) }
            (shelf.form(&call, Some(&record)).await?)
        }
        @let known = html! {
            p { "Its products stay, and are not found under it any more." }
        };
        (deletion(&call, &known, "Delete", &question))
    };
    Ok(Page::new(record.name, body).below(shelf.at, shelf.title))
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let shelf = Shelf::of(&call)?;
    let address = Address::of(shelf.list.at).then(call.path("id"));
    match form.action() {
        "save" => {
            call.api().post::<Value>(address, &shelf.body(&form)).await?;
            Ok(Next::to(Address::of(shelf.at).then(call.path("id")), Done::Saved))
        }
        "delete" => {
            call.api().delete(address).await?;
            Ok(Next::to(shelf.at, Done::Deleted))
        }
        _ => Err(Fault::invalid("There is no such button")),
    }
}
