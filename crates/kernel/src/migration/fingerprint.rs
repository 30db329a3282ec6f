//! Fingerprints: what is kept in the database of each table, index, link, projection and other space, so that
//! a program sees whether what is stored is what it would have stored.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use atoll_storage::{STORE_FORMAT, version};

use crate::{
    Registry,
    data::{EntityDef, FieldKind, FieldValue, History, IndexDef, Link, LinkRow, Projection, SpaceDef, Step},
};

crate::words! {
    /// What has a fingerprint.
    pub enum PartKind {
        /// The records of an entity.
        #[default]
        Table = "table",
        /// An index of a table.
        Index = "index",
        /// The rows of a link.
        Link = "link",
        /// A projection.
        Projection = "projection",
        /// A space beside the tables.
        Space = "space",
    }
}

/// What is kept of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fingerprint {
    /// What it is.
    pub kind: PartKind,
    /// Its name, or that of its space.
    pub name: String,
    /// The version of its records, or of what makes its keys.
    pub version: u16,
    /// What it is made of: the fields of an index, the ends of a link, what a projection follows.
    pub form: String,
    /// What its values hold, by path: `items.takes.quantity`; columns of a link.
    pub fields: BTreeMap<String, String>,
    /// The table of an index.
    pub of: String,
    /// Are some of its records still of an earlier version, because a migration has not come to its end?
    pub is_partly_older: bool,
}

impl PartKind {
    /// `index product.by_handle`: what the part of this kind and name is found by.
    pub(crate) fn key(self, name: &str) -> String {
        format!("{} {name}", self.as_str())
    }
}

impl Fingerprint {
    /// What it is found by.
    pub fn key(&self) -> String {
        self.kind.key(&self.name)
    }

    fn index(table: &EntityDef, index: &IndexDef) -> Fingerprint {
        let unique = if index.unique { "unique " } else { "" };
        let deleted = if index.of_deleted { "deleted " } else { "" };
        Fingerprint {
            kind: PartKind::Index,
            name: index.space.into(),
            version: index.version,
            form: format!("{unique}{} of {deleted}{}", index.fields.join(" "), table.name),
            of: table.name.into(),
            ..Fingerprint::default()
        }
    }

    fn projection(projection: &Projection) -> Fingerprint {
        Fingerprint {
            kind: PartKind::Projection,
            name: projection.name.into(),
            version: projection.version,
            form: format!("{} into {}", projection.follows.join(" "), projection.spaces.join(" ")),
            ..Fingerprint::default()
        }
    }
}

/// What holds fields: its fingerprint, and what fingerprints are compared with.
struct Holder {
    part: Fingerprint,
    fields: Fields,
}

/// The fields of a part by their paths, and how they came to be so.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) kinds: BTreeMap<String, FieldKind>,
    pub(crate) history: History,
}

impl Fields {
    fn add(&mut self, kind: FieldKind) {
        kind.paths("", &mut |path, kind| {
            self.kinds.insert(path, kind);
        });
    }
}

impl Holder {
    fn new(kind: PartKind, name: &str, form: String, fields: Fields) -> Holder {
        let part = Fingerprint {
            kind,
            name: name.into(),
            version: version(fields.history),
            form,
            fields: fields.kinds.iter().map(|(path, kind)| (path.clone(), kind.name())).collect(),
            ..Fingerprint::default()
        };
        Holder { part, fields }
    }

    fn table(def: &EntityDef) -> Holder {
        let mut fields = Fields { history: def.history, ..Fields::default() };
        fields.add(FieldKind::Fields { names: def.fields, kinds: def.kinds });
        Holder::new(PartKind::Table, def.name, String::new(), fields)
    }

    fn link(link: &Link) -> Holder {
        let end =
            |end: &crate::data::End| format!("{}{}", if end.many { "many " } else { "one " }, end.entity);
        let mut fields = Fields { history: link.history, ..Fields::default() };
        fields.add(LinkRow::KIND);
        // Its columns are in there, and are named as if they were fields of the row.
        fields.kinds.remove("data");
        fields.kinds.extend(link.columns.iter().map(|it| (it.name.to_owned(), it.kind)));
        let form = format!("{} to {}", end(&link.left), end(&link.right));
        Holder::new(PartKind::Link, link.name, form, fields)
    }

    fn space(def: &SpaceDef) -> Holder {
        let mut fields = Fields { history: def.history, ..Fields::default() };
        let form = def.kind.map_or_else(|| "keys and numbers".to_owned(), |it| it.name());
        def.kind.into_iter().for_each(|it| fields.add(it));
        Holder::new(PartKind::Space, def.space, form, fields)
    }
}

/// The form in which a program stores everything: all its fingerprints.
pub struct Format {
    /// By their keys.
    pub parts: BTreeMap<String, Fingerprint>,
    /// The fields of those that hold some, by the same keys.
    pub(crate) fields: BTreeMap<String, Fields>,
}

impl Registry {
    /// The form in which this program stores everything.
    pub fn format(&self) -> Format {
        let tables = self.tables().map(|it| Holder::table(it.def()));
        let links = self.links.iter().map(|it| Holder::link(it));
        let holders = tables.chain(links).chain(self.slots().map(|it| Holder::space(&it)));
        let mut format = Format { parts: BTreeMap::new(), fields: BTreeMap::new() };
        for Holder { part, fields } in holders {
            format.fields.insert(part.key(), fields);
            format.parts.insert(part.key(), part);
        }
        let indexes = self.tables().flat_map(|table| {
            table.index_defs().into_iter().map(move |it| Fingerprint::index(table.def(), &it))
        });
        let projections = self.projections.iter().map(|it| Fingerprint::projection(it));
        format.parts.extend(indexes.chain(projections).map(|it| (it.key(), it)));
        format
    }
}

/// The number of the store's format, a line for each part, and below it one for each field and each step of
/// its history: for the snapshot in git.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "store {STORE_FORMAT}")?;
        for (key, part) in &self.parts {
            writeln!(
                f,
                "{key} {}{}{}",
                part.version,
                if part.form.is_empty() { "" } else { ": " },
                part.form
            )?;
            for (field, kind) in &part.fields {
                writeln!(f, "  {field}: {kind}")?;
            }
            let history = self.fields.get(key).map_or(&[][..], |it| it.history);
            for (from, step) in
                history.iter().enumerate().flat_map(|(n, steps)| steps.iter().map(move |it| (n + 1, it)))
            {
                match step {
                    Step::Renamed { from: field, to } => {
                        writeln!(f, "  from {from}: {field} is called {to}")?
                    }
                    Step::Dropped(field) => writeln!(f, "  from {from}: {field} is dropped")?,
                    Step::Filled(field, _) => writeln!(f, "  from {from}: {field} is filled")?,
                    Step::Changed(_) => writeln!(f, "  from {from}: changed by a function")?,
                }
            }
        }
        Ok(())
    }
}
