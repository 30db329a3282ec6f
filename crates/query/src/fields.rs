//! The `fields` parameter: the projection that a request asks for, and the allow-list of a route.

use std::collections::BTreeMap;

use atoll_values::{Fields, limits::FIELDS_DEPTH_MAX};

/// Entries of one `fields` parameter that are read; the rest is ignored.
const N_ENTRIES_MAX: usize = 1000;

/// The paths of fields that an answer shows: the defaults of a route, merged with the `fields` of a request.
///
/// `a` selects a field, `+a` adds it to the defaults, `-a` removes it and everything below it, `*rel` and
/// `rel.*` select a whole relation. An entry without a modifier replaces the defaults. A path that is named
/// explicitly below `-a` is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldList {
    pub(crate) star: bool,
    pub(crate) named: bool,
    pub(crate) children: BTreeMap<String, FieldList>,
    /// The position in which it was named among its siblings.
    position: usize,
    n_named: usize,
}

impl FieldList {
    /// The defaults of a route, in the syntax of the parameter.
    pub fn of(defaults: &[&str]) -> Self {
        let mut list = FieldList::default();
        for path in defaults {
            list.add(path);
        }
        list
    }

    /// Merges the defaults with a request. `key` is the primary key of the entity, which is always selected.
    pub fn parse(defaults: &FieldList, fields: &Fields, key: &str) -> Self {
        let entries: Vec<&str> = fields
            .asked()
            .unwrap_or_default()
            .split(',')
            .take(N_ENTRIES_MAX)
            .map(|entry| entry.trim_matches('\t'))
            .filter(|it| !it.is_empty())
            .collect();
        let modified = |entry: &&str| entry.starts_with(['+', ' ', '-', '*']) || entry.ends_with(".*");
        // Commas without a name between them leave the defaults, where something else is shown beside them.
        let is_alone = fields.expanded().is_empty() && fields.added().is_empty();
        let asks_for_nothing =
            fields.asked().is_some_and(|it| it.is_empty() || is_alone) && entries.is_empty();
        let replaces = asks_for_nothing || !entries.iter().all(modified);
        let mut list = if replaces { FieldList::default() } else { defaults.clone() };
        let bare = |path: &'_ str| path.trim_start_matches('*').trim_end_matches(".*").to_owned();
        let removed: Vec<String> = entries.iter().filter_map(|it| it.strip_prefix('-')).map(bare).collect();
        removed.iter().for_each(|path| list.remove(path));
        if asks_for_nothing {
            list.add(key);
        }
        let named = entries.iter().filter(|it| !it.starts_with('-'));
        let named = named.map(|it| it.trim_start_matches(['+', ' ']));
        let expanded = fields.expanded().iter().take(N_ENTRIES_MAX).map(String::as_str);
        for path in named.chain(expanded).chain(fields.added().iter().copied()) {
            if removed.is_empty() || !removed.contains(&bare(path)) {
                list.add(path);
            }
        }
        list.add(key);
        list
    }

    /// Adds a path: `a.b`, `*a.b` or `a.b.*`.
    pub fn add(&mut self, path: &str) {
        let (path, star) = match (path.strip_prefix('*'), path.strip_suffix(".*")) {
            (Some(path), _) => (path, true),
            (None, Some(path)) => (path, true),
            (None, None) => (path, path.is_empty()),
        };
        if path.split('.').count() > FIELDS_DEPTH_MAX {
            return;
        }
        let mut at = self;
        for segment in path.split('.').filter(|it| !it.is_empty()) {
            let position = at.n_named;
            at.n_named += 1;
            at = at
                .children
                .entry(segment.to_owned())
                .or_insert_with(|| FieldList { position, ..FieldList::default() });
        }
        at.star |= star;
        at.named |= !star;
    }

    /// Removes a path and everything below it.
    pub fn remove(&mut self, path: &str) {
        match path.split_once('.') {
            None => {
                self.children.remove(path);
            }
            Some((first, rest)) => {
                if let Some(child) = self.children.get_mut(first) {
                    child.remove(rest);
                }
            }
        }
    }

    /// The children in the order in which they were named.
    pub(crate) fn in_order(&self) -> Vec<(&str, &FieldList)> {
        let mut all: Vec<_> = self.children.iter().map(|(name, child)| (name.as_str(), child)).collect();
        all.sort_by_key(|(_, child)| child.position);
        all
    }

    /// Drops, without an error, what the allow-list `allowed` does not hold, as the store routes of the wire
    /// do. `is_guarded` tells for a path and a name whether it is a relation or a computed field: these must
    /// be named.
    pub fn restrict(&mut self, allowed: &StoreFields, is_guarded: &dyn Fn(&[String], &str) -> bool) {
        self.restrict_below(&mut Vec::new(), allowed, is_guarded);
    }

    fn restrict_below(
        &mut self,
        above: &mut Vec<String>,
        allowed: &StoreFields,
        is_guarded: &dyn Fn(&[String], &str) -> bool,
    ) {
        // A star on a relation that is allowed in parts selects these.
        if (self.star || self.named) && !allowed.is_whole(above) {
            (self.star, self.named) = (false, false);
            let parts = allowed.parts_of(above).filter(|name| !is_guarded(above, name));
            parts.for_each(|name| self.add(name));
        }
        self.children.retain(|name, child| {
            let guarded = is_guarded(above, name);
            above.push(name.clone());
            let mut keep = allowed.shows(above, guarded);
            if keep && guarded {
                child.restrict_below(above, allowed, is_guarded);
                // Nothing of it is allowed, or it was asked for nothing else.
                keep = child.star || child.named || !child.children.is_empty();
            }
            above.pop();
            keep
        });
    }
}

/// The path under which an allow-list names these segments. Repetitions are dropped: a relation from an
/// entity to itself, such as from a category to its children, is allowed at any depth.
pub fn allowed_path(segments: &[String]) -> String {
    let mut path = segments.to_vec();
    path.dedup();
    path.join(".")
}

/// What storefronts may ask for: the allow-list of relations and computed fields that `fields` may select.
/// The record's own fields are always allowed.
#[derive(Clone, Copy, Debug)]
pub struct StoreFields {
    /// Relations with all fields of their records, and computed fields, by path.
    pub whole: &'static [&'static str],
    /// Single fields of other relations, by path.
    pub parts: &'static [&'static str],
}

impl StoreFields {
    /// The record's own fields alone.
    pub const OWN: StoreFields = StoreFields { whole: &[], parts: &[] };

    /// Are all fields of the record at the end of this path of relations allowed?
    pub fn is_whole(&self, path: &[String]) -> bool {
        path.is_empty() || self.whole.contains(&allowed_path(path).as_str())
    }

    /// The fields that are allowed of the record at the end of this path of relations, one by one.
    fn parts_of(&self, path: &[String]) -> impl Iterator<Item = &'static str> {
        let above = format!("{}.", allowed_path(path));
        self.parts.iter().filter_map(move |it| it.strip_prefix(&*above)).filter(|it| !it.contains('.'))
    }

    /// Is what this path names allowed? A relation or a computed field (`is_guarded`) must be named, whole or
    /// in parts; other fields come with their record.
    pub fn shows(&self, path: &[String], is_guarded: bool) -> bool {
        let Some((_, above)) = path.split_last() else { return true };
        let name = allowed_path(path);
        let below = format!("{name}.");
        let is_part = || self.parts.iter().any(|it| *it == name || it.starts_with(&below));
        if is_guarded { self.is_whole(path) || is_part() } else { self.is_whole(above) || is_part() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(list: &FieldList, prefix: &str, out: &mut Vec<String>) {
        if list.star {
            out.push(format!("{prefix}*"));
        }
        for (name, child) in &list.children {
            if child.named {
                out.push(format!("{prefix}{name}"));
            }
            print(child, &format!("{prefix}{name}."), out);
        }
    }

    fn parse(defaults: &FieldList, fields: Option<&str>) -> FieldList {
        FieldList::parse(defaults, &fields.map(Fields::parse).unwrap_or_default(), "id")
    }

    #[track_caller]
    fn check(fields: Option<&str>, expect: &str) {
        let defaults = FieldList::of(&["id", "title", "*variants", "variants.options.value"]);
        let list = parse(&defaults, fields);
        let mut out = Vec::new();
        print(&list, "", &mut out);
        assert_eq!(out.join(" "), expect);
    }

    #[test]
    fn fields_modifiers_change_the_defaults_and_plain_names_replace_them() {
        check(None, "id title variants.* variants.options.value");
        check(Some("title"), "id title");
        check(Some(""), "id");
        check(Some("nope"), "id nope");
        check(Some("+handle"), "handle id title variants.* variants.options.value");
        check(Some(" handle"), "handle id title variants.* variants.options.value");
        check(Some("-variants"), "id title");
        check(Some("-title,-variants.options"), "id variants.*");
        check(Some("title,variants.id,-variants"), "id title variants.id");
        check(Some("+variants.id,-variants"), "id title variants.id");
        check(Some("+*tags,-tags"), "id title variants.* variants.options.value");
        check(Some("*tags"), "id tags.* title variants.* variants.options.value");
        check(Some("tags.*"), "id tags.* title variants.* variants.options.value");
        check(Some("id,+title,*tags.x"), "id tags.x.* title");
    }

    #[test]
    fn what_a_route_adds_is_shown_whatever_is_asked_for() {
        let added = |fields: Option<&str>, expanded: &str| {
            let mut fields = fields.map(Fields::parse).unwrap_or_default();
            fields.expand(expanded);
            fields.add("tags.id");
            let list = FieldList::parse(&FieldList::of(&["id", "title"]), &fields, "id");
            let mut out = Vec::new();
            print(&list, "", &mut out);
            out.join(" ")
        };
        assert_eq!(added(None, ""), "id tags.id title");
        assert_eq!(added(Some(""), ""), "id tags.id");
        assert_eq!(added(Some(","), ""), "id tags.id title");
        assert_eq!(added(Some("handle"), ""), "handle id tags.id");
        assert_eq!(added(Some("-title"), ""), "id tags.id");
        assert_eq!(added(Some("-tags.id"), ""), "id title");
        // Beside the defaults, where nothing is asked for by name.
        assert_eq!(added(None, "type, "), "id tags.id title type.*");
        assert_eq!(added(Some(""), "type"), "id tags.id title type.*");
        assert_eq!(added(Some("handle"), "type"), "handle id tags.id type.*");
    }

    #[test]
    fn fields_outside_the_allow_list_are_dropped() {
        let mut list = FieldList::of(&[
            "id", "*a", "a.b.c", "*x", "x.y", "a.price", "a.secret_price", "z.id", "z.no", "y.no",
        ]);
        list.restrict(&ALLOWED, &is_guarded);
        assert_eq!(printed(&list), "a.* a.price id z.id");
    }

    #[test]
    fn a_star_selects_the_parts_that_are_allowed() {
        for all in ["*z", "z", "z.*", "*z,z.no"] {
            let mut list = FieldList::of(&all.split(',').collect::<Vec<_>>());
            list.restrict(&ALLOWED, &is_guarded);
            assert_eq!(printed(&list), "z.code z.id", "{all}");
        }
    }

    const ALLOWED: StoreFields =
        StoreFields { whole: &["a", "a.price"], parts: &["z.id", "z.code", "z.x.id", "y.id"] };

    fn is_guarded(_: &[String], name: &str) -> bool {
        ["a", "b", "x", "y", "z", "price", "secret_price"].contains(&name)
    }

    fn printed(list: &FieldList) -> String {
        let mut out = Vec::new();
        print(list, "", &mut out);
        out.join(" ")
    }

    #[test]
    fn fields_depth_is_limited() {
        let deep = vec!["a"; 100_000].join(".");
        assert_eq!(parse(&FieldList::default(), Some(&deep)), FieldList::of(&["id"]));
    }

    #[test]
    fn fields_keep_the_order_of_the_request() {
        let list = parse(&FieldList::of(&["id", "title", "handle"]), Some("-title,+handle,+status,+title2"));
        let names: Vec<&str> = list.in_order().into_iter().map(|it| it.0).collect();
        assert_eq!(names, ["id", "handle", "status", "title2"]);
        let list = parse(&FieldList::default(), Some("title,handle"));
        let names: Vec<&str> = list.in_order().into_iter().map(|it| it.0).collect();
        assert_eq!(names, ["title", "handle", "id"]);
    }
}
