//! Answers requests for pages: who asks, the page, its forms, errors, headers.

use std::sync::Arc;

use atoll_kernel::{
    Ctx, Fault, FaultKind,
    http::{
        Head, HeaderValue, SESSION_COOKIE, StatusCode, axum_path, beside_refusing, cookie, header,
        header_names, qs,
    },
};
use atoll_pages::{
    AdminPage, Api, Form, Linked, Markup, Next, Page, PageCall, PageParts, Person, Refused, encoded, html,
    problem,
};
use atoll_providers::FileStorage;
use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, RawPathParams, Request},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};

use crate::{
    assets, first_admin,
    form::read_form,
    frame::{bare, framed},
    invited, reset,
    session::{
        TYPED, check_origin, check_token, csrf_token, log_in, log_out, login_again, login_form,
        login_with_new_password, next_of,
    },
};

struct Shared {
    ctx: Ctx,
    api: Router,
    root: Arc<str>,
    linked: Arc<Linked>,
    /// The origins of uploaded files.
    files: Arc<[String]>,
    policy: HeaderValue,
}

/// The router of the pages, which ask this API; to be merged with it. Without a path for pages
/// ([`Config::pages`](atoll_kernel::http::Config::pages)) it has none.
pub fn app_pages(ctx: Ctx, api: Router) -> Router {
    let Some(root) = ctx.config().pages.as_deref().map(Arc::<str>::from) else { return Router::new() };
    let storages = ctx.providers().of::<dyn FileStorage>();
    let files: Arc<[String]> = storages.filter_map(|(_, it)| it.origin(&ctx)).collect();
    let policy = policy(&files);
    let linked = Arc::new(Linked::of(&ctx));
    let shared = Arc::new(Shared { ctx, api, root: root.clone(), files, linked, policy });
    let mut router = assets::routes(&root);
    for page in shared.linked.pages.iter().copied() {
        let (showing, acting) = (shared.clone(), shared.clone());
        let mut methods = get(move |request| show(showing, page, request));
        if page.act.is_some() {
            methods = methods.post(move |request| act(acting, page, request));
        }
        let path = axum_path(page.path);
        router = router.route(&format!("{root}{path}"), methods.clone());
        if path == "/" {
            router = router.route(&root, methods);
        }
    }
    let lost = shared.clone();
    router = router.route(&format!("{root}/{{*rest}}"), any(move |it| nowhere(lost, it)));
    let (login, logged_in, logged_out) = (shared.clone(), shared.clone(), shared.clone());
    let (asked, made) = (shared.clone(), shared.clone());
    let (invited, accepted) = (shared.clone(), shared.clone());
    let (forgotten, chosen) = (shared.clone(), shared.clone());
    let router = router
        .route(
            &format!("{root}{}", reset::PAGE),
            get(move |it| ask_mailed(forgotten, it, &RESET)).post(move |it| take_reset(chosen, it)),
        )
        .route(
            &format!("{root}{}", invited::PAGE),
            get(move |it| ask_mailed(invited, it, &INVITE)).post(move |it| take_invited(accepted, it)),
        )
        .route(
            &format!("{root}/first-admin"),
            get(move |it| ask_first_admin(asked, it)).post(move |it| make_first_admin(made, it)),
        )
        .route(
            &format!("{root}/login"),
            get(move |it| ask_login(login, it)).post(move |it| take_login(logged_in, it)),
        )
        .route(&format!("{root}/logout"), post(move |it| take_logout(logged_out, it)));
    beside_refusing(shared.ctx.clone(), router, move |fault| shared.turned_away(fault))
}

/// The `Content-Security-Policy`: everything from here, pictures also from the file storage, and in no frame
/// (clickjacking).
fn policy(files: &[String]) -> HeaderValue {
    let files = files.join(" ");
    let text = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' {files}; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// What people read of whose form no host knows what became: they have no `Idempotency-Key` to speak of.
const UNKNOWN: &str = "It is not known whether this was done. Look whether it was, before you send it again.";

/// The query string with its question mark; empty if there is none.
fn query_of(head: &Head) -> String {
    head.uri.query().map_or_else(String::new, |it| format!("?{it}"))
}

impl Shared {
    fn api(&self, head: &Head) -> Api {
        Api::of(self.api.clone(), &head.headers, &head.extensions)
    }

    /// The request for a page, if somebody is logged in.
    async fn call(&self, head: &mut Head) -> Result<PageCall, Fault> {
        let path = RawPathParams::from_request_parts(head, &()).await.map_err(Fault::unexpected)?;
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let api = self.api(head);
        if cookie(head, SESSION_COOKIE).is_none() {
            return Err(Fault::unauthorized());
        }
        let person: Person = api.one("/admin/users/me?fields=id,email", "user").await?;
        Ok(PageCall::of(PageParts {
            api,
            root: self.root.clone(),
            origin: self.origin(head),
            path,
            at: self.below(head).to_owned(),
            query: qs::parse(head.uri.query().unwrap_or_default()),
            csrf: csrf_token(&self.ctx, head),
            now: self.ctx.now(),
            person,
            refused: None,
            linked: self.linked.clone(),
            files: self.files.clone(),
            digits: atoll_region::digits_of,
        }))
    }

    /// Where the person reaches this server: `https://shop.example`.
    fn origin(&self, head: &Head) -> String {
        if let Some(url) = &self.ctx.config().public_url {
            return url.clone();
        }
        let scheme = if self.ctx.config().proxies.is_secure(head) { "https" } else { "http" };
        format!("{scheme}://{}", header(head, "host").unwrap_or("localhost"))
    }

    /// The path below the root.
    fn below<'a>(&self, head: &'a Head) -> &'a str {
        let path = head.uri.path().strip_prefix(&*self.root).unwrap_or_default();
        if path.is_empty() { "/" } else { path }
    }

    /// The page, in its frame.
    async fn page(&self, page: &'static AdminPage, call: PageCall, status: StatusCode) -> Response {
        // A task of its own: a panic is an error page.
        match tokio::spawn((page.show)(call.clone())).await {
            Ok(Ok(shown)) => self.html(status, framed(&self.root, &call, &shown)),
            Ok(Err(fault)) => self.failed(&call, &fault),
            Err(panic) => self.failed(&call, &Fault::unexpected(panic)),
        }
    }

    /// A page that says why there is none.
    fn failed(&self, call: &PageCall, fault: &Fault) -> Response {
        if fault.kind() == FaultKind::Unauthorized {
            return self.to_login(call.at());
        }
        if fault.status().is_server_error() {
            tracing::error!(page = call.at(), "{fault} {}", fault.causes());
        }
        let title = if fault.kind() == FaultKind::NotFound { "Not found" } else { "That did not work" };
        // The frame says already why a form was refused: mostly because its page is gone.
        let said = html! { @if call.refused().is_none() { (problem(&fault.to_string())) } };
        let page = Page::new(title, said);
        self.html_of(fault, framed(&self.root, call, &page))
    }

    fn to_login(&self, next: &str) -> Response {
        self.with_headers(
            Redirect::to(&format!("{}/login?next={}", self.root, encoded(next))).into_response(),
        )
    }

    fn next(&self, call: &PageCall, next: Next) -> Response {
        match next {
            Next::To(address, done) => {
                let address = address.with("done", done.word());
                self.with_headers(Redirect::to(&format!("{}{address}", self.root)).into_response())
            }
            Next::Once(page) => self.html(StatusCode::OK, framed(&self.root, call, &page)),
        }
    }

    fn html(&self, status: StatusCode, page: Markup) -> Response {
        let kind = [(header_names::CONTENT_TYPE, "text/html; charset=utf-8")];
        self.with_headers((status, kind, page.into_string()).into_response())
    }

    /// A page that says why something was not done, and after how long it may be.
    fn html_of(&self, fault: &Fault, page: Markup) -> Response {
        let mut response = self.html(fault.status(), page);
        if let Some(seconds) = fault.retry_after_s() {
            response.headers_mut().insert(header_names::RETRY_AFTER, seconds.into());
        }
        response
    }

    fn with_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header_names::CONTENT_SECURITY_POLICY, self.policy.clone());
        for (name, value) in [
            (header_names::CACHE_CONTROL, "no-store"),
            (header_names::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header_names::X_FRAME_OPTIONS, "DENY"),
            (header_names::REFERRER_POLICY, "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// What people read whose request did not get to its page, because of the hosts of the shop.
    fn turned_away(&self, fault: &Fault) -> Response {
        let said = match fault.kind() {
            FaultKind::OutcomeUnknown => UNKNOWN.to_owned(),
            _ => fault.to_string(),
        };
        let body = html! { h1 { "That did not work" } (problem(&said)) };
        self.html_of(fault, bare(&self.root, "That did not work", body))
    }

    /// What happens to a request that cannot be shown in the frame of a page.
    fn refused(&self, head: &Head, fault: &Fault) -> Response {
        if fault.kind() == FaultKind::Unauthorized {
            return self.to_login(&format!("{}{}", self.below(head), query_of(head)));
        }
        if fault.status().is_server_error() {
            tracing::error!(page = head.uri.path(), "{fault} {}", fault.causes());
        }
        let body = html! { h1 { "That did not work" } (problem(&fault.to_string())) };
        self.html_of(fault, bare(&self.root, "That did not work", body))
    }
}

async fn show(shared: Arc<Shared>, page: &'static AdminPage, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    match shared.call(&mut head).await {
        Ok(call) => shared.page(page, call, StatusCode::OK).await,
        Err(fault) => shared.refused(&head, &fault),
    }
}

async fn act(shared: Arc<Shared>, page: &'static AdminPage, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let form = match own_form(&head, body).await {
        Ok(form) => form,
        Err(fault) => return shared.refused(&head, &fault),
    };
    let call = match shared.call(&mut head).await {
        Ok(call) if form.text(TYPED).is_empty() => call,
        Err(fault) if fault.kind() != FaultKind::Unauthorized => return shared.refused(&head, &fault),
        _ => return act_again(&shared, page, head, &form).await,
    };
    if let Err(fault) = check_token(&shared.ctx, &head, &form) {
        let refused = refused_by(&fault, form);
        return shared.page(page, call.refusing(refused), fault.status()).await;
    }
    let call = call.sending(&form);
    let Some(act) = page.act else { return StatusCode::METHOD_NOT_ALLOWED.into_response() };
    let fault = match tokio::spawn(act(call.clone(), form.clone())).await {
        Ok(Ok(next)) => return shared.next(&call, next),
        Ok(Err(fault)) => fault,
        Err(panic) => Fault::unexpected(panic),
    };
    if fault.kind() == FaultKind::Unauthorized || fault.status().is_server_error() {
        return shared.refused(&head, &fault);
    }
    let refused = refused_by(&fault, form);
    shared.page(page, call.refusing(refused), fault.status()).await
}

fn refused_by(fault: &Fault, form: Form) -> Refused {
    Refused { message: fault.to_string(), form, is_outdated: fault.kind() == FaultKind::Conflict }
}

/// The session ended before the form was sent. Whoever logs in gets its page again, with what was typed.
async fn act_again(shared: &Shared, page: &'static AdminPage, mut head: Head, form: &Form) -> Response {
    let login = form.text(TYPED);
    let typed = if login.is_empty() { form.encoded() } else { login.to_owned() };
    let at = format!("{}{}", head.uri.path(), query_of(&head));
    let ask = |form: &Form, fault: Option<&Fault>| {
        let status = fault.map_or(StatusCode::UNAUTHORIZED, Fault::status);
        let body = login_again(&at, &typed, form, fault);
        shared.html(status, bare(&shared.root, "Log in", body))
    };
    if login.is_empty() {
        return ask(&Form::default(), None);
    }
    let cookies = match log_in(shared.api(&head), form.text("email"), form.exact("password")).await {
        Ok(cookies) => cookies,
        Err(fault) => return ask(form, Some(&fault)),
    };
    if let Some(session) = cookies.iter().find_map(|it| HeaderValue::from_str(it.split(';').next()?).ok()) {
        head.headers.insert(header_names::COOKIE, session);
    }
    let shown = match shared.call(&mut head).await {
        Ok(call) => {
            let message = "You are logged in again. Nothing was done yet: send it once more.".to_owned();
            let refused = Refused { message, form: Form::of(qs::parse(&typed)), is_outdated: false };
            shared.page(page, call.refusing(refused), StatusCode::OK).await
        }
        Err(fault) => shared.refused(&head, &fault),
    };
    with_cookies(shown, &cookies)
}

/// There is no page at this path. A slash too many leads to the one without it.
async fn nowhere(shared: Arc<Shared>, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    let path = head.uri.path();
    let shorter = path.trim_end_matches('/');
    if shorter != path {
        let there = format!("{shorter}{}", query_of(&head));
        return shared.with_headers(Redirect::temporary(&there).into_response());
    }
    match shared.call(&mut head).await {
        Ok(call) => shared.failed(&call, &Fault::not_found("There is no such page.")),
        Err(fault) => shared.refused(&head, &fault),
    }
}

/// A form that comes from one of our pages, whoever sends it.
async fn own_form(head: &Head, body: Body) -> Result<Form, Fault> {
    check_origin(head)?;
    read_form(head, body).await
}

async fn ask_first_admin(shared: Arc<Shared>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let query = Form::of(qs::parse(head.uri.query().unwrap_or_default()));
    let token = query.text("token");
    match first_admin::opens(&shared.ctx, token) {
        Ok(true) => {}
        Ok(false) => return shared.refused(&head, &first_admin::gone()),
        Err(fault) => return shared.refused(&head, &fault),
    }
    let body = first_admin::page(&shared.root, token, &Form::default(), None);
    shared.html(StatusCode::OK, bare(&shared.root, "The first admin", body))
}

async fn make_first_admin(shared: Arc<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = match own_form(&head, body).await {
        Ok(form) => form,
        Err(fault) => return shared.refused(&head, &fault),
    };
    if let Err(fault) = first_admin::create(&shared.ctx, &form).await {
        if !first_admin::opens(&shared.ctx, form.text("token")).unwrap_or(false) {
            return shared.refused(&head, &fault);
        }
        let body = first_admin::page(&shared.root, form.text("token"), &form, Some(&fault));
        return shared.html_of(&fault, bare(&shared.root, "The first admin", body));
    }
    begin(&shared, &head, form.text("email"), form.exact("password")).await
}

/// Logs in who has just chosen a password, and leads to the first page.
async fn begin(shared: &Shared, head: &Head, email: &str, password: &str) -> Response {
    match log_in(shared.api(head), email, password).await {
        Ok(cookies) => {
            let first = Redirect::to(&format!("{}/", shared.root)).into_response();
            with_cookies(shared.with_headers(first), &cookies)
        }
        Err(fault) => {
            let body = login_with_new_password(&shared.root, email, &fault);
            shared.html_of(&fault, bare(&shared.root, "Log in", body))
        }
    }
}

/// What the link of an e-mail leads to: a form in which somebody chooses a password, and is logged in by it.
struct MailedLink {
    title: &'static str,
    /// The address that a token is for, if it is good.
    asked: fn(&Ctx, &str) -> Option<String>,
    page: fn(&str, &str, &Form, Option<&Fault>) -> Markup,
    /// What is said of a token that is not.
    gone: fn() -> Fault,
}

const INVITE: MailedLink =
    MailedLink { title: "Invite", asked: invited::invited, page: invited::page, gone: invited::gone };
const RESET: MailedLink =
    MailedLink { title: "New password", asked: reset::asked, page: reset::page, gone: reset::gone };

async fn ask_mailed(shared: Arc<Shared>, request: Request, link: &MailedLink) -> Response {
    let (head, _) = request.into_parts();
    let query = Form::of(qs::parse(head.uri.query().unwrap_or_default()));
    match (link.asked)(&shared.ctx, query.text("token")) {
        Some(email) => {
            let body = (link.page)(&shared.root, &email, &query, None);
            shared.html(StatusCode::OK, bare(&shared.root, link.title, body))
        }
        None => shared.refused(&head, &(link.gone)()),
    }
}

async fn take_invited(shared: Arc<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = match own_form(&head, body).await {
        Ok(form) => form,
        Err(fault) => return shared.refused(&head, &fault),
    };
    let accepted = invited::accept(&shared.api(&head), &form).await;
    taken(&shared, &head, &INVITE, form.text("email"), &form, accepted).await
}

async fn take_reset(shared: Arc<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = match own_form(&head, body).await {
        Ok(form) => form,
        Err(fault) => return shared.refused(&head, &fault),
    };
    // The address is that of the token, whatever the form says.
    let Some(email) = reset::asked(&shared.ctx, form.text("token")) else {
        return shared.refused(&head, &reset::gone());
    };
    let set = reset::set(&shared.api(&head), &form).await;
    taken(&shared, &head, &RESET, &email, &form, set).await
}

/// The answer to the form of such a link: its page again, unless the link is good for nothing.
async fn taken(
    shared: &Shared,
    head: &Head,
    link: &MailedLink,
    email: &str,
    form: &Form,
    done: Result<(), Fault>,
) -> Response {
    match done {
        Ok(()) => begin(shared, head, email, form.exact("password")).await,
        Err(fault) if fault.status() == StatusCode::GONE || fault.status().is_server_error() => {
            shared.refused(head, &fault)
        }
        Err(fault) => {
            let body = (link.page)(&shared.root, email, form, Some(&fault));
            shared.html_of(&fault, bare(&shared.root, link.title, body))
        }
    }
}

async fn ask_login(shared: Arc<Shared>, request: Request) -> Response {
    let query = Form::of(qs::parse(request.uri().query().unwrap_or_default()));
    let body = login_form(&shared.root, query.text("next"), &Form::default(), None);
    shared.html(StatusCode::OK, bare(&shared.root, "Log in", body))
}

async fn take_login(shared: Arc<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = match own_form(&head, body).await {
        Ok(form) => form,
        Err(fault) => return shared.refused(&head, &fault),
    };
    match log_in(shared.api(&head), form.text("email"), form.exact("password")).await {
        Ok(cookies) => {
            let next = format!("{}{}", shared.root, next_of(form.text("next")));
            with_cookies(shared.with_headers(Redirect::to(&next).into_response()), &cookies)
        }
        Err(fault) => {
            let body = login_form(&shared.root, form.text("next"), &form, Some(&fault));
            shared.html_of(&fault, bare(&shared.root, "Log in", body))
        }
    }
}

async fn take_logout(shared: Arc<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = own_form(&head, body).await;
    if let Err(fault) = form.and_then(|it| check_token(&shared.ctx, &head, &it)) {
        return shared.refused(&head, &fault);
    }
    match log_out(&shared.api(&head)).await {
        Ok(cookies) => with_cookies(shared.to_login("/"), &cookies),
        Err(fault) => shared.refused(&head, &fault),
    }
}

fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for line in cookies {
        if let Ok(value) = HeaderValue::from_str(line) {
            response.headers_mut().append(header_names::SET_COOKIE, value);
        }
    }
    response
}
