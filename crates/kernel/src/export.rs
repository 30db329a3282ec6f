//! What an export of the whole shop has: a section for each table, link and other space, derived from what is
//! linked in, and each with its lines of JSON.
//!
//! A new table is exported without a word by its author. What is not, stands in [`LEFT_OUT`] by name.

use atoll_storage::{
    EnterLine, EnterRows as _, LineError, Read, SEQUENCES, Span, Write, WriteKeys, all_known, from_json,
    sequences, set_last_number, to_json, version,
};
use serde_json::{Map, Value, json};

use crate::{
    Registry, StoreError,
    data::{Direction, Link, Scan, Space, SpaceDef, TableSource},
};

/// Tables and other spaces that are not exported, each with the reason: what belongs to one running program
/// and not to the shop, and what is counted anew.
pub const LEFT_OUT: &[(Space, &str)] = &[
    ("auth_session", "who is logged in: an imported shop has secrets of its own, and all log in again"),
    ("availability.announced", ANNOUNCED_ANEW),
    ("availability.announcing", ANNOUNCED_ANEW),
    ("availability.due", ANNOUNCED_ANEW),
    ("availability.sale_counts", "counted anew in the background"),
    ("availability.sale_counts_place", "counted anew in the background"),
    ("availability.sellers", ANNOUNCED_ANEW),
    ("availability.touched", ANNOUNCED_ANEW),
    ("dead_letter", "events that a subscriber failed on: deliver them again before the export"),
    ("idempotency.age", "answers to repeated requests, which are kept for a day"),
    ("idempotency.bytes", "answers to repeated requests, which are kept for a day"),
    ("idempotency.client", "answers to repeated requests, which are kept for a day"),
    ("idempotency.key", "answers to repeated requests, which are kept for a day"),
    ("job_run", "a log of what the program did"),
    ("outbox", "events that subscribers of this program get, and would get a second time from a copy"),
    ("shop.secret", "an imported shop has secrets of its own"),
    ("subscriber.cursor", "how far the subscribers of this program have come in its events"),
    ("user.first_admin_link", "an imported shop has its admins"),
    ("workflow_execution", "runs of sagas: two programs must not both go on with a payment"),
];

const ANNOUNCED_ANEW: &str = "an imported shop finds out anew what it sells, and announces nothing of it";

/// A part of an export, which is a file of it: rows of one kind, a line of JSON each.
#[derive(Clone, Copy)]
pub struct Section {
    module: &'static str,
    rows: Rows,
}

/// What the lines of a section are.
#[derive(Clone, Copy)]
enum Rows {
    /// The records of a table: the live ones by id, then the soft-deleted ones by id.
    Table(&'static dyn TableSource),
    /// The pairs of a link: the live ones by their ends, then the soft-deleted ones.
    Link(&'static Link),
    /// What sequences have issued last, by name.
    Sequences,
    /// Keys, with values where there are some.
    Space(SpaceDef),
}

/// The module of the sections that belong to links and to the program as a whole.
const NO_MODULE: &str = "atoll";

impl Registry {
    /// The sections of an export, in an order in which they can be entered: what refers to records comes
    /// behind these.
    pub fn sections(&'static self) -> Vec<Section> {
        let section = |module: &'static str, rows: Rows| Section { module, rows };
        let tables = self.modules.iter().flat_map(|module| {
            module.services.iter().map(|it| section(module.name, Rows::Table(it.table())))
        });
        let links = self.links.iter().map(|it| section(NO_MODULE, Rows::Link(it)));
        let spaces = self.slots().map(|it| match it.space {
            SEQUENCES => section(NO_MODULE, Rows::Sequences),
            _ => section(self.module_of_space(it.space), Rows::Space(it)),
        });
        let is_left_out = |it: &Section| LEFT_OUT.iter().any(|(space, _)| *space == it.space());
        let mut sections: Vec<Section> = tables.chain(links).chain(spaces).collect();
        sections.retain(|it| !is_left_out(it));
        sections.sort_by_key(|it| (it.rank(), it.name()));
        sections
    }

    fn module_of_space(&self, space: Space) -> &'static str {
        let has = |module: &&&crate::data::Module| module.spaces.iter().any(|it| it.space == space);
        self.modules.iter().find(has).map_or(NO_MODULE, |it| it.name)
    }
}

impl Section {
    /// `product.product_variant`: its module and the name of its table, link or space.
    pub fn name(&self) -> String {
        format!("{}.{}", self.module, self.space())
    }

    /// The space that holds its rows; that of deleted ones is another.
    pub fn space(&self) -> Space {
        match self.rows {
            Rows::Table(table) => table.def().name,
            Rows::Link(link) => link.name,
            Rows::Sequences => SEQUENCES,
            Rows::Space(def) => def.space,
        }
    }

    /// The version of its rows, which says how an earlier one is read.
    pub fn version(&self) -> u16 {
        version(match self.rows {
            Rows::Table(table) => table.def().history,
            Rows::Link(link) => link.history,
            Rows::Sequences => &[],
            Rows::Space(def) => def.history,
        })
    }

    /// Tables before links, which refer to records.
    fn rank(&self) -> u8 {
        match self.rows {
            Rows::Table(_) => 0,
            Rows::Link(_) => 1,
            Rows::Sequences | Rows::Space(_) => 2,
        }
    }

    /// Is it a table: may others refer to its records?
    pub fn is_table(&self) -> bool {
        self.rank() == 0
    }

    /// All spaces that hold its rows.
    pub fn spaces(&self) -> Vec<Space> {
        match self.rows {
            Rows::Table(table) => vec![table.def().name, table.def().deleted],
            Rows::Link(link) => vec![link.name, link.deleted],
            Rows::Sequences | Rows::Space(_) => vec![self.space()],
        }
    }

    /// The number of its lines.
    pub fn n_lines(&self, view: &dyn Read) -> Result<u64, StoreError> {
        let count = |space| view.count_keys(&Span::prefix(&view.prefix(space)), u64::MAX);
        match self.rows {
            Rows::Sequences => {
                let mut n = 0;
                own_sequences(view, &mut |_, _| {
                    n += 1;
                    Ok(())
                })?;
                Ok(n)
            }
            _ => self.spaces().into_iter().map(count).sum(),
        }
    }

    /// Calls `visit` with each of its lines, in their order. They are in today's version, whatever version is
    /// stored.
    pub fn lines(
        &self,
        view: &dyn Read,
        visit: &mut dyn FnMut(&Value) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self.rows {
            Rows::Table(table) => self.spaces().into_iter().try_for_each(|space| {
                scan_space(view, space, |key, value| visit(&table.json(space, key, value)?))
            }),
            Rows::Link(link) => link.lines(view, visit),
            Rows::Sequences => {
                own_sequences(view, &mut |name, last| visit(&json!({ "key": name, "value": last })))
            }
            Rows::Space(def) => scan_space(view, def.space, |key, value| visit(&line_of(&def, key, value)?)),
        }
    }

    /// How findings of `verify` name the row of a line; `None` if it has no such name.
    pub fn key_of(&self, line: &Map<String, Value>) -> Option<String> {
        let text = |field: &str| line.get(field)?.as_str().map(str::to_owned);
        match self.rows {
            Rows::Table(table) => text(table.def().key).or_else(|| text("id")),
            Rows::Link(link) => link.key_of_line(line),
            Rows::Sequences | Rows::Space(_) => text("key"),
        }
    }
}

impl EnterLine for Section {
    fn enter(&self, tx: &mut dyn Write, version: u16, line: Map<String, Value>) -> Result<(), LineError> {
        match self.rows {
            Rows::Table(table) => table.enter_line(tx, version, &Value::Object(line)),
            Rows::Link(link) => link.enter_line(tx, version, line),
            Rows::Sequences => match (line.get("key"), line.get("value").and_then(Value::as_u64)) {
                (Some(Value::String(name)), Some(last)) if !name.is_empty() && !name.starts_with('\0') => {
                    set_last_number(tx, name, last);
                    Ok(())
                }
                _ => Err(LineError::Wrong("it is no `key` with a number as `value`".to_owned())),
            },
            Rows::Space(def) => enter_space(&def, tx, version, &line),
        }
    }
}

/// Visits the sequences that the shop has: not those by which projections number records, which are built
/// anew with them, and begin with the name of a space of theirs.
fn own_sequences(
    view: &dyn Read,
    visit: &mut dyn FnMut(&str, u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let projections = &Registry::get().projections;
    let is_of = |name: &str, space: &str| name.strip_prefix(space).is_some_and(|it| it.starts_with(' '));
    sequences(view, &mut |name, last| match projections
        .iter()
        .flat_map(|it| it.spaces)
        .any(|space| is_of(name, space))
    {
        true => Ok(()),
        false => visit(name, last),
    })
}

/// Visits the keys of a space, without its prefix, and their values.
pub(crate) fn scan_space(
    view: &dyn Read,
    space: Space,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    view.scan(&Span::prefix(&view.prefix(space)), Direction::Ascending, &mut |key, value| {
        visit(&key[2..], value)?;
        Ok(Scan::Continue(()))
    })
}

/// A key of a space with its value. A key that is no text, and a value without a type, are numbers of bytes.
fn line_of(def: &SpaceDef, key: &[u8], value: &[u8]) -> Result<Value, StoreError> {
    let mut line = json!({ "key": bytes_json(key) });
    if def.kind.is_some() {
        let corrupt =
            |reason| StoreError::Corrupt { space: def.space, key: atoll_storage::key_text(key), reason };
        line["value"] = to_json(&def.rewritten(key, value)?).map_err(corrupt)?;
    } else if !value.is_empty() {
        line["value"] = bytes_json(value);
    }
    Ok(line)
}

fn enter_space(
    def: &SpaceDef,
    tx: &mut dyn Write,
    of_version: u16,
    line: &Map<String, Value>,
) -> Result<(), LineError> {
    let wrong = |field: &str| LineError::Wrong(format!("its `{field}` is neither text nor a list of bytes"));
    let key = line.get("key").and_then(json_bytes).ok_or_else(|| wrong("key"))?;
    let value = match (def.kind, line.get("value")) {
        (Some(_), Some(value)) => {
            let stored = def.rewritten(&key, &from_json(of_version, value))?;
            if of_version == version(def.history) {
                all_known(value, &to_json(&stored).map_err(LineError::Wrong)?)?;
            }
            stored
        }
        (Some(_), None) => return Err(LineError::Wrong("it has no `value`".to_owned())),
        (None, value) => value.map_or(Some(Vec::new()), json_bytes).ok_or_else(|| wrong("value"))?,
    };
    let key = [&tx.prefix(def.space)[..], &key].concat();
    if tx.get(&key)?.is_some() {
        return Err(LineError::Wrong("its `key` is there already".to_owned()));
    }
    tx.put(key, value);
    Ok(())
}

fn bytes_json(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| json!(bytes), Value::from)
}

fn json_bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(bytes) => bytes.iter().map(|it| u8::try_from(it.as_u64()?).ok()).collect(),
        _ => None,
    }
}
