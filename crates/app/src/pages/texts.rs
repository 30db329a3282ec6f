//! Records that are nothing but a few texts, each list a page of its own with a form per record: shipping
//! profiles, types of shipping options, reasons of refunds.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, hint, html, link, nothing,
    pager,
};
use serde_json::{Map, Value};

/// A list of such records.
pub(super) struct Texts {
    /// Its page.
    pub at: &'static str,
    pub title: &'static str,
    /// What one of them is called.
    pub called: &'static str,
    /// What they are for.
    pub about: &'static str,
    /// The route.
    pub route: &'static str,
    /// What an answer calls the records.
    pub many: &'static str,
    pub fields: &'static [TextField],
    /// The page above it, and pages beside it: address and title.
    pub above: Option<(&'static str, &'static str)>,
    pub beside: Option<(&'static str, &'static str)>,
}

/// A text of a record.
pub(super) struct TextField {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub is_required: bool,
}

/// Records on one page of the list.
const LIST_PAGE: usize = 25;

impl Texts {
    fn text<'a>(&self, record: &'a Map<String, Value>, index: usize) -> &'a str {
        let name = self.fields.get(index).map_or("", |it| it.name);
        record.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn form(&self, call: &PageCall, action: &str, label: &str, record: &Map<String, Value>) -> Markup {
        let field = |(index, it): (usize, &TextField)| {
            let field = Field::text(it.name, it.label).value(self.text(record, index)).hint(it.hint);
            if it.is_required { field.required() } else { field }
        };
        call.form(action, label, &self.fields.iter().enumerate().map(field).collect::<Vec<_>>())
    }

    fn one(&self, call: &PageCall, record: &Map<String, Value>) -> Markup {
        let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
        let (save, delete) = (format!("save {id}"), format!("delete {id}"));
        let question = format!("Delete the {}?", self.called);
        let more = (1..self.fields.len()).map(|index| self.text(record, index)).filter(|it| !it.is_empty());
        html! {
            section class="card" {
                h2 { (self.text(record, 0)) }
                p class="hint" { (more.collect::<Vec<_>>().join(" · ")) }
                (call.fold("Change", &[&save, &delete], html! {
                    (self.form(call, &save, "Save", record))
                    (call.button(Button::danger(&delete, "Delete", &question).of(self.text(record, 0))))
                }))
            }
        }
    }

    /// The page of the list.
    pub(super) async fn page(&self, call: &PageCall) -> Result<Page, Fault> {
        let names = self.fields.iter().map(|it| it.name).collect::<Vec<_>>().join(",");
        let address = Address::of(self.route)
            .with("fields", format!("id,{names}"))
            .with("order", self.fields.first().map_or("id", |it| it.name))
            .with("limit", LIST_PAGE)
            .with("offset", call.offset());
        let records: Records<Map<String, Value>> = call.api().list(address, self.many).await?;
        let body = html! {
            @if let Some((at, title)) = self.beside { p { (link(call, at, title)) } }
            (hint(self.about))
            @if records.records.is_empty() { (nothing("None yet.")) }
            @for record in &records.records { (self.one(call, record)) }
            (pager(call, &records))
            section class="card" {
                h2 { "New " (self.called) }
                (self.form(call, "create", "Create", &Map::new()))
            }
        };
        let page = Page::new(self.title, body);
        Ok(match self.above {
            Some((at, title)) => page.below(at, title),
            None => page,
        })
    }

    /// What a form describes, as bodies have it.
    fn body(&self, form: &Form) -> Map<String, Value> {
        self.fields.iter().map(|it| (it.name.to_owned(), form.text(it.name).into())).collect()
    }

    /// Does what a form of the page asks for.
    pub(super) async fn change(&self, call: &PageCall, form: &Form) -> Result<Next, Fault> {
        let route = Address::of(self.route);
        let done = match form.action() {
            "create" => {
                call.api().post::<Value>(route, &self.body(form)).await?;
                Done::Created
            }
            "save" => {
                call.api().post::<Value>(route.then(form.of_id()), &self.body(form)).await?;
                Done::Saved
            }
            "delete" => {
                call.api().delete(route.then(form.of_id())).await?;
                Done::Deleted
            }
            _ => return Err(Fault::invalid("There is no such button")),
        };
        Ok(Next::to(self.at, done))
    }
}
