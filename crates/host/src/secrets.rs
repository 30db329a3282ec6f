//! The secrets that sign tokens and cookies: given by settings, or generated; those of a host alone are kept
//! in its data folder, and those of several hosts in the store that they share.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
};

use anyhow::Context as _;
use atoll_kernel::{
    Ctx, Registry, Write,
    data::{Store, View},
    http::{SecretError, settle_shop_secret, shop_secret},
    migration::migrate,
};
use atoll_storage::Standing;

use crate::{Data, Secret};

/// Shortest secret that is accepted: shorter ones can be found by brute force.
pub(crate) const SECRET_BYTES_MIN: usize = 16;

/// The names of the secrets as settings, and in the store.
const NAMES: [&str; 2] = ["jwt_secret", "cookie_secret"];

/// The files of the secrets in a data folder, in the same order.
pub(crate) const FILES: [&str; 2] = ["jwt-secret", "cookie-secret"];

/// Secrets that sign tokens and cookies. No `Debug`: they are never printed.
#[derive(Clone)]
pub struct Secrets {
    /// Signs login tokens and mailed tokens.
    pub jwt: Vec<u8>,
    /// Signs session cookies.
    pub cookie: Vec<u8>,
}

impl Secrets {
    /// Those that a data folder keeps, where only its owner can read them. They are generated when first
    /// needed; beside data in memory each time.
    pub fn kept(data: &Data) -> anyhow::Result<Secrets> {
        let [jwt, cookie] = FILES.map(|it| kept_in(data, it));
        Ok(Secrets { jwt: jwt?, cookie: cookie? })
    }

    /// Those that an application was started with.
    pub(crate) fn in_use(ctx: &Ctx) -> Secrets {
        Secrets { jwt: ctx.config().jwt_secret.clone(), cookie: ctx.config().cookie_secret.clone() }
    }

    /// Why a host with these must not answer; nothing if the shop has no others.
    pub(crate) fn differ_in(&self, view: &View) -> Option<SecretError> {
        let known = [&self.jwt, &self.cookie];
        NAMES.into_iter().zip(known).find_map(|(name, known)| shop_secret(view, name, Some(known)).err())
    }
}

/// The secrets that the settings give.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) jwt: Option<Secret>,
    pub(crate) cookie: Option<Secret>,
}

impl Given {
    fn each(&self) -> [Option<Vec<u8>>; 2] {
        [&self.jwt, &self.cookie].map(|it| it.as_ref().map(|Secret(it)| it.clone().into_bytes()))
    }

    /// Those of a host alone: what is not given is what the store holds, if several hosts have shared it, or
    /// else [kept](Secrets::kept) in the data folder. Errors: they were given it, and this one is not.
    pub(crate) fn of_one_host(&self, data: &Data, view: &View) -> anyhow::Result<Secrets> {
        let find = |n: usize, given: Option<Vec<u8>>| match given {
            Some(secret) => Ok(secret),
            None => shop_secret(view, NAMES[n], None)?.map_or_else(|| kept_in(data, FILES[n]), Ok),
        };
        let [jwt, cookie] = self.each();
        Ok(Secrets { jwt: find(0, jwt)?, cookie: find(1, cookie)? })
    }

    /// Those of one host of several: what is not given is what the store holds. Waits until a host has led,
    /// which makes it; maybe this one.
    pub(crate) async fn of_several_hosts(
        &self,
        data: &Data,
        store: &Store,
        registry: &'static Registry,
    ) -> anyhow::Result<Secrets> {
        let (mut standing, mut commits) = (store.standing(), store.commits());
        let mut waits = false;
        loop {
            let prepares = *standing.borrow_and_update() == Standing::Prepares;
            commits.mark_unchanged();
            if let Some(secrets) = self.found(&store.view())? {
                return Ok(secrets);
            }
            if prepares {
                match self.made(data, &store.to_prepare(), registry).await {
                    Ok(secrets) => return Ok(secrets),
                    Err(error) if *standing.borrow() == Standing::Prepares => return Err(error),
                    // Another host leads, and makes them.
                    Err(_) => continue,
                }
            }
            if !std::mem::replace(&mut waits, true) {
                tracing::info!("waiting for the host that leads: it makes the secrets of the shop");
            }
            tokio::select! {
                open = standing.changed() => open?,
                open = commits.changed() => open?,
            }
        }
    }

    fn found(&self, view: &View) -> Result<Option<Secrets>, SecretError> {
        let [jwt, cookie] = self.each();
        let find = |n: usize, given: Option<Vec<u8>>| match given {
            // Whether it is that of the others, the readiness of this host says.
            Some(given) => Ok(Some(given)),
            None => shop_secret(view, NAMES[n], None),
        };
        let (jwt, cookie) = (find(0, jwt)?, find(1, cookie)?);
        Ok(jwt.zip(cookie).map(|(jwt, cookie)| Secrets { jwt, cookie }))
    }

    /// Makes them, first in the term of a new shop: those that the folder of a host alone has kept, or new
    /// ones.
    async fn made(&self, data: &Data, store: &Store, registry: &'static Registry) -> anyhow::Result<Secrets> {
        migrate(store, registry).await?;
        let kept = |file: &str| match data {
            Data::Folder(folder) => fs::read(folder.join(file)).ok().filter(|it| !it.is_empty()),
            Data::Memory => None,
        };
        let [jwt, cookie] = FILES.map(|it| kept(it).map_or_else(random, Ok));
        self.settle(store, Secrets { jwt: jwt?, cookie: cookie? }).await
    }

    /// Makes those that are given the shop's, or these, if it has none. For the host that leads, in each of
    /// its terms. Errors: it is given none, and the shop has others than these, which another host is given.
    pub(crate) async fn settle(&self, store: &Store, new: Secrets) -> anyhow::Result<Secrets> {
        let given = self.each();
        let settle = move |tx: &mut dyn Write| -> Result<[Vec<u8>; 2], SecretError> {
            let mut settle =
                |n: usize, new: &[u8]| settle_shop_secret(tx, NAMES[n], given[n].as_deref(), new);
            Ok([settle(0, &new.jwt)?, settle(1, &new.cookie)?])
        };
        let [jwt, cookie] = store.write(settle).await?;
        Ok(Secrets { jwt, cookie })
    }
}

/// Has the store of a host alone hold the secrets that its folder has kept, before others share it.
pub(crate) async fn hold_kept(folder: &Path, store: &Store) -> anyhow::Result<()> {
    if FILES.iter().all(|it| folder.join(it).exists()) {
        let secrets = Secrets::kept(&Data::Folder(folder.to_owned()))?;
        Given::default().settle(store, secrets).await?;
    }
    Ok(())
}

fn random() -> anyhow::Result<Vec<u8>> {
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

fn kept_in(data: &Data, name: &str) -> anyhow::Result<Vec<u8>> {
    let Data::Folder(folder) = data else { return random() };
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
