//! Change events: `created`, `updated`, `deleted` of records; `attached`, `updated`, `detached` of links.
//! They are written in the transaction that makes the change, and only if a subscriber follows them.
//!
//! Records: `product.product-variant.created` and so on, with `{"id"}`; restoring a record counts as creating
//! it. Links: `LinkProductSalesChannel.attached`, `.updated` if columns change, and `.detached`, with the ids
//! of both ends.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::{
    Moment, Registry, StoreError, Write,
    data::{Change, Link, Module, Scalar},
    jobs::emit,
};

/// The kind of a change to a record or a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happening {
    Begins,
    Changes,
    Ends,
}

/// Names of the change events that have a subscriber, by entity or link. Events without one are never
/// written.
#[derive(Debug, Default)]
pub struct Followed(HashMap<&'static str, [Option<String>; 3]>);

impl Followed {
    /// The change events of these entities and links that a subscriber follows.
    pub(crate) fn of(registry: &Registry) -> Followed {
        let is_followed = |event: &String| registry.subscribers.iter().any(|it| it.follows(event));
        let (modules, links) = (registry.modules.iter().copied(), registry.links.iter().copied());
        let followed = change_events(modules, links)
            .into_iter()
            .map(|(of, names)| (of, names.map(|name| name.filter(is_followed))));
        Followed(followed.filter(|(_, names)| names.iter().any(Option::is_some)).collect())
    }

    fn name(&self, of: &str, happening: Happening) -> Option<&str> {
        self.0.get(of)?[happening as usize].as_deref()
    }
}

/// The names of the change events of each entity and link: those of its beginning, its changes, its end.
pub(crate) fn change_events(
    modules: impl Iterator<Item = &'static Module>,
    links: impl Iterator<Item = &'static Link>,
) -> Vec<(&'static str, [Option<String>; 3])> {
    let mut events = Vec::new();
    for module in modules.filter(|it| !it.is_log) {
        for service in module.services {
            let entity = service.table().def().name;
            let name = |end: &str| Some(format!("{}.{}.{end}", module.name, entity.replace('_', "-")));
            events.push((entity, [name("created"), name("updated"), name("deleted")]));
        }
    }
    for link in links {
        let name = |end: &str| Some(format!("Link{}.{end}", pascal(link.name)));
        events.push((link.name, [name("attached"), name("updated"), name("detached")]));
    }
    events
}

fn pascal(name: &str) -> String {
    let word = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    name.split('_').filter(|it| !it.is_empty()).map(word).collect()
}

/// Writes the event of a change, if a subscriber follows it.
pub(crate) fn write(tx: &mut dyn Write, at: &Moment, change: &Change<'_>) -> Result<(), StoreError> {
    let (happening, record) = match (change.before, change.after) {
        (None, Some(record)) => (Happening::Begins, record),
        (Some(_), Some(record)) => (Happening::Changes, record),
        (Some(record), None) => (Happening::Ends, record),
        (None, None) => return Ok(()),
    };
    let registry = Registry::get();
    let Some(name) = registry.followed.name(change.of, happening) else { return Ok(()) };
    let mut data = Map::from_iter([("id".to_owned(), record.key().into())]);
    if let Some(link) = registry.links.iter().find(|it| it.name == change.of) {
        data.extend(ends(link, |key| record.scalar(key)));
    }
    emit(tx, at, name, Value::Object(data))
}

fn ends<'a>(
    link: &'static Link,
    value: impl Fn(&str) -> Scalar<'a>,
) -> impl Iterator<Item = (String, Value)> {
    [link.left.key, link.right.key].into_iter().filter_map(move |key| match value(key) {
        Scalar::Text(id) => Some((key.to_owned(), id.into())),
        _ => None,
    })
}
