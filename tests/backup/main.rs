//! Backups of a shop that sells meanwhile: each is the state after one commit, whatever is killed, and
//! however full the disk is.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use atoll_background::{BackingUp, BackupFile, backups_in};
use atoll_host::registry;
use atoll_kernel::{
    Ctx, StoreError,
    data::{Direction, Scan, Store, View},
    limits::CACHE_BYTES,
    verify::Findings,
};
use atoll_storage::{
    Engine as _, Position, Span,
    engines::{Content, Log, Logging, Memory, Redb},
    restore,
};
use atoll_testkit::{Client, Shop, TestApp, complete, id, times};
use libtest_mimic::{Arguments, Trial};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// Number of backups under load; set by `ATOLL_BACKUPS`.
const N_BACKUPS: u32 = 20;

/// Number of kills; set by `ATOLL_KILLS`.
const N_KILLS: u32 = 20;
const N_BUYERS: usize = 4;

/// First arguments of the processes that this binary starts itself as: with one of them it runs no test.
const FOR_EVER: &str = "back-up-for-ever";
const ONCE: &str = "back-up-once";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [FOR_EVER, folder] => {
            block_on(back_up_for_ever(Path::new(folder)));
            return ExitCode::FAILURE;
        }
        [ONCE, folder] => return block_on(back_up_once(Path::new(folder))),
        _ => {}
    }
    let tests = vec![
        Trial::test("backups_under_load_are_prefixes_of_the_commits", || {
            block_on(backups_under_load_are_prefixes_of_the_commits());
            Ok(())
        }),
        Trial::test("restored_shop_under_load_has_nothing_to_find", || {
            block_on(restored_shop_under_load_has_nothing_to_find());
            Ok(())
        }),
        Trial::test("copy_of_a_file_that_is_written_is_no_backup", || {
            block_on(copy_of_a_file_that_is_written_is_no_backup());
            Ok(())
        }),
        Trial::test("killed_backup_leaves_no_file_under_the_final_name", || {
            killed_backup_leaves_no_file_under_the_final_name();
            Ok(())
        }),
        Trial::test("backup_to_a_full_disk_leaves_nothing", || {
            backup_to_a_full_disk_leaves_nothing();
            Ok(())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn block_on<T>(body: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(body)
}

/// A shop, over any engine, in which buyers buy until it is dropped or asked to stop.
struct Busy {
    shop: Shop,
    buyers: JoinSet<()>,
    is_over: Arc<AtomicBool>,
}

impl Busy {
    async fn open(store: Store) -> Busy {
        let shop = Shop::open(TestApp::over(store, None).await).await;
        let web = shop.channel("Web").await;
        let tea = shop.product("Tea", &[&web], 1_000_000).await;
        let storefront = shop.storefront(&[&web]).await;
        let (mut buyers, is_over) = (JoinSet::new(), Arc::<AtomicBool>::default());
        for _ in 0..N_BUYERS {
            buyers.spawn(buy(storefront.clone(), tea.id.clone(), is_over.clone()));
        }
        Busy { shop, buyers, is_over }
    }

    fn ctx(&self) -> &Ctx {
        &self.shop.app.ctx
    }

    /// Waits for this many commits.
    async fn commits(&self, n: u64) {
        let target = self.ctx().store().view().position().0 + n;
        self.shop.app.until(async || self.ctx().store().view().position().0 >= target).await;
    }

    async fn close(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(buyer) = self.buyers.join_next().await {
            buyer.expect("a buyer");
        }
    }
}

async fn buy(storefront: Client, variant: String, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        let items = json!([{ "variant_id": variant, "quantity": 1 }]);
        let cart = storefront.post("/store/carts", json!({ "items": items })).await.ok();
        complete(&storefront, &id(&cart["cart"])).await.ok();
    }
}

async fn back_up(ctx: &Ctx, folder: &Path) -> (PathBuf, BackupFile) {
    BackingUp::begin(ctx).expect("no other one").run(folder.to_owned(), None).await.expect("a backup")
}

/// All keys and values of a database file, as they are stored.
fn content(file: &Path) -> Result<Content, StoreError> {
    let mut content = Content::new();
    let all = Span { start: Vec::new(), end: None };
    let mut visit = |key: &[u8], value: &[u8]| {
        content.insert(key.to_vec(), value.to_vec());
        Ok(Scan::Continue(()))
    };
    let engine = Redb::open_checked(file, CACHE_BYTES)?;
    engine.snapshot()?.scan(&all, Direction::Ascending, &mut visit, &mut |_, _| Ok(()))?;
    Ok(content)
}

/// A store that logs its commits.
fn logging() -> (Store, Log) {
    let (engine, log) = Logging::over(Memory::default());
    (Store::open(engine, &registry().expect("a registry").spaces()).expect("a store"), log)
}

/// The proof that a backup is one state: it equals what replaying all commits up to its position gives.
async fn backups_under_load_are_prefixes_of_the_commits() {
    let (store, log) = logging();
    let busy = Busy::open(store).await;
    let folder = TempDir::new().expect("a folder");
    let n_backups = times("ATOLL_BACKUPS", N_BACKUPS);
    let (mut replayed, mut at) = (Content::new(), Position::default());
    for n in 0..n_backups {
        busy.commits(1).await;
        let (file, made) = back_up(busy.ctx(), folder.path()).await;
        assert!(made.position > at, "backup {n}");
        log.replay(&mut replayed, at, made.position);
        at = made.position;
        assert!(content(&file).expect("a database") == replayed, "backup {n}, of commit {at}, is no prefix");
        fs::remove_file(file).expect("a file");
    }
    let n_commits = log.n_commits();
    busy.close().await;
    eprintln!("{n_backups} backups during {n_commits} commits, of {} keys in the end", replayed.len());
    assert!(n_commits > n_backups as usize, "{n_commits} commits: nobody has bought anything");
}

async fn restored_shop_under_load_has_nothing_to_find() {
    let busy = Busy::open(logging().0).await;
    let folder = TempDir::new().expect("a folder");
    let restored = folder.path().join("atoll.redb");
    for _ in 0..3 {
        busy.commits(5).await;
        let (file, made) = back_up(busy.ctx(), folder.path()).await;
        let (manifest, _) = restore(&file, &restored).expect("a restored database");
        assert_eq!(manifest.position, made.position);
        let engine = Redb::open(&restored).expect("a database");
        let registry = registry().expect("a registry");
        let view = View::look(&engine, &registry.spaces()).expect("a view");
        assert_eq!(view.position(), made.position);
        let found = registry.verify(view, busy.ctx().now(), Findings::new(10, Arc::default()));
        assert_eq!(found.expect("a report").findings, []);
        drop(engine);
        fs::remove_file(&restored).expect("a file");
    }
    busy.close().await;
}

/// The control: what a copy of the file gives while it is written. It is refused, or is no state that there
/// ever was; were it neither, the tests above would prove nothing.
async fn copy_of_a_file_that_is_written_is_no_backup() {
    const N_COPIES: usize = 3;
    let folder = TempDir::new().expect("a folder");
    let (live, copy) = (folder.path().join("live.redb"), folder.path().join("copy.redb"));
    let (engine, log) = Logging::over(Redb::open(&live).expect("a database"));
    let store = Store::open(engine, &registry().expect("a registry").spaces()).expect("a store");
    let busy = Busy::open(store).await;
    let mut caught = Vec::new();
    for _ in 0..N_COPIES {
        // As `cp` does, but for a pause of some commits between its halves: a large file takes that long.
        let from = fs::File::open(&live).expect("a file");
        let half = from.metadata().expect("a file").len() / 2;
        let mut bytes = Vec::new();
        (&from).take(half).read_to_end(&mut bytes).expect("the first half");
        busy.commits(20).await;
        (&from).read_to_end(&mut bytes).expect("the second half");
        fs::write(&copy, bytes).expect("a copy");
        match content(&copy) {
            Err(error) => caught.push(error.to_string()),
            Ok(found) => {
                let position = found.get(&b"\0\0\0position"[..]).and_then(|it| it.first_chunk());
                let position = Position(position.map_or(0, |it| u64::from_be_bytes(*it)));
                assert!(position.0 <= log.n_commits() as u64);
                if log.content_at(position) != found {
                    caught.push(format!("it is no prefix up to commit {position}"));
                }
            }
        }
    }
    busy.close().await;
    eprintln!("{} of {N_COPIES} copies were caught: {caught:#?}", caught.len());
    assert!(!caught.is_empty(), "a copy of a file that is written is as good as a backup");
}

/// A shop in memory, large enough that its backup takes a moment.
async fn filled() -> Shop {
    const N_PRODUCTS: usize = 30;
    let shop = Shop::open(TestApp::init().await).await;
    for n in 0..N_PRODUCTS {
        shop.product(&format!("Tea {n}"), &[], 1).await;
    }
    shop
}

/// Makes one backup after the other until it is killed.
async fn back_up_for_ever(folder: &Path) {
    let shop = filled().await;
    std::io::stdout().write_all(b"ready\n").expect("a pipe");
    std::io::stdout().flush().expect("a pipe");
    loop {
        back_up(&shop.app.ctx, folder).await;
        shop.app.advance_ms(1_000);
    }
}

async fn back_up_once(folder: &Path) -> ExitCode {
    let shop = filled().await;
    match BackingUp::begin(&shop.app.ctx).expect("no other one").run(folder.to_owned(), None).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", atoll_background::why(&error));
            ExitCode::FAILURE
        }
    }
}

/// The names of the files of a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").file_name());
    entries.map(|it| it.to_string_lossy().into_owned()).collect()
}

fn killed_backup_leaves_no_file_under_the_final_name() {
    let (folder, mut n_halves, mut n_whole) = (TempDir::new().expect("a folder"), 0, 0);
    let n_kills = times("ATOLL_KILLS", N_KILLS);
    let restored = folder.path().join("restored.redb");
    let backups = folder.path().join("backups");
    fs::create_dir(&backups).expect("a folder");
    for n in 0..n_kills {
        let mut child = Command::new(env::current_exe().expect("a program"))
            .arg(FOR_EVER)
            .arg(&backups)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert!(lines.any(|line| line.is_ok_and(|it| it == "ready")), "process {n} ended by itself");
        // Every other process is killed only after its first backup, however busy the machine is.
        let (has_made, patience) = (|| !backups_in(&backups).expect("a list").is_empty(), Instant::now());
        while n % 2 == 0 && !has_made() && patience.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // A moment that differs for each kill.
        std::thread::sleep(Duration::from_micros(1_000 + (u64::from(n) * 7_919) % 60_000));
        child.kill().expect("a kill");
        child.wait().expect("an end");
        n_halves += names(&backups).iter().filter(|it| it.ends_with(".part")).count();
        for backup in backups_in(&backups).expect("a list") {
            let file = backups.join(&backup.name);
            restore(&file, &restored).unwrap_or_else(|error| panic!("kill {n}: {error}"));
            fs::remove_file(&restored).expect("a file");
            fs::remove_file(&file).expect("a file");
            n_whole += 1;
        }
        // The next process removes the half one; only what ends in `.part` can be left.
        let left = names(&backups);
        assert!(left.len() <= 1 && left.iter().all(|it| it.ends_with(".part")), "kill {n}: {left:?}");
    }
    eprintln!("{n_kills} kills: {n_whole} whole backups, {n_halves} halves that were left");
    assert!(n_halves > 0 && n_whole > 0, "the kills came at the wrong time");
}

/// The disk is full for a process that may write files of some kilobytes only.
fn backup_to_a_full_disk_leaves_nothing() {
    let folder = TempDir::new().expect("a folder");
    let back_up = |n_blocks: &str| {
        // Without the signal, a write beyond the limit is an error, as it is on a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {n_blocks}; exec \"$@\"");
        let done = Command::new("bash")
            .args(["-c", &script, "bash"])
            .arg(env::current_exe().expect("a program"))
            .arg(ONCE)
            .arg(folder.path())
            .output()
            .expect("bash runs");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    for n_blocks in ["0", "16", "256"] {
        let (is_made, why) = back_up(n_blocks);
        assert!(!is_made && why.contains("File too large"), "{n_blocks} blocks: {why}");
        assert_eq!(names(folder.path()), [""; 0], "{n_blocks} blocks");
    }
    let (is_made, why) = back_up("unlimited");
    assert!(is_made, "{why}");
    assert_eq!(backups_in(folder.path()).expect("a list").len(), 1);
}
