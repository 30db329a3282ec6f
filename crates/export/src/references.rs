//! Foreign keys of imported records: those that a deletion of their target would clear must have one.

use atoll_kernel::{Read, Registry, StoreError, verify::Finding};

/// Records that are read at a time.
const BATCH_MAX: usize = 1_000;

/// The live records with a reference to a record that is not there, at most `n_max`.
pub(crate) fn dangling(
    view: &dyn Read,
    registry: &Registry,
    n_max: usize,
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let graph = &registry.graph;
    for (relation, field) in &registry.cleared {
        // Modules at either end may be switched off.
        if !graph.has_table(relation.from) || !graph.has_table(relation.to) {
            continue;
        }
        let (table, targets) = (graph.table(relation.from), graph.table(relation.to));
        let mut last: Option<String> = None;
        while findings.len() < n_max {
            let nodes = table.some_nodes(view, last.as_deref(), BATCH_MAX)?;
            let Some(node) = nodes.last() else { break };
            last = Some(node.key().to_owned());
            let mut ids: Vec<&str> = nodes.iter().flat_map(|it| relation.ids_in(&**it)).collect();
            ids.sort_unstable();
            ids.dedup();
            let are_there = targets.have(view, &ids)?;
            for node in &nodes {
                let is_gone = |id: &&str| ids.binary_search(id).is_ok_and(|at| !are_there[at]);
                let gone = relation.ids_in(&**node).into_iter().filter(is_gone);
                findings.extend(gone.map(|id| Finding {
                    kind: "reference.dangling",
                    space: relation.from,
                    key: node.key().to_owned(),
                    found: format!("`{field}` is `{id}`"),
                    expected: format!("the id of a {} that there is", relation.to),
                }));
            }
        }
    }
    findings.truncate(n_max);
    Ok(findings)
}
