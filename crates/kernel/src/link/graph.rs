//! Links in the graph: their rows as records, and the relations to the records at the other end.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use crate::{
    CREATED_AT_TEXT, DELETED_AT_TEXT, Decimal, Registry, UPDATED_AT_TEXT,
    data::{ComputedFields, Direction, EntityDef, FieldKind, JsonObject, Node, Record, Scalar, Scan},
    link::{Link, LinkRow, Side, by_side},
    query::{Env, Ids, QueryError, Relation, Resolve, ResolveWith, Targets},
};

/// A row of a link as a record of the graph.
pub(crate) struct LinkRecord {
    pub(super) link: &'static Link,
    pub(super) left: String,
    pub(super) right: String,
    pub(super) row: LinkRow,
}

impl Record for LinkRecord {
    fn def(&self) -> &'static EntityDef {
        Registry::graph().entity(self.link.name).expect("links are entities of the graph")
    }

    fn key(&self) -> &str {
        &self.row.id
    }

    fn scalar(&self, field: &str) -> Scalar<'_> {
        match field {
            "id" => Scalar::Text(&self.row.id),
            "created_at" => Scalar::Time(self.row.created_at),
            "updated_at" => Scalar::Time(self.row.updated_at),
            _ if field == self.link.left.key => Scalar::Text(&self.left),
            _ if field == self.link.right.key => Scalar::Text(&self.right),
            _ => match self.row.data.get(field) {
                Some(Value::String(text)) => Scalar::Text(text),
                Some(Value::Bool(it)) => Scalar::Bool(*it),
                Some(Value::Number(number)) => {
                    Decimal::from_json(number).map_or(Scalar::Null, Scalar::Number)
                }
                _ => Scalar::Null,
            },
        }
    }

    fn write(&self, mask: &[bool], out: &mut JsonObject<'_>) {
        for (field, wanted) in self.def().fields.iter().zip(mask) {
            if !wanted {
                continue;
            }
            match *field {
                "id" => out.field(field, &self.row.id),
                "created_at" => out.field(field, &self.row.created_at),
                "updated_at" => out.field(field, &self.row.updated_at),
                "deleted_at" => out.field(field, &()),
                _ if *field == self.link.left.key => out.field(field, &self.left),
                _ if *field == self.link.right.key => out.field(field, &self.right),
                _ => out.field(field, self.row.data.get(*field).unwrap_or(&Value::Null)),
            }
        }
    }

    fn compute(&self, _: &mut ComputedFields<'_>) {}

    fn embedded(&self, _: &str) -> Vec<Node> {
        Vec::new()
    }
}

/// The relation from an entity to the rows of a link, or to the records at its other end.
struct ThroughLink {
    link: &'static Link,
    side: Side,
    to_rows: bool,
}

/// The relations that a link gives to its ends.
pub(crate) fn relations_of(link: &'static Link) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (side, end, other) in [(Side::Left, &link.left, &link.right), (Side::Right, &link.right, &link.left)]
    {
        let through =
            |to_rows| -> Resolve { Resolve::With(Box::leak(Box::new(ThroughLink { link, side, to_rows }))) };
        let relation = |name, to, resolve| Relation {
            many: end.many,
            absent_if_none: true,
            ..Relation::one(end.entity, name, to, resolve)
        };
        relations.push(relation(end.rows, link.name, through(true)));
        if let Some(others) = end.others {
            relations.push(Relation { back: other.others, ..relation(others, other.entity, through(false)) });
        }
        relations.push(Relation {
            absent_if_none: true,
            ..Relation::one(link.name, end.alias, end.entity, Resolve::Field(end.key))
        });
    }
    relations
}

/// The rows of a link as an entity of the graph.
pub(crate) fn entity_of(link: &'static Link) -> &'static EntityDef {
    let mut fields = vec![link.left.key, link.right.key];
    fields.extend(link.columns.iter().map(|it| it.name));
    fields.extend(["id", "created_at", "updated_at", "deleted_at"]);
    let mut kinds = vec![FieldKind::Text, FieldKind::Text];
    kinds.extend(link.columns.iter().map(|it| it.kind));
    kinds.extend([FieldKind::Text, FieldKind::Time, FieldKind::Time, FieldKind::OrNull(&FieldKind::Time)]);
    let mut texts = vec!["Id of the linked record."; 2];
    texts.extend(link.columns.iter().map(|it| it.text));
    texts.extend(["The id of the row.", CREATED_AT_TEXT, UPDATED_AT_TEXT, DELETED_AT_TEXT]);
    Box::leak(Box::new(EntityDef {
        name: link.name,
        plural: link.name,
        prefix: link.prefix,
        label: link.name,
        text: "A row of a link between two records.",
        key: "id",
        fields: fields.leak(),
        kinds: kinds.leak(),
        texts: texts.leak(),
        hidden: &[],
        search: &[],
        embeds: &[],
        computed: &[],
        computed_field: |_| (FieldKind::Any, ""),
        on_request: &[],
        deleted: link.deleted,
        history: link.history,
    }))
}

impl ResolveWith for ThroughLink {
    fn back(&self, target: &str) -> Option<Box<dyn Ids>> {
        let others = match self.side {
            Side::Left => self.link.lefts_set(target.to_owned()),
            Side::Right => self.link.rights_set(target.to_owned()),
        };
        // Rows have ids of their own, by which no query filters.
        (!self.to_rows).then(|| Box::new(others) as Box<dyn Ids>)
    }

    fn resolve(&self, env: &Env<'_>, nodes: &[Node], targets: &mut Targets<'_>) -> Result<(), QueryError> {
        let end = if self.side == Side::Left { &self.link.right } else { &self.link.left };
        let mut read: HashMap<String, Option<Node>> = HashMap::new();
        for node in nodes {
            targets.begin();
            self.link.scan(env.view, self.side, node.key(), None, Direction::Ascending, &mut |other| {
                if self.to_rows {
                    let (left, right) = by_side(self.side, node.key(), other);
                    let row = self.link.row(env.view, left, right)?.unwrap_or_default();
                    return targets.add(Arc::new(self.link.record(left, right, row)));
                }
                let target = match read.get(other) {
                    Some(target) => target.clone(),
                    None => {
                        let target = env.graph.table(end.entity).node(env.view, other)?;
                        read.insert(other.to_owned(), target.clone());
                        target
                    }
                };
                target.map_or(Ok(Scan::Continue(())), |it| targets.add(it))
            })?;
        }
        Ok(())
    }
}
