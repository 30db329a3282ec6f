//! Evaluation of filters and of the `q` search. The operand of a condition is parsed once, as every type that
//! a field can have, and not once per record.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
};

use atoll_storage::{Scalar, searched_text};
use atoll_values::{Comparison, Condition, Decimal, Filter, Timestamp};

use crate::{QueryError, chunk::Chunk};

/// A filter, compiled for evaluation over many records.
pub(crate) enum Predicate {
    /// Conjunction.
    All(Vec<Predicate>),
    /// Disjunction.
    Any(Vec<Predicate>),
    /// A comparison with the field at the end of a path of relations.
    Field { relations: Vec<&'static str>, field: &'static str, op: Comparison, operand: Operand },
}

impl Predicate {
    /// Compiles a filter.
    pub(crate) fn of(filter: &Filter) -> Predicate {
        match filter {
            Filter::All(parts) => Predicate::All(parts.iter().map(Predicate::of).collect()),
            Filter::Any(parts) => Predicate::Any(parts.iter().map(Predicate::of).collect()),
            Filter::One(Condition { path, comparison, values }) => {
                let (field, relations) = path.split_last().map_or(("", &[][..]), |(it, rest)| (*it, rest));
                Predicate::Field {
                    relations: relations.to_vec(),
                    field,
                    op: *comparison,
                    operand: Operand::of(*comparison, values),
                }
            }
        }
    }

    /// Evaluates the predicate for each record of the chunk.
    pub(crate) fn matches(&self, chunk: &Chunk<'_>) -> Result<Vec<bool>, QueryError> {
        match self {
            Predicate::All(parts) => {
                let mut all = vec![true; chunk.nodes.len()];
                for part in parts {
                    let holds = part.matches(chunk)?;
                    all.iter_mut().zip(holds).for_each(|(all, holds)| *all &= holds);
                }
                Ok(all)
            }
            Predicate::Any(parts) => {
                let mut any = vec![false; chunk.nodes.len()];
                for part in parts {
                    let holds = part.matches(chunk)?;
                    any.iter_mut().zip(holds).for_each(|(any, holds)| *any |= holds);
                }
                Ok(any)
            }
            Predicate::Field { relations, field, op, operand } => {
                path_matches(chunk, relations, &|chunk| operand.compares_all(chunk, field, *op))
            }
        }
    }
}

fn path_matches(
    chunk: &Chunk<'_>,
    relations: &[&str],
    compares: &dyn Fn(&Chunk<'_>) -> Vec<bool>,
) -> Result<Vec<bool>, QueryError> {
    let [first, rest @ ..] = relations else { return Ok(compares(chunk)) };
    let Some(targets) = chunk.targets(first)? else { return Ok(vec![false; chunk.nodes.len()]) };
    let mut holds = path_matches(&targets.chunk, rest, compares)?.into_iter();
    // Consumes all targets of a record without short-circuiting, so that the next record starts at its own.
    let any = |size: &usize| holds.by_ref().take(*size).fold(false, |any, it| any | it);
    Ok(targets.sizes.iter().map(any).collect())
}

/// The right-hand side of a comparison: a text is kept as every type that it parses as.
#[derive(Default)]
pub(crate) struct Operand {
    has_null: bool,
    bools: BTreeSet<bool>,
    numbers: BTreeSet<Decimal>,
    times: BTreeSet<Timestamp>,
    texts: BTreeSet<String>,
    /// The pattern of `Like` and `Ilike`; in lower case for `Ilike`.
    pattern: Option<Pattern>,
}

impl Operand {
    fn of(op: Comparison, values: &[Option<String>]) -> Operand {
        let mut operand = Operand::default();
        // Only `In` and `NotIn` have several.
        let values = match op {
            Comparison::In | Comparison::NotIn => values,
            _ => &values[..values.len().min(1)],
        };
        for value in values {
            match value {
                None => operand.has_null = true,
                Some(text) => {
                    operand.bools.extend(text.parse::<bool>());
                    operand.numbers.extend(text.parse::<Decimal>());
                    operand.times.extend(text.parse::<Timestamp>());
                    operand.texts.insert(text.clone());
                }
            }
        }
        operand.pattern = match (op, operand.texts.first()) {
            (Comparison::Like, Some(text)) => Some(Pattern::of(text)),
            (Comparison::Ilike, Some(text)) => Some(Pattern::of(&text.to_lowercase())),
            _ => None,
        };
        operand
    }

    /// Compares a field of each record of the chunk.
    fn compares_all(&self, chunk: &Chunk<'_>, field: &'static str, op: Comparison) -> Vec<bool> {
        if op == Comparison::Ilike {
            let matches = |text: &Option<String>| text.as_deref().is_some_and(|it| self.is_like(it));
            return chunk.lower_case(field).iter().map(matches).collect();
        }
        chunk.nodes.iter().map(|node| self.compares(&node.scalar(field), op)).collect()
    }

    /// For `Ilike` the text must be in lower case.
    fn is_like(&self, text: &str) -> bool {
        self.pattern.as_ref().is_some_and(|it| it.matches(text))
    }

    fn compares(&self, field: &Scalar<'_>, op: Comparison) -> bool {
        match op {
            Comparison::In => self.has(field),
            Comparison::NotIn => !self.has(field),
            Comparison::Lt => self.order(field) == Some(Ordering::Less),
            Comparison::Lte => matches!(self.order(field), Some(Ordering::Less | Ordering::Equal)),
            Comparison::Gt => self.order(field) == Some(Ordering::Greater),
            Comparison::Gte => matches!(self.order(field), Some(Ordering::Greater | Ordering::Equal)),
            Comparison::Like | Comparison::Ilike => match field {
                Scalar::Text(text) => self.is_like(text),
                _ => false,
            },
        }
    }

    /// Is the field one of the values?
    fn has(&self, field: &Scalar<'_>) -> bool {
        match field {
            Scalar::Null => self.has_null,
            Scalar::Bool(it) => self.bools.contains(it),
            Scalar::Number(it) => self.numbers.contains(it),
            Scalar::Time(it) => self.times.contains(it),
            Scalar::Text(it) => self.texts.contains(*it),
            Scalar::List(items) => items.iter().any(|it| self.texts.contains(*it)),
        }
    }

    /// Compares the field with the first value; `None` if their types differ.
    fn order(&self, field: &Scalar<'_>) -> Option<Ordering> {
        match field {
            Scalar::Bool(it) => self.bools.first().map(|value| it.cmp(value)),
            Scalar::Number(it) => self.numbers.first().map(|value| it.cmp(value)),
            Scalar::Time(it) => self.times.first().map(|value| it.cmp(value)),
            Scalar::Text(it) => self.texts.first().map(|value| (*it).cmp(value.as_str())),
            Scalar::Null | Scalar::List(_) => None,
        }
    }
}

/// A pattern of SQL's `LIKE`.
enum Pattern {
    /// The texts between its `%`, if it has no `_`.
    Pieces(Vec<String>),
    Chars(Vec<char>),
}

impl Pattern {
    fn of(pattern: &str) -> Pattern {
        match pattern.contains('_') {
            true => Pattern::Chars(pattern.chars().collect()),
            false => Pattern::Pieces(pattern.split('%').map(str::to_owned).collect()),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Pieces(pieces) => has_pieces(text, pieces),
            Pattern::Chars(pattern) => like(text, pattern),
        }
    }
}

/// Does the text begin with the first piece, end with the last one, and have the others in between, in this
/// order?
fn has_pieces(text: &str, pieces: &[String]) -> bool {
    let [first, between @ .., last] = pieces else { return pieces.iter().any(|it| it == text) };
    let inner = text.strip_prefix(first.as_str()).and_then(|it| it.strip_suffix(last.as_str()));
    let Some(mut rest) = inner else { return false };
    for piece in between {
        let Some((_, behind)) = rest.split_once(piece.as_str()) else { return false };
        rest = behind;
    }
    true
}

/// Does `text` match a pattern with `_`, each of which stands for one character? Backtracks to the last `%`
/// only, so it is at worst quadratic.
fn like(text: &str, pattern: &[char]) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                retry = Some((t, p));
                p += 1;
            }
            Some(&it) if it == '_' || it == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match retry {
                Some((at, star)) => {
                    retry = Some((at + 1, star));
                    t = at + 1;
                    p = star + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|it| *it == '%')
}

/// A full-text search: the words of `q`, in lower case, the longest first. Words that are part of another one
/// are left out: where that occurs, they do.
pub(crate) struct Search(Vec<String>);

impl Search {
    /// Splits `q` at white space.
    pub(crate) fn of(q: &str) -> Search {
        let mut all: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
        all.sort_by_key(|it| Reverse(it.len()));
        let mut words: Vec<String> = Vec::new();
        for word in all {
            if !words.iter().any(|it| it.contains(&word)) {
                words.push(word);
            }
        }
        Search(words)
    }

    /// The words.
    pub(crate) fn words(&self) -> &[String] {
        &self.0
    }

    /// For each record of the chunk: does every word occur in a searched field of the record or of a searched
    /// relation?
    pub(crate) fn matches(&self, chunk: &Chunk<'_>) -> Result<Vec<bool>, QueryError> {
        let mut texts: Vec<String> = chunk.nodes.iter().map(|node| searched_text(&**node)).collect();
        for relation in chunk.env.graph.relations(chunk.entity.name).filter(|it| it.searched) {
            let targets = chunk.resolved(relation)?;
            let mut found = targets.chunk.nodes.iter();
            for (text, size) in texts.iter_mut().zip(&targets.sizes) {
                for target in found.by_ref().take(*size) {
                    text.push_str(&searched_text(&**target));
                }
            }
        }
        Ok(texts.iter().map(|text| self.0.iter().all(|word| text.contains(word.as_str()))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: Scalar<'_>, op: Comparison, values: &[&str], expect: bool) {
        let texts: Vec<Option<String>> = values.iter().map(|it| Some((*it).to_owned())).collect();
        assert_eq!(Operand::of(op, &texts).compares(&field, op), expect, "{field:?} {op:?} {values:?}");
    }

    #[test]
    fn values_are_parsed_as_the_type_of_the_field() {
        let time = "2026-01-01T00:00:00.000Z".parse().expect("a date");
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::In, &["5.0"], true);
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::In, &["x", "4", "5.0"], true);
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::NotIn, &["x", "4"], true);
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::Lt, &["10"], true);
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::Lt, &["many"], false);
        // The first value is the one that counts.
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::Lt, &["5", "10"], false);
        check(Scalar::Bool(true), Comparison::In, &["true"], true);
        check(Scalar::Bool(true), Comparison::In, &["1"], false);
        check(Scalar::Time(time), Comparison::Gte, &["2025-12-31"], true);
        check(Scalar::Time(time), Comparison::Gt, &["2026-01-01"], false);
        check(Scalar::Text("b"), Comparison::Gt, &["a"], true);
        check(Scalar::Null, Comparison::In, &["null"], false);
        check(Scalar::Null, Comparison::Lt, &["a"], false);
        check(Scalar::List(vec!["a", "b"]), Comparison::In, &["c", "b"], true);
        check(Scalar::List(vec!["a", "b"]), Comparison::NotIn, &["c"], true);
    }

    #[test]
    fn like_patterns_match_as_in_sql() {
        for (text, pattern, expect) in [
            ("abc", "abc", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("aab", "%ab", true),
            ("", "%", true),
            ("", "_", false),
        ] {
            check(Scalar::Text(text), Comparison::Like, &[pattern], expect);
        }
        check(Scalar::Text("abc"), Comparison::Ilike, &["A%"], true);
        check(Scalar::Text("Abc"), Comparison::Like, &["a%"], false);
    }

    /// All texts of `a` and `b`, and all patterns of these and `%`, of up to five characters.
    #[test]
    fn pieces_of_a_pattern_match_as_its_characters() {
        let all = |letters: &str, n: usize| {
            let mut all = vec![String::new()];
            for _ in 0..n {
                let longer =
                    all.iter().flat_map(|it| letters.chars().map(move |letter| format!("{it}{letter}")));
                all = longer.chain([String::new()]).collect();
            }
            all
        };
        let texts = all("ab", 5);
        for pattern in all("ab%", 5) {
            let chars: Vec<char> = pattern.chars().collect();
            for text in &texts {
                assert_eq!(Pattern::of(&pattern).matches(text), like(text, &chars), "{text} like {pattern}");
            }
        }
    }
}
