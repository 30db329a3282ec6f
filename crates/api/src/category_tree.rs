//! Category trees: the parameters `include_ancestors_tree` and `include_descendants_tree`.

use std::sync::LazyLock;

use atoll_kernel::{
    http::{Call, Param, Params},
    limits::FIELDS_DEPTH_MAX,
};

use crate::tables::flag;

/// A route that shows one category, with its trees if it is asked for them.
pub(crate) const ONE_IN_TREE: Params =
    Params { own: &[ANCESTORS_TREE, DESCENDANTS_TREE], limit: None, strict: true };

/// Asks for the categories above.
pub(crate) const ANCESTORS_TREE: Param =
    flag("include_ancestors_tree").about("Show the categories above, at most eight levels.");

/// Asks for the categories below.
pub(crate) const DESCENDANTS_TREE: Param =
    flag("include_descendants_tree").about("Show the categories below, at most eight levels.");

static ANCESTORS: LazyLock<Vec<String>> = LazyLock::new(|| tree("parent_category"));
static DESCENDANTS: LazyLock<Vec<String>> = LazyLock::new(|| tree("category_children"));

/// Paths along a relation between categories, as deep as `fields` may go.
fn tree(relation: &str) -> Vec<String> {
    (1..=FIELDS_DEPTH_MAX).map(|depth| format!("*{}", vec![relation; depth].join("."))).collect()
}

/// Adds the requested trees to the fields.
pub(crate) fn show_trees(mut call: Call) -> Call {
    let trees = [("include_ancestors_tree", &ANCESTORS), ("include_descendants_tree", &DESCENDANTS)];
    for (param, tree) in trees {
        if call.params.take_flag(param) {
            tree.iter().for_each(|path| call.params.fields.add(path));
        }
    }
    call
}
