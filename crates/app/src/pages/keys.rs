//! API keys: publishable ones, with the channels that they open and a snippet for a storefront, and secret
//! ones, whose token is shown once.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge, copy,
    facts, hint, html, link, moment, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::named::{CHANNELS, Named, named, options};

admin_page! {
    "/keys" as "Keys" in Settings 10 => list;
    "/keys/new" => ask_publishable, create_publishable;
    "/keys/new-secret" => ask_secret, create_secret;
    "/keys/:id" => show, change;
}

/// An API key, as these pages show it.
#[derive(Deserialize)]
struct Key {
    id: String,
    title: String,
    /// Empty for a secret key.
    token: String,
    redacted: String,
    r#type: String,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
    #[serde(default)]
    sales_channels: Vec<Named>,
}

const FIELDS: &str = "id,title,token,redacted,type,created_at,revoked_at,sales_channels.id,\
     sales_channels.name";

/// Keys on one page of the list.
const LIST_PAGE: usize = 30;

impl Key {
    fn is_publishable(&self) -> bool {
        self.r#type == "publishable"
    }

    fn kind(&self) -> &'static str {
        if self.is_publishable() { "Publishable" } else { "Secret" }
    }

    /// A key may be revoked from a later moment on.
    fn state(&self, call: &PageCall) -> Markup {
        match self.revoked_at {
            None => badge("good", "In use"),
            Some(at) if at <= call.now() => badge("bad", "Revoked"),
            Some(at) => html! { (badge("warn", "Ends")) " " (moment(at)) },
        }
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/api-keys")
        .with("fields", FIELDS)
        .with("type", call.query("type"))
        .with("q", call.query("q"))
        .with("order", "title")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let keys: Records<Key> = call.api().list(address, "api_keys").await?;
    let kinds = [("", "all"), ("publishable", "publishable"), ("secret", "secret")];
    let rows = keys.records.iter().map(|key| {
        vec![
            link(&call, Address::of("/keys").then(&key.id), &key.title),
            html! { (key.kind()) },
            html! { code { (key.redacted) } },
            html! { (key.sales_channels.iter().map(|it| &*it.name).collect::<Vec<_>>().join(", ")) },
            key.state(&call),
        ]
    });
    let body = html! {
        div class="buttons" {
            a class="button" href=(call.to("/keys/new")) { "New publishable key" }
            a class="button quiet" href=(call.to("/keys/new-secret")) { "New secret key" }
        }
        (call.search("/keys", "Search", &[
            Field::line("search", "q", "Title").value(call.query("q")),
            Field::choice("type", "Kind", kinds).value(call.query("type")),
        ]))
        @if keys.records.is_empty() { (nothing("There is no such key.")) }
        @else { (table(&["Title", "Kind", "Token", "Opens", "State"], rows)) }
        (pager(&call, &keys))
        (hint(html! { "Keys are for programs. People who log in here are " (link(&call, "/users", "users")) "." }))
    };
    Ok(Page::new("Keys", body))
}

fn title<'a>(value: &str) -> Field<'a> {
    Field::text("title", "Title").value(value).required()
}

/// The channels as boxes; those of the key are ticked. None where the shop has no channels: any key opens
/// everything.
async fn channels<'a>(call: &PageCall, key: Option<&Key>) -> Result<Option<Field<'a>>, Fault> {
    if !call.has("/channels") {
        return Ok(None);
    }
    let all = named(call, CHANNELS).await?;
    let ticked = key.into_iter().flat_map(|it| &it.sales_channels).map(|it| it.id.clone());
    Ok(Some(Field::boxes("channels", "Sales channels that it opens", options(&all), ticked)))
}

async fn ask_publishable(call: PageCall) -> Result<Page, Fault> {
    let mut fields = vec![title("").hint("Where it is used: Storefront, or Till.")];
    fields.extend(channels(&call, None).await?);
    let body = html! {
        section class="card" {
            (hint("A storefront sends this key with each request, and shows it to everybody: it opens what \
                   anybody may see and buy in its channels, and nothing else."))
            (call.form("create", "Create", &fields))
        }
    };
    Ok(Page::new("New publishable key", body).below("/keys", "Keys"))
}

async fn ask_secret(call: PageCall) -> Result<Page, Fault> {
    let fields = [title("").hint("Who uses it: the program, or the person.")];
    let body = html! {
        section class="card" {
            (hint("Programs act with a secret key as an admin does. Its token is shown once, by the answer to \
                   this form: have a place ready that keeps secrets."))
            (call.form("create", "Create", &fields))
        }
    };
    Ok(Page::new("New secret key", body).below("/keys", "Keys"))
}

/// Creates a key, and returns what the API answers.
async fn create(call: &PageCall, form: &Form, kind: &str) -> Result<Key, Fault> {
    #[derive(Deserialize)]
    struct Created {
        api_key: Key,
    }
    let body = json!({ "title": form.text("title"), "type": kind });
    Ok(call.api().post::<Created>("/admin/api-keys", &body).await?.api_key)
}

async fn create_publishable(call: PageCall, form: Form) -> Result<Next, Fault> {
    let key = create(&call, &form, "publishable").await?;
    let connected = connect(&call, &key.id, &form).await;
    Ok(Next::to(Address::of("/keys").then(&key.id), Done::Created.with(&connected)))
}

/// Answers with the page that shows the token. It is in no address, no cookie and no page that can be asked
/// for again.
async fn create_secret(call: PageCall, form: Form) -> Result<Next, Fault> {
    let key = create(&call, &form, "secret").await?;
    let body = html! {
        section class="card" {
            p class="notice warn" role="status" { "Copy the token now: it is not shown again." }
            (token(&key.token))
            (hint("A program sends it as the user name of HTTP basic authentication, without a password:"))
            (snippet(&format!("curl '{}/admin/orders' -u '{}:'", call.origin(), key.token)))
            p { (link(&call, Address::of("/keys").then(&key.id), "To the key")) }
        }
    };
    Ok(Next::Once(Page::new(key.title, body).below("/keys", "Keys")))
}

fn token(token: &str) -> Markup {
    html! { p { code { (token) } " " (copy(token)) } }
}

/// A text to copy.
pub(super) fn snippet(text: &str) -> Markup {
    html! { pre tabindex="0" { (text) } p class="buttons" { (copy(text)) } }
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let key = key(&call).await?;
    let is_revoked = key.revoked_at.is_some_and(|it| it <= call.now());
    let stops = "Who uses the key gets no answer any more, and it cannot be put in use again. Revoke it?";
    let body = html! {
        section class="card" {
            (facts([
                ("State", key.state(&call)),
                ("Kind", html! { (key.kind()) }),
                ("Created", moment(key.created_at)),
            ]))
            @if key.is_publishable() { (token(&key.token)) } @else { p { code { (key.redacted) } } }
            div class="buttons" {
                @if is_revoked { (call.button(Button::danger("delete", "Delete", "Delete the key?"))) }
                @else { (call.button(Button::danger("revoke", "Revoke", stops))) }
            }
            @if !is_revoked { (hint("A key can be deleted when it is revoked.")) }
        }
        @if key.is_publishable() && !is_revoked { (for_storefronts(&call, &key.token)) }
        @if key.is_publishable() && let Some(boxes) = channels(&call, Some(&key)).await? {
            section class="card" { h2 { "What it opens" } (call.form("connect", "Save", &[boxes])) }
        }
        section class="card" {
            h2 { "Title" }
            (call.form("save", "Save", &[title(&key.title)]))
        }
    };
    Ok(Page::new(key.title, body).below("/keys", "Keys"))
}

/// What a storefront needs to begin with.
fn for_storefronts(call: &PageCall, token: &str) -> Markup {
    let origin = call.origin();
    let curl = format!("curl '{origin}/store/products?limit=3' \\\n  -H 'x-publishable-api-key: {token}'");
    let sdk = format!(
        "import Medusa from \"@medusajs/js-sdk\";\n\n\
         const sdk = new Medusa({{\n  baseUrl: \"{origin}\",\n  publishableKey: \"{token}\",\n}});\n\
         const {{ products }} = await sdk.store.product.list({{ limit: 3 }});"
    );
    html! {
        section class="card" {
            h2 { "In a storefront" }
            h3 { "curl" }
            (snippet(&curl))
            h3 { "JavaScript" }
            (snippet(&sdk))
        }
    }
}

async fn key(call: &PageCall) -> Result<Key, Fault> {
    let address = Address::of("/admin/api-keys").then(call.path("id")).with("fields", FIELDS);
    call.api().one(address, "api_key").await
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let address = Address::of("/admin/api-keys").then(call.path("id"));
    match form.action() {
        "save" => call.api().post::<Value>(address, &json!({ "title": form.text("title") })).await?,
        "connect" => connect(&call, call.path("id"), &form).await?,
        "revoke" => call.api().post(address.then("revoke"), &json!({})).await?,
        "delete" => {
            call.api().delete(address).await?;
            return Ok(Next::to("/keys", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to(Address::of("/keys").then(call.path("id")), Done::Saved))
}

/// Connects the channels that were ticked, and disconnects those that were unticked.
async fn connect(call: &PageCall, key: &str, form: &Form) -> Result<Value, Fault> {
    let change = form.change("channels");
    if change.is_empty() {
        return Ok(Value::Null);
    }
    call.api().post(Address::of("/admin/api-keys").then(key).then("sales-channels"), &change).await
}
