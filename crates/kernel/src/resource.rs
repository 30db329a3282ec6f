//! The face of an entity in HTTP: its envelopes, its default fields, its lists.

use std::collections::BTreeMap;

use crate::{
    Condition, Conditions, Context, Ctx, EntityDef, Env, Fault, FieldList, Filter, FilterValue, Ids,
    JsonObject, ListParams, ListQuery, Node, Offer, QueryError, Read, Registry, Reply, Selection, Shows,
    SortBy, check_selection, list, write_nodes,
};

/// How an entity is shown on one kind of route.
pub struct Resource {
    /// The entity.
    pub entity: &'static str,
    /// The name of one in an envelope.
    pub one: &'static str,
    /// The name of a list in an envelope.
    pub many: &'static str,
    /// What is shown where the request does not say: in the syntax of `fields`.
    pub fields: &'static [&'static str],
    /// What a request may ask for of what hangs on the record. Without an offer it may ask for everything; with
    /// one, the rest is left out in silence, and lists are sorted by the record's own fields alone.
    pub offer: Option<Offer>,
    /// Parameters whose filter is on another field: `tag_id` on `tags.id`.
    pub renamed: &'static [(&'static str, &'static str)],
}

impl Shows for Resource {
    fn entity(&self) -> &'static str {
        self.entity
    }

    fn one(&self) -> &'static str {
        self.one
    }

    fn many(&self) -> &'static str {
        self.many
    }
}

impl Resource {
    fn def(&self) -> &'static EntityDef {
        Registry::graph().entity(self.entity).unwrap_or_else(|| panic!("no module has `{}`", self.entity))
    }

    /// The fields that a request with this parameter is shown.
    pub fn field_list(&self, fields: Option<&str>) -> FieldList {
        let def = self.def();
        let mut list = FieldList::parse(self.fields, fields, def.key);
        if let Some(offer) = &self.offer {
            list.restrict(offer, &|above, name| Registry::graph().is_guarded(def.name, above, name));
        }
        list
    }

    /// These fields, resolved. What leads in circles is left out like what is not offered; where everything is, it is an
    /// error.
    fn selection(&self, fields: &FieldList) -> Result<Selection, QueryError> {
        let mut cycles = Vec::new();
        let selection = Selection::resolve(Registry::graph(), self.def(), fields, &mut cycles);
        match cycles.into_iter().next() {
            Some(cycle) if self.offer.is_none() => Err(QueryError::Cycle(cycle)),
            _ => Ok(selection),
        }
    }

    /// `{"<one>": record}`, with what is selected around it.
    pub fn show(
        &self,
        view: &dyn Read,
        context: &Context,
        node: Node,
        fields: Option<&str>,
    ) -> Result<Reply, Fault> {
        let mut json = Vec::with_capacity(1024);
        let mut envelope = JsonObject::new(&mut json);
        self.write(view, context, node, &self.field_list(fields), envelope.name(self.one))?;
        envelope.end();
        Ok(Reply::raw(json))
    }

    /// Can these fields be shown in this context? Asked before something is written whose answer shows them.
    pub fn check(&self, view: &dyn Read, context: &Context, fields: Option<&str>) -> Result<(), Fault> {
        let env = Env { view, graph: Registry::graph(), context };
        Ok(check_selection(&env, &self.selection(&self.field_list(fields))?)?)
    }

    /// The record alone, with what is selected around it.
    pub fn write(
        &self,
        view: &dyn Read,
        context: &Context,
        node: Node,
        fields: &FieldList,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        self.write_all(view, context, vec![node], fields, out)
    }

    /// Several records with what is selected, separated by commas.
    pub fn write_all(
        &self,
        view: &dyn Read,
        context: &Context,
        nodes: Vec<Node>,
        fields: &FieldList,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let env = Env { view, graph: Registry::graph(), context };
        self.tripwire(&env, &nodes)?;
        Ok(write_nodes(&env, &self.selection(fields)?, nodes, out)?)
    }

    /// The record with this id, in its envelope; one that was soft-deleted, where `params` ask for these, too.
    pub fn find(
        &self,
        view: &dyn Read,
        context: &Context,
        id: &str,
        params: &ListParams,
    ) -> Result<Option<Reply>, Fault> {
        let table = Registry::graph().table(self.entity);
        let node = match table.node(view, id)? {
            None if params.with_deleted => table.deleted_node(view, id)?,
            found => found,
        };
        node.map(|it| self.show(view, context, it, params.fields.as_deref())).transpose()
    }

    /// `{"<many>": […], "count", "offset", "limit"}`: the records that `params` ask for among those in all of
    /// `within`.
    pub fn list(
        &self,
        view: &dyn Read,
        context: &Context,
        params: ListParams,
        within: Vec<Box<dyn Ids>>,
    ) -> Result<Reply, Fault> {
        let env = Env { view, graph: Registry::graph(), context };
        let renamed: BTreeMap<&str, &str> = self.renamed.iter().copied().collect();
        let (offset, limit) = (params.offset, params.limit);
        if let Some(order) = params.order.as_deref().filter(|it| self.offer.is_some() && it.contains('.')) {
            return Err(QueryError::Order(order.to_owned()).into());
        }
        // What cannot be shown is refused before it is looked for.
        let selection = self.selection(&self.field_list(params.fields.as_deref()))?;
        let query = ListQuery {
            filters: params.filters.iter().map(|it| filter(it, &renamed)).collect(),
            within,
            q: params.q,
            sort: params.order.as_deref().map(SortBy::parse),
            offset,
            limit,
            with_deleted: params.with_deleted,
        };
        let page = list(&env, self.def(), query)?;
        self.tripwire(&env, &page.nodes)?;
        let mut json = Vec::with_capacity(1024 * (page.nodes.len() + 1));
        let mut envelope = JsonObject::new(&mut json);
        let out = envelope.name(self.many);
        out.push(b'[');
        write_nodes(&env, &selection, page.nodes, out)?;
        out.push(b']');
        envelope.field("count", &page.count);
        envelope.field("offset", &offset);
        envelope.field("limit", &limit);
        envelope.end();
        Ok(Reply::raw(json))
    }

    /// In test builds: what storefronts are shown is behind a wall, and on their side of it. The handler has seen to
    /// that, or a test fails here.
    fn tripwire(&self, env: &Env<'_>, nodes: &[Node]) -> Result<(), Fault> {
        if !cfg!(debug_assertions) || self.offer.is_none() {
            return Ok(());
        }
        let wall = env.context.wall().unwrap_or_else(|| panic!("`{}` is shown without a wall", self.entity));
        for node in nodes {
            let is_shown = wall.shows(env.view, node)?;
            assert!(is_shown, "`{}` {} is beyond the wall", self.entity, node.key());
        }
        Ok(())
    }

    /// As `list`, of the state after the last commit.
    pub fn list_now(&self, ctx: &Ctx, params: ListParams) -> Result<Reply, Fault> {
        self.list(&ctx.view(), &ctx.context(), params, Vec::new())
    }
}

fn filter(conditions: &Conditions, renamed: &BTreeMap<&str, &str>) -> Filter {
    let all = |parts: &[Conditions]| parts.iter().map(|it| filter(it, renamed)).collect();
    match conditions {
        Conditions::All(parts) => Filter::All(all(parts)),
        Conditions::Any(parts) => Filter::Any(all(parts)),
        Conditions::One(Condition { path, comparison, values }) => {
            let path = path.join(".");
            let path = renamed.get(path.as_str()).copied().unwrap_or(&path);
            let value = |it: &Option<String>| it.clone().map_or(FilterValue::Null, FilterValue::Text);
            Filter::Where {
                path: path.split('.').map(str::to_owned).collect(),
                op: *comparison,
                values: values.iter().map(value).collect(),
            }
        }
    }
}
