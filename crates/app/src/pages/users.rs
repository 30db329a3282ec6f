//! Users, who log in to these pages, and the invites of further ones.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge, facts,
    hint, html, link, moment, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{deletion::deletion, keys::snippet, named::full_name};
use crate::invited;

admin_page! {
    "/users" as "Users" in Settings 7 => list, change;
    "/users/:id" => show, change_one;
}

/// Users on one page of the list.
const LIST_PAGE: usize = 30;

/// Invites that the page shows: those that end first.
const INVITES_SHOWN: usize = 50;

#[derive(Deserialize)]
struct User {
    id: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    created_at: Timestamp,
}

const FIELDS: &str = "id,email,first_name,last_name,created_at";

#[derive(Deserialize)]
struct Invite {
    id: String,
    email: String,
    expires_at: Timestamp,
}

impl User {
    fn called(&self) -> String {
        let name = full_name(self.first_name.as_deref(), self.last_name.as_deref());
        if name.trim().is_empty() { self.email.clone() } else { name }
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/users")
        .with("fields", FIELDS)
        .with("order", "email")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let users: Records<User> = call.api().list(address, "users").await?;
    let rows = users.records.iter().map(|it| {
        vec![
            html! {
                (link(&call, Address::of("/users").then(&it.id), it.called()))
                @if it.id == call.person().id { " " (badge("", "You")) }
            },
            html! { (it.email) },
            moment(it.created_at),
        ]
    });
    let email = Field::line("email", "email", "E-mail").required();
    let body = html! {
        (hint("Users log in to these pages, and may do everything here."))
        (table(&["Name", "E-mail", "Since"], rows))
        (pager(&call, &users))
        section class="card" {
            h2 { "Invites" }
            (invites(&call).await?)
            (call.form("invite", "Invite", &[email]))
            (hint("You get a link, which is good for a day and for one person."))
        }
    };
    Ok(Page::new("Users", body))
}

async fn invites(call: &PageCall) -> Result<Markup, Fault> {
    let address = Address::of("/admin/invites")
        .with("fields", "id,email,expires_at")
        .with("order", "expires_at")
        .with("limit", INVITES_SHOWN);
    let invites: Records<Invite> = call.api().list(address, "invites").await?;
    let rows = invites.records.iter().map(|it| {
        let [again, delete] = ["again", "delete"].map(|action| format!("{action} {}", it.id));
        let goes = "Nobody can accept the invite any more. Delete it?";
        let state = match it.expires_at <= call.now() {
            true => badge("bad", "Over"),
            false => html! { "Good until " (moment(it.expires_at)) },
        };
        let actions = html! {
            div class="buttons" {
                (call.button(Button::new(&again, "New link").quiet().of(&it.email)))
                (call.button(Button::danger(&delete, "Delete", goes).of(&it.email)))
            }
        };
        vec![html! { (it.email) }, state, actions]
    });
    Ok(html! {
        @if invites.records.is_empty() { (nothing("Nobody is invited.")) }
        @else { (table(&["E-mail", "State", "Actions"], rows)) }
    })
}

/// An invite as the API answers it once: with its token.
#[derive(Deserialize)]
struct Made {
    invite: WithToken,
}

#[derive(Deserialize)]
struct WithToken {
    email: String,
    token: String,
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let all = Address::of("/admin/invites");
    let made = match form.action() {
        "invite" => call.api().post::<Made>(all, &json!({ "email": form.text("email") })).await?,
        "again" => call.api().post::<Made>(all.then(form.of_id()).then("resend"), &json!({})).await?,
        "delete" => {
            call.api().delete(all.then(form.of_id())).await?;
            return Ok(Next::to("/users", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::Once(shown_once(&call, &made.invite)))
}

/// The page that shows the link. It is in no page that can be asked for again.
fn shown_once(call: &PageCall, WithToken { email, token }: &WithToken) -> Page {
    let page = call.to(Address::of(invited::PAGE).with("token", token));
    let address = format!("{}{page}", call.origin());
    let body = html! {
        section class="card" {
            p class="notice warn" role="status" {
                "Send this link to " (email) " now: it is not shown again, and an earlier one leads nowhere."
            }
            (snippet(&address))
            (hint("Who opens it within a day chooses a password, and is a user from then on."))
            p { (link(call, "/users", "To the users")) }
        }
    };
    Page::new("Invite", body).below("/users", "Users")
}

fn route(call: &PageCall) -> Address {
    Address::of("/admin/users").then(call.path("id"))
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let user: User = call.api().one(route(&call).with("fields", FIELDS), "user").await?;
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let fields = [
        Field::text("first_name", "First name").value(text(&user.first_name)),
        Field::text("last_name", "Last name").value(text(&user.last_name)),
    ];
    let goes = "Who uses it is logged out, and cannot log in any more. Delete the user?";
    let body = html! {
        section class="card" {
            (facts([("E-mail", html! { (user.email) }), ("Since", moment(user.created_at))]))
            (call.form("save", "Save", &fields))
        }
        @if user.id == call.person().id { (hint("This is you: another user can delete it.")) }
        @else { (deletion(&call, &html! {}, "Delete the user", goes)) }
    };
    Ok(Page::new(user.called(), body).below("/users", "Users"))
}

async fn change_one(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "save" => {
            let names =
                json!({ "first_name": form.or_null("first_name"), "last_name": form.or_null("last_name") });
            call.api().post::<Value>(route(&call), &names).await?;
            Ok(Next::to(Address::of("/users").then(call.path("id")), Done::Saved))
        }
        "delete" => {
            call.api().delete(route(&call)).await?;
            Ok(Next::to("/users", Done::Deleted))
        }
        _ => Err(Fault::invalid("There is no such button")),
    }
}
