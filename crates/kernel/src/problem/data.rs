//! What is wrong with entities, links, relations, computed fields, histories and projections.

use atoll_storage::leads_to;

use super::{Report, nearest};
use crate::{
    data::{EntityDef, FieldKind, ListIndex, Projection},
    query::{OnDelete, Relation, Resolve},
};

impl Report<'_> {
    /// The names in the clauses of entities and in their indexes.
    pub(super) fn check_entities(&mut self) {
        for table in self.registry.tables() {
            let def = table.def();
            let source = self.module_of(def.name);
            let has =
                |name: &str| def.computed.contains(&name) || def.embeds.iter().any(|it| it.name == name);
            for name in def.on_request.iter().filter(|it| !has(it)) {
                let hint = nearest(name, def.computed.iter().copied());
                let text = "on request, and neither computes nor embeds it";
                self.say([source], format!("`{}` shows `{name}` {text}{hint}", def.name));
            }
            for index in table.index_defs() {
                for field in index.fields.iter().filter(|it| !has_field(def, it)) {
                    let hint = nearest(field, def.fields.iter().copied());
                    // An index over what several fields say together has a name of its own, near to none.
                    if hint.is_empty() {
                        continue;
                    }
                    self.say(
                        [source],
                        format!(
                            "the index `{}` is on the field `{field}`, which `{}` does not have{hint}",
                            index.space, def.name
                        ),
                    );
                }
            }
        }
    }

    pub(super) fn check_links(&mut self) {
        let (graph, names) = (&self.registry.graph, self.entity_names());
        for link in &self.registry.links {
            for end in [&link.left, &link.right] {
                if !graph.has_table(end.entity) {
                    let hint = nearest(end.entity, names.iter().copied());
                    self.say(
                        [self.registry.source_of(*link)],
                        format!("link `{}` names `{}`, which no module has{hint}", link.name, end.entity),
                    );
                }
            }
        }
        for it in &self.registry.computed {
            if graph.entity(it.entity).is_none() {
                let hint = nearest(it.entity, names.iter().copied());
                self.say(
                    [self.registry.source_of(*it)],
                    format!(
                        "computed field `{}.{}` is on an entity that no module has{hint}",
                        it.entity, it.name
                    ),
                );
            }
        }
    }

    pub(super) fn check_relation(&mut self, relation: &Relation) {
        let graph = &self.registry.graph;
        let name = format!("relation `{}.{}`", relation.from, relation.name);
        let here = self.source_of_relation(relation);
        let Some(from) = graph.entity(relation.from) else {
            let hint = nearest(relation.from, self.entity_names());
            return self.say([here], format!("{name} starts from an entity that no module has{hint}"));
        };
        let Some(to) = graph.entity(relation.to) else {
            let hint = nearest(relation.to, self.entity_names());
            return self.say([here], format!("{name} leads to `{}`, which no module has{hint}", relation.to));
        };
        let (there, back) = (self.module_of(from.name), self.module_of(to.name));
        match relation.resolve {
            Resolve::Field(field) if !from.fields.contains(&field) => {
                let hint = nearest(field, from.fields.iter().copied());
                let text =
                    format!("{name} uses the field `{field}`, which `{}` does not have{hint}", from.name);
                self.say([here, there], text);
            }
            Resolve::Field(_) | Resolve::Back(_) if !graph.has_table(to.name) => {
                self.say([here, back], format!("{name} leads to `{}`, which has no table", to.name));
            }
            Resolve::Field(field)
                if relation.on_delete == OnDelete::Clear && !graph.table(from.name).has_index(field) =>
            {
                let text = format!("{name} is cleared, and needs an index on `{}.{field}`", from.name);
                self.say([here, there], text);
            }
            Resolve::Back(field) if !graph.table(to.name).has_index(field) => {
                self.say([here, back], format!("{name} needs an index on `{}.{field}`", to.name));
            }
            _ => {}
        }
    }

    /// Names that would replace a field of the record in every answer.
    pub(super) fn check_shadows(&mut self) {
        let graph = &self.registry.graph;
        let is_field = |entity: &str, name: &str| {
            graph.entity(entity).is_some_and(|def| def.fields.contains(&name) || def.computed.contains(&name))
        };
        for it in self.relations.iter().filter(|it| is_field(it.from, it.name)) {
            let sources = [self.source_of_relation(it), self.module_of(it.from)];
            self.say(
                sources,
                format!("relation `{}.{}` has the name of a field, which it would hide", it.from, it.name),
            );
        }
        for it in &self.registry.computed {
            let sources = [self.registry.source_of(*it), self.module_of(it.entity)];
            let name = format!("computed field `{}.{}`", it.entity, it.name);
            if is_field(it.entity, it.name) {
                self.say(sources, format!("{name} has the name of a field, which it would hide"));
            } else if let Some(relation) = graph.relation(it.entity, it.name) {
                let sources = [sources[0], self.source_of_relation(relation)];
                self.say(sources, format!("{name} has the name of a relation, which would hide it"));
            }
        }
    }

    pub(super) fn check_history(&mut self) {
        for (key, fields) in &self.registry.format().fields {
            for field in leads_to(fields.history).filter(|it| !fields.kinds.contains_key(it)) {
                let source = key.split(' ').next_back().and_then(|it| self.module_of(it));
                self.say(
                    [source],
                    format!("the history of `{key}` leads to `{field}`, which it does not have"),
                );
            }
        }
    }

    pub(super) fn check_projections(&mut self) {
        for projection in &self.registry.projections {
            for of in projection.follows.iter().filter(|it| self.registry.graph.entity(it).is_none()) {
                let why = match self.registry.left_out.module_of(of) {
                    Some(module) => format!("of the module `{module}`, which is switched off"),
                    None => format!("which is no entity and no link{}", nearest(of, self.entity_names())),
                };
                self.say(
                    [self.registry.source_of(*projection)],
                    format!("projection `{}` follows `{of}`, {why}", projection.name),
                );
            }
            if let Some(index) = projection.list_index {
                self.check_list_index(projection, index);
            }
        }
    }

    fn check_list_index(&mut self, projection: &'static Projection, index: &ListIndex) {
        let def = index.def();
        let mut wrong = Vec::new();
        let mut check = |what: &str, field: &str, fits: fn(&FieldKind) -> bool| {
            let place = def.fields.iter().position(|it| *it == field);
            match place.map(|it| def.kinds[it]) {
                None => wrong.push(format!(
                    "{what} `{field}`, which `{}` does not have{}",
                    def.name,
                    nearest(field, def.fields.iter().copied())
                )),
                Some(kind) if !fits(&kind) => wrong.push(format!(
                    "{what} `{field}`, which is {}: that has no such order or sets",
                    kind.name()
                )),
                Some(_) => {}
            }
        };
        index.filters.iter().for_each(|it| check("filters by", it, has_few_values));
        index.sorts.iter().for_each(|it| check("sorts by", it, has_order));
        if let Some(children) = &index.children
            && !children.table.has_index(children.field)
        {
            let of = children.table.def().name;
            wrong.push(format!("searches `{of}` by `{}`, which has no index of its own", children.field));
        }
        for wrong in wrong {
            self.say(
                [self.registry.source_of(projection)],
                format!("the list index of `{}` {wrong}", def.name),
            );
        }
    }
}

/// Has the record this field, or one of the records in it (`items.id`)?
fn has_field(def: &EntityDef, path: &str) -> bool {
    let below = |(embed, field): (&str, &str)| {
        def.embeds.iter().any(|it| it.name == embed && (it.entity)().fields.contains(&field))
    };
    def.fields.contains(&path) || path.split_once('.').is_some_and(below)
}

/// Can a field of this kind have a set of records per value?
fn has_few_values(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::OrNull(kind) | FieldKind::List(kind) => has_few_values(kind),
        _ => matches!(kind, FieldKind::Text | FieldKind::Words(_) | FieldKind::Bool),
    }
}

/// Can records be kept in the order of a field of this kind?
fn has_order(kind: &FieldKind) -> bool {
    match kind {
        FieldKind::OrNull(kind) => has_order(kind),
        _ => matches!(
            kind,
            FieldKind::Text | FieldKind::Words(_) | FieldKind::Time | FieldKind::Bool | FieldKind::Whole(_)
        ),
    }
}
