//! Extensions of routes: query parameters, body fields, additional data and store fields that a module adds
//! to routes of other crates, merged into the route table and checked at the start.

use std::{collections::BTreeMap, ptr};

use atoll_query::Graph;

use crate::{
    Registry,
    ctx::Route,
    flow::ADDITIONAL_DATA,
    http::{
        Envelope, Field, Filters, Method, Param, ParamKind, Params, RequestBody, Resource, Source, Type,
        optional,
    },
    problem::{Problem, nearest},
    query::StoreFields,
    read_plan::unknown_paths,
};

/// What a module adds to a route of another crate.
pub struct RouteExtension {
    /// The method of the route.
    pub method: Method,
    /// The path of the route.
    pub path: &'static str,
    /// Filters on fields of the record, or of records that are linked to it. The route is a list.
    pub params: Filters,
    /// Fields of the body. Hooks of the flow get them as additional data.
    pub body: &'static [Field],
    /// Fields of `additional_data`, for hooks of the flow. A route whose additional data has fields by
    /// modules refuses all others.
    pub additional_data: &'static [Field],
    /// Relations and computed fields, by path, that storefronts may ask for. They may do so on all routes of
    /// the same resource.
    pub store_fields: &'static [&'static str],
    /// Where it is written.
    pub source: Source,
}

impl RouteExtension {
    /// Adds nothing.
    pub const fn new(method: Method, path: &'static str, source: Source) -> RouteExtension {
        RouteExtension {
            method,
            path,
            params: &[],
            body: &[],
            additional_data: &[],
            store_fields: &[],
            source,
        }
    }

    /// A problem with this extension, and the other places that it is about.
    fn problem(&self, others: &[Source], text: String) -> Problem {
        Problem { sources: [&[self.source], others].concat(), text }
    }
}

/// Adds parameters, fields of the body, of `additional_data` and of answers to a route of another crate.
///
/// ```
/// use atoll_kernel::{extend, http::{Param, ParamKind, Type, optional}};
///
/// extend! { Get "/admin/products" {
///     params: [Param::new("reviews", ParamKind::Nested(&[Param::new("author", ParamKind::Any)]))],
/// } }
///
/// extend! { Post "/admin/products" {
///     additional_data: [optional("brand", Type::Text).or_null()],
/// } }
///
/// extend! { Get "/store/products" { store_fields: ["variants.restock_state"] } }
/// ```
#[macro_export]
macro_rules! extend {
    ($Method:ident $path:literal { $($what:ident: $added:expr),* $(,)? }) => {
        const _: () = {
            static EXTENSION: $crate::http::RouteExtension = $crate::http::RouteExtension {
                $($what: &$added,)*
                ..$crate::http::RouteExtension::new(
                    $crate::http::Method::$Method, $path, $crate::source!(),
                )
            };

            $crate::register! { $crate::http::RouteExtension: &EXTENSION }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "an extension of a route is written as the method and the path of the route, and what is added; each of \
             the four may be left out:\n\
             \x20   Post \"/admin/products\" {\n\
             \x20       params: [Param::new(\"author\", ParamKind::Any)],\n\
             \x20       body: [optional(\"brand\", Type::Text)],\n\
             \x20       additional_data: [optional(\"maker\", Type::Text)],\n\
             \x20       store_fields: [\"variants.restock_state\"],\n\
             \x20   }"
        );
    };
}

/// What extensions of routes have changed.
#[derive(Default)]
pub struct Extended {
    /// The allow-lists of resources to which modules add, by the address of the resource.
    store_fields: BTreeMap<usize, StoreFields>,
    /// Fields of bodies that hooks get as additional data, by the address of the route.
    handed: BTreeMap<usize, Vec<&'static str>>,
}

impl Extended {
    /// The allow-list of a resource, with what modules add.
    pub(crate) fn store_fields_of<'a>(&'a self, resource: &'a Resource) -> Option<&'a StoreFields> {
        self.store_fields.get(&ptr::from_ref(resource).addr()).or(resource.store_fields.as_ref())
    }

    /// The fields of a route's body that hooks get as additional data.
    pub(crate) fn handed(&self, route: &'static Route) -> &[&'static str] {
        self.handed.get(&ptr::from_ref(route).addr()).map_or(&[], Vec::as_slice)
    }
}

/// Names of parameters that lists have already.
const LIST_PARAMS: [&str; 10] =
    ["fields", "expand", "with_deleted", "limit", "offset", "cursor", "order", "q", "$and", "$or"];

impl Registry {
    /// Replaces the routes that modules extend, and returns what does not fit. The graph is built already.
    pub(crate) fn extend_routes(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let extensions = std::mem::take(&mut self.extensions);
        for it in &extensions {
            if !self.routes.iter().any(|route| is_of(it, route)) {
                let of = self.routes.iter().map(|it| it.path);
                let hint = nearest(it.path, of);
                problems.push(it.problem(
                    &[],
                    format!("`{} {}` is extended, which is no route{hint}", it.method, it.path),
                ));
            }
            self.allow_fields(it, &mut problems);
        }
        for n in 0..self.routes.len() {
            let of_route: Vec<_> =
                extensions.iter().copied().filter(|it| is_of(it, self.routes[n])).collect();
            if !of_route.is_empty() {
                self.routes[n] = self.extended_route(self.routes[n], &of_route, &mut problems);
            }
        }
        self.extensions = extensions;
        problems
    }

    /// A copy of the route with everything that was added. A program has one registry, so that what is
    /// leaked is leaked once.
    fn extended_route(
        &mut self,
        route: &'static Route,
        added: &[&'static RouteExtension],
        problems: &mut Vec<Problem>,
    ) -> &'static Route {
        let names = added.iter().flat_map(|it| it.body.iter().map(|field| field.name)).collect();
        let extended: &'static Route = Box::leak(Box::new(Route {
            params: self.extended_params(route, added, problems),
            body: extended_body(route, added, problems),
            ..route.clone()
        }));
        self.extended.handed.insert(ptr::from_ref(extended).addr(), names);
        extended
    }

    fn extended_params(
        &self,
        route: &'static Route,
        added: &[&'static RouteExtension],
        problems: &mut Vec<Problem>,
    ) -> &'static Params {
        let mut all: Vec<Param> = route.params.own.to_vec();
        for it in added {
            for param in it.params {
                let name = param.name;
                let n_before = problems.len();
                let mut say = |what: String| {
                    let text = format!("`{} {}` gets the parameter `{name}`, {what}", it.method, it.path);
                    problems.push(it.problem(&[route.source], text));
                };
                if LIST_PARAMS.contains(&name) || all.iter().any(|it| it.name == name) {
                    say("which has a parameter of this name".to_owned());
                }
                match envelope_of(route).filter(|_| route.params.limit.is_some()) {
                    None => say("which is no list of records".to_owned()),
                    Some(shown) => {
                        let allowed =
                            self.resource_of(shown).and_then(|it| self.extended.store_fields_of(it));
                        let mut path = Vec::new();
                        check_filter(&self.graph, shown.entity(), allowed, param, &mut path, &mut say);
                    }
                }
                if problems.len() == n_before {
                    all.push(*param);
                }
            }
        }
        if all.len() == route.params.own.len() {
            return route.params;
        }
        let Params { limit, strict, .. } = *route.params;
        Box::leak(Box::new(Params { own: Vec::leak(all), limit, strict }))
    }

    /// Lets storefronts ask for the fields of an extension.
    fn allow_fields(&mut self, added: &'static RouteExtension, problems: &mut Vec<Problem>) {
        let Some(route) = self.routes.iter().find(|route| is_of(added, route)) else { return };
        if added.store_fields.is_empty() {
            return;
        }
        let shown_by = route.source;
        let mut say = |what: String| {
            let text = format!("storefronts may ask `{} {}` for more, {what}", added.method, added.path);
            problems.push(added.problem(&[shown_by], text));
        };
        let Some(resource) = envelope_of(route).and_then(|it| self.resource_of(it)) else {
            return say("which shows no resource".to_owned());
        };
        let Some(allowed) = self.extended.store_fields_of(resource).copied() else {
            return say("which is for admins: they may ask for everything".to_owned());
        };
        let asked = Resource {
            entity: resource.entity,
            one: resource.one,
            many: resource.many,
            fields: &[],
            store_fields: Some(StoreFields { whole: added.store_fields, parts: &[] }),
            renamed: &[],
        };
        let unknown = unknown_paths(self, &asked);
        unknown.iter().for_each(|it| say(format!("but `{it}` is no relation and no computed field there")));
        let mut whole = allowed.whole.to_vec();
        for path in added.store_fields.iter().filter(|it| !unknown.contains(it)) {
            let above = path.rsplit_once('.').map(|(above, _)| above);
            if whole.contains(path) {
                say(format!("which they may ask for `{path}` already"));
            } else if let Some(above) = above.filter(|it| !whole.contains(it)) {
                say(format!("but `{path}` is below `{above}`, for which they may not ask"));
            } else {
                whole.push(path);
            }
        }
        let allowed = StoreFields { whole: Vec::leak(whole), parts: allowed.parts };
        self.extended.store_fields.insert(ptr::from_ref(resource).addr(), allowed);
    }

    /// The resource that an answer shows.
    fn resource_of(&self, shown: &'static dyn Envelope) -> Option<&'static Resource> {
        self.resources.iter().copied().find(|it| ptr::addr_eq(ptr::from_ref(*it), ptr::from_ref(shown)))
    }
}

fn is_of(extension: &RouteExtension, route: &Route) -> bool {
    (extension.method, extension.path) == (route.method, route.path)
}

/// What the answer of a route shows.
fn envelope_of(route: &Route) -> Option<&'static dyn Envelope> {
    route.answer.envelopes().into_iter().next()
}

/// Checks that a filter leads to a field, and over nothing for which storefronts may not ask.
fn check_filter(
    graph: &Graph,
    entity: &str,
    allowed: Option<&StoreFields>,
    filter: &Param,
    path: &mut Vec<String>,
    say: &mut impl FnMut(String),
) {
    path.push(filter.name.to_owned());
    let name = path.join(".");
    let relation = graph.relation(entity, filter.name);
    let is_shown = allowed.is_none_or(|it| it.shows(path, relation.is_some()));
    match (&filter.kind, relation) {
        _ if !is_shown => say(format!("and filters by `{name}`, for which storefronts may not ask")),
        (ParamKind::Nested(filters) | ParamKind::Related(filters), Some(relation)) => {
            filters.iter().for_each(|it| check_filter(graph, relation.to, allowed, it, path, say));
        }
        (ParamKind::Nested(_) | ParamKind::Related(_), None) => {
            say(format!("and filters by `{name}`, which is no relation"))
        }
        _ if graph
            .entity(entity)
            .is_some_and(|it| it.fields.contains(&filter.name) && !it.hidden.contains(&filter.name)) => {}
        _ => say(format!("and filters by `{name}`, which is no field")),
    }
    path.pop();
}

/// The body of a route with the fields that modules add, and its additional data with theirs.
fn extended_body(
    route: &'static Route,
    added: &[&'static RouteExtension],
    problems: &mut Vec<Problem>,
) -> RequestBody {
    if added.iter().all(|it| it.body.is_empty() && it.additional_data.is_empty()) {
        return route.body;
    }
    let schema = match route.body {
        RequestBody::Json(schema) => schema,
        _ => &[],
    };
    let own = || schema.iter().copied().flatten();
    let mut fields: Vec<Field> = own().copied().collect();
    let mut data: Vec<Field> = Vec::new();
    for it in added {
        let mut say = |field: &Field, what: &str| {
            let text = format!("`{} {}` gets the field `{}`, {what}", it.method, it.path, field.name);
            problems.push(it.problem(&[route.source], text));
        };
        for field in it.body.iter().chain(it.additional_data) {
            if route.method == Method::Get || matches!(route.body, RequestBody::Raw) {
                say(field, "which takes no JSON");
            }
            if data.iter().any(|it| it.name == field.name) {
                say(field, "to which another module adds the same");
            }
        }
        for field in it.body {
            if fields.iter().any(|it| it.name == field.name) || field.name == ADDITIONAL_DATA {
                say(field, "which has a field of this name");
            }
            fields.push(*field);
        }
        data.extend(it.additional_data);
    }
    if !data.is_empty() {
        let text = own().find(|it| it.name == ADDITIONAL_DATA).map_or("Data for modules.", |it| it.text);
        fields.retain(|it| it.name != ADDITIONAL_DATA);
        // As on the wire, additional data may be null, whatever its fields are.
        let kind = Type::Strict(Vec::leak(vec![&*Vec::leak(data)]));
        fields.push(optional(ADDITIONAL_DATA, kind).or_null().about(text));
    }
    RequestBody::Json(Vec::leak(vec![&*Vec::leak(fields)]))
}
