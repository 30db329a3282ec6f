//! Dead letters: events on which a subscriber failed too often, to deliver again or to delete, one or many.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Blank, Button, Done, Form, Markup, Next, Page, PageCall, Records, admin_page, facts, html, link,
    moment, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

admin_page! {
    "/dead-letters" as "Dead letters" in Operation 20 => list, change;
    "/dead-letters/:id" => show, change_one;
}

/// Dead letters on a page: as many as one request delivers again.
const PAGE: usize = 50;

const FIELDS: &str = "id,subscriber,event,data,error,n_failed,happened_at,created_at";

#[derive(Deserialize)]
struct Letter {
    id: String,
    subscriber: String,
    event: String,
    data: Value,
    error: String,
    n_failed: u64,
    happened_at: Timestamp,
    created_at: Timestamp,
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/dead-letters")
        .with("fields", FIELDS)
        .with("subscriber", call.query("subscriber"))
        .with("order", "-created_at")
        .with("limit", PAGE)
        .with("offset", call.offset());
    let letters: Records<Letter> = call.api().list(address, "dead_letters").await?;
    let choose = |form: &Blank<'_>| {
        let rows = letters.records.iter().map(|it| row(&call, form, it));
        table(&["Event", "Subscriber", "Happened", "Error", "Choose"], rows)
    };
    let lost = "The subscribers will never get the chosen events. Delete them?";
    let buttons = [
        Button::new("retry", "Deliver the chosen again"),
        Button::danger("delete", "Delete the chosen", lost),
    ];
    let body = html! {
        @if letters.records.is_empty() { (nothing("No subscriber has given up on an event.")) }
        @else { (call.form_of(choose, &buttons)) }
        (pager(&call, &letters))
    };
    Ok(Page::new("Dead letters", body))
}

fn row(call: &PageCall, form: &Blank<'_>, letter: &Letter) -> Vec<Markup> {
    vec![
        link(call, Address::of("/dead-letters").then(&letter.id), &letter.event),
        html! { (letter.subscriber) },
        moment(letter.happened_at),
        html! { (letter.error) },
        form.choose("letter", &letter.id, &format!("{} of {}", letter.event, letter.subscriber)),
    ]
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    act(&call, &form, &form.all("letter")).await
}

/// Delivers these again, or deletes them.
async fn act(call: &PageCall, form: &Form, ids: &[&str]) -> Result<Next, Fault> {
    if ids.is_empty() {
        return Err(Fault::invalid("No dead letter is chosen"));
    }
    match form.action() {
        "retry" => {
            #[derive(Deserialize)]
            struct Retried {
                n_failed: u64,
            }

            let retried: Retried =
                call.api().post("/admin/dead-letters/retry", &json!({ "ids": ids })).await?;
            if retried.n_failed > 0 {
                return Err(Fault::not_allowed(format!("{} failed again; see the error", retried.n_failed)));
            }
            Ok(Next::to("/dead-letters", Done::Done))
        }
        "delete" => {
            call.api().post::<Value>("/admin/dead-letters/delete", &json!({ "ids": ids })).await?;
            Ok(Next::to("/dead-letters", Done::Deleted))
        }
        _ => Err(Fault::invalid("There is no such button")),
    }
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/dead-letters").then(call.path("id")).with("fields", FIELDS);
    let letter: Letter = call.api().one(address, "dead_letter").await?;
    let lost = "The subscriber will never get this event. Delete it?";
    let body = html! {
        section class="card" {
            (facts([
                ("Subscriber", html! { (letter.subscriber) }),
                ("Happened", moment(letter.happened_at)),
                ("Given up", moment(letter.created_at)),
                ("Failures", html! { (letter.n_failed) }),
            ]))
            h2 { "Error" }
            pre { (letter.error) }
            h2 { "Data of the event" }
            pre { (format!("{:#}", letter.data)) }
            div class="buttons" {
                (call.button(Button::new("retry", "Deliver again")))
                (call.button(Button::danger("delete", "Delete", lost)))
            }
        }
    };
    Ok(Page::new(letter.event, body).below("/dead-letters", "Dead letters"))
}

async fn change_one(call: PageCall, form: Form) -> Result<Next, Fault> {
    act(&call, &form, &[call.path("id")]).await
}
