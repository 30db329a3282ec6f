//! The registry: everything that is linked in is consistent, and its snapshot shows what a change adds.

use std::path::PathBuf;

use atoll_kernel::{
    Registry,
    data::{Entity, FieldKind, FieldLink, Module, Service, Step},
    entity,
    flow::{Flow, Hook, HookAt, HookOutput, HookPoint, HookRun},
    http::{
        Answer, Auth, Field, Method, Param, ParamKind, Params, Reply, RequestBody, Resource, Route,
        RouteExtension, Source, Type, optional,
    },
    jobs::{Job, Schedule},
    query::{OnDelete, StoreFields, Visibility},
    registry::{Problem, ProviderChoice, ProviderEntry, ProviderKind, ProviderKindEntry},
    serde_json::Value,
};
use atoll_testkit::RECORDED;
use expect_test::expect_file;

#[test]
fn registry_txt_matches_what_is_linked_in() {
    let described = atoll_host::described().expect("a registry that fits together");
    // The provider that records is of the testkit, and in no program.
    let linked = described.replace(&format!(" {RECORDED}\n"), "\n");
    expect_file![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("registry.txt")].assert_eq(&linked);
}

#[test]
fn every_route_says_who_may_call_it() {
    let registry = atoll_host::registry().expect("a registry that fits together");
    for route in &registry.routes {
        // Public routes are listed in `auth.rs`.
        let fits = match route.path.split('/').nth(1) {
            Some("admin") => {
                // An invited user is no admin yet, and the dashboard reads the flags before the login.
                let before = ["/admin/invites/accept", "/admin/feature-flags"];
                route.auth.is_admin() || before.contains(&route.path)
            }
            Some("store") => route.auth.is_store(),
            _ => matches!(route.auth, Auth::Public | Auth::Identity),
        };
        assert!(fits, "{} {} is for {:?}", route.method, route.path, route.auth);
        let has_body = route.body.is_some();
        let fits = match route.method {
            Method::Get => !has_body,
            Method::Post => has_body,
            // The older API sends the ids to unlink.
            Method::Delete => true,
        };
        assert!(fits, "{} {}", route.method, route.path);
    }
}

/// Subscribers may follow what is declared only.
#[test]
fn every_emitted_event_is_declared() {
    let registry = atoll_host::registry().expect("a registry that fits together");
    let declared: Vec<&str> = registry.events.iter().flat_map(|it| it.names).copied().collect();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    // Plugins that are not linked in here declare theirs where they are.
    let linked = registry.modules.iter().map(|it| root.join("plugins").join(it.name));
    let mut folders: Vec<PathBuf> = linked.filter(|it| it.exists()).collect();
    folders.push(root.join("crates/flows"));
    let mut n_emitted = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = std::fs::read_to_string(&path).expect("a file");
                for call in text.split("emit(").skip(1) {
                    let arguments = call.split(')').next().unwrap_or(call);
                    let Some(event) = arguments.split('"').nth(1).filter(|it| it.contains('.')) else {
                        continue;
                    };
                    n_emitted += 1;
                    assert!(declared.contains(&event), "`{event}` is in no `events!` ({})", path.display());
                }
            }
        }
    }
    assert!(n_emitted > 30, "{n_emitted} calls were found");
}

entity! {
    /// Something.
    pub struct Thing = "thing" / "things", "sc" {
        /// Its name.
        pub name: String,
    }
    history [
        [Step::Renamed { from: "title", to: "label" }, Step::Filled("colour", || Value::Null)],
        [Step::Renamed { from: "label", to: "name" }],
    ]
}

static THINGS: Service<Thing> = Service::new(&[]);

static WRONG: Resource = Resource {
    entity: "thing",
    one: "thing",
    many: "things",
    fields: &["id", "name", "label", "*name", "shelf.id"],
    store_fields: Some(StoreFields { whole: &["shelf"], parts: &["shelf.name", "name"] }),
    renamed: &[("called", "name"), ("label_id", "labels.id")],
};

#[test]
fn default_fields_of_resources_exist() {
    let parts =
        Registry { modules: vec![&CHANNEL_LIKE], resources: vec![&WRONG, &WRONG], ..Registry::default() };
    let Err(problems) = parts.build() else { panic!("nothing has what it shows") };
    let problems: Vec<String> =
        problems.iter().map(ToString::to_string).filter(|it| it.starts_with("`things`")).collect();
    let unknown = ["*name", "label", "labels.id", "shelf.id", "shelf.name", "shelf"];
    let mut expected = unknown.map(|it| format!("`things` shows `{it}`, which nothing has"));
    expected[0] += " (did you mean `name`?)";
    assert_eq!(problems, expected);
}

static CHANNEL_LIKE: Module = Module { name: "thing", services: &[&THINGS], ..Module::EMPTY };

static AGAIN: Module = Module { name: "thing", services: &[&THINGS], ..Module::EMPTY };

static TO_NOWHERE: FieldLink =
    FieldLink { field: "nobody", relation: "nowhere", to: "nothing", ..CLEARED_WITHOUT_INDEX };

static WITHOUT_FIELD: FieldLink = FieldLink { field: "nobody", relation: "other", ..CLEARED_WITHOUT_INDEX };

const CLEARED_WITHOUT_INDEX: FieldLink = FieldLink {
    from: "thing",
    field: "name",
    relation: "namesake",
    many: false,
    to: "thing",
    back: None,
    on_delete: OnDelete::Clear,
    reveals: false,
};

static WITHOUT_INDEX: FieldLink = CLEARED_WITHOUT_INDEX;

static NOWHERE: Params = Params { own: &[], limit: None, strict: true };

static ROUTE: Route = Route {
    answer: Answer::Deleted,
    flag: Some("things"),
    method: Method::Get,
    path: "/things/",
    text: "",
    auth: Auth::Public,
    params: &NOWHERE,
    body: RequestBody::None,
    body_bytes_max: None,
    handler: |_| Box::pin(async { Ok(Reply::json(&Value::Null)) }),
    source: HERE,
};

const HERE: Source = Source { package: "things", file: "src/lib.rs", line: 7 };

/// Of everybody's things, without a word of who sees them.
static FOR_STOREFRONTS: Route = Route {
    answer: Answer::One(&FOR_ADMINS),
    flag: None,
    path: "/store/things/:id",
    text: "Shows a thing.",
    auth: Auth::Store,
    ..ROUTE
};

static FOR_ADMINS: Resource = Resource { fields: &["id", "name"], store_fields: None, renamed: &[], ..WRONG };

/// What it lets storefronts ask for is not theirs to see.
static TOO_MUCH: Resource =
    Resource { store_fields: Some(StoreFields { whole: &["namesake"], parts: &[] }), ..FOR_ADMINS };

static OF_NOBODY: Service<Thing> = Service::new(&[]).visible(Visibility::OfCustomer("customer_id"));
static WITH_NOTHING: Service<Thing> = Service::new(&[]).visible(Visibility::With(&["nothing"]));
static WITH_ITSELF: Service<Thing> = Service::new(&[]).visible(Visibility::With(&["namesake"]));

/// What is wrong with the registry of these routes and of `service`, as far as it is about visibility.
fn about_visibility(service: &'static Module, route: Option<&'static Route>) -> Vec<String> {
    let parts = Registry {
        modules: vec![service],
        field_links: vec![&NAMESAKE],
        routes: route.into_iter().collect(),
        resources: vec![&TOO_MUCH],
        ..Registry::default()
    };
    match parts.build() {
        Ok(_) => Vec::new(),
        Err(problems) => {
            problems.iter().map(ToString::to_string).filter(|it| !it.contains("history")).collect()
        }
    }
}

static NAMESAKE: FieldLink = FieldLink { on_delete: OnDelete::Keep, ..CLEARED_WITHOUT_INDEX };

#[test]
fn store_routes_say_what_is_shown_and_to_whom() {
    static NOBODY: Module = Module { services: &[&OF_NOBODY], ..CHANNEL_LIKE };
    static NOTHING: Module = Module { services: &[&WITH_NOTHING], ..CHANNEL_LIKE };
    static ITSELF: Module = Module { services: &[&WITH_ITSELF], ..CHANNEL_LIKE };
    assert_eq!(
        about_visibility(&CHANNEL_LIKE, Some(&FOR_STOREFRONTS)),
        [
            "`things` lets storefronts ask for `namesake`, which stays hidden: `thing` is visible to admins only",
            "route `GET /store/things/:id` shows `things` to storefronts, and `thing` is visible to admins only: \
             say who else sees it with `Service::visible`\n    in things, src/lib.rs:7",
            "route `GET /store/things/:id` shows `things` to storefronts, whose resource does not say which \
             fields they may ask for: set its `store_fields`\n    in things, src/lib.rs:7",
        ]
    );
    assert_eq!(
        about_visibility(&NOBODY, None),
        ["`thing` is visible by its field `customer_id`, which it does not have"]
    );
    assert_eq!(
        about_visibility(&NOTHING, None),
        ["`thing` is visible with its `nothing`, which is no relation of it"]
    );
    assert_eq!(about_visibility(&ITSELF, None), ["`thing` is visible with records that are visible with it"]);
}

static NEVER: Job = Job::new("thing.never", Schedule::Cron("0 0 31 4 *"), |_, _| Box::pin(async { Ok(()) }));

static JOINS: Hook = Hook {
    name: "thing.join",
    at: HookAt::Named { point: "no-flow.validate", input: FieldKind::Any, output: FieldKind::Any },
    run: HookRun::Local(|_, _| Ok(HookOutput::Json(Value::Null))),
};

static POINT: HookPoint<(String, Vec<String>)> = HookPoint::new("validate");

static FLOW: Flow<(), ()> = Flow { hooks: &[&POINT], ..Flow::new("a-flow", |_, ()| Ok(())) };

static MISFIT: Hook = Hook {
    name: "thing.misfit",
    at: HookAt::Named {
        point: "validate",
        input: FieldKind::Fields {
            names: &["0", "1", "2"],
            kinds: &[FieldKind::Decimal, FieldKind::List(&FieldKind::Text), FieldKind::Any],
        },
        output: FieldKind::Text,
    },
    run: HookRun::Local(|_, _| Ok(HookOutput::Json(Value::Null))),
};

#[test]
fn hooks_that_do_not_fit_their_point_are_found_at_the_start() {
    let parts = Registry { flows: vec![&FLOW], hooks: vec![&MISFIT], ..Registry::default() };
    let Err(problems) = parts.build() else { panic!("it fits together") };
    let texts: Vec<&str> = problems.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "hook `thing.misfit` does not fit `a-flow.validate`: it contributes something, which the point does not take",
            "hook `thing.misfit` does not fit `a-flow.validate`: it reads `0` as decimal, which is text",
            "hook `thing.misfit` does not fit `a-flow.validate`: it reads `2`, which is not there",
        ]
    );
}

/// A kind of provider.
trait Painter: Send + Sync {}

struct Brush;

impl Painter for Brush {}

impl ProviderKind for dyn Painter {
    const NAME: &'static str = "painter";
}

static BRUSH: &dyn Painter = &Brush;

/// A line of the source text of things.
const fn line(line: u32) -> Source {
    Source { line, ..HERE }
}

const fn painter(id: &'static str, at: u32) -> ProviderEntry {
    ProviderEntry::new::<dyn Painter>(id, line(at), &BRUSH)
}

#[test]
fn providers_and_their_kinds_have_names_of_their_own() {
    static PAINTERS: [ProviderEntry; 4] =
        [painter("oil", 2), painter("oil", 1), painter("water colour", 3), painter("", 4)];
    static KINDS: [ProviderKindEntry; 2] = [
        ProviderKindEntry { name: "baker", source: line(6) },
        ProviderKindEntry { name: "baker", source: line(5) },
    ];
    let parts = Registry {
        providers: PAINTERS.iter().collect(),
        provider_kinds: KINDS.iter().collect(),
        ..Registry::default()
    };
    let Err(problems) = parts.build() else { panic!("it fits together") };
    let place = |it: &Problem| it.sources.iter().map(|it| it.line.to_string()).collect::<Vec<_>>().join(" ");
    let texts: Vec<String> = problems.iter().map(|it| format!("{}: {}", place(it), it.text)).collect();
    let characters = "has an id of other characters than letters, digits, `_` and `-`";
    let undeclared = "is of the kind `painter`, which is not declared";
    assert_eq!(
        texts,
        [
            format!("1: provider `painter oil` {undeclared}"),
            "1 2: provider `painter oil` is registered 2 times".to_owned(),
            format!("2: provider `painter oil` {undeclared}"),
            format!("3: provider `painter water colour` {characters}"),
            format!("3: provider `painter water colour` {undeclared}"),
            format!("4: provider `painter ` {characters}"),
            format!("4: provider `painter ` {undeclared}"),
            "5 6: kind of providers `baker` is registered 2 times".to_owned(),
        ]
    );
}

#[test]
fn serving_providers_are_in_the_order_of_the_configuration() {
    static PAINTERS: [ProviderEntry; 3] = [painter("oil", 1), painter("chalk", 2), painter("ink", 3)];
    static KIND: ProviderKindEntry = ProviderKindEntry { name: "painter", source: line(4) };
    let parts =
        Registry { providers: PAINTERS.iter().collect(), provider_kinds: vec![&KIND], ..Registry::default() };
    let Ok(registry) = parts.build() else { panic!("it does not fit together") };
    let serving = |choice: &ProviderChoice| {
        registry.serving(choice).of::<dyn Painter>().map(|(id, _)| id).collect::<Vec<&str>>()
    };
    let mut choice = ProviderChoice::default();
    assert_eq!(serving(&choice), ["chalk", "ink", "oil"]);
    choice.set("painter", vec!["oil".into(), "chalk".into()]);
    assert_eq!(serving(&choice), ["oil", "chalk"]);
    choice.set("painter", Vec::new());
    assert!(serving(&choice).is_empty());
    assert!(registry.provider::<dyn Painter>("ink").is_some(), "it is linked in, and its work goes on");
    assert!(registry.provider::<dyn Painter>("tempera").is_none());
}

#[test]
fn registry_reports_all_problems_at_once() {
    let parts = Registry {
        modules: vec![&CHANNEL_LIKE, &AGAIN],
        field_links: vec![&TO_NOWHERE, &WITHOUT_FIELD, &WITHOUT_INDEX],
        routes: vec![&ROUTE, &ROUTE],
        jobs: vec![&NEVER],
        hooks: vec![&JOINS],
        ..Registry::default()
    };
    let Err(problems) = parts.build() else { panic!("it fits together") };
    let texts: Vec<&str> = problems.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "entity `thing` is registered 2 times",
            "hook `thing.join` joins `no-flow.validate`, where no flow takes hooks",
            "id prefix `sc` is registered 2 times",
            "job `thing.never` has a schedule that cannot be read: `0 0 31 4 *` names a moment that never comes",
            "key space `thing.deleted` is registered 2 times",
            "key space `thing` is registered 2 times",
            "module `thing` is registered 2 times",
            "relation `thing.namesake` is cleared, and needs an index on `thing.name`",
            "relation `thing.nowhere` leads to `nothing`, which no module has (did you mean `thing`?)",
            "relation `thing.other` uses the field `nobody`, which `thing` does not have",
            "the history of `table thing` leads to `colour`, which it does not have",
            "route `GET /things/` depends on `things`, which is no feature flag",
            "route `GET /things/` does not begin with a slash, or ends with one",
            "route `GET /things/` has no doc comment",
            "route `GET /things/` is registered 2 times",
        ]
    );
    assert_eq!(Thing::DEF.words(), "Thing");
}

/// The parts that are linked in.
fn linked() -> Registry {
    let linked = atoll_host::registry().expect("a registry that fits together");
    Registry {
        modules: linked.modules.clone(),
        links: linked.links.clone(),
        field_links: linked.field_links.clone(),
        projections: linked.projections.clone(),
        routes: linked.routes.clone(),
        resources: linked.resources.clone(),
        flags: linked.flags.clone(),
        computed: linked.computed.clone(),
        ..Registry::default()
    }
}

fn extension(method: Method, path: &'static str) -> RouteExtension {
    RouteExtension::new(method, path, HERE)
}

/// A route that is added later is in the table, too.
#[test]
fn every_route_that_writes_takes_the_additional_data_of_modules() {
    let mut parts = linked();
    // Webhooks take bytes.
    let takes_json = |it: &&&'static Route| it.method != Method::Get && !matches!(it.body, RequestBody::Raw);
    let writes: Vec<_> = parts.routes.iter().filter(takes_json).collect();
    const DATA: &[Field] = &[optional("for_test", Type::Text)];
    let extensions =
        writes.iter().map(|it| RouteExtension { additional_data: DATA, ..extension(it.method, it.path) });
    let extensions: Vec<RouteExtension> = extensions.collect();
    assert!(extensions.len() > 100, "{}", extensions.len());
    parts.extensions = Vec::leak(extensions).iter().collect();
    let registry = parts.build().unwrap_or_else(|problems| panic!("{problems:?}"));
    for route in registry.routes.iter().filter(takes_json) {
        let RequestBody::Json(schema) = route.body else {
            panic!("{} {} takes no body", route.method, route.path)
        };
        let field = schema.iter().copied().flatten().find(|it| it.name == "additional_data");
        let Some(Field { kind: Type::Strict([[field]]), nullable: true, required: false, .. }) = field else {
            panic!("{} {} takes no additional data", route.method, route.path)
        };
        assert_eq!(field.name, "for_test");
    }
}

/// Additional data reaches the hooks of a flow: each has a point.
#[test]
fn every_flow_has_a_hook_point() {
    let registry = atoll_host::registry().expect("a registry that fits together");
    let bare = registry.flows.iter().filter(|it| it.hooks().is_empty());
    assert_eq!(bare.map(|it| it.name()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn extensions_that_do_not_fit_their_route_are_found_at_the_start() {
    const AUTHOR: Param = Param::new("author", ParamKind::Any);
    static EXTENSIONS: [RouteExtension; 5] = [
        RouteExtension::new(Method::Get, "/admin/nothing", HERE),
        RouteExtension {
            params: &[
                Param::new("title", ParamKind::Any),
                Param::new("limit", ParamKind::Number),
                Param::new("colour", ParamKind::Any),
                Param::new("reviews", ParamKind::Nested(&[AUTHOR])),
                Param::new("variants_of", ParamKind::Any),
            ],
            body: &[optional("brand", Type::Text)],
            store_fields: &["variants.inventory_items"],
            ..RouteExtension::new(Method::Get, "/admin/products", HERE)
        },
        RouteExtension {
            params: &[Param::new("sales_channels", ParamKind::Nested(&[Param::new("name", ParamKind::Any)]))],
            store_fields: &[
                "variants", "variants.colour", "sales_channels.stock_locations", "sales_channels",
            ],
            ..RouteExtension::new(Method::Get, "/store/products", HERE)
        },
        RouteExtension { params: &[AUTHOR], ..RouteExtension::new(Method::Get, "/store/products/:id", HERE) },
        RouteExtension {
            body: &[optional("name", Type::Text), optional("brand", Type::Text)],
            additional_data: &[optional("brand", Type::Text)],
            ..RouteExtension::new(Method::Post, "/admin/regions", HERE)
        },
    ];
    let parts = Registry { extensions: EXTENSIONS.iter().collect(), ..linked() };
    let Err(problems) = parts.build() else { panic!("it fits together") };
    let texts: Vec<&str> = problems.iter().map(|it| it.text.as_str()).collect();
    expect_test::expect![[r#"
        `GET /admin/nothing` is extended, which is no route (did you mean `/admin/plugins`?)
        `GET /admin/products` gets the field `brand`, which takes no JSON
        `GET /admin/products` gets the parameter `colour`, and filters by `colour`, which is no field
        `GET /admin/products` gets the parameter `limit`, and filters by `limit`, which is no field
        `GET /admin/products` gets the parameter `limit`, which has a parameter of this name
        `GET /admin/products` gets the parameter `reviews`, and filters by `reviews`, which is no relation
        `GET /admin/products` gets the parameter `title`, which has a parameter of this name
        `GET /admin/products` gets the parameter `variants_of`, and filters by `variants_of`, which is no field
        storefronts may ask `GET /admin/products` for more, which is for admins: they may ask for everything
        `POST /admin/regions` gets the field `name`, which has a field of this name
        `GET /store/products/:id` gets the parameter `author`, which is no list of records
        storefronts may ask `GET /store/products` for more, but `sales_channels.stock_locations` is below `sales_channels`, for which they may not ask
        storefronts may ask `GET /store/products` for more, but `variants.colour` is no relation and no computed field there
        storefronts may ask `GET /store/products` for more, which they may ask for `variants` already"#]].assert_eq(&texts.join("\n"));
}
