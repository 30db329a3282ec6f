//! Importing an export into a new store: every line is entered with its indexes, in batches; projections are
//! built from the records, and what is there is verified. What is wrong is named by file and line.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use atoll_kernel::{
    Registry, StoreError, Timestamp,
    data::Store,
    export::Section,
    migration::{MigrationError, Plan, migrate, migrate_by},
    verify::{Finding, Findings},
};
use atoll_storage::{EnterLine as _, LineError, Progress};
use serde_json::{Map, Value};

use crate::{
    lines::{Line, Lines},
    manifest::{ExportedFile, FORMAT, Manifest, SUFFIX},
    references::dangling,
};

/// Problems of an export that are listed; the import ends with the batch that has the last one.
pub const PROBLEMS_MAX: usize = 20;

/// Lines that are entered by one transaction: many, since each is flushed to the disk.
const BATCH_LINES_MAX: usize = 5_000;

/// Bytes of lines that are held in memory, beside the longest line.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What is wrong with an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the file.
    pub file: String,
    /// The number of the line, from 1 on; `None` if it is about the file.
    pub line: Option<u64>,
    /// What is wrong.
    pub text: String,
}

/// Lines with their numbers.
type Batch = Vec<(u64, Map<String, Value>)>;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.text),
            None => write!(f, "{}: {}", self.file, self.text),
        }
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder is no export, or one of a newer program.
    #[error("`{folder}` is no export that can be imported: {why}")]
    NoExport {
        /// The folder.
        folder: PathBuf,
        /// Why it is none.
        why: String,
    },
    /// Something is wrong with the export, at most [`PROBLEMS_MAX`] times.
    #[error("the export is damaged, or was not made by this program:\n- {}", listed(.0))]
    Wrong(Vec<Problem>),
    /// A file cannot be read.
    #[error("failed to read `{path}`")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The store failed, or it was stopped.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This program cannot build what the records are found by.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n- ")
}

/// Imports the export in the folder `from` into a new, empty store. Ids and times are kept, and no events are
/// written. With `verify` all is verified in the end as of `now`, and a finding is an error.
///
/// Errors: what is wrong with the export. The store is to be thrown away then.
pub async fn import(
    store: &Store,
    registry: &'static Registry,
    from: &Path,
    verify: Option<Timestamp>,
    progress: &Progress,
) -> Result<Manifest, ImportError> {
    let no_export = |why: String| ImportError::NoExport { folder: from.to_owned(), why };
    let manifest = Manifest::read(from).map_err(|error| no_export(error.to_string()))?;
    if manifest.format > FORMAT {
        let why = format!("its format is {}, and this program knows those up to {FORMAT}", manifest.format);
        return Err(no_export(why));
    }
    progress.expect(manifest.n_lines());
    migrate(store, registry).await?;
    let mut importing = Importing { store, from, progress, problems: Vec::new() };
    let files = importing.files(registry, &manifest)?;
    importing.refuse()?;
    // Links refer to records: what is missing because its line is damaged is not to be named again for each.
    for is_table in [true, false] {
        for (section, file) in files.iter().filter(|(it, _)| it.is_table() == is_table) {
            importing.file(*section, file).await?;
        }
        importing.refuse()?;
    }
    migrate_by(store, Plan::of_projections(&store.view(), registry)?).await?;
    if let Some(now) = verify {
        let findings = Findings::new(PROBLEMS_MAX, std::sync::Arc::default());
        let mut found = dangling(&store.view(), registry, PROBLEMS_MAX)?;
        found.extend(registry.verify(store.view(), now, findings)?.findings);
        importing.found(&files, &found)?;
        importing.refuse()?;
    }
    Ok(manifest)
}

/// An import that is going on.
struct Importing<'a> {
    store: &'a Store,
    from: &'a Path,
    progress: &'a Progress,
    problems: Vec<Problem>,
}

impl Importing<'_> {
    fn wrong(&mut self, file: &ExportedFile, line: Option<u64>, text: impl Into<String>) {
        self.note(file.file_name(), line, text);
    }

    fn note(&mut self, file: String, line: Option<u64>, text: impl Into<String>) {
        if !self.is_full() {
            self.problems.push(Problem { file, line, text: text.into() });
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    /// Errors: there are problems.
    fn refuse(&mut self) -> Result<(), ImportError> {
        let problems = std::mem::take(&mut self.problems);
        if problems.is_empty() { Ok(()) } else { Err(ImportError::Wrong(problems)) }
    }

    fn read<T>(&self, path: &Path, done: io::Result<T>) -> Result<T, ImportError> {
        done.map_err(|source| ImportError::Io { path: path.to_owned(), source })
    }

    /// The files of the export in the order in which they are entered, with what their lines are. Notes files
    /// that are missing, unknown, or that nobody names.
    fn files(
        &mut self,
        registry: &'static Registry,
        manifest: &Manifest,
    ) -> Result<Vec<(Section, ExportedFile)>, ImportError> {
        let mut named: BTreeMap<&str, &ExportedFile> =
            manifest.files.iter().map(|it| (&*it.name, it)).collect();
        let entries = self.read(self.from, fs::read_dir(self.from))?;
        for entry in entries {
            let name = self.read(self.from, entry)?.file_name().to_string_lossy().into_owned();
            if name.strip_suffix(SUFFIX).is_some_and(|it| !named.contains_key(it)) {
                self.note(name, None, "the manifest does not name it");
            }
        }
        let mut files = Vec::new();
        for section in registry.sections() {
            let Some(file) = named.remove(&*section.name()) else { continue };
            match (file.record_version, section.version()) {
                (of_file, known) if of_file > known => {
                    let text = format!(
                        "its records are of version {of_file}, and this program knows those up to {known}"
                    );
                    self.wrong(file, None, text);
                }
                _ => files.push((section, file.clone())),
            }
        }
        for file in named.into_values().filter(|it| it.n_lines > 0) {
            self.wrong(file, None, "no module of this program that is switched on has such records");
        }
        Ok(files)
    }

    /// Enters all lines of a file.
    async fn file(&mut self, section: Section, file: &ExportedFile) -> Result<(), ImportError> {
        let path = self.from.join(file.file_name());
        let opened = match Lines::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.wrong(file, None, "it is missing");
                return Ok(());
            }
            opened => opened,
        };
        let (mut lines, n_before) = (self.read(&path, opened)?, self.problems.len());
        while !self.is_full() {
            let (batch, is_last) = self.batch(file, &path, &mut lines)?;
            let version = file.record_version;
            let entered = self.store.write(move |tx| {
                let mut wrong = Vec::new();
                for (number, line) in batch {
                    match section.enter(tx, version, line) {
                        Ok(()) => {}
                        Err(LineError::Wrong(text)) => wrong.push((number, text)),
                        Err(LineError::Store(error)) => return Err(error),
                    }
                }
                Ok(wrong)
            });
            for (number, text) in entered.await? {
                self.wrong(file, Some(number), text);
            }
            // What is no JSON was noted before the lines of its batch were entered.
            self.problems[n_before..].sort_by_key(|it| it.line);
            if is_last {
                self.whole(file, lines);
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next lines of a file, with their numbers, and whether they are the last. Notes those that are no
    /// objects.
    fn batch(
        &mut self,
        file: &ExportedFile,
        path: &Path,
        lines: &mut Lines,
    ) -> Result<(Batch, bool), ImportError> {
        let (mut batch, mut n_bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_LINES_MAX && n_bytes < BATCH_BYTES_MAX {
            let next = lines.next();
            let Some(Line { number, n_bytes: of_line, object }) = self.read(path, next)? else {
                return Ok((batch, true));
            };
            self.progress.count()?;
            n_bytes += of_line;
            match object {
                Ok(object) => batch.push((number, object)),
                Err(why) => self.wrong(file, Some(number), why),
            }
        }
        Ok((batch, false))
    }

    /// Notes a file that was read to its end and is not as the manifest says.
    fn whole(&mut self, file: &ExportedFile, lines: Lines) {
        let n_read = lines.n_read;
        if n_read != file.n_lines {
            self.wrong(file, None, format!("it has {n_read} lines, and the manifest says {}", file.n_lines));
        } else if lines.sha256() != file.sha256 {
            self.wrong(file, None, "its checksum is not that of the manifest: it was changed");
        }
    }

    /// Notes what verification has found, by file and line where it is about a row.
    fn found(&mut self, files: &[(Section, ExportedFile)], findings: &[Finding]) -> Result<(), ImportError> {
        for (section, file) in files {
            let of_file = findings.iter().filter(|it| section.spaces().contains(&it.space));
            let mut by_key: HashMap<&str, Vec<&Finding>> = HashMap::new();
            of_file.for_each(|it| by_key.entry(&it.key).or_default().push(it));
            if by_key.is_empty() {
                continue;
            }
            let path = self.from.join(file.file_name());
            let mut lines = self.read(&path, Lines::open(&path))?;
            while let (false, Some(line)) = (by_key.is_empty(), self.read(&path, lines.next())?) {
                let key = line.object.ok().and_then(|it| section.key_of(&it));
                for finding in key.and_then(|it| by_key.remove(&*it)).unwrap_or_default() {
                    self.wrong(file, Some(line.number), text_of(finding));
                }
            }
            for finding in by_key.into_values().flatten() {
                self.wrong(file, None, text_of(finding));
            }
        }
        let is_of_file =
            |it: &&Finding| files.iter().any(|(section, _)| section.spaces().contains(&it.space));
        for finding in findings.iter().filter(|it| !is_of_file(it)) {
            self.note(finding.space.to_owned(), None, text_of(finding));
        }
        Ok(())
    }
}

fn text_of(finding: &Finding) -> String {
    let Finding { kind, key, found, expected, .. } = finding;
    format!("`{key}`: {kind}: {found}; expected {expected}")
}
