//! What stands around each page: head, menu, who is logged in, what was just done.

use atoll_pages::{AdminPage, DOCTYPE, Done, Markup, Menu, Page, PageCall, html, problem};

use crate::assets;

/// What the menu calls its parts.
fn heading(menu: Menu) -> &'static str {
    match menu {
        Menu::Channels => "Channels",
        Menu::Catalogue => "Catalogue",
        Menu::Sales => "Sales",
        Menu::Settings => "Settings",
        Menu::Operation => "Operation",
    }
}

/// A whole document.
pub(crate) fn document(root: &str, title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Atoll" }
                link rel="stylesheet" href=(assets::address(root, "app.css"));
                link rel="icon" href=(assets::address(root, "icon.svg"));
                script src=(assets::address(root, "app.js")) defer {}
            }
            body { (body) }
        }
    }
}

/// A document with little on it, for those who are not logged in.
pub(crate) fn bare(root: &str, title: &str, body: Markup) -> Markup {
    document(root, title, html! { main class="bare" { (body) } })
}

/// A page with its menu.
pub(crate) fn framed(root: &str, call: &PageCall, page: &Page) -> Markup {
    document(
        root,
        &page.title,
        html! {
            a class="skip" href="#main" { "Skip to the content" }
            header class="top" {
                a class="brand" href=(format!("{root}/")) { "Atoll" }
                details class="menu" { summary { "Menu" } nav aria-label="Pages" { (menu(call)) } }
                form method="post" action=(format!("{root}/logout")) class="who" {
                    (call.csrf())
                    span { (call.person().email) }
                    button class="quiet" { "Log out" }
                }
            }
            div class="columns" {
                nav class="side" aria-label="Pages" { (menu(call)) }
                main id="main" {
                    @if !page.above.is_empty() {
                        nav class="above" aria-label="Pages above this one" {
                            @for (address, title) in &page.above {
                                a href=(call.to(address.clone())) { (title) } " / "
                            }
                        }
                    }
                    h1 { (page.title) }
                    @if let Some(refused) = call.refused() { (problem(&refused.message)) }
                    @match Done::of(call.query("done")) {
                        Some(done @ Done::Partly) => p class="notice warn" role="alert" { (done.sentence()) },
                        Some(done) => p class="notice good" role="status" { (done.sentence()) },
                        None => {},
                    }
                    (page.body)
                }
            }
        },
    )
}

/// The menu, with the page that is shown marked.
fn menu(call: &PageCall) -> Markup {
    let mut pages: Vec<&AdminPage> = call.linked().pages.clone();
    pages.retain(|it| it.place.is_some());
    pages.sort_by_key(|it| it.place);
    let of = |menu: Menu| pages.iter().filter(move |it| it.place.is_some_and(|place| place.menu == menu));
    html! {
        @for part in Menu::ALL {
            @if of(part).next().is_some() {
                h2 { (heading(part)) }
                ul {
                    @for page in of(part) {
                        li { a href=(call.to(page.path)) aria-current=[is_at(page, call).then_some("page")] {
                            (page.place.map_or("", |it| it.title))
                        } }
                    }
                }
            }
        }
    }
}

/// Is the page that is shown this one, or one below it?
fn is_at(page: &AdminPage, call: &PageCall) -> bool {
    call.at().strip_prefix(page.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
