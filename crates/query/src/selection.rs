//! The fields of a request, resolved against the graph into a tree of entities.

use atoll_storage::EntityDef;

use crate::{Computed, FieldList, Graph, Relation};

/// The fields, computed fields and relations to read and write of one entity.
#[derive(Clone)]
pub struct Selection {
    /// The stored fields, as masks over the fields of the entity. There is one mask per run of fields in
    /// stored order; written one after the other they give the order of the request.
    pub(crate) masks: Vec<Vec<bool>>,
    /// Sorted.
    pub(crate) own_computed: Vec<&'static str>,
    pub(crate) computed: Vec<&'static Computed>,
    pub(crate) relations: Vec<(Relation, Selection)>,
}

/// The relations from the root of the selection to the current entity.
type Path = Vec<Relation>;

impl Selection {
    /// Resolves the fields of `list` in `entity`. Unknown fields are ignored, as the wire does. Cycles are
    /// left out, and their paths are added to `cycles`.
    pub fn resolve(
        graph: &Graph,
        entity: &'static EntityDef,
        list: &FieldList,
        cycles: &mut Vec<String>,
    ) -> Selection {
        Selection::resolve_below(graph, entity, list, false, &mut Path::new(), cycles)
    }

    /// The selection without this field of the entity.
    pub fn without(&self, entity: &EntityDef, field: &str) -> Selection {
        let mut rest = self.clone();
        if let Some(index) = entity.fields.iter().position(|it| *it == field) {
            rest.masks.iter_mut().for_each(|mask| mask[index] = false);
        }
        rest.own_computed.retain(|it| *it != field);
        rest.computed.retain(|it| it.name != field);
        rest
    }

    fn resolve_below(
        graph: &Graph,
        entity: &'static EntityDef,
        list: &FieldList,
        // Does a record above show its totals?
        with_totals: bool,
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
                let with_totals = with_totals || shows_one_of(entity, list, to.on_request);
                if child.star && with_totals {
                    to.on_request.iter().for_each(|name| child.add(name));
                }
                let selection = Selection::resolve_below(graph, to, &child, with_totals, path, cycles);
                relations.push((*relation, selection));
                path.pop();
            } else if let Some(it) = graph.computed(entity.name, name) {
                computed.push(it);
                for field in it.also_shows {
                    show(field);
                }
            } else if let Some(it) = entity.computed.iter().find(|it| **it == name) {
                own_computed.push(it);
            } else {
                show(name);
            }
        }
        own_computed.sort_unstable();
        own_computed.dedup();
        Selection { masks: masks_of(&shown, entity.fields.len()), own_computed, computed, relations }
    }
}

/// Does the list show one of the computed fields `names` of the entity? The totals of a record are shown
/// together with those of its lines, and of what these are made of: then a star on them includes their
/// totals.
fn shows_one_of(entity: &EntityDef, list: &FieldList, names: &[&str]) -> bool {
    let is_shown = |name: &&str| {
        let by_star = list.star && !entity.on_request.contains(name);
        entity.computed.contains(name) && (by_star || list.children.contains_key(*name))
    };
    names.iter().any(is_shown)
}

/// A mask per run of fields that are named in stored order. Mostly there is one.
fn masks_of(shown: &[usize], n_fields: usize) -> Vec<Vec<bool>> {
    let runs = shown.chunk_by(|a, b| a < b);
    let mask = |run: &[usize]| (0..n_fields).map(|index| run.contains(&index)).collect();
    runs.map(mask).collect()
}

/// Is the last relation of this path a repetition that multiplies the answer?
///
/// That is a to-many relation that the path has followed before, with records of another entity in between. A
/// relation from an entity to itself, such as from a category to its children, is finite and allowed.
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
