//! Builds the pages of `docs/` as HTML into `target/book`.

use std::path::Path;

use anyhow::Context as _;
use mdbook_driver::{MDBook, book::BookItem};

/// Where the links of pages lead to that leave `docs/`.
const REPOSITORY: &str = "https://github.com/atoll-commerce/atoll/blob/main/";

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let mut book = MDBook::load(root.join("docs")).context("docs/ is no book")?;
    book.config.build.build_dir = root.join("target/book");
    book.book.for_each_mut(|item| {
        if let BookItem::Chapter(chapter) = item {
            chapter.content = chapter.content.replace("](../", &format!("]({REPOSITORY}"));
        }
    });
    book.build()?;
    println!("target/book/index.html");
    Ok(())
}
