//! Filters: which records a list shows.

use std::cmp::Ordering;

use atoll_storage::{EntityDef, Node, Scalar};
use atoll_values::{Comparison, Decimal, Timestamp};

use crate::{Env, QueryError};

/// A condition on a record and on what it is linked to.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of these hold.
    All(Vec<Filter>),
    /// One of these holds.
    Any(Vec<Filter>),
    /// The field at the end of the path compares like this. A path over relations holds when it does for one
    /// of the records that it leads to.
    Where {
        /// Relations, then a field.
        path: Vec<String>,
        /// The comparison.
        op: Comparison,
        /// What it is compared with: one value, or several for `In` and `NotIn`.
        values: Vec<FilterValue>,
    },
}

/// What a field is compared with, as it came: text is read as whatever the field is.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterValue {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// Text, a number or a date.
    Text(String),
}

impl Filter {
    /// `field` has one of `values`.
    pub fn is_in(field: &str, values: Vec<String>) -> Filter {
        let values = values.into_iter().map(FilterValue::Text).collect();
        Filter::Where { path: field.split('.').map(str::to_owned).collect(), op: Comparison::In, values }
    }

    /// The path to a field and the texts that it must be one of, if this is all that the filter says.
    pub(crate) fn texts(&self) -> Option<(&[String], Vec<&str>)> {
        let Filter::Where { path, op: Comparison::In, values } = self else { return None };
        let texts = values.iter().map(|value| match value {
            FilterValue::Text(text) => Some(text.as_str()),
            FilterValue::Null | FilterValue::Bool(_) => None,
        });
        Some((path, texts.collect::<Option<_>>()?))
    }

    /// The texts that `field` must be one of, if this is all that the filter says.
    pub(crate) fn texts_of(&self, field: &str) -> Option<Vec<&str>> {
        self.texts().filter(|(path, _)| *path == [field]).map(|(_, texts)| texts)
    }

    /// Does it ask for what hangs on the record?
    pub(crate) fn has_relation(&self) -> bool {
        matches!(self, Filter::Where { path, .. } if path.len() > 1)
    }

    /// The filters that must all hold for this one to hold.
    pub(crate) fn parts(self) -> Vec<Filter> {
        match self {
            Filter::All(parts) => parts.into_iter().flat_map(Filter::parts).collect(),
            other => vec![other],
        }
    }

    /// For each of `nodes`, does the filter hold? Relations are resolved once for all of them.
    pub(crate) fn matches(
        &self,
        env: &Env<'_>,
        entity: &EntityDef,
        nodes: &[Node],
    ) -> Result<Vec<bool>, QueryError> {
        match self {
            Filter::All(filters) => {
                let mut all = vec![true; nodes.len()];
                for filter in filters {
                    let holds = filter.matches(env, entity, nodes)?;
                    all.iter_mut().zip(holds).for_each(|(all, holds)| *all &= holds);
                }
                Ok(all)
            }
            Filter::Any(filters) => {
                let mut any = vec![false; nodes.len()];
                for filter in filters {
                    let holds = filter.matches(env, entity, nodes)?;
                    any.iter_mut().zip(holds).for_each(|(any, holds)| *any |= holds);
                }
                Ok(any)
            }
            Filter::Where { path, op, values } => path_matches(env, entity, nodes, path, *op, values),
        }
    }
}

fn path_matches(
    env: &Env<'_>,
    entity: &EntityDef,
    nodes: &[Node],
    path: &[String],
    op: Comparison,
    values: &[FilterValue],
) -> Result<Vec<bool>, QueryError> {
    let [first, rest @ ..] = path else { return Ok(vec![true; nodes.len()]) };
    if rest.is_empty() {
        return Ok(nodes.iter().map(|node| compares(&node.scalar(first), op, values)).collect());
    }
    let Some(relation) = env.graph.relation(entity.name, first) else { return Ok(vec![false; nodes.len()]) };
    let to = env.graph.entity(relation.to).expect("the registry checks where relations lead");
    let targets = relation.resolve(env, nodes)?;
    let sizes: Vec<usize> = targets.iter().map(Vec::len).collect();
    let flat: Vec<Node> = targets.into_iter().flatten().collect();
    let mut holds = path_matches(env, to, &flat, rest, op, values)?.into_iter();
    // Every part is drawn, so that the next record's targets come next.
    Ok(sizes.into_iter().map(|size| holds.by_ref().take(size).fold(false, |any, it| any | it)).collect())
}

fn compares(field: &Scalar<'_>, op: Comparison, values: &[FilterValue]) -> bool {
    let first = || values.first().and_then(|value| order(field, value));
    match op {
        Comparison::In => values.iter().any(|value| equals(field, value)),
        Comparison::NotIn => !values.iter().any(|value| equals(field, value)),
        Comparison::Lt => first() == Some(Ordering::Less),
        Comparison::Lte => matches!(first(), Some(Ordering::Less | Ordering::Equal)),
        Comparison::Gt => first() == Some(Ordering::Greater),
        Comparison::Gte => matches!(first(), Some(Ordering::Greater | Ordering::Equal)),
        Comparison::Like | Comparison::Ilike => match (field, values.first()) {
            (Scalar::Text(text), Some(FilterValue::Text(pattern))) if op == Comparison::Ilike => {
                like(&text.to_lowercase(), &pattern.to_lowercase())
            }
            (Scalar::Text(text), Some(FilterValue::Text(pattern))) => like(text, pattern),
            _ => false,
        },
    }
}

fn equals(field: &Scalar<'_>, value: &FilterValue) -> bool {
    match (field, value) {
        (Scalar::Null, FilterValue::Null) => true,
        (Scalar::List(items), FilterValue::Text(text)) => items.contains(&text.as_str()),
        _ => order(field, value) == Some(Ordering::Equal),
    }
}

fn order(field: &Scalar<'_>, value: &FilterValue) -> Option<Ordering> {
    match (field, value) {
        (Scalar::Bool(field), FilterValue::Bool(value)) => Some(field.cmp(value)),
        (Scalar::Bool(field), FilterValue::Text(text)) => Some(field.cmp(&text.parse().ok()?)),
        (Scalar::Number(field), FilterValue::Text(text)) => Some(field.cmp(&text.parse::<Decimal>().ok()?)),
        (Scalar::Time(field), FilterValue::Text(text)) => Some(field.cmp(&text.parse::<Timestamp>().ok()?)),
        (Scalar::Text(field), FilterValue::Text(text)) => Some((*field).cmp(text.as_str())),
        _ => None,
    }
}

/// Does `text` match a pattern of SQL's `LIKE`? Backtracks to the last `%` only, so it is at worst quadratic.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
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

/// For each of `nodes`: does every word of `q` occur in one of the searched fields, here or in the relations
/// that are searched with it?
pub(crate) fn search(
    env: &Env<'_>,
    entity: &EntityDef,
    nodes: &[Node],
    q: &str,
) -> Result<Vec<bool>, QueryError> {
    let words: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
    let mut texts: Vec<String> = nodes.iter().map(|node| searched_text(node, entity)).collect();
    for relation in env.graph.relations(entity.name).filter(|relation| relation.searched) {
        let to = env.graph.entity(relation.to).expect("the registry checks where relations lead");
        for (text, targets) in texts.iter_mut().zip(relation.resolve(env, nodes)?) {
            for target in targets {
                text.push_str(&searched_text(&target, to));
            }
        }
    }
    Ok(texts.iter().map(|text| words.iter().all(|word| text.contains(word.as_str()))).collect())
}

/// The searched fields in lower case, each on a line so that no word matches across two of them.
fn searched_text(node: &Node, entity: &EntityDef) -> String {
    let mut text = String::new();
    for field in entity.search {
        match node.scalar(field) {
            Scalar::Text(it) => text.push_str(&it.to_lowercase()),
            Scalar::Number(it) => text.push_str(&it.to_string()),
            _ => {}
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: Scalar<'_>, op: Comparison, value: &str, expect: bool) {
        assert_eq!(
            compares(&field, op, &[FilterValue::Text(value.to_owned())]),
            expect,
            "{field:?} {op:?} {value}"
        );
    }

    #[test]
    fn text_is_read_as_what_the_field_is() {
        let time = "2026-01-01T00:00:00.000Z".parse().expect("a date");
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::In, "5.0", true);
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::Lt, "10", true);
        check(Scalar::Number(Decimal::from(5_i64)), Comparison::Lt, "many", false);
        check(Scalar::Bool(true), Comparison::In, "true", true);
        check(Scalar::Bool(true), Comparison::In, "1", false);
        check(Scalar::Time(time), Comparison::Gte, "2025-12-31", true);
        check(Scalar::Time(time), Comparison::Gt, "2026-01-01", false);
        check(Scalar::Text("b"), Comparison::Gt, "a", true);
        check(Scalar::Null, Comparison::In, "null", false);
        check(Scalar::List(vec!["a", "b"]), Comparison::In, "b", true);
    }

    #[test]
    fn patterns_match_like_sql() {
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
            assert_eq!(like(text, pattern), expect, "{text} like {pattern}");
        }
        check(Scalar::Text("Abc"), Comparison::Ilike, "a%", true);
        check(Scalar::Text("Abc"), Comparison::Like, "a%", false);
    }
}
