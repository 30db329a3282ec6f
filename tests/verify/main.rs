//! `verify` finds each kind of planted damage and nothing else, and nothing in an intact shop.

mod live;
mod planted;
mod review;

#[test]
fn a_table_of_a_module_is_exported_without_a_word() {
    let registry = atoll_kernel::Registry::linked().expect("a registry");
    let names: Vec<String> = registry.sections().iter().map(|it| it.name()).collect();
    for name in ["review.review", "atoll.product_review"] {
        assert!(names.iter().any(|it| it == name), "{name} in {names:?}");
    }
}
