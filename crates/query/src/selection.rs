//! The fields of a request, resolved: which of them each entity has.

use atoll_storage::EntityDef;

use crate::{Computed, FieldList, Graph, Relation};

/// What to read and write of one entity, and of what hangs on it.
pub struct Selection {
    pub(crate) mask: Vec<bool>,
    pub(crate) own_computed: Vec<&'static str>,
    pub(crate) computed: Vec<&'static Computed>,
    pub(crate) relations: Vec<(Relation, Selection)>,
}

impl Selection {
    /// Finds the fields of `list` in `entity`. Fields that nothing has are left out, as the wire does.
    pub fn resolve(graph: &Graph, entity: &'static EntityDef, list: &FieldList) -> Selection {
        let is_embed = |field: &str| entity.embeds.iter().any(|embed| embed.name == field);
        let shows = |field: &&'static str| !entity.hidden.contains(field) && !is_embed(field);
        let mut mask: Vec<bool> = entity.fields.iter().map(|field| list.star && shows(field)).collect();
        let starred = entity.computed.iter().filter(|it| list.star && !entity.on_request.contains(it));
        let mut own_computed: Vec<&'static str> = starred.copied().collect();
        let mut computed: Vec<&'static Computed> = Vec::new();
        let mut relations = Vec::new();
        let mut show = |name: &str| match entity.fields.iter().position(|field| *field == name) {
            Some(place) if shows(&entity.fields[place]) => {
                mask[place] = true;
                true
            }
            _ => false,
        };
        for (name, child) in &list.children {
            if let Some(relation) = graph.relation(entity.name, name) {
                let to = graph.entity(relation.to).expect("the registry checks where relations lead");
                let mut child = child.clone();
                child.star |= child.named && child.children.is_empty();
                child.add(to.key);
                relations.push((*relation, Selection::resolve(graph, to, &child)));
            } else if let Some(it) = graph.computed(entity.name, name) {
                computed.push(it);
                for field in it.shows {
                    show(field);
                }
            } else if let Some(it) = entity.computed.iter().find(|it| *it == name) {
                if !own_computed.contains(it) {
                    own_computed.push(it);
                }
            } else {
                show(name);
            }
        }
        Selection { mask, own_computed, computed, relations }
    }
}
