//! A request for a page: who looks, at what, and with what in their form.

use std::{collections::HashMap, sync::Arc};

use atoll_kernel::{Decimal, Fault, Timestamp, http::random_token};
use maud::{Markup, Render, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Address, Api, Blank, Button, Field, Form, Linked, Seen,
    form::{moment_of, texts},
    html::{is_web, outside},
};

/// The admin who looks at a page.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Person {
    /// The id of the user.
    pub id: String,
    /// The address by which they log in.
    pub email: String,
}

/// What was done by the form before this page, as the page says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A record was made.
    Created,
    /// Changes were kept.
    Saved,
    /// A record was deleted.
    Deleted,
    /// Something was started, or done that is none of these.
    Done,
    /// Not all was done that was asked for, as after the first of several writes ([`Done::with`]).
    Partly,
}

impl Done {
    const ALL: [(Done, &'static str, &'static str); 5] = [
        (Done::Created, "created", "Created."),
        (Done::Saved, "saved", "Saved."),
        (Done::Deleted, "deleted", "Deleted."),
        (Done::Done, "done", "Done."),
        (Done::Partly, "partly", "Not all of it was done. Look at what is missing, and add it here."),
    ];

    /// The word for it in an address. A sentence there would be a sentence of whoever made the link.
    pub fn word(self) -> &'static str {
        Done::ALL.iter().find(|it| it.0 == self).map_or("", |it| it.1)
    }

    /// What an address says.
    pub fn of(word: &str) -> Option<Done> {
        Done::ALL.iter().find(|it| it.1 == word).map(|it| it.0)
    }

    /// It as a sentence.
    pub fn sentence(self) -> &'static str {
        Done::ALL.iter().find(|it| it.0 == self).map_or("", |it| it.2)
    }

    /// This with the writes that followed it: where they failed, the form is not refused, as its next sending
    /// would do the first write again.
    #[must_use]
    pub fn with<T>(self, rest: &Result<T, Fault>) -> Done {
        if rest.is_ok() { self } else { Done::Partly }
    }
}

/// A form that was refused: the page is shown again, with the reason and with what was typed.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Why.
    pub message: String,
    /// What was typed.
    pub form: Form,
    /// Have others changed meanwhile what it is of? Then fields say what is saved now.
    pub is_outdated: bool,
}

/// What a request for a page consists of.
#[derive(Clone)]
pub struct PageParts {
    /// The API in the name of the person.
    pub api: Api,
    /// Where the pages are: `/app`.
    pub root: Arc<str>,
    /// Where the person reaches this server: `https://shop.example`.
    pub origin: String,
    /// The parameters of the path.
    pub path: HashMap<String, String>,
    /// The path of the page below the root.
    pub at: String,
    /// The query string.
    pub query: Map<String, Value>,
    /// Goes into every form, and is compared when the form is sent (CSRF).
    pub csrf: String,
    /// The time of the request.
    pub now: Timestamp,
    /// Who looks.
    pub person: Person,
    /// The form that was refused, if the page is shown for one.
    pub refused: Option<Refused>,
    /// The pages and widgets that are linked in.
    pub linked: Arc<Linked>,
    /// The origins from which uploaded files are served, beside this one.
    pub files: Arc<[String]>,
    /// Digits after the decimal point, by currency code.
    pub digits: fn(&str) -> Option<u32>,
}

/// A request for a page.
#[derive(Clone)]
pub struct PageCall(Arc<PageParts>);

impl PageCall {
    /// The request of these parts.
    pub fn of(parts: PageParts) -> PageCall {
        PageCall(Arc::new(parts))
    }

    /// The same, to show the page again for a form that was refused.
    #[must_use]
    pub fn refusing(&self, refused: Refused) -> PageCall {
        PageCall::of(PageParts { refused: Some(refused), ..(*self.0).clone() })
    }

    /// The same, to do what a form asks for: however often the form is sent, it is done once.
    #[must_use]
    pub fn sending(&self, form: &Form) -> PageCall {
        let api = self.0.api.clone().once(form.text("once"));
        PageCall::of(PageParts { api, ..(*self.0).clone() })
    }

    /// The API, in the name of the person who looks.
    pub fn api(&self) -> &Api {
        &self.0.api
    }

    /// The pages and widgets that are linked in.
    pub fn linked(&self) -> &Linked {
        &self.0.linked
    }

    /// Is there a page at this path below the root? Its module or its feature flag may be switched off.
    pub fn has(&self, path: &str) -> bool {
        self.linked().at(path).is_some()
    }

    /// A parameter of the path.
    ///
    /// # Panics
    /// When the page has no such parameter.
    pub fn path(&self, name: &str) -> &str {
        self.0.path.get(name).unwrap_or_else(|| panic!("the page has no parameter `{name}`"))
    }

    /// A parameter of the query string, without space around it; empty if it is absent.
    pub fn query(&self, name: &str) -> &str {
        self.0.query.get(name).and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// A moment in the query string; `None` if it is absent. Error: what is no moment.
    pub fn query_moment(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        moment_of(self.query(name))
    }

    /// The values of a list in the query string: `channel[]=a&channel[]=b`.
    pub fn queries(&self, name: &str) -> Vec<&str> {
        texts(self.0.query.get(name))
    }

    /// The number of the first record of the page of a list: the parameter `offset`.
    pub fn offset(&self) -> usize {
        self.query("offset").parse().unwrap_or_default()
    }

    /// The time of the request.
    pub fn now(&self) -> Timestamp {
        self.0.now
    }

    /// Who looks.
    pub fn person(&self) -> &Person {
        &self.0.person
    }

    /// The form that was refused, if the page is shown for one.
    pub fn refused(&self) -> Option<&Refused> {
        self.0.refused.as_ref()
    }

    /// The path of this page, below the root of the pages.
    pub fn at(&self) -> &str {
        &self.0.at
    }

    /// The link to a page: `/channels` becomes `/app/channels`.
    pub fn to(&self, address: impl Into<Address>) -> String {
        format!("{}{}", self.0.root, address.into())
    }

    /// Where clients of the API reach this server: `https://shop.example`.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// This page with these parameters instead of its own; those that are not named here stay.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let named = |name: &str| parameters.iter().any(|(it, _)| *it == name);
        let mut address = Address::of(&format!("{}{}", self.0.root, self.0.at));
        for (name, value) in self.0.query.iter().filter(|(name, _)| !named(name) && *name != "done") {
            let listed = if value.is_array() { format!("{name}[]") } else { name.clone() };
            address = texts(Some(value)).into_iter().fold(address, |it, value| it.with(&listed, value));
        }
        parameters.iter().fold(address, |it, (name, value)| it.with(name, value)).to_string()
    }

    /// The hidden fields of a form: by one it shows that it is of this page (CSRF), by the other that it is
    /// the same form, if it is sent twice.
    pub fn csrf(&self) -> Markup {
        html! {
            input type="hidden" name="csrf" value=(self.0.csrf);
            input type="hidden" name="once" value=(random_token().unwrap_or_default());
        }
    }

    /// A form that is sent to this page, whose button says `label`; `action` is [`Form::action`] then. One
    /// of several alike names its record after a space: `capture pay_1` ([`Form::of_id`]).
    pub fn form(&self, action: &str, label: &str, fields: &[Field<'_>]) -> Markup {
        self.form_as(None, |form| form.fields(fields), &[Button::new(action, label)])
    }

    /// As `form`, with fields of the type `file`, which are called `files` ([`crate::Api::upload`]). They are
    /// the last ones: what follows a file is not read.
    pub fn form_with_files(&self, action: &str, label: &str, fields: &[Field<'_>]) -> Markup {
        // Before the files, as the button is after them.
        let named = html! { input type="hidden" name="do" value=(action); };
        let fields = |form: &Blank<'_>| html! { (named) (form.fields(fields)) };
        self.form_as(Some("multipart/form-data"), fields, &[Button::new(action, label)])
    }

    /// As `form`, with buttons that each do something else, and fields that the form shows
    /// ([`Blank::field`]) among other things.
    pub fn form_of(&self, fields: impl FnOnce(&Blank<'_>) -> Markup, buttons: &[Button<'_>]) -> Markup {
        self.form_as(None, fields, buttons)
    }

    /// As `form`, of a record of which this was seen: what others save meanwhile is not overwritten
    /// ([`Api::save`]).
    pub fn form_of_seen(&self, seen: &Seen, action: &str, label: &str, fields: &[Field<'_>]) -> Markup {
        let fields = |form: &Blank<'_>| html! { (form.seen(seen)) (form.fields(fields)) };
        self.form_as(None, fields, &[Button::new(action, label)])
    }

    /// The form whose button was pressed shows what was typed; why it was refused, the frame of the page
    /// says.
    fn form_as(
        &self,
        kind: Option<&str>,
        fields: impl FnOnce(&Blank<'_>) -> Markup,
        buttons: &[Button<'_>],
    ) -> Markup {
        let refused =
            self.refused().filter(|it| buttons.iter().any(|button| button.action == it.form.asked()));
        let named = buttons.first().map_or("", |it| it.action).replace(' ', "-");
        let form = Blank { id: format!("form-{named}"), refused };
        html! {
            form method="post" enctype=[kind] id=(form.id) class=[refused.map(|_| "refused")] {
                (self.csrf())
                // The key Enter presses the first button, and would pass over its question.
                @if buttons.first().is_some_and(Button::asks) { button disabled hidden {} }
                (fields(&form))
                div class="buttons" { @for button in buttons { (button) } }
            }
        }
    }

    /// A form that leads to a page (GET): the address of that page holds what was typed, and what `to` has
    /// already. Its button says `label`.
    pub fn search(&self, to: impl Into<Address>, label: &str, fields: &[Field<'_>]) -> Markup {
        let fields = html! {
            div class="fields" {
                @for field in fields { (field) }
                p class="buttons" { button class="quiet" { (label) } }
            }
        };
        self.search_of(to, fields)
    }

    /// As `search`, with other things than fields in a row, and with the buttons among them.
    pub fn search_of(&self, to: impl Into<Address>, fields: impl Render) -> Markup {
        let to = to.into();
        html! {
            form method="get" action=(self.to(to.path())) {
                @for (name, value) in to.query() { input type="hidden" name=(name) value=(value); }
                (fields)
            }
        }
    }

    /// What is shown when it is asked for, forms that are seldom needed say. It is open if one of these
    /// actions was refused.
    pub fn fold(&self, summary: impl Render, actions: &[&str], body: impl Render) -> Markup {
        html! {
            details open[actions.iter().any(|it| self.is_refused(it))] {
                summary { (summary) }
                (body)
            }
        }
    }

    /// A button that does one thing, without fields.
    pub fn button(&self, button: Button<'_>) -> Markup {
        html! { form method="post" class="inline" { (self.csrf()) (button) } }
    }

    /// Was this action, with its id, refused?
    pub fn is_refused(&self, action: &str) -> bool {
        self.refused().is_some_and(|it| it.form.asked() == action)
    }

    /// A picture, if it is served from here or from the file storage: pages ask no other origin. Another one
    /// is a link.
    pub fn picture(&self, url: Option<&str>, class: &str) -> Markup {
        let is_own = |url: &str| {
            let path = self.0.files.iter().find_map(|it| url.strip_prefix(&**it)).unwrap_or(url);
            path.starts_with('/') && !path.starts_with("//")
        };
        match url.filter(|it| !it.is_empty()) {
            Some(url) if is_own(url) => html! { img class=(class) src=(url) alt="" loading="lazy"; },
            Some(url) if is_web(url) => html! {
                span class=(format!("{class} elsewhere")) { (outside(url, "Picture")) }
            },
            _ => html! { span class=(format!("{class} none")) aria-hidden="true" {} },
        }
    }

    /// Digits after the decimal point of a currency; 2 if it is unknown.
    pub fn digits(&self, currency: &str) -> u32 {
        (self.0.digits)(currency).unwrap_or(2)
    }

    /// An amount with as many digits as its currency has, or as many as it has if these are more: `4.90`.
    pub fn amount(&self, amount: Decimal, currency: &str) -> String {
        let plain = amount.to_string();
        let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
        match rest.len().max(self.digits(currency) as usize) {
            0 => whole.to_owned(),
            n => format!("{whole}.{rest:0<n$}"),
        }
    }

    /// The same with the currency. The script shows it as the person writes money.
    pub fn money(&self, amount: Decimal, currency: &str) -> Markup {
        let (text, code) = (self.amount(amount, currency), currency.to_uppercase());
        html! { data class="money" value=(amount) data-currency=(code) { (text) " " (code) } }
    }
}
