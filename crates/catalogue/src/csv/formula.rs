//! Cells that a spreadsheet would take for formulas: an apostrophe in front keeps them texts (CSV injection).

use std::borrow::Cow;

/// With what a formula begins; in full width, too, as spreadsheets of East Asia read it.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Behind what a spreadsheet that takes another character for the delimiter begins a new cell: it knows no
/// quotes in the middle of one.
const BREAKS: [char; 4] = [';', '\t', '\r', '\n'];

/// Would the text be a formula without the apostrophes in front? Texts that had one themselves get another
/// one, so that every text comes back as it was.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// The text as a cell that is no formula.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// A text that anybody may have written, such as a buyer, as a cell that is no formula wherever it is broken
/// up. It is for files that are not read back.
pub(crate) fn escaped_within(text: &str) -> String {
    text.split_inclusive(BREAKS).map(escaped).collect()
}

/// The text of a cell.
pub(crate) fn unescaped(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_that_begin_like_formulas_are_kept_texts() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+49 30 1234", "'+49 30 1234"),
            ("-5 °C", "'-5 °C"),
            ("\t=1", "'\t=1"),
            ("\r", "'\r"),
            ("\n=1", "'\n=1"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("'tis", "'tis"),
            ("''", "''"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(escaped(text), cell);
            assert_eq!(unescaped(cell), text);
        }
    }

    #[test]
    fn no_part_of_a_text_is_a_formula_where_others_begin_a_cell() {
        for (text, cell) in [
            ("x;=cmd|'/c calc'!A0", "x;'=cmd|'/c calc'!A0"),
            ("-1;+2\t@3\n=4", "'-1;'+2\t'@3\n'=4"),
            ("a; b, =c", "a; b, =c"),
            ("", ""),
        ] {
            assert_eq!(escaped_within(text), cell);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "['=+\\-@\t\r]{0,4}.{0,4}") {
            let cell = escaped(&text);
            prop_assert!(!cell.starts_with(FORMULA));
            prop_assert_eq!(unescaped(&cell), &*text);
        }
    }
}
