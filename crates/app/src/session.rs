//! Logging in and out of the pages, and telling our own forms from those of foreign pages (CSRF).
//!
//! The session is that of the API: the same cookie, `HttpOnly` and `SameSite=Lax`. A form is taken if it
//! comes from a page of this server (`Origin`), and, where somebody is logged in, if it holds the token of
//! the session.

use atoll_kernel::{
    Ctx, Fault, FaultKind,
    http::{
        Encoding, Head, SESSION_COOKIE, check_signature, cookie, header, header_names, is_from_own_page, sign,
    },
};
use atoll_pages::{Address, Api, Field, Form, Markup, html, problem};
use axum::http::Method;
use serde_json::{Map, Value, json};

/// The token that forms of this session hold: it tells nothing of the session.
pub(crate) fn csrf_token(ctx: &Ctx, head: &Head) -> String {
    sign(&ctx.config().cookie_secret, &signed(head), Encoding::Hex)
}

fn signed(head: &Head) -> Vec<u8> {
    format!("form of {}", cookie(head, SESSION_COOKIE).unwrap_or_default()).into_bytes()
}

/// Refuses forms of other sites (403).
pub(crate) fn check_origin(head: &Head) -> Result<(), Fault> {
    if header(head, "sec-fetch-site").is_some_and(|it| !matches!(it, "same-origin" | "none")) {
        return Err(foreign());
    }
    if is_from_own_page(head) {
        return Ok(());
    }
    let said = |name| header(head, name).unwrap_or("nothing");
    Err(Fault::of(
        403,
        "not_allowed",
        format!(
            "This form is of {}, and this server was asked as {}. A proxy in front of it must hand on `Host` \
             as it came.",
            said("origin"),
            said("host")
        ),
    ))
}

/// Refuses forms without the token of the session (403).
pub(crate) fn check_token(ctx: &Ctx, head: &Head, form: &Form) -> Result<(), Fault> {
    check_signature(&ctx.config().cookie_secret, &signed(head), form.text("csrf"), Encoding::Hex)
        .map_err(|_| foreign())
}

fn foreign() -> Fault {
    Fault::of(
        403,
        "not_allowed",
        "This form is not of this page, or of an older session. Open the page, and send it again.",
    )
}

/// The `Set-Cookie` lines of a new session for these credentials.
pub(crate) async fn log_in(api: Api, email: &str, password: &str) -> Result<Vec<String>, Fault> {
    let credentials = json!({ "email": email, "password": password });
    let answer: Value = api.post("/auth/user/emailpass", &credentials).await?;
    let token = answer["token"].as_str().ok_or_else(Fault::unauthorized)?;
    // A session that this browser has already: nobody would end it any more. There may be none.
    drop(log_out(&api).await);
    open(&api, token).await
}

/// Opens a session for this token.
pub(crate) async fn open(api: &Api, token: &str) -> Result<Vec<String>, Fault> {
    let api = api.clone().with_token(token);
    let opened = api.send(Method::POST, &Address::of("/auth/session"), Some(json!({}))).await?;
    Ok(cookies(&opened.headers))
}

/// The `Set-Cookie` lines that end the session.
pub(crate) async fn log_out(api: &Api) -> Result<Vec<String>, Fault> {
    Ok(cookies(&api.send(Method::DELETE, &Address::of("/auth/session"), None).await?.headers))
}

fn cookies(headers: &atoll_kernel::http::HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header_names::SET_COOKIE).into_iter();
    lines.filter_map(|it| it.to_str().ok()).map(str::to_owned).collect()
}

/// The page below the root to which a login leads: the one that was asked for. A path of elsewhere leads to
/// the first page (open redirect).
pub(crate) fn next_of(text: &str) -> &str {
    let is_written = |it: u8| it.is_ascii_graphic() && it != b'\\';
    let is_path = text.starts_with('/') && !text.starts_with("//") && text.bytes().all(is_written);
    if is_path { text } else { "/" }
}

/// The page at which one logs in.
pub(crate) fn login_form(root: &str, next: &str, form: &Form, refused: Option<&Fault>) -> Markup {
    login("", &format!("{root}/login"), ("next", next_of(next)), form, refused)
}

/// The page at which one logs in again, because the session ended before a form was sent. It leads back to
/// the page of the form, with what was typed.
pub(crate) fn login_again(page: &str, typed: &str, form: &Form, refused: Option<&Fault>) -> Markup {
    let why = "The session has ended. What you typed is kept: log in, and send it again.";
    login(why, page, (TYPED, typed), form, refused)
}

/// The page at which one logs in with a password that has just been chosen, because logging in at once was
/// refused: after too many attempts, for example.
pub(crate) fn login_with_new_password(root: &str, email: &str, refused: &Fault) -> Markup {
    let form = Form::of(Map::from_iter([("email".to_owned(), json!(email))]));
    let why = "The password is saved: log in with it.";
    login(why, &format!("{root}/login"), ("next", "/"), &form, Some(refused))
}

/// The field of that page that keeps what was typed, as a query string.
pub(crate) const TYPED: &str = "typed";

fn login(
    why: &str,
    action: &str,
    (name, value): (&str, &str),
    form: &Form,
    refused: Option<&Fault>,
) -> Markup {
    html! {
        form method="post" action=(action) class="login" {
            h1 { "Log in" }
            @if !why.is_empty() { p { (why) } }
            @if let Some(fault) = refused { (problem(&said(fault))) }
            input type="hidden" name=(name) value=(value);
            (Field::line("email", "email", "E-mail").value(form.text("email")).autocomplete("username").required())
            (Field::line("password", "password", "Password").autocomplete("current-password").required())
            p class="buttons" { button { "Log in" } }
        }
    }
}

fn said(fault: &Fault) -> String {
    match fault.kind() {
        FaultKind::Unauthorized => "The e-mail address or the password is wrong.".into(),
        _ => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_our_own_pages_only() {
        for (asked, next) in [
            ("/channels/sc_1?q=a", "/channels/sc_1?q=a"),
            ("//evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("/\u{1}", "/"),
            ("/a\r\nb", "/"),
            ("/ä", "/"),
            ("", "/"),
        ] {
            assert_eq!(next_of(asked), next, "{asked}");
        }
    }
}
