//! Loads a selection level by level, and prints it.

use atoll_storage::{JsonObject, Node, json_value};
use serde_json::Value;

use crate::{Env, QueryError, Selection};

/// A record with what was selected of what hangs on it.
pub struct Tree {
    /// The record.
    pub node: Node,
    /// In the order of the selection's relations.
    pub relations: Vec<Children>,
    /// In the order of the selection's computed fields.
    pub computed: Vec<Option<Value>>,
}

/// The targets of one relation.
pub enum Children {
    /// At most one.
    One(Option<Box<Tree>>),
    /// A list.
    Many(Vec<Tree>),
}

/// Loads what `selection` wants around `nodes`: one call per relation and level, however many nodes.
pub fn expand(env: &Env<'_>, selection: &Selection, nodes: Vec<Node>) -> Result<Vec<Tree>, QueryError> {
    let mut relations: Vec<std::vec::IntoIter<Children>> = Vec::with_capacity(selection.relations.len());
    for (relation, child) in &selection.relations {
        let targets = relation.resolve(env, &nodes)?;
        assert_eq!(targets.len(), nodes.len(), "relation `{}` answers for every record", relation.name);
        let sizes: Vec<usize> = targets.iter().map(Vec::len).collect();
        let mut trees = expand(env, child, targets.into_iter().flatten().collect())?.into_iter();
        let grouped: Vec<Children> = sizes
            .into_iter()
            .map(|size| {
                let mut group = trees.by_ref().take(size);
                if relation.many {
                    Children::Many(group.collect())
                } else {
                    let one = group.next().map(Box::new);
                    group.for_each(drop);
                    Children::One(one)
                }
            })
            .collect();
        relations.push(grouped.into_iter());
    }
    let mut computed: Vec<std::vec::IntoIter<Option<Value>>> = Vec::with_capacity(selection.computed.len());
    for it in &selection.computed {
        let values = (it.compute)(env, &nodes)?;
        assert_eq!(values.len(), nodes.len(), "computed field `{}` answers for every record", it.name);
        computed.push(values.into_iter());
    }
    let trees = nodes.into_iter().map(|node| Tree {
        node,
        relations: relations.iter_mut().filter_map(Iterator::next).collect(),
        computed: computed.iter_mut().filter_map(Iterator::next).collect(),
    });
    Ok(trees.collect())
}

/// Prints `tree` as JSON.
pub fn write_tree(selection: &Selection, tree: &Tree, out: &mut Vec<u8>) {
    let mut object = JsonObject::new(out);
    tree.node.write(&selection.mask, &mut object);
    if !selection.own_computed.is_empty() {
        tree.node.compute(&mut |name, value| {
            if selection.own_computed.contains(&name) {
                object.field(name, &value);
            }
        });
    }
    for (it, value) in selection.computed.iter().zip(&tree.computed) {
        if let Some(value) = value {
            object.field(it.name, value);
        }
    }
    for ((relation, child), children) in selection.relations.iter().zip(&tree.relations) {
        match children {
            Children::One(None) if relation.absent_if_none => {}
            Children::One(None) => json_value(object.name(relation.name), &()),
            Children::One(Some(tree)) => write_tree(child, tree, object.name(relation.name)),
            Children::Many(trees) => {
                let out = object.name(relation.name);
                out.push(b'[');
                for (place, tree) in trees.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    write_tree(child, tree, out);
                }
                out.push(b']');
            }
        }
    }
    object.end();
}
