//! The fields of a request, resolved: which of them each entity has.

use atoll_storage::EntityDef;

use crate::{Computed, FieldList, Graph, Relation};

/// What to read and write of one entity, and of what hangs on it.
pub struct Selection {
    /// The stored fields, as masks to be written one after the other, so that the fields come in the order in which they
    /// were named.
    pub(crate) masks: Vec<Vec<bool>>,
    pub(crate) own_computed: Vec<&'static str>,
    pub(crate) computed: Vec<&'static Computed>,
    pub(crate) relations: Vec<(Relation, Selection)>,
}

/// The relations on the path from the record that is shown.
type Path = Vec<Relation>;

impl Selection {
    /// Finds the fields of `list` in `entity`. Fields that nothing has are left out, as the wire does. What leads in
    /// cycles is left out, too; `cycles` is told of it.
    pub fn resolve(
        graph: &Graph,
        entity: &'static EntityDef,
        list: &FieldList,
        cycles: &mut Vec<String>,
    ) -> Selection {
        Selection::resolve_below(graph, entity, list, &mut Path::new(), cycles)
    }

    fn resolve_below(
        graph: &Graph,
        entity: &'static EntityDef,
        list: &FieldList,
        path: &mut Path,
        cycles: &mut Vec<String>,
    ) -> Selection {
        let is_embed = |field: &str| entity.embeds.iter().any(|embed| embed.name == field);
        let shows = |field: &&'static str| !entity.hidden.contains(field) && !is_embed(field);
        let all = entity.fields.iter().enumerate().filter(|(_, field)| list.star && shows(field));
        let mut shown: Vec<usize> = all.map(|(index, _)| index).collect();
        let starred = entity.computed.iter().filter(|it| list.star && !entity.on_request.contains(it));
        let mut own_computed: Vec<&'static str> = starred.copied().collect();
        let mut computed: Vec<&'static Computed> = Vec::new();
        let mut relations = Vec::new();
        let mut show = |name: &str| {
            let index = entity.fields.iter().position(|field| *field == name && shows(field));
            shown.extend(index.filter(|it| !shown.contains(it)));
        };
        for (name, child) in list.in_order() {
            if let Some(relation) = graph.relation(entity.name, name) {
                path.push(*relation);
                if is_cycle(path) {
                    cycles.push(path.iter().map(|it| it.name).collect::<Vec<_>>().join("."));
                    path.pop();
                    continue;
                }
                let to = graph.entity(relation.to).expect("the registry checks where relations lead");
                let mut child = child.clone();
                child.star |= child.named && child.children.is_empty();
                child.add(to.key);
                if child.star && shows_one_of(entity, list, to.on_request) {
                    to.on_request.iter().for_each(|name| child.add(name));
                }
                relations.push((*relation, Selection::resolve_below(graph, to, &child, path, cycles)));
                path.pop();
            } else if let Some(it) = graph.computed(entity.name, name) {
                computed.push(it);
                for field in it.also_shows {
                    show(field);
                }
            } else if let Some(it) = entity.computed.iter().find(|it| **it == name) {
                if !own_computed.contains(it) {
                    own_computed.push(it);
                }
            } else {
                show(name);
            }
        }
        Selection { masks: masks_of(&shown, entity.fields.len()), own_computed, computed, relations }
    }
}

/// Does the list show one of these of the entity, too? What a record comes to is shown with what its parts come to, and
/// a star below it is then all of them.
fn shows_one_of(entity: &EntityDef, list: &FieldList, names: &[&str]) -> bool {
    let is_shown = |name: &&str| {
        let by_star = list.star && !entity.on_request.contains(name);
        entity.computed.contains(name) && (by_star || list.children.contains_key(*name))
    };
    names.iter().any(is_shown)
}

/// A mask per run of fields that stand in the record as they are named: mostly there is one.
fn masks_of(shown: &[usize], n_fields: usize) -> Vec<Vec<bool>> {
    let runs = shown.chunk_by(|a, b| a < b);
    let mask = |run: &[usize]| (0..n_fields).map(|index| run.contains(&index)).collect();
    runs.map(mask).collect()
}

/// Does the last relation of this path lead to many, and has the path been through it, and through records of another kind
/// since? Such a path multiplies what it shows by itself with every turn. What leads from a record to others of its kind,
/// as from a category to those below it, comes to an end by itself.
fn is_cycle(path: &[Relation]) -> bool {
    let Some((last, before)) = path.split_last() else { return false };
    let earlier = before.iter().position(|it| it.from == last.from && it.name == last.name);
    last.many && earlier.is_some_and(|at| before[at..].iter().any(|it| it.to != last.from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_in_the_order_in_which_they_were_named() {
        assert_eq!(masks_of(&[], 3), Vec::<Vec<bool>>::new());
        assert_eq!(masks_of(&[0, 2], 3), [[true, false, true]]);
        assert_eq!(masks_of(&[1, 2, 0], 3), [[false, true, true], [true, false, false]]);
    }
}
