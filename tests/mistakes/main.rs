//! What the start says about each mistake of a plugin: the module in `reviews.rs` makes them all, and the
//! start lists them at once, by file. `UPDATE_EXPECT=1` updates `problems.txt`; read it as the author would.

mod reviews;

use std::path::Path;

use atoll_kernel::Registry;
use expect_test::expect_file;

#[test]
fn the_start_lists_every_mistake_with_its_places_and_the_nearest_name() {
    let Err(problems) = Registry::linked() else { panic!("nothing is wrong") };
    let texts: Vec<String> = problems.iter().map(|it| format!("- {it}\n")).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("mistakes/problems.txt");
    expect_file![file].assert_eq(&texts.concat());
}
