//! Doc comments as text for OpenAPI: summary and description.

/// The lines of a doc comment as paragraphs: one line each, with an empty line between them.
pub(crate) fn joined(doc: &str) -> String {
    let paragraphs = doc.split("\n\n").map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The first sentence of a doc comment, without its full stop, and what follows it.
pub(crate) fn summary(doc: &str) -> (String, String) {
    let text = joined(doc);
    let ends = [". ", ".\n"].iter().filter_map(|it| text.find(it)).min();
    let (first, rest) = text.split_at(ends.map_or(text.len(), |it| it + 1));
    (first.trim_end_matches('.').to_owned(), rest.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_sentence_is_the_summary() {
        let parts = |doc: &str| {
            let (first, rest) = summary(doc);
            format!("{first}|{rest}")
        };
        assert_eq!(parts(""), "|");
        assert_eq!(parts(" Lists `a.b` of\n 1.5 kinds.\n"), "Lists `a.b` of 1.5 kinds|");
        assert_eq!(parts(" Lists all. Those that\n are gone, too.\n"), "Lists all|Those that are gone, too.");
        assert_eq!(parts(" Lists all.\n\n More\n of it.\n\n End."), "Lists all|More of it.\n\nEnd.");
    }
}
