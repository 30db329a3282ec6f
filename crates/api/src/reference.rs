//! What the API says of itself: `/`, what this is and where to go, and `/openapi.json`, every route, as the
//! route table describes it.

use std::collections::HashMap;

use atoll_kernel::{
    Ctx, Fault, Registry,
    http::{
        Answer, Call, Document, Example, Info, Part, Reply, Route, Type, header, header_names, openapi,
        optional,
    },
    routes,
    serde_json::{Value, json},
};

use crate::tables::ONE;

routes! {
    /// Says what this is, which version, and where to go from here. A page for browsers, JSON for programs.
    Get "/" (Public, ONE) => welcome: Answer::HtmlOr(PLACES_SHOWN);
    /// Describes every route, as an OpenAPI document.
    Get "/openapi.json" (Public, ONE) => describe: DOCUMENT;
}

const PLACES_SHOWN: &[Part] = &[
    Part::value("name", Type::Text, "The name of the program."),
    Part::value("version", Type::Text, "Its version."),
    Part::Value(optional("app", Type::Text).about("The path of the pages for people, if there are some.")),
    Part::Value(
        optional("docs", Type::Text).about("The path of the page that describes the API, if there is one."),
    ),
    Part::value("openapi", Type::Text, "The path of the OpenAPI document."),
    Part::value("health", Type::Text, "The path of the health check."),
];
const DOCUMENT: Answer = Answer::Object(&[
    Part::value("openapi", Type::Text, "The version of OpenAPI."),
    Part::value("info", Type::Record, "What the API is."),
    Part::value("servers", Type::List(&Type::Record), "Where it is served."),
    Part::value("tags", Type::List(&Type::Record), "What operations are grouped by."),
    Part::value("x-tagGroups", Type::List(&Type::Record), "Whom the tags are for."),
    Part::value("paths", Type::Record, "The operations, by path and method."),
    Part::value("components", Type::Record, "What operations refer to."),
]);

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the document says of the API as a whole.
fn info(examples: &HashMap<String, Example>) -> Info<'_> {
    Info { title: "Atoll", version: VERSION, text: include_str!("docs/introduction.md"), examples }
}

/// Requests of the recordings, and our answers to them, by operation. `cargo xtask examples` writes the file.
const EXAMPLES: &str = include_str!("examples.json");

/// Where to go from `/`: the path, its name in JSON, and what is there.
fn places(app: &Ctx) -> Vec<(&str, &str, &str)> {
    let pages = app.config().pages.as_deref();
    let pages = pages.map(|path| (path, "app", "the pages for merchants and operators"));
    let docs = app.config().docs.then_some(("/docs", "docs", "every route of the API, to read"));
    let always = [
        ("/openapi.json", "openapi", "the same for programs, as OpenAPI 3.1"),
        ("/health", "health", "answers OK while the server works"),
    ];
    pages.into_iter().chain(docs).chain(always).collect()
}

/// A page for those who ask for HTML, as browsers do, and JSON for all others.
async fn welcome(call: Call) -> Result<Reply, Fault> {
    let wants_page = header(&call.head(), "accept").is_some_and(|it| it.contains("text/html"));
    let reply =
        if wants_page { Reply::html(welcome_page(&call.app)) } else { Reply::json(&welcome_json(&call.app)) };
    Ok(reply.with_header(header_names::VARY, "accept"))
}

fn welcome_json(app: &Ctx) -> Value {
    let mut answer = json!({ "name": "Atoll", "version": VERSION });
    places(app).into_iter().for_each(|(path, name, _)| answer[name] = path.into());
    answer
}

fn welcome_page(app: &Ctx) -> String {
    let place = |(path, _, text)| format!("<li><a href=\"{path}\">{path}</a>: {text}</li>\n");
    let places: String = places(app).into_iter().map(place).collect();
    include_str!("welcome.html").replace("{version}", VERSION).replace("{places}", places.trim_end())
}

/// The OpenAPI document of an application.
#[derive(Default)]
struct Description(Document);

async fn describe(call: Call) -> Result<Reply, Fault> {
    let head = call.head();
    let Call { app, view, .. } = call;
    drop(view);
    let description = app.memory::<Description>();
    description.0.reply(&head.headers, || openapi_document(&app.routes())).await
}

/// The OpenAPI document of these routes, as JSON.
pub fn openapi_document(routes: &[&'static Route]) -> String {
    let examples = serde_json::from_str(EXAMPLES).expect("the tests read the examples");
    openapi(&info(&examples), routes, Registry::graph()).to_string()
}
