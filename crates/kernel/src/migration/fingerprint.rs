//! Fingerprints of the schema: one is stored for each table, index, link, projection and other space, so that
//! a program detects stored data that it would have stored differently.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use atoll_storage::{STORE_FORMAT, version};

use crate::{
    Registry,
    data::{EntityDef, FieldKind, FieldValue, History, IndexDef, Link, LinkRow, Projection, SpaceDef, Step},
};

crate::words! {
    /// The kinds of parts that have a fingerprint.
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
        /// A space that is no table: see `SpaceDef`.
        Space = "space",
    }
}

/// The fingerprint of a part: its schema and version, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fingerprint {
    /// The kind of the part.
    pub kind: PartKind,
    /// Its name, or that of its space.
    pub name: String,
    /// The schema version: of the records, or of the function that makes the keys.
    pub version: u16,
    /// Fields of an index, ends of a link, entities that a projection follows.
    pub form: String,
    /// Types of the stored fields by path (`items.takes.quantity`), and of the columns of a link.
    pub fields: BTreeMap<String, String>,
    /// The table of an index; else empty.
    pub of: String,
    /// True while a migration rewrites the records: some are still of an earlier version.
    pub is_partly_older: bool,
}

impl PartKind {
    /// `index product.by_handle`: the key of a fingerprint of this kind and name.
    pub(crate) fn key(self, name: &str) -> String {
        format!("{} {name}", self.as_str())
    }
}

impl Fingerprint {
    /// The key under which it is stored.
    pub fn key(&self) -> String {
        self.kind.key(&self.name)
    }

    fn index(table: &EntityDef, index: &IndexDef) -> Fingerprint {
        let unique = if index.unique { "unique " } else { "" };
        let deleted = if index.of_deleted { "deleted " } else { "" };
        // Up to format 5, every index that is not unique counted its rows.
        let counts = if index.unique || index.counted { "" } else { ", not counted" };
        Fingerprint {
            kind: PartKind::Index,
            name: index.space.into(),
            version: index.version,
            form: format!("{unique}{} of {deleted}{}{counts}", index.fields.join(" "), table.name),
            of: table.name.into(),
            ..Fingerprint::default()
        }
    }

    fn projection(projection: &Projection) -> Fingerprint {
        let lists = projection.list_index.map(|it| format!(": {}", it.form())).unwrap_or_default();
        Fingerprint {
            kind: PartKind::Projection,
            name: projection.name.into(),
            version: projection.version,
            form: match projection.spaces {
                [] => projection.follows.join(" "),
                spaces => format!("{} into {}{lists}", projection.follows.join(" "), spaces.join(" ")),
            },
            ..Fingerprint::default()
        }
    }
}

/// A part with fields: its fingerprint, and the types that stored fingerprints are compared with.
struct Holder {
    part: Fingerprint,
    fields: Fields,
}

/// Types of the fields of a part by path, and its history.
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
        fields.add(def.kind());
        Holder::new(PartKind::Table, def.name, String::new(), fields)
    }

    fn link(link: &Link) -> Holder {
        let end =
            |end: &crate::data::End| format!("{}{}", if end.many { "many " } else { "one " }, end.entity);
        let mut fields = Fields { history: link.history, ..Fields::default() };
        fields.add(LinkRow::KIND);
        // Columns of a link are stored inside `data`, and named as if they were fields of the row.
        fields.kinds.remove("data");
        fields.kinds.extend(link.columns.iter().map(|it| (it.name.to_owned(), it.kind)));
        // Up to format 5, the pairs of each end were counted.
        let counts = link.counted.map_or("none", |it| link.end(it).entity);
        let form = format!("{} to {}, counts {counts}", end(&link.left), end(&link.right));
        Holder::new(PartKind::Link, link.name, form, fields)
    }

    fn space(def: &SpaceDef) -> Holder {
        let mut fields = Fields { history: def.history, ..Fields::default() };
        let form = def.kind.map_or_else(|| "keys and numbers".to_owned(), |it| it.name());
        def.kind.into_iter().for_each(|it| fields.add(it));
        Holder::new(PartKind::Space, def.space, form, fields)
    }
}

/// The schema of everything that a program stores: all its fingerprints.
pub struct Format {
    /// Fingerprints by key.
    pub parts: BTreeMap<String, Fingerprint>,
    /// Fields of the parts that have some, by the same keys.
    pub(crate) fields: BTreeMap<String, Fields>,
    /// The shapes of all values: see `storage/shape.rs`.
    pub(crate) shapes: BTreeSet<String>,
}

impl Registry {
    /// The schema of everything that this program stores.
    pub fn format(&self) -> Format {
        let tables = self.tables().map(|it| Holder::table(it.def()));
        let links = self.links.iter().map(|it| Holder::link(it));
        let holders = tables.chain(links).chain(self.slots().map(|it| Holder::space(&it)));
        let kinds = self.tables().map(|it| it.def().kind()).chain(self.slots().filter_map(|it| it.kind));
        let shapes = kinds.chain([LinkRow::KIND]).map(|it| it.shape()).collect();
        let mut format = Format { parts: BTreeMap::new(), fields: BTreeMap::new(), shapes };
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

/// The format of the store, a line for each part, and below it one for each field and each step of its
/// history: for the snapshot in git.
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
