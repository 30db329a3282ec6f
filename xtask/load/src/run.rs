//! One run: data sets, servers, and every scenario in turn, each beside its floor.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::runtime;

use crate::{
    attack, floor, hosts, links,
    measure::{Counted, Figures, measure, run as run_clients},
    options::Options,
    report::{Report, Row},
    scenarios::{Answers, SCENARIOS, Scenario, Set, Who, Work, paths},
    server::Server,
    sets,
    turns::{Client, Reader, Shopper, Step, take_many},
    world::World,
};

/// Starts that are measured of each data set.
const N_STARTS: usize = 3;
/// Least time of an attack, in measurements: queues must be full.
const ATTACK_WINDOWS: u32 = 3;
/// The name under which data sets of the measured binary are kept.
const HERE: &str = "here";
/// That of the same binary with other settings.
const SETTINGS: &str = "settings";

/// A binary, and the data folders that it has made.
struct Side<'a> {
    label: &'a str,
    binary: &'a Path,
    env: &'a [(String, String)],
    data: BTreeMap<Set, PathBuf>,
}

impl Side<'_> {
    fn start(&self, set: Set, answers: Answers) -> anyhow::Result<Server> {
        let none = (answers == Answers::Built).then_some(("ATOLL_ANSWERS_BYTES_MAX", "0"));
        let own = self.env.iter().map(|(name, value)| (&**name, &**value));
        Server::start(self.binary, &self.data[&set], &none.into_iter().chain(own).collect::<Vec<_>>())
    }
}

/// A server with its data set.
struct Served {
    server: Server,
    world: Rc<World>,
}

/// Measures what the options say, and prints the table.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let is_chosen = |it: &&Scenario| {
        options.names.is_empty() || options.names.iter().any(|name| it.name.contains(name.as_str()))
    };
    let chosen: Vec<&Scenario> = SCENARIOS.iter().filter(is_chosen).collect();
    if options.list {
        for it in chosen {
            writeln!(out, "{:<36} {:?}, {} clients, on {:?}", it.name, it.work, it.n_clients, it.sets)?;
        }
        return Ok(());
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    anyhow::ensure!(!chosen.is_empty(), "no scenario has such a name; `--list` lists them");
    let report = runtime.block_on(async {
        if options.hosts.is_empty() {
            return report(options, &chosen).await;
        }
        let rows = hosts::rows(options).await?;
        Ok(Report { rows, ..Report::new(&options.commit, None) })
    })?;
    write!(out, "{}", report.table())?;
    if let Some(file) = &options.save {
        report.save(file)?;
    }
    // A scenario that is not answered as expected has not been measured.
    let failed: Vec<&str> =
        report.rows.iter().filter(|it| it.here.failure.is_some()).map(|it| &*it.name).collect();
    anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

async fn report(options: &Options, chosen: &[&Scenario]) -> anyhow::Result<Report> {
    let side = |label, binary, env| Side { label, binary, env, data: BTreeMap::new() };
    let (binary, env) = (&*options.binary, &*options.beside_env);
    let mut sides = vec![side(HERE, binary, &[])];
    match (&options.beside, &options.beside_binary) {
        (Some(label), Some(binary)) => sides.push(side(label, binary, env)),
        _ if !env.is_empty() => sides.push(side(SETTINGS, binary, env)),
        _ => {}
    }
    let mut report = Report::new(&options.commit, sides.get(1).map(|it| it.label));
    let mut needed: Vec<Set> = chosen.iter().flat_map(|it| it.sets).copied().collect();
    needed.sort_unstable();
    needed.dedup();
    needed.retain(|it| !sets::is_left_out(options, *it));
    for side in &mut sides {
        for set in &needed {
            let (data, made) = sets::ensure(options, side.label, side.binary, *set).await?;
            side.data.insert(*set, data);
            report.sets.insert(format!("{} {}", side.label, name_of(*set)), made);
        }
    }
    for scenario in chosen.iter().filter(|it| it.work == Work::Open) {
        for set in scenario.sets.iter().filter(|it| needed.contains(it)) {
            let mut row = Row::new(scenario.name, name_of(*set), open(&sides[0], *set).await?);
            row.beside = match sides.get(1) {
                Some(side) => Some(open(side, *set).await?),
                None => None,
            };
            row.target = scenario.target;
            report.rows.push(row);
        }
    }
    for answers in [Answers::Built, Answers::Remembered] {
        let of_phase = chosen.iter().filter(|it| it.answers == answers && it.work != Work::Open);
        let of_phase: Vec<&&Scenario> = of_phase.collect();
        let mut served = BTreeMap::new();
        for (at, side) in sides.iter().enumerate() {
            for set in needed.iter().filter(|set| of_phase.iter().any(|it| it.sets.contains(set))) {
                served.insert((at, *set), serve(side, *set, answers).await?);
            }
        }
        for scenario in of_phase {
            for set in scenario.sets.iter().filter(|it| needed.contains(it)) {
                eprintln!("load: {} on {}", scenario.name, name_of(*set));
                let (here, beside) = (&served[&(0, *set)], served.get(&(1, *set)));
                match rows(options, scenario, *set, here, beside).await {
                    Ok(rows) => report.rows.extend(rows),
                    Err(error) => {
                        let failure = Some(format!("{error:#}"));
                        let figures = Figures { failure, ..Figures::default() };
                        report.rows.push(Row::new(scenario.name, name_of(*set), figures));
                    }
                }
            }
        }
    }
    Ok(report)
}

fn name_of(set: Set) -> &'static str {
    match set {
        Set::Small => "small",
        Set::Large => "large",
        Set::Wide => "wide",
        Set::Written => "written",
    }
}

async fn serve(side: &Side<'_>, set: Set, answers: Answers) -> anyhow::Result<Served> {
    let server = side.start(set, answers)?;
    let world = World::open(server.address).await;
    let world = world.with_context(|| format!("the {} set of {}", name_of(set), side.label))?;
    Ok(Served { server, world: Rc::new(world) })
}

/// The time from the start of a process until it serves and has answered a request for a page.
async fn open(side: &Side<'_>, set: Set) -> anyhow::Result<Figures> {
    let mut times = Vec::new();
    let key = serve(side, set, Answers::Remembered).await?.world.one.clone();
    for _ in 0..N_STARTS {
        let server = side.start(set, Answers::Remembered)?;
        let begun = Instant::now();
        let mut client = crate::client::Client::new(server.address).with_key(&key);
        client.get("/store/products?limit=20").await?.json()?;
        times.push(server.opened_in + begun.elapsed());
    }
    Ok(Figures::of(times.clone(), times.iter().sum()))
}

/// The clients of a scenario; nothing where the server does not offer what it asks for.
async fn clients(
    options: &Options,
    scenario: &Scenario,
    world: &Rc<World>,
) -> anyhow::Result<Option<Vec<Client>>> {
    let numbers = 0..scenario.n_clients.min(options.clients_max);
    let readers = async |who: Who, path: &str| {
        let Some(paths) = paths(path, world).await? else { return anyhow::Ok(None) };
        Ok(Some(numbers.clone().map(|nth| Reader::new(who.client(world), &paths, nth)).collect::<Vec<_>>()))
    };
    let shoppers = |step| numbers.clone().map(move |nth| Shopper::new(world, step, nth));
    if matches!(scenario.work, Work::Shop(Step::Complete) | Work::Mixed(_)) {
        let n_missing = options.carts.saturating_sub(world.ready.borrow().len());
        take_many(world, Step::MakeReady, n_missing).await?;
    }
    Ok(match scenario.work {
        Work::Get(who, path) => {
            readers(who, path).await?.map(|all| all.into_iter().map(Client::Read).collect())
        }
        Work::Costly(path) => {
            let paths = paths(path, world).await?.context("it has no cursor")?;
            let reader = |nth| Client::Read(Reader::tolerant(Who::Store.client(world), &paths, nth));
            Some(numbers.map(reader).collect())
        }
        Work::Revalidate(who, path) => {
            let mut clients = Vec::new();
            for reader in readers(who, path).await?.into_iter().flatten() {
                match reader.revalidating().await? {
                    Some(reader) => clients.push(Client::Read(reader)),
                    None => return Ok(None),
                }
            }
            Some(clients)
        }
        Work::Shop(step) => Some(shoppers(step).map(Client::Write).collect()),
        Work::Mixed(path) => readers(Who::Store, path).await?.map(|all| {
            let both = all.into_iter().zip(shoppers(Step::Add));
            both.enumerate()
                .map(|(n, (reader, shopper))| Client::Mixed { reader: Box::new(reader), shopper, n })
                .collect()
        }),
        Work::Attack | Work::Links | Work::Open => None,
    })
}

async fn rows(
    options: &Options,
    scenario: &Scenario,
    set: Set,
    here: &Served,
    beside: Option<&Served>,
) -> anyhow::Result<Vec<Row>> {
    let window = Duration::from_secs_f64(options.seconds);
    let page = "/store/products?limit=20";
    match scenario.work {
        Work::Attack => {
            let window = window * ATTACK_WINDOWS;
            attack::rows(&here.server, &here.world, options.attackers, window).await
        }
        Work::Links => links::rows(&here.world, options.links, page, &options.folder).await,
        _ => {
            let mut rounds = Vec::new();
            for _ in 0..options.rounds.max(1) {
                rounds.push(row(options, scenario, set, here, beside, window).await?);
            }
            // What stands beside was measured in the same moment, so that their ratio says more than both.
            let cpu = |it: &Figures| it.cpu_us.unwrap_or(0.0);
            let key =
                |it: &Row| it.beside.as_ref().map_or(cpu(&it.here), |beside| cpu(beside) / cpu(&it.here));
            rounds.sort_by(|a, b| key(a).total_cmp(&key(b)));
            Ok(vec![rounds.swap_remove(rounds.len() / 2)])
        }
    }
}

/// The server, then its floor, then the other commit: in the same minute.
async fn row(
    options: &Options,
    scenario: &Scenario,
    set: Set,
    here: &Served,
    beside: Option<&Served>,
    window: Duration,
) -> anyhow::Result<Row> {
    let name = name_of(set);
    let Some(all) = clients(options, scenario, &here.world).await? else {
        return Ok(Row::nothing(scenario.name, name, "not offered by the server"));
    };
    let (figures, counted) = measure(&here.server, Some(&here.world), all, window).await?;
    let mut row = Row::new(scenario.name, name, figures);
    row.target = scenario.target;
    match scenario.work {
        Work::Costly(path) => {
            let paths = paths(path, &here.world).await?.context("it was there before")?;
            let answer = here.world.storefront().get(&paths[0]).await?;
            row.bytes = Some(answer.body.len());
            row.note = answer.json().err().map(|refused| refused.to_string());
        }
        Work::Get(who, path) => {
            let paths = paths(path, &here.world).await?.context("it was there before")?;
            let answer = who.client(&here.world).get(&paths[0]).await?;
            row.bytes = Some(answer.body.len());
            row.floor = Some(floor_of(options, scenario, &answer.body, window).await?);
        }
        Work::Revalidate(..) => row.floor = Some(floor_of(options, scenario, b"OK", window).await?),
        Work::Shop(_) => row.floor = floor_of_writes(options, counted.as_ref(), window)?,
        _ => {}
    }
    if let Some(beside) = beside {
        row.beside = match clients(options, scenario, &beside.world).await {
            Ok(Some(all)) => Some(measure(&beside.server, Some(&beside.world), all, window).await?.0),
            Ok(None) => None,
            Err(error) => Some(Figures { failure: Some(format!("{error:#}")), ..Figures::default() }),
        };
    }
    Ok(row)
}

async fn floor_of(
    options: &Options,
    scenario: &Scenario,
    answer: &[u8],
    window: Duration,
) -> anyhow::Result<Figures> {
    let server = floor::start(&options.folder, answer)?;
    let paths = Rc::new(vec![floor::PATH.to_owned()]);
    let client = || crate::client::Client::new(server.address);
    let numbers = 0..scenario.n_clients.min(options.clients_max);
    let readers = numbers.map(|_| Client::Read(Reader::new(client(), &paths, 0)));
    let warm = run_clients(readers.collect(), window / 10).await;
    Ok(measure(&server, None, warm.clients, window).await?.0)
}

fn floor_of_writes(
    options: &Options,
    counted: Option<&Counted>,
    window: Duration,
) -> anyhow::Result<Option<Figures>> {
    counted.map(|it| floor::write(&options.folder, it.written(), window)).transpose()
}
