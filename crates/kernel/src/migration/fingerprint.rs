//! Fingerprints: what is kept in the database of each table, index, link and projection, so that a program
//! sees whether what is stored is what it would have stored.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use atoll_storage::{STORE_FORMAT, version};

use crate::{EntityDef, FieldKind, History, IndexDef, Link, Projection, Registry, Step};

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
    /// What its records hold, by name: kinds of fields, columns of a link.
    pub fields: BTreeMap<String, String>,
    /// The table of an index.
    pub of: String,
    /// Are some of its records still of an earlier version, because a migration has not come to its end?
    pub is_partly_older: bool,
}

impl Fingerprint {
    /// `index product.by_handle`: what it is found by.
    pub fn key(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.name)
    }

    fn table(def: &EntityDef) -> Fingerprint {
        let mut fields = BTreeMap::new();
        add_fields(def, "", &mut fields);
        Fingerprint {
            kind: PartKind::Table,
            name: def.name.into(),
            version: def.version(),
            fields,
            ..Fingerprint::default()
        }
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

    fn link(link: &Link) -> Fingerprint {
        let end = |end: &crate::End| format!("{}{}", if end.many { "many " } else { "one " }, end.entity);
        Fingerprint {
            kind: PartKind::Link,
            name: link.name.into(),
            version: version(link.history),
            form: format!("{} to {}", end(&link.left), end(&link.right)),
            fields: link.columns.iter().map(|it| (it.name.to_owned(), FieldKind::Any.name())).collect(),
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

/// The fields of a record and, behind its name and a dot, of each record in it.
fn add_fields(def: &EntityDef, above: &str, fields: &mut BTreeMap<String, String>) {
    for (field, kind) in def.fields.iter().zip(def.kinds) {
        fields.insert(format!("{above}{field}"), kind.name());
    }
    for embed in def.embeds {
        add_fields((embed.entity)(), &format!("{above}{}.", embed.name), fields);
    }
}

/// The form in which a program stores everything: all its fingerprints.
pub struct Format {
    /// By their keys.
    pub parts: BTreeMap<String, Fingerprint>,
    histories: Vec<(String, History)>,
}

impl Registry {
    /// The form in which this program stores everything.
    pub fn format(&self) -> Format {
        let mut parts = Vec::new();
        let mut histories = Vec::new();
        for service in self.modules.iter().flat_map(|it| it.services) {
            let def = service.table().def();
            let table = Fingerprint::table(def);
            histories.push((table.key(), def.history));
            parts.push(table);
            parts.extend(service.table().index_defs().iter().map(|it| Fingerprint::index(def, it)));
        }
        for link in &self.links {
            let part = Fingerprint::link(link);
            histories.push((part.key(), link.history));
            parts.push(part);
        }
        parts.extend(self.projections.iter().map(|it| Fingerprint::projection(it)));
        Format { parts: parts.into_iter().map(|it| (it.key(), it)).collect(), histories }
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
            let history = self.histories.iter().find(|(of, _)| of == key).map_or(&[][..], |(_, it)| it);
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
