//! The tree around a category: `include_ancestors_tree` and `include_descendants_tree`.

use atoll_kernel::{Call, Params, limits::FIELDS_DEPTH_MAX};

use crate::{reply::add_field, tables::flag};

/// A route that shows one category, with its trees if it is asked for them.
pub(crate) const ONE_IN_TREE: Params = Params {
    own: &[flag("include_ancestors_tree"), flag("include_descendants_tree")],
    limit: None,
    strict: true,
};

/// Shows the trees that the call asks for, whatever fields it asks for; as deep as `fields` goes.
pub(crate) fn show_trees(mut call: Call) -> Call {
    let trees =
        [("include_ancestors_tree", "parent_category"), ("include_descendants_tree", "category_children")];
    for (param, relation) in trees {
        if call.params.take_flag(param) {
            let mut path = format!("*{relation}");
            for _ in 0..FIELDS_DEPTH_MAX {
                add_field(&mut call.params, &path);
                path = format!("{path}.{relation}");
            }
        }
    }
    call
}
