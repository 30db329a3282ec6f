//! Filters: which records a list shows. One form from the query string to its evaluation.

use crate::Comparison;

/// A filter of a list: conditions on a record and its related records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of these hold.
    All(Vec<Filter>),
    /// One of these holds.
    Any(Vec<Filter>),
    /// This one holds.
    One(Condition),
}

/// One comparison. A path over relations holds when it does for one of the records that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Relations, then a field: `["variants", "sku"]`.
    pub path: Vec<&'static str>,
    /// The comparison.
    pub comparison: Comparison,
    /// The right-hand side as text, parsed as the type of the field; `None` is null. One value, or several
    /// for `In` and `NotIn`.
    pub values: Vec<Option<String>>,
}

impl Filter {
    /// The field at the end of this path, as `variants.sku`, has one of `values`.
    pub fn is_in(path: &'static str, values: Vec<String>) -> Filter {
        Filter::One(Condition {
            path: path.split('.').collect(),
            comparison: Comparison::In,
            values: values.into_iter().map(Some).collect(),
        })
    }

    /// The path to a field and the texts that it must be one of, if this is all that the filter says.
    pub fn texts(&self) -> Option<(&[&'static str], Vec<&str>)> {
        let Filter::One(Condition { path, comparison: Comparison::In, values }) = self else { return None };
        Some((path, values.iter().map(Option::as_deref).collect::<Option<_>>()?))
    }

    /// The texts that `field` must be one of, if this is all that the filter says.
    pub fn texts_of(&self, field: &str) -> Option<Vec<&str>> {
        self.texts().filter(|(path, _)| *path == [field]).map(|(_, texts)| texts)
    }

    /// Does it follow a relation?
    pub fn has_relation(&self) -> bool {
        matches!(self, Filter::One(Condition { path, .. }) if path.len() > 1)
    }

    /// The filters that must all hold for this one to hold.
    pub fn parts(self) -> Vec<Filter> {
        match self {
            Filter::All(parts) => parts.into_iter().flat_map(Filter::parts).collect(),
            other => vec![other],
        }
    }

    /// The filter with renamed parameters: `tag_id` becomes the path `tags.id`.
    pub fn renamed(mut self, names: &[(&'static str, &'static str)]) -> Filter {
        self.rename(names);
        self
    }

    fn rename(&mut self, names: &[(&'static str, &'static str)]) {
        match self {
            Filter::All(parts) | Filter::Any(parts) => parts.iter_mut().for_each(|it| it.rename(names)),
            Filter::One(condition) => {
                let [name] = condition.path[..] else { return };
                if let Some((_, path)) = names.iter().find(|(from, _)| *from == name) {
                    condition.path = path.split('.').collect();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_on_renamed_parameters_are_on_the_fields_behind_them() {
        let on = |path| Filter::is_in(path, vec!["a".into()]);
        let filter = Filter::Any(vec![on("tag_id"), Filter::All(vec![on("title"), on("variants.tag_id")])]);
        let expect = Filter::Any(vec![on("tags.id"), Filter::All(vec![on("title"), on("variants.tag_id")])]);
        assert_eq!(filter.renamed(&[("tag_id", "tags.id")]), expect);
    }
}
