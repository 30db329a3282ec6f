//! The page of a price list.

use atoll_kernel::Fault;
use atoll_pages::{Address, Button, Done, Form, Next, Page, PageCall, Seen, admin_page, facts, html, period};

use super::{FIELDS, Fields, PriceList, described, prices};
use crate::pages::deletion::deletion;

admin_page! {
    "/price-lists/:id" => show, change;
}

/// The route of the price list of this page.
pub(super) fn route(call: &PageCall) -> Address {
    Address::of("/admin/price-lists").then(call.path("id"))
}

async fn list(call: &PageCall) -> Result<(PriceList, Seen), Fault> {
    call.api().seen(route(call).with("fields", FIELDS), "price_list").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let (list, seen) = list(&call).await?;
    let fields = Fields::of(&call, Some(&list)).await?;
    let body = html! {
        section class="card" {
            (facts([
                ("State", list.state(call.now())),
                ("Kind", html! { (list.kind()) }),
                ("When", period(list.starts_at, list.ends_at)),
                ("For", html! { (list.audience()) }),
            ]))
        }
        (prices::shown(&call).await?)
        (prices::more(&call).await?)
        section class="card" {
            h2 { "Title, time and audience" }
            (call.form_of(
                |form| html! { (form.seen(&seen)) (fields.shown(form)) },
                &[Button::new("save", "Save")],
            ))
        }
        (deletion(&call, &html! {}, "Delete the price list", "Its prices go with it. Delete the price list?"))
    };
    Ok(Page::new(list.title, body).below("/price-lists", "Price lists"))
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "save" => {
            let (before, now) = list(&call).await?;
            let body = described(&call, &form, Some(before)).await?;
            call.api().save(&form, &now, &body).await?;
        }
        "amounts" => prices::change(&call, &form).await?,
        "add" => prices::add(&call, &form).await?,
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to("/price-lists", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    }
    Ok(Next::to(Address::of("/price-lists").then(call.path("id")), Done::Saved))
}
