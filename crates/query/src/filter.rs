//! Filters: which records a list shows.

use atoll_values::Comparison;

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
}
