//! The data folder: the database and the secrets.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use atoll_kernel::{
    MigrationPlan, Registry, Space, Store, View,
    engines::{Memory, Redb},
};

use crate::Secret;

/// The files of a data folder. The database is made first: so secrets without one mean that it is gone.
const DATABASE: &str = "atoll.redb";
const JWT_SECRET: &str = "jwt-secret";
const COOKIE_SECRET: &str = "cookie-secret";

/// Where the data lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// In memory: gone when the process ends.
    Memory,
    /// In this folder, which is made if it is not there.
    Folder(PathBuf),
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        if text == ":memory:" { Data::Memory } else { Data::Folder(text.into()) }
    }
}

impl Data {
    /// Opens the store with the spaces of what is linked in. Data that does not go together with that is refused before
    /// anything of it is changed.
    pub fn open(&self, registry: &'static Registry) -> anyhow::Result<Store> {
        match self {
            Data::Memory => Ok(Store::open(Memory::default(), &registry.spaces())?),
            Data::Folder(folder) => {
                let file = file_in(folder)?;
                let open = || -> anyhow::Result<Store> {
                    let engine = Redb::open(&file)?;
                    MigrationPlan::of(&View::look(&engine, &registry.spaces())?, registry)?;
                    Ok(Store::open(engine, &registry.spaces())?)
                };
                open().with_context(|| failed_to_open(&file))
            }
        }
    }

    /// The data that is there, with every page of its file checked; the engine holds the file while it is looked at.
    /// Nothing is made, and no value is written. Error: there is none.
    pub fn look(&self, spaces: &[Space]) -> anyhow::Result<(Redb, View)> {
        let Data::Folder(folder) = self else {
            bail!("there is no database in memory before a process makes one");
        };
        if !folder.exists() {
            bail!("there is no database in `{}`", folder.display());
        }
        let file = file_in(folder)?;
        if !file.exists() {
            bail!("there is no database in `{}`", folder.display());
        }
        let engine = Redb::open_checked(&file).with_context(|| failed_to_open(&file))?;
        let view = View::look(&engine, spaces).with_context(|| failed_to_open(&file))?;
        Ok((engine, view))
    }

    /// What a start would do to the data before it serves, or why the data is refused; nothing is written.
    pub fn plan(&self, registry: &'static Registry) -> anyhow::Result<MigrationPlan> {
        let (_file, view) = self.look(&registry.spaces())?;
        Ok(MigrationPlan::of(&view, registry)?)
    }
}

/// The database in this folder; the folder is made if it is not there, and what is in it is for its owner alone.
/// Errors: the database is gone, and what was made after it is there.
fn file_in(folder: &Path) -> anyhow::Result<PathBuf> {
    make(folder)?;
    for_owner_alone(folder).with_context(|| format!("failed to close `{}` to others", folder.display()))?;
    let file = folder.join(DATABASE);
    let left = [JWT_SECRET, COOKIE_SECRET].into_iter().find(|it| folder.join(it).exists());
    if let (Some(left), false) = (left, file.exists()) {
        bail!(
            "`{}` is gone, and the `{left}` beside it is there: put a copy of it back, or remove `{left}` to begin anew",
            file.display()
        );
    }
    Ok(file)
}

fn failed_to_open(file: &Path) -> String {
    format!("failed to open `{}`", file.display())
}

/// Takes what is in the folder from everybody but its owner, whatever the folder itself allows: an earlier version left
/// the database to others, and so do copies.
#[cfg(unix)]
fn for_owner_alone(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let known = entry.metadata()?;
        if known.is_file() && known.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn for_owner_alone(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The shortest secret that is taken: shorter ones can be found by trying.
pub(crate) const SECRET_BYTES_MIN: usize = 16;

/// What signs tokens and cookies. Has no `Debug`: it is never printed.
#[derive(Clone)]
pub struct Secrets {
    /// Signs the tokens of users.
    pub jwt: Vec<u8>,
    /// Signs session cookies.
    pub cookie: Vec<u8>,
}

impl Secrets {
    /// The secrets that are given, and for those that are not, the ones in the data folder. They are made when
    /// they are first needed, and only their owner can read them.
    pub fn find(data: &Data, jwt: Option<Secret>, cookie: Option<Secret>) -> anyhow::Result<Secrets> {
        let find = |given: Option<Secret>, name: &str| match (given, data) {
            (Some(Secret(given)), _) => Ok(given.into_bytes()),
            (None, Data::Memory) => random(),
            (None, Data::Folder(folder)) => kept(folder, name),
        };
        Ok(Secrets { jwt: find(jwt, JWT_SECRET)?, cookie: find(cookie, COOKIE_SECRET)? })
    }
}

/// Makes the data folder, for its owner alone: it holds addresses and the hashes of passwords.
fn make(folder: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("failed to make `{}`", folder.display()))
}

fn random() -> anyhow::Result<Vec<u8>> {
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

fn kept(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    make(folder)?;
    let file = folder.join(name);
    match fs::read(&file) {
        Ok(secret) if !secret.is_empty() => return Ok(secret),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", file.display())),
    }
    let secret = random()?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&file).with_context(|| format!("failed to write `{}`", file.display()))?;
    out.write_all(&secret)?;
    out.sync_all()?;
    Ok(secret)
}
