//! The `fields` parameter: what a request wants of the answer.

use std::collections::BTreeMap;

/// Paths of fields, after the defaults of a route and the modifiers of a request were merged.
///
/// `a` wants a field, `+a` adds it to the defaults, `-a` takes it (and all below it) away, `*rel` and `rel.*`
/// want a whole relation. An entry without a modifier replaces the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldList {
    pub(crate) star: bool,
    pub(crate) named: bool,
    pub(crate) children: BTreeMap<String, FieldList>,
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

    /// What `fields` makes of the defaults. `key` is the primary key of the entity: it is always wanted.
    pub fn parse(defaults: &[&str], fields: Option<&str>, key: &str) -> Self {
        let Some(fields) = fields else { return FieldList::of(defaults) };
        let entries: Vec<&str> =
            fields.split(',').map(|entry| entry.trim_matches('\t')).filter(|it| !it.is_empty()).collect();
        let modified = |entry: &&str| entry.starts_with(['+', ' ', '-', '*']) || entry.ends_with(".*");
        let replaces = entries.is_empty() || !entries.iter().all(modified);
        let mut list = if replaces { FieldList::default() } else { FieldList::of(defaults) };
        for entry in &entries {
            if !entry.starts_with('-') {
                list.add(entry.trim_start_matches(['+', ' ']));
            }
        }
        for entry in &entries {
            if let Some(path) = entry.strip_prefix('-') {
                list.remove(path.trim_start_matches('*').trim_end_matches(".*"));
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
        let mut at = self;
        for segment in path.split('.').filter(|it| !it.is_empty()) {
            at = at.children.entry(segment.to_owned()).or_default();
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

    /// Is the path wanted, by name or below a star?
    pub fn wants(&self, path: &str) -> bool {
        match path.split_once('.') {
            None => self.children.contains_key(path),
            Some((first, rest)) => self.children.get(first).is_some_and(|child| child.wants(rest)),
        }
    }

    /// Drops every relation whose path is not among `allowed`, as the store routes of the wire do, in silence.
    /// `is_relation` knows which segments are relations.
    pub fn restrict(&mut self, allowed: &[&str], is_relation: &dyn Fn(&[&str], &str) -> bool) {
        fn walk(
            list: &mut FieldList,
            path: &mut Vec<String>,
            allowed: &[&str],
            is_relation: &dyn Fn(&[&str], &str) -> bool,
        ) {
            list.children.retain(|name, child| {
                let above: Vec<&str> = path.iter().map(String::as_str).collect();
                if !is_relation(&above, name) {
                    return true;
                }
                path.push(name.clone());
                let keep = allowed.contains(&path.join(".").as_str());
                if keep {
                    walk(child, path, allowed, is_relation);
                }
                path.pop();
                keep
            });
        }
        walk(self, &mut Vec::new(), allowed, is_relation);
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

    #[track_caller]
    fn check(fields: Option<&str>, expect: &str) {
        let list = FieldList::parse(&["id", "title", "*variants", "variants.options.value"], fields, "id");
        let mut out = Vec::new();
        print(&list, "", &mut out);
        assert_eq!(out.join(" "), expect);
    }

    #[test]
    fn modifiers_change_the_defaults_and_plain_names_replace_them() {
        check(None, "id title variants.* variants.options.value");
        check(Some("title"), "id title");
        check(Some(""), "id");
        check(Some("nope"), "id nope");
        check(Some("+handle"), "handle id title variants.* variants.options.value");
        check(Some(" handle"), "handle id title variants.* variants.options.value");
        check(Some("-variants"), "id title");
        check(Some("-title,-variants.options"), "id variants.*");
        check(Some("*tags"), "id tags.* title variants.* variants.options.value");
        check(Some("tags.*"), "id tags.* title variants.* variants.options.value");
        check(Some("id,+title,*tags.x"), "id tags.x.* title");
    }

    #[test]
    fn relations_that_are_not_allowed_are_dropped() {
        let mut list = FieldList::of(&["id", "*a", "a.b.c", "*x", "x.y"]);
        list.restrict(&["a"], &|_, name| ["a", "b", "x"].contains(&name));
        let mut out = Vec::new();
        print(&list, "", &mut out);
        assert_eq!(out.join(" "), "a.* id");
    }
}
