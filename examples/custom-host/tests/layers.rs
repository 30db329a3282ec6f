//! Every start checks whom the modules name: here one that depends on another module.

use atoll_host as _;
use atoll_kernel::Registry;
use gift_notes as _;

#[test]
fn a_module_that_names_another_is_refused_at_the_start() {
    let Err(problems) = Registry::linked() else { panic!("nothing is wrong") };
    let texts: Vec<&str> = problems.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "module `gift-notes` names the package `order-notes` of the module `order-notes`: a module names no \
          other, and of Atoll atoll-checkout, atoll-kernel, atoll-pages, atoll-providers; what joins two modules \
          is a link, and a process over several is an extension, which says so in its manifest: \
          `[package.metadata.atoll] kind = \"extension\"`"
        ]
    );
    assert!(problems[0].sources[0].to_string().contains("gift-notes, tests/gift-notes/src/lib.rs:"));
}
