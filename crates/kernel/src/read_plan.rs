//! The read plan of one request for one resource: fields, defaults, filters, order and page (pagination),
//! parsed once. Checks before a write, single records, lists and "deleted" answers use the same plan.

use std::{
    collections::{BTreeSet, HashMap},
    ptr,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use serde_json::Value;

use crate::{
    Fault, Read, Registry,
    data::{EntityDef, JsonObject, Node, json_value},
    http::{Call, ListParams, Reply, Resource},
    query::{
        Context, Cursor, Env, FieldList, Fields, Ids, ListQuery, QueryError, Selection, SortBy, StoreFields,
        check_selection, each_id, list, write_node, write_nodes,
    },
};

/// Upper bound of resolved field sets that are cached per resource: its routes add one of a few sets to the
/// defaults.
const N_KEPT_MAX: usize = 16;

/// Fields, resolved for one resource.
struct Shown {
    selection: Selection,
    /// The first path that was left out because it follows a cycle.
    cycle: Option<String>,
}

/// The default fields of a resource: parsed once, resolved when they are first used.
struct Defaults {
    list: FieldList,
    resolved: RwLock<Vec<(Vec<&'static str>, Arc<Shown>)>>,
}

/// The defaults of all registered resources, by the address of the resource, which is a static.
static DEFAULTS: LazyLock<HashMap<usize, Defaults>> = LazyLock::new(|| {
    let defaults = |it: &Resource| Defaults { list: FieldList::of(it.fields), resolved: RwLock::default() };
    Registry::get().resources.iter().map(|it| (ptr::from_ref(*it).addr(), defaults(it))).collect()
});

impl Defaults {
    /// The defaults of this resource.
    ///
    /// # Panics
    /// When it is not registered.
    fn of(resource: &'static Resource) -> &'static Defaults {
        DEFAULTS.get(&ptr::from_ref(resource).addr()).unwrap_or_else(|| {
            panic!("a resource of `{}` is in no `routes!` and no `resources!`", resource.entity)
        })
    }

    /// The selection of a request that asks for these fields. Behind a wall a resource that is for admins
    /// shows the record's own fields.
    fn shown(&self, resource: &Resource, context: &Context, fields: &Fields) -> Arc<Shown> {
        let is_admins = context.wall().is_some() && resource.store_fields.is_none();
        let own = || Registry::get().extended.store_fields_of(resource);
        let allowed = if is_admins { Some(&StoreFields::OWN) } else { own() };
        let resolve = || Arc::new(self.resolve(resource.def(), allowed, fields));
        let Some(added) = fields.of_route().filter(|_| !is_admins) else { return resolve() };
        let find = |all: &[(Vec<&'static str>, Arc<Shown>)]| {
            all.iter().find(|(it, _)| it == added).map(|(_, shown)| shown.clone())
        };
        if let Some(shown) = find(&self.resolved.read().unwrap_or_else(PoisonError::into_inner)) {
            return shown;
        }
        let shown = resolve();
        let mut all = self.resolved.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() < N_KEPT_MAX && find(&all).is_none() {
            all.push((added.to_vec(), shown.clone()));
        }
        shown
    }

    fn resolve(&self, def: &'static EntityDef, allowed: Option<&StoreFields>, fields: &Fields) -> Shown {
        let graph = Registry::graph();
        let mut list = FieldList::parse(&self.list, fields, def.key);
        if let Some(allowed) = allowed {
            list.restrict(allowed, &|above, name| graph.is_guarded(def.name, above, name));
        }
        let mut cycles = Vec::new();
        let selection = Selection::resolve(graph, def, &list, &mut cycles);
        // A path that follows a cycle is left out like one that is not allowed; without an allow-list it is
        // an error.
        let cycle = cycles.into_iter().next().filter(|_| allowed.is_none());
        Shown { selection, cycle }
    }
}

/// The plan of one request for a resource.
#[derive(Clone)]
pub struct ReadPlan {
    resource: &'static Resource,
    context: Context,
    shown: Arc<Shown>,
    params: ListParams,
    /// A field of the record, and the text that replaces its value.
    instead: Option<(&'static str, String)>,
    /// Is the record itself shown whatever the wall says of it?
    is_root_unconfined: bool,
}

impl Resource {
    /// The plan of this call, in its own query context.
    pub fn plan(&'static self, call: &Call) -> ReadPlan {
        self.plan_in(call, call.context().clone())
    }

    /// As `plan`, in a context to which the route has added something. A context without a wall gets that of
    /// the call: what a caller may see is not for the route to say.
    pub fn plan_in(&'static self, call: &Call, context: Context) -> ReadPlan {
        let context = context.or_within_that_of(call.context());
        let shown = Defaults::of(self).shown(self, &context, &call.params.fields);
        let params = call.params.clone();
        ReadPlan { resource: self, context, shown, params, instead: None, is_root_unconfined: false }
    }
}

impl ReadPlan {
    /// The query context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The same plan, showing ids only.
    pub fn ids_only(&self) -> ReadPlan {
        let shown = Defaults::of(self.resource).shown(self.resource, &self.context, &Fields::none());
        ReadPlan { shown, ..self.clone() }
    }

    /// The same plan, with this field always shown, and with this text as its value: for a secret, of which
    /// the record holds a digest or a part only.
    pub fn instead(&self, field: &'static str, text: String) -> ReadPlan {
        let Shown { selection, cycle } = &*self.shown;
        let selection = selection.without(self.resource.def(), field);
        let shown = Arc::new(Shown { selection, cycle: cycle.clone() });
        ReadPlan { shown, instead: Some((field, text)), ..self.clone() }
    }

    /// The same plan, which shows the record itself whatever the wall says of it: for what this request has
    /// just made for a caller whom the wall does not know yet. Related records stay behind the wall.
    pub fn root_unconfined(self) -> ReadPlan {
        ReadPlan { is_root_unconfined: true, ..self }
    }

    /// May the caller see this record?
    pub fn admits(&self, view: &dyn Read, node: &Node) -> Result<bool, Fault> {
        Ok(self.is_root_unconfined || self.env(view).shows(node)?)
    }

    /// Errors: 404 for a record that the caller may not see.
    fn must_admit(&self, view: &dyn Read, node: &Node) -> Result<(), Fault> {
        if self.admits(view, node)? {
            return Ok(());
        }
        let (what, id) = (self.resource.def().words(), node.key());
        Err(Fault::not_found(format!("{what} with id: {id} was not found")))
    }

    fn env<'a>(&'a self, view: &'a dyn Read) -> Env<'a> {
        Env { view, graph: Registry::graph(), context: &self.context }
    }

    fn selection(&self) -> Result<&Selection, QueryError> {
        match &self.shown.cycle {
            Some(cycle) => Err(QueryError::Cycle(cycle.clone())),
            None => Ok(&self.shown.selection),
        }
    }

    /// Checks that these fields can be shown in this context; called before a write whose answer shows them.
    pub fn check(&self, view: &dyn Read) -> Result<(), Fault> {
        Ok(check_selection(&self.env(view), self.selection()?)?)
    }

    /// `{"<one>": record}`, with the selected fields and relations.
    pub fn show(&self, view: &dyn Read, node: Node) -> Result<Reply, Fault> {
        Reply::object(|envelope| self.write(view, node, envelope.name(self.resource.one)))
    }

    /// The record without an envelope.
    pub fn write(&self, view: &dyn Read, node: Node, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.must_admit(view, &node)?;
        let Some((field, text)) = &self.instead else {
            return Ok(write_nodes(&self.env(view), self.selection()?, vec![node], out)?);
        };
        let mut object = JsonObject::new(out);
        write_node(&self.env(view), self.selection()?, node, &mut object)?;
        object.field(field, text);
        object.end();
        Ok(())
    }

    /// Several records, separated by commas, without an envelope.
    pub fn write_all(&self, view: &dyn Read, nodes: Vec<Node>, out: &mut Vec<u8>) -> Result<(), Fault> {
        nodes.iter().try_for_each(|it| self.must_admit(view, it))?;
        Ok(write_nodes(&self.env(view), self.selection()?, nodes, out)?)
    }

    /// The record with this id in its envelope, if the caller may see it; soft-deleted ones only if the
    /// request asks for them.
    pub fn find(&self, view: &dyn Read, id: &str) -> Result<Option<Reply>, Fault> {
        let table = Registry::graph().table(self.resource.entity);
        let node = match table.node(view, id)? {
            None if self.params.with_deleted => table.deleted_node(view, id)?,
            found => found,
        };
        match node {
            Some(node) if self.admits(view, &node)? => self.show(view, node).map(Some),
            _ => Ok(None),
        }
    }

    /// `{"<many>": […], "count", "offset", "limit"}`, and `next_cursor` if the request has a cursor: the page
    /// of records that match the request, are in all sets of `within`, and may be seen by the caller.
    pub fn page(self, view: &dyn Read, within: Vec<Box<dyn Ids>>) -> Result<Reply, Fault> {
        // An invalid selection is refused before any record is looked for.
        let selection = self.selection()?;
        self.page_as(view, within, |nodes, envelope| {
            let out = envelope.name(self.resource.many);
            out.push(b'[');
            write_nodes(&self.env(view), selection, nodes, out)?;
            out.push(b']');
            Ok(())
        })
    }

    /// As `page`, with the records shown by `write` instead, in a form of the route's own. `fields` is for
    /// the route to read.
    pub fn page_as(
        &self,
        view: &dyn Read,
        within: Vec<Box<dyn Ids>>,
        write: impl FnOnce(Vec<Node>, &mut JsonObject<'_>) -> Result<(), Fault>,
    ) -> Result<Reply, Fault> {
        let ListParams { order, offset, limit, cursor, .. } = &self.params;
        let (order, limit) = (order.as_deref(), *limit);
        if let Some(order) = order.filter(|it| self.resource.store_fields.is_some() && it.contains('.')) {
            return Err(QueryError::Order(order.to_owned()).into());
        }
        let cursor = cursor.as_ref().map(|it| Cursor::parse(it, order)).transpose()?;
        let offset = cursor.as_ref().map_or(*offset, Cursor::n_before);
        let has_cursor = cursor.is_some();
        let sort = order.map(SortBy::parse);
        let query = ListQuery { within, sort, offset, limit, cursor, ..self.conditions() };
        let page = list(&self.env(view), self.resource.def(), query)?;
        let mut json = Vec::with_capacity(1024 * (page.nodes.len() + 1));
        let mut envelope = JsonObject::new(&mut json);
        write(page.nodes, &mut envelope)?;
        envelope.field("count", &page.count);
        envelope.field("offset", &offset);
        envelope.field("limit", &limit);
        if has_cursor {
            envelope.field("next_cursor", &page.next.map(|it| it.text()));
        }
        envelope.end();
        Ok(Reply::raw(json))
    }

    /// What the request asks of records, in no order and without a page.
    fn conditions(&self) -> ListQuery {
        let ListParams { filters, q, with_deleted, .. } = &self.params;
        let filters = filters.iter().cloned().map(|it| it.renamed(self.resource.renamed)).collect();
        ListQuery { filters, q: q.clone(), with_deleted: *with_deleted, ..ListQuery::default() }
    }

    /// The ids of all records that match the request and may be seen by the caller, for what is done to each
    /// of them. It reads every candidate, and holds the ids alone.
    pub fn all_ids(&self, view: &dyn Read) -> Result<BTreeSet<String>, Fault> {
        let mut ids = BTreeSet::new();
        each_id(&self.env(view), self.resource.def(), self.conditions(), &mut |id| {
            ids.insert(id.to_owned());
            Ok(())
        })?;
        Ok(ids)
    }
}

/// The answer to a deletion: `{"id", "object", "deleted": true}`.
#[derive(Clone, Debug)]
pub struct Deleted {
    id: Value,
    object: &'static str,
}

impl Deleted {
    /// `object` is the name of the kind on the wire.
    pub fn new(id: impl Into<Value>, object: &'static str) -> Deleted {
        Deleted { id: id.into(), object }
    }

    fn write(&self, envelope: &mut JsonObject<'_>) {
        envelope.field("id", &self.id);
        envelope.field("object", self.object);
        envelope.field("deleted", &true);
    }

    /// The answer without a parent.
    pub fn reply(&self) -> Result<Reply, Fault> {
        Reply::object(|envelope| {
            self.write(envelope);
            Ok(())
        })
    }

    /// The answer with the record that it was removed from as `parent`; null if that is deleted, too.
    pub fn reply_from(&self, plan: &ReadPlan, view: &dyn Read, parent: Option<Node>) -> Result<Reply, Fault> {
        Reply::object(|envelope| {
            self.write(envelope);
            let out = envelope.name("parent");
            match parent {
                Some(parent) => plan.write(view, parent, out)?,
                None => json_value(out, &()),
            }
            Ok(())
        })
    }
}

/// Default paths of a resource that the graph does not know: they would be left out of every answer without
/// an error.
pub(crate) fn unknown_paths(registry: &Registry, resource: &Resource) -> Vec<&'static str> {
    let graph = &registry.graph;
    let Some(entity) = graph.entity(resource.entity) else { return vec![resource.entity] };
    let ends_at = |path: &str, ends: &dyn Fn(&str, &str) -> bool| {
        let (mut entity, mut segments) = (entity.name, path.split('.').peekable());
        while let Some(segment) = segments.next() {
            if segments.peek().is_none() {
                return ends(entity, segment);
            }
            match graph.relation(entity, segment) {
                Some(relation) => entity = relation.to,
                // Left out with an optional module.
                None => return registry.left_out.would_show(entity, segment),
            }
        }
        false
    };
    let is_guarded = |entity: &str, name: &str| {
        graph.relation(entity, name).is_some()
            || graph.computed(entity, name).is_some()
            || registry.left_out.would_show(entity, name)
    };
    let has = |entity: &str, name: &str, is_hidden_told: bool| {
        graph.entity(entity).is_some_and(|def| {
            let is_told = is_hidden_told || !def.hidden.contains(&name);
            def.fields.contains(&name) && is_told || def.computed.contains(&name)
        })
    };
    let is_shown = |entity: &str, name: &str| is_guarded(entity, name) || has(entity, name, false);
    let is_relation = |entity: &str, name: &str| {
        graph.relation(entity, name).is_some() || registry.left_out.would_show(entity, name)
    };
    let is_field = |entity: &str, name: &str| has(entity, name, true);
    let is_default = |path: &str| match (path.strip_prefix('*'), path.strip_suffix(".*")) {
        (Some(path), _) | (None, Some(path)) => ends_at(path, &is_relation),
        (None, None) => ends_at(path, &is_shown),
    };
    let (whole, parts) = resource.store_fields.as_ref().map_or((&[][..], &[][..]), |it| (it.whole, it.parts));
    let defaults = resource.fields.iter().filter(|it| !is_default(it));
    let whole = whole.iter().filter(|it| !ends_at(it, &is_guarded));
    let parts = parts.iter().filter(|it| !ends_at(it, &is_shown));
    let renamed = resource.renamed.iter().map(|(_, path)| path).filter(|it| !ends_at(it, &is_field));
    defaults.chain(whole).chain(parts).chain(renamed).copied().collect()
}
