//! Validation of query strings: pagination, `fields`, sorting and filters.

use atoll_values::{
    Comparison, Condition, Decimal, Fields, Filter, Timestamp,
    limits::{CONDITION_VALUES_MAX, CONDITIONS_MAX, PATTERN_LETTERS_MAX},
};
use serde_json::{Map, Value};

use crate::Issues;

/// The query parameters of a route.
#[derive(Debug)]
pub struct Params {
    /// Filters and other parameters of the route itself.
    pub own: Filters,
    /// The default page size of a list; `None` if the route is no list.
    pub limit: Option<usize>,
    /// Refuse unknown parameters. The wire refuses them on most routes, and ignores them on some; those that
    /// are nested, `reviews[author]`, are refused by all.
    pub strict: bool,
}

impl Params {
    /// Only `fields`: for a route that shows one record, or none.
    pub const NONE: Params = Params { own: &[], limit: None, strict: true };
}

/// The filters of a list.
pub type Filters = &'static [Param];

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// The name; `a` is written `a=…`, `a[]=…` or `a[$gte]=…`.
    pub name: &'static str,
    /// The values and operators that it accepts.
    pub kind: ParamKind,
    /// What it does, for OpenAPI. Empty for a filter on a field of the record, which has a text of its own.
    pub text: &'static str,
}

impl Param {
    /// A parameter of this kind.
    pub const fn new(name: &'static str, kind: ParamKind) -> Param {
        Param { name, kind, text: "" }
    }

    /// Says what it does.
    pub const fn about(mut self, text: &'static str) -> Param {
        self.text = text;
        self
    }
}

/// The values and operators that a parameter accepts.
#[derive(Clone, Copy, Debug)]
pub enum ParamKind {
    /// A text, a list of them, or operators.
    Any,
    /// As `Any`; the word `null` is null.
    AnyOrNull,
    /// A list of texts. A single text is refused.
    Many,
    /// `true` or `false`.
    Bool,
    /// One of these words, or a list of them.
    Words(&'static [&'static str]),
    /// A date, or operators on dates.
    Date,
    /// A number, or operators on numbers.
    Number,
    /// Filters on related records: `variants[sku]=x`.
    Nested(Filters),
    /// Related records, by their ids (`groups=x`) or by filters (`groups[name]=x`).
    Related(Filters),
}

/// A query string, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListParams {
    /// The filters, to be met all.
    pub filters: Vec<Filter>,
    /// Free text.
    pub q: Option<String>,
    /// The fields to show.
    pub fields: Fields,
    /// The order.
    pub order: Option<String>,
    /// Offset: number of records to skip.
    pub offset: usize,
    /// Page size.
    pub limit: usize,
    /// The `next_cursor` of the page before; empty for the first page.
    pub cursor: Option<String>,
    /// Show soft-deleted records too?
    pub with_deleted: bool,
}

impl ListParams {
    /// Removes the `In` filter on `name` and returns its values.
    pub fn take(&mut self, name: &str) -> Option<Vec<String>> {
        let is_it = |it: &Filter| matches!(it, Filter::One(one) if one.path == [name] && one.comparison == Comparison::In);
        let index = self.filters.iter().position(is_it)?;
        let Filter::One(condition) = self.filters.swap_remove(index) else { return None };
        Some(condition.values.into_iter().flatten().collect())
    }

    /// Removes the filter on `name` and returns its value. Errors: a parameter that is given twice, of which
    /// one value would be used, and one with operators.
    pub fn take_one(&mut self, name: &str) -> Result<Option<String>, Issues> {
        let mut values = self.take(name).unwrap_or_default();
        let is_left = |it: &Filter| matches!(it, Filter::One(one) if one.path == [name]);
        let got = match values.len() {
            _ if self.filters.iter().any(is_left) => Value::Object(Map::new()),
            0 | 1 => return Ok(values.pop()),
            _ => Value::from(values),
        };
        let mut issues = Issues::default();
        issues.wrong_type(&[name.to_owned()], "string", &got);
        Err(issues)
    }

    /// Removes the filter on `name`: is its value `true`?
    pub fn take_flag(&mut self, name: &str) -> bool {
        // `check` lets no other value pass.
        self.take(name).is_some_and(|values| values == ["true"])
    }

    /// Adds the condition that a field has one of these values.
    pub fn narrow(&mut self, field: &'static str, values: Vec<String>) {
        self.filters.push(Filter::is_in(field, values));
    }
}

/// Upper bound of `offset` and `limit`. A larger value is a mistake or an attack.
const PAGE_MAX: f64 = 1e9;

/// Checks a parsed query string.
pub fn check(params: &Params, query: &Map<String, Value>) -> Result<ListParams, Issues> {
    let mut issues = Issues::default();
    let mut list = ListParams { limit: params.limit.unwrap_or(0), ..ListParams::default() };
    let mut unknown = Vec::new();
    let mut expanded = None;
    let is_list = params.limit.is_some();
    for (name, value) in query {
        let path = [name.clone()];
        match (name.as_str(), value) {
            ("fields", Value::String(text)) => list.fields = Fields::parse(text),
            ("expand", Value::String(text)) => expanded = Some(text),
            ("with_deleted", Value::String(text)) if is_bool(text) => {
                list.with_deleted = text.eq_ignore_ascii_case("true");
            }
            ("with_deleted", _) => issues.wrong_type(&path, "boolean", value),
            ("limit", _) if is_list => list.limit = number(&path, value, &mut issues),
            ("offset", _) if is_list => list.offset = number(&path, value, &mut issues),
            ("cursor", Value::String(text)) if is_list => list.cursor = Some(text.clone()),
            ("order", Value::String(text)) if is_list => {
                list.order = Some(text.clone()).filter(|it| !it.is_empty())
            }
            ("q", Value::String(text)) if is_list => list.q = Some(text.clone()),
            ("fields" | "expand" | "cursor" | "order" | "q", _) => issues.wrong_type(&path, "string", value),
            ("$and" | "$or", Value::Array(items)) if is_list => {
                let parts = items.iter().map(|item| Filter::All(group(params.own, item, &mut issues)));
                let parts = parts.collect();
                list.filters.push(if name == "$and" { Filter::All(parts) } else { Filter::Any(parts) });
            }
            _ => match params.own.iter().find(|param| param.name == name) {
                Some(param) => param.read(value, &mut Vec::new(), &mut list.filters, &mut issues),
                None => unknown.push((name.as_str(), value)),
            },
        }
    }
    if let Some(relations) = expanded {
        list.fields.expand(relations);
    }
    if list.cursor.is_some() {
        // Both say where the page begins, and a page of nothing has no end to go on from.
        if list.offset > 0 {
            issues.add("`cursor` cannot be combined with `offset`".to_owned());
        }
        if list.limit == 0 {
            issues.add("`cursor` needs a `limit` of at least 1".to_owned());
        }
    }
    check_size(&list, &mut issues);
    // A filter on a relation that the route does not have would be left out in silence, and everything shown.
    let is_refused = |value: &Value| params.strict || value.is_object();
    let refused: Vec<&str> = unknown.iter().filter(|it| is_refused(it.1)).map(|it| it.0).collect();
    if !refused.is_empty() {
        issues.unknown(&refused);
    }
    if issues.is_empty() { Ok(list) } else { Err(issues) }
}

/// Refuses lists with too many conditions or values, or too long patterns.
fn check_size(list: &ListParams, issues: &mut Issues) {
    let mut size = Size::default();
    list.filters.iter().for_each(|it| size.add(it));
    if size.n_conditions > CONDITIONS_MAX {
        issues.add(format!(
            "At most {CONDITIONS_MAX} conditions can be combined, got: '{}'",
            size.n_conditions
        ));
    }
    if size.n_values > CONDITION_VALUES_MAX {
        issues
            .add(format!("At most {CONDITION_VALUES_MAX} values can be asked for, got: '{}'", size.n_values));
    }
    let patterns = size.n_letters_of_pattern.max(list.q.as_deref().map_or(0, |it| it.chars().count()));
    if patterns > PATTERN_LETTERS_MAX {
        issues.add(format!("At most {PATTERN_LETTERS_MAX} letters can be searched for, got: '{patterns}'"));
    }
}

/// The cost of evaluating the filters of a list.
#[derive(Default)]
struct Size {
    /// Empty branches count as one.
    n_conditions: usize,
    n_values: usize,
    /// The length of the longest `$like` pattern, in characters.
    n_letters_of_pattern: usize,
}

impl Size {
    fn add(&mut self, conditions: &Filter) {
        match conditions {
            Filter::All(parts) | Filter::Any(parts) if !parts.is_empty() => {
                parts.iter().for_each(|it| self.add(it));
            }
            Filter::All(_) | Filter::Any(_) => self.n_conditions += 1,
            Filter::One(Condition { comparison, values, .. }) => {
                self.n_conditions += 1;
                self.n_values += values.len();
                if let Comparison::Like | Comparison::Ilike = comparison {
                    let letters = values.iter().flatten().map(|it| it.chars().count());
                    self.n_letters_of_pattern = letters.fold(self.n_letters_of_pattern, usize::max);
                }
            }
        }
    }
}

/// The conditions in one part of `$and` and `$or`, which may hold further ones.
fn group(filters: Filters, value: &Value, issues: &mut Issues) -> Vec<Filter> {
    let mut conditions = Vec::new();
    let Value::Object(object) = value else { return conditions };
    for (name, value) in object {
        match (name.as_str(), value) {
            ("$and" | "$or", Value::Array(items)) => {
                let parts = items.iter().map(|item| Filter::All(group(filters, item, issues))).collect();
                conditions.push(if name == "$and" { Filter::All(parts) } else { Filter::Any(parts) });
            }
            _ => match filters.iter().find(|param| param.name == name) {
                Some(param) => param.read(value, &mut Vec::new(), &mut conditions, issues),
                None => issues.unknown(&[name]),
            },
        }
    }
    conditions
}

fn number(path: &[String], value: &Value, issues: &mut Issues) -> usize {
    let number = if let Value::String(text) = value { text.trim().parse::<f64>().ok() } else { None };
    match number {
        Some(number) if number < 0.0 => issues.too_small(path, "0"),
        Some(number) if number <= PAGE_MAX => return number as usize,
        _ => issues.wrong_type(path, "number", value),
    }
    0
}

impl Param {
    fn read(
        &self,
        value: &Value,
        above: &mut Vec<&'static str>,
        conditions: &mut Vec<Filter>,
        issues: &mut Issues,
    ) {
        above.push(self.name);
        let path: Vec<String> = above.iter().map(|it| (*it).to_owned()).collect();
        let mut add = |comparison, values| {
            conditions.push(Filter::One(Condition { path: above.clone(), comparison, values }));
        };
        match (&self.kind, value) {
            (ParamKind::Related(_), Value::String(_) | Value::Array(_)) => {
                Param::new("id", ParamKind::Any).read(value, above, conditions, issues);
            }
            (ParamKind::Nested(inner) | ParamKind::Related(inner), Value::Object(object)) => {
                for (name, value) in object {
                    match inner.iter().find(|param| param.name == name) {
                        Some(param) => param.read(value, above, conditions, issues),
                        None => issues.unknown(&[&format!("{}.{name}", path.join("."))]),
                    }
                }
            }
            (ParamKind::Nested(_) | ParamKind::Related(_), _) => issues.wrong_type(&path, "object", value),
            (ParamKind::Bool, Value::String(text)) if is_bool(text) => {
                add(Comparison::In, vec![Some(text.to_lowercase())]);
            }
            (ParamKind::Bool, _) => issues.add("Invalid input".into()),
            (ParamKind::Many, Value::String(_)) => issues.wrong_type(&path, "array", value),
            (kind, Value::Object(operators)) => {
                for (name, value) in operators {
                    match comparison(name) {
                        Some(comparison) => add(comparison, kind.values(value, &path, issues)),
                        None => issues.unknown(&[name]),
                    }
                }
            }
            (kind, _) => {
                let values = kind.values(value, &path, issues);
                add(Comparison::In, values);
            }
        }
        above.pop();
    }
}

impl ParamKind {
    fn values(&self, value: &Value, path: &[String], issues: &mut Issues) -> Vec<Option<String>> {
        let items = match value {
            // `id[]=a,b` is two ids.
            Value::Array(items) => match &items[..] {
                [Value::String(text)] => text.split(',').map(Value::from).collect(),
                _ => items.clone(),
            },
            one => vec![one.clone()],
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match (self, &item) {
                (_, Value::Null) => values.push(None),
                (ParamKind::AnyOrNull, Value::String(text)) if text == "null" => values.push(None),
                (ParamKind::Words(words), Value::String(text)) if !words.contains(&text.as_str()) => {
                    issues.not_among(path, words, &item);
                }
                (ParamKind::Date, Value::String(text)) if text.parse::<Timestamp>().is_err() => {
                    issues.wrong_type(path, "date", &item);
                }
                (ParamKind::Number, Value::String(text)) => match text.parse::<Decimal>() {
                    Err(_) => issues.wrong_type(path, "number", &item),
                    Ok(number) if !number.is_short() => issues.too_long(path),
                    Ok(_) => values.push(Some(text.clone())),
                },
                (_, Value::String(text)) => values.push(Some(text.clone())),
                _ => issues.wrong_type(path, "string", &item),
            }
        }
        values
    }
}

fn is_bool(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        "$eq" | "$in" => Comparison::In,
        "$ne" | "$nin" => Comparison::NotIn,
        "$lt" | "lt" => Comparison::Lt,
        "$lte" | "lte" => Comparison::Lte,
        "$gt" | "gt" => Comparison::Gt,
        "$gte" | "gte" => Comparison::Gte,
        "$like" => Comparison::Like,
        "$ilike" => Comparison::Ilike,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PARAMS: Params = Params {
        own: &[
            Param::new("id", ParamKind::Any),
            Param::new("parent", ParamKind::AnyOrNull),
            Param::new("channel", ParamKind::Many),
            Param::new("disabled", ParamKind::Bool),
            Param::new("created_at", ParamKind::Date),
            Param::new("status", ParamKind::Words(&["draft", "live"])),
            Param::new("variants", ParamKind::Nested(&[Param::new("sku", ParamKind::Any)])),
        ],
        limit: Some(20),
        strict: true,
    };

    #[track_caller]
    fn check_query(query: Value, expect: &str) {
        let Value::Object(query) = query else { panic!("a query is an object") };
        let got = match check(&PARAMS, &query) {
            Ok(list) => {
                let mut texts: Vec<String> = list.filters.iter().map(print).collect();
                texts.push(format!("{}+{}", list.offset, list.limit));
                texts.join(" ")
            }
            Err(issues) => issues.to_string(),
        };
        assert_eq!(got, expect);
    }

    fn print(conditions: &Filter) -> String {
        let all = |parts: &[Filter]| parts.iter().map(print).collect::<Vec<_>>().join(" ");
        match conditions {
            Filter::One(one) => {
                let values: Vec<&str> = one.values.iter().map(|it| it.as_deref().unwrap_or("null")).collect();
                format!("{}:{:?}:{}", one.path.join("."), one.comparison, values.join("|"))
            }
            Filter::All(parts) => format!("all({})", all(parts)),
            Filter::Any(parts) => format!("any({})", all(parts)),
        }
    }

    #[test]
    fn filters_and_pagination_are_parsed() {
        check_query(json!({}), "0+20");
        check_query(json!({"limit": "1.5", "offset": "2"}), "2+1");
        check_query(json!({"id": "a,b"}), "id:In:a,b 0+20");
        check_query(json!({"id": ["a,b"]}), "id:In:a|b 0+20");
        check_query(json!({"id": {"$ne": "a"}}), "id:NotIn:a 0+20");
        check_query(json!({"id": "null"}), "id:In:null 0+20");
        check_query(json!({"parent": ["null", "a"]}), "parent:In:null|a 0+20");
        check_query(json!({"disabled": "TRUE"}), "disabled:In:true 0+20");
        check_query(json!({"variants": {"sku": ["x", "y"]}}), "variants.sku:In:x|y 0+20");
        check_query(json!({"created_at": {"$gte": "2020-01-01"}}), "created_at:Gte:2020-01-01 0+20");
        check_query(json!({"$or": [{"id": "a"}, {"id": "b"}]}), "any(all(id:In:a) all(id:In:b)) 0+20");
    }

    /// Half an answer would look like a whole one.
    #[test]
    fn a_parameter_that_is_given_twice_and_used_once_is_refused() {
        let take = |query: Value| {
            let mut list = check(&PARAMS, query.as_object().expect("a query")).expect("a list");
            list.take_one("id").map_err(|it| it.to_string())
        };
        assert_eq!(take(json!({})), Ok(None));
        assert_eq!(take(json!({"id": "a"})), Ok(Some("a".into())));
        assert_eq!(take(json!({"id": ["a"]})), Ok(Some("a".into())));
        let refused =
            |got: &str| Err(format!("Invalid request: Expected type: 'string' for field 'id', got: '{got}'"));
        assert_eq!(take(json!({"id": ["a", "b"]})), refused("a,b"));
        assert_eq!(take(json!({"id": {"$ne": "a"}})), refused("[object Object]"));
        assert_eq!(take(json!({"id": {"$eq": "a", "$in": ["b"]}})), refused("[object Object]"));
    }

    #[test]
    fn filter_conditions_values_and_patterns_are_limited() {
        let branches = |n: usize| json!({ "$or": vec![json!({ "id": "a" }); n] });
        let many = |n: usize| check(&PARAMS, branches(n).as_object().expect("a query")).map(drop);
        assert_eq!(many(CONDITIONS_MAX), Ok(()));
        check_query(
            branches(CONDITIONS_MAX + 1),
            "Invalid request: At most 100 conditions can be combined, got: '101'",
        );
        check_query(
            json!({ "$or": vec![json!({}); CONDITIONS_MAX + 1] }),
            "Invalid request: At most 100 conditions can be combined, got: '101'",
        );
        let values = |n: usize| json!({ "id": vec!["a"; n] });
        assert!(check(&PARAMS, values(CONDITION_VALUES_MAX).as_object().expect("a query")).is_ok());
        check_query(
            values(CONDITION_VALUES_MAX + 1),
            "Invalid request: At most 2000 values can be asked for, got: '2001'",
        );
        let long = |n: usize| json!({ "id": { "$ilike": "a".repeat(n) }, "q": "b".repeat(n) });
        assert!(check(&PARAMS, long(PATTERN_LETTERS_MAX).as_object().expect("a query")).is_ok());
        check_query(
            long(PATTERN_LETTERS_MAX + 1),
            "Invalid request: At most 500 letters can be searched for, got: '501'",
        );
    }

    #[test]
    fn invalid_query_strings_are_refused_with_reasons() {
        check_query(json!({"foo": "bar"}), "Invalid request: Unrecognized fields: 'foo'");
        check_query(
            json!({"variants": {"sku": "x", "colour": "y"}}),
            "Invalid request: Unrecognized fields: 'variants.colour'",
        );
        check_query(json!({"$or": [{"foo": "a"}]}), "Invalid request: Unrecognized fields: 'foo'");
        check_query(
            json!({"limit": "abc"}),
            "Invalid request: Expected type: 'number' for field 'limit', got: 'abc'",
        );
        check_query(
            json!({"limit": ["1", "2"]}),
            "Invalid request: Expected type: 'number' for field 'limit', got: '1,2'",
        );
        check_query(
            json!({"limit": "-1"}),
            "Invalid request: Value for field 'limit' too small, expected at least: '0'",
        );
        check_query(
            json!({"channel": "a"}),
            "Invalid request: Expected type: 'array' for field 'channel', got: 'a'",
        );
        check_query(
            json!({"status": ["draft", "dead"]}),
            "Invalid request: Expected: 'draft, live' for field 'status', but got: 'dead'",
        );
        check_query(
            json!({"created_at": {"$gte": "soon"}}),
            "Invalid request: Expected type: 'date' for field 'created_at', got: 'soon'",
        );
    }
}
