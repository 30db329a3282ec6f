//! Loads a selection level by level, in batches, and serialises it to JSON.

use atoll_storage::{Halt, JsonObject, Node, json_value};
use atoll_values::limits::RECORDS_AT_ONCE_MAX;
use serde_json::Value;

use crate::{Env, QueryError, Selection};

/// Records of a page that are expanded and written together. Bounds both the size of a batched call and the
/// related records that are in memory at one time.
const CHUNK_SIZE: usize = 128;

/// A record with its selected relations and computed fields.
struct Tree {
    node: Node,
    /// In the order of the selection's relations.
    relations: Vec<Children>,
    /// In the order of the selection's computed fields.
    computed: Vec<Option<Value>>,
}

/// The targets of one relation.
enum Children {
    /// At most one.
    One(Option<Box<Tree>>),
    /// A list.
    Many(Vec<Tree>),
}

/// Writes `nodes` as JSON objects, separated by commas, with the relations that `selection` names.
pub fn write_nodes(
    env: &Env<'_>,
    selection: &Selection,
    nodes: Vec<Node>,
    out: &mut Vec<u8>,
) -> Result<(), QueryError> {
    let mut nodes = nodes.into_iter();
    let mut is_first = true;
    loop {
        let chunk: Vec<Node> = nodes.by_ref().take(CHUNK_SIZE).collect();
        // An empty page is expanded once, so that a computed field can still report a missing context.
        if chunk.is_empty() && !is_first {
            return Ok(());
        }
        let mut n_left = RECORDS_AT_ONCE_MAX;
        for tree in expand(env, selection, chunk, &mut n_left)? {
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            write_tree(env, selection, &tree, out)?;
        }
        if is_first {
            return Ok(());
        }
    }
}

/// Writes the selected fields of one record into an open JSON object, so that the caller can write more
/// fields.
pub fn write_node(
    env: &Env<'_>,
    selection: &Selection,
    node: Node,
    object: &mut JsonObject<'_>,
) -> Result<(), QueryError> {
    let trees = expand(env, selection, vec![node], &mut { RECORDS_AT_ONCE_MAX })?;
    trees.iter().try_for_each(|tree| write_fields(env, selection, tree, object))
}

/// Checks that the context holds what the computed fields of `selection` need.
pub fn check_selection(env: &Env<'_>, selection: &Selection) -> Result<(), QueryError> {
    expand(env, selection, Vec::new(), &mut 0).map(drop)
}

/// Loads the relations and computed fields of `nodes`: one call per relation and level, however many nodes
/// there are. `n_left` is how many more records the chunk may load.
fn expand(
    env: &Env<'_>,
    selection: &Selection,
    nodes: Vec<Node>,
    n_left: &mut usize,
) -> Result<Vec<Tree>, QueryError> {
    let mut relations: Vec<std::vec::IntoIter<Children>> = Vec::with_capacity(selection.relations.len());
    for (relation, child) in &selection.relations {
        let targets = relation.resolve_first(env, &nodes, env.context.children_max(), *n_left)?;
        let sizes: Vec<usize> = targets.iter().map(Vec::len).collect();
        *n_left -= sizes.iter().sum::<usize>();
        let mut trees = expand(env, child, targets.into_iter().flatten().collect(), n_left)?.into_iter();
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

/// Writes `tree` as JSON. An answer that exceeds the byte limit is refused while it is written.
fn write_tree(
    env: &Env<'_>,
    selection: &Selection,
    tree: &Tree,
    out: &mut Vec<u8>,
) -> Result<(), QueryError> {
    let mut object = JsonObject::new(out);
    write_fields(env, selection, tree, &mut object)?;
    object.end();
    let n_max = env.context.bytes_max();
    if out.len() > n_max {
        return Err(Halt::Bytes(n_max as u64).into());
    }
    Ok(())
}

fn write_fields(
    env: &Env<'_>,
    selection: &Selection,
    tree: &Tree,
    object: &mut JsonObject<'_>,
) -> Result<(), QueryError> {
    selection.masks.iter().for_each(|mask| tree.node.write(mask, object));
    if !selection.own_computed.is_empty() {
        tree.node.compute(&mut object.computed(&selection.own_computed));
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
            Children::One(Some(tree)) => write_tree(env, child, tree, object.name(relation.name))?,
            Children::Many(trees) => {
                let out = object.name(relation.name);
                out.push(b'[');
                for (index, tree) in trees.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_tree(env, child, tree, out)?;
                }
                out.push(b']');
            }
        }
    }
    Ok(())
}
