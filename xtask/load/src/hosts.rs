//! Several hosts over a PostgreSQL (`--hosts 1,2,3`): what they answer together, what they write, how far the
//! others are behind the one that leads, and how long it takes until one leads or follows that did not.

use std::{
    cell::Cell,
    path::Path,
    process::Command,
    rc::Rc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use atoll_test_postgres::Server as Postgres;
use bytes::Bytes;
use hyper::{Method, header::HeaderName};
use tempfile::TempDir;

use crate::{
    client,
    measure::{Figures, run},
    options::Options,
    report::Row,
    scenarios::Set,
    server::{self, Server},
    sets::{copy_files, ensure as ensure_set, is_left_out},
    turns::{Client, Reader, Shopper, Step},
    world::World,
};

/// Clients that buy, over all hosts.
const N_SHOPPERS: usize = 64;
/// Clients that read, of each host.
const N_READERS: usize = 32;
/// Leaders that are killed.
const N_KILLS: usize = 3;
/// What is read.
const PAGE: &str = "/store/products?limit=20";
/// How long a host may take to be ready, or a write to be acknowledged.
const PATIENCE: Duration = Duration::from_secs(120);
/// What else runs: clients and PostgreSQL.
const N_OTHER_CORES: usize = 2;
/// The database of the shop.
const DATABASE: &str = "shop";

/// Hosts, and what they share.
struct Hosts {
    servers: Vec<Server>,
    worlds: Vec<Rc<World>>,
    /// None if it is one host alone.
    postgres: Option<Postgres>,
    folder: TempDir,
}

/// The core of the n-th host, if each process has one.
fn core(n: usize, n_hosts: usize) -> Option<usize> {
    let n_cores = available_parallelism().map_or(1, usize::from);
    (n_cores >= n_hosts + N_OTHER_CORES).then_some(n)
}

/// Serves a folder, alone or with others.
fn serve(binary: &Path, data: &Path, store: Option<&str>, core: Option<usize>) -> anyhow::Result<Server> {
    let store = store.map(|it| ("ATOLL_STORE", it));
    Server::start_on(core, binary, data, &store.into_iter().collect::<Vec<_>>())
}

/// Waits until something is there. Returns for how long.
async fn until(what: &str, mut is_there: impl AsyncFnMut() -> bool) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    while !is_there().await {
        ensure!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(begun.elapsed())
}

async fn until_ready(server: &Server) -> anyhow::Result<Duration> {
    let mut client = client::Client::new(server.address);
    until("a host is ready", async || client.get("/health/ready").await.is_ok_and(|it| it.status == 200))
        .await
}

/// What a host serves, once one of them leads.
async fn world(server: &Server) -> anyhow::Result<Rc<World>> {
    let mut opened = World::open(server.address).await;
    until("a host leads", async || {
        if opened.is_err() {
            opened = World::open(server.address).await;
        }
        opened.is_ok()
    })
    .await?;
    Ok(Rc::new(opened?))
}

impl Hosts {
    /// One host alone, over a copy of this data.
    async fn alone(options: &Options, data: &Path) -> anyhow::Result<Hosts> {
        let folder = TempDir::new_in(&options.folder)?;
        copy_files(data, folder.path())?;
        let server = serve(&options.binary, folder.path(), None, core(0, 1))?;
        Hosts { servers: vec![server], worlds: Vec::new(), postgres: None, folder }.look().await
    }

    /// So many hosts over a PostgreSQL that has this data.
    async fn start(options: &Options, data: &Path, n: usize) -> anyhow::Result<Hosts> {
        let postgres = Postgres::start_durable().context("there is no PostgreSQL")?;
        let folder = TempDir::new_in(&options.folder)?;
        let (store, first) = (postgres.database(DATABASE, postgres.port), folder.path().join("0"));
        copy_files(data, &first)?;
        let mut move_in = Command::new(&options.binary);
        move_in.args(["store", "move-in", "--store", &store, "--data"]).arg(&first);
        server::run(move_in)?;
        let mut servers = Vec::new();
        for host in 0..n {
            let data = folder.path().join(host.to_string());
            servers.push(serve(&options.binary, &data, Some(&store), core(host, n))?);
        }
        Hosts { servers, worlds: Vec::new(), postgres: Some(postgres), folder }.look().await
    }

    async fn look(mut self) -> anyhow::Result<Hosts> {
        for server in &self.servers {
            until_ready(server).await?;
            self.worlds.push(world(server).await?);
        }
        Ok(self)
    }

    async fn checkouts(&self, window: Duration) -> Figures {
        let shopper =
            |n: usize| Client::Write(Shopper::new(&self.worlds[n % self.worlds.len()], Step::Checkout, n));
        let warm = run((0..N_SHOPPERS).map(shopper).collect(), window / 10).await;
        run(warm.clients, window).await.figures()
    }

    async fn reads(&self, header: Option<(&'static str, &str)>, window: Duration) -> Figures {
        let paths = Rc::new(vec![PAGE.to_owned()]);
        let reader = |n: usize| {
            let client = self.worlds[n % self.worlds.len()].storefront();
            let client = match header {
                Some((name, value)) => client.with(HeaderName::from_static(name), value),
                None => client,
            };
            Client::Read(Reader::new(client, &paths, 0))
        };
        let readers = (0..N_READERS * self.worlds.len()).map(reader).collect();
        let warm = run(readers, window / 10).await;
        run(warm.clients, window).await.figures()
    }

    /// The host that leads.
    fn leader(&self) -> anyhow::Result<usize> {
        let url =
            self.postgres.as_ref().context("one host alone")?.ask(DATABASE, "SELECT url FROM atoll_head");
        let leads = |it: &Server| url == format!("http://{}", it.address);
        self.servers.iter().position(leads).with_context(|| format!("no host is {url}"))
    }

    /// While everybody buys: from the answer to a write at the host that leads, until another host has it.
    async fn lag(&self, window: Duration) -> anyhow::Result<Figures> {
        let leader = self.leader()?;
        let other = (leader + 1) % self.worlds.len();
        let (mut leader, mut other) = (self.worlds[leader].storefront(), self.worlds[other].storefront());
        let (is_over, begun) = (Cell::new(false), Instant::now());
        let look = async {
            let mut lags = Vec::new();
            while !is_over.get() {
                let written = position(&mut leader, Method::POST, "/store/carts").await?;
                let answered = Instant::now();
                while position(&mut other, Method::GET, "/store/regions?limit=1").await? < written {}
                lags.push(answered.elapsed());
            }
            anyhow::Ok(Figures::of(lags, begun.elapsed()))
        };
        let buy = async {
            self.checkouts(window).await;
            is_over.set(true);
        };
        tokio::join!(look, buy).0
    }

    /// From a kill of the host that leads until another one acknowledges a write, some times.
    async fn failovers(&mut self, binary: &Path) -> anyhow::Result<Figures> {
        let mut times = Vec::new();
        for _ in 0..N_KILLS {
            let leader = self.leader()?;
            let mut other = self.worlds[(leader + 1) % self.worlds.len()].storefront();
            let begun = Instant::now();
            self.servers.swap_remove(leader).kill();
            until("a write", async || position(&mut other, Method::POST, "/store/carts").await.is_ok())
                .await?;
            times.push(begun.elapsed());
            self.worlds.swap_remove(leader);
            self.join(binary).await?;
        }
        let all = times.iter().sum();
        Ok(Figures::of(times, all))
    }

    /// A new host, with an empty folder. Returns the time until it is ready.
    async fn join(&mut self, binary: &Path) -> anyhow::Result<Duration> {
        let postgres = self.postgres.as_ref().context("one host alone")?;
        let store = format!("postgres://atoll@127.0.0.1:{}/{DATABASE}", postgres.port);
        let begun = Instant::now();
        let data = TempDir::new_in(self.folder.path())?.keep();
        let server = serve(binary, &data, Some(&store), None)?;
        until_ready(&server).await?;
        let time = begun.elapsed();
        self.worlds.push(world(&server).await?);
        self.servers.push(server);
        Ok(time)
    }
}

/// The commit that is behind an answer, which is a success.
async fn position(client: &mut client::Client, method: Method, path: &str) -> anyhow::Result<u64> {
    let body = if method == Method::POST { Bytes::from_static(b"{}") } else { Bytes::new() };
    let answer = client.send(method, path, body).await?;
    answer.json()?;
    Ok(answer.headers.get("atoll-after").context("it says no position")?.to_str()?.parse()?)
}

/// All figures.
pub(crate) async fn rows(options: &Options) -> anyhow::Result<Vec<Row>> {
    let (window, mut rows) = (Duration::from_secs_f64(options.seconds), Vec::new());
    let (data, _) = ensure_set(options, "here", &options.binary, Set::Small).await?;
    let mut add = |name: String, figures: Figures| {
        eprintln!("load: {name}");
        rows.push(Row::new(name, "small", figures));
    };
    let alone = Hosts::alone(options, &data).await?;
    add("checkouts, redb alone".into(), alone.checkouts(window).await);
    add("reads, redb alone".into(), alone.reads(None, window).await);
    drop(alone);
    for n in options.hosts.iter().copied() {
        let of = format!("{n} of {n} hosts");
        let mut hosts = Hosts::start(options, &data, n).await?;
        add(format!("checkouts, {of}"), hosts.checkouts(window).await);
        add(format!("reads, {of}"), hosts.reads(None, window).await);
        add(format!("strict reads, {of}"), hosts.reads(Some(("atoll-read", "strict")), window).await);
        if n > 1 {
            add(format!("lag under checkouts, {of}"), hosts.lag(window).await?);
            add(format!("leader killed until a write, {of}"), hosts.failovers(&options.binary).await?);
        }
    }
    if !is_left_out(options, Set::Large) {
        let (data, _) = ensure_set(options, "here", &options.binary, Set::Large).await?;
        let mut hosts = Hosts::start(options, &data, 1).await?;
        let time = hosts.join(&options.binary).await?;
        rows.push(Row::new("new host until it is ready", "large", Figures::of(vec![time], time)));
    }
    Ok(rows)
}
