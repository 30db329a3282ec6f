//! Concatenation of constant lists of names at compile time.

/// Several lists of names as one. [`joined!`](crate::joined!) counts them.
///
/// # Panics
/// When they are not as many as is said; in a constant that is an error of the compiler.
pub const fn joined<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let (mut all, mut list, mut index, mut n) = ([""; N], 0, 0, 0);
    while list < lists.len() {
        while index < lists[list].len() {
            all[n] = lists[list][index];
            (index, n) = (index + 1, n + 1);
        }
        (list, index) = (list + 1, 0);
    }
    assert!(n == N, "the lists have another length");
    all
}

/// The names of pairs, as of a field and its exact twin, one after the other.
///
/// # Panics
/// When they are not as many as is said; in a constant that is an error of the compiler.
pub const fn flattened<const N: usize>(pairs: &[(&'static str, &'static str)]) -> [&'static str; N] {
    let (mut all, mut index) = ([""; N], 0);
    assert!(2 * pairs.len() == N, "there are two names in a pair");
    while index < pairs.len() {
        (all[2 * index], all[2 * index + 1]) = pairs[index];
        index += 1;
    }
    all
}

/// Several constant lists of names as one `&'static [&'static str]`: `joined![TOTALS, ["summary"]]`.
#[macro_export]
macro_rules! joined {
    ($($list:expr),+ $(,)?) => {{
        const ALL: &[&str] = &$crate::joined::<{ 0 $(+ $list.len())+ }>(&[$(&$list),+]);
        ALL
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_in_their_order() {
        const PAIRS: [(&str, &str); 2] = [("a", "raw_a"), ("b", "raw_b")];
        const BOTH: [&str; 4] = flattened(&PAIRS);
        const ALL: &[&str] = joined![["id"], BOTH, ["title", "handle"]];
        assert_eq!(ALL, ["id", "a", "raw_a", "b", "raw_b", "title", "handle"]);
    }
}
