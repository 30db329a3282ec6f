//! Kill test: a process that completes paid carts is killed at random, again and again. In the end every
//! order is paid once, and no charge is left without an order.

#[path = "../flows/bank.rs"]
#[expect(dead_code, reason = "the tests of flows ask the bank for more")]
mod bank;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::PoisonError,
    time::{Duration, Instant},
};

use atoll_host::{Data, registry};
use atoll_kernel::{
    data::Store,
    saga::{EXECUTIONS, ExecutionState},
};
use atoll_links::ORDER_CART;
use atoll_order::ORDERS;
use atoll_testkit::{Shop, TestApp, pay_with, times};
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

use self::bank::{Mood, account};

/// Number of kills; set by `ATOLL_KILLS`.
const N_KILLS: u32 = 20;
const N_BUYERS: usize = 8;

/// First argument of the processes that are killed: with it this binary runs no test, but buys.
const BUY: &str = "buy-until-killed";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [what, folder, log, key, variant] = args.as_slice()
        && what == BUY
    {
        block_on(buy_until_killed(Path::new(folder), Path::new(log), key, variant));
        return ExitCode::FAILURE;
    }
    let tests = vec![
        Trial::test("checker_detects_wrong_payments", || {
            checker_detects_wrong_payments();
            Ok(())
        }),
        Trial::test("killed_at_any_moment_every_order_is_paid_once", || {
            block_on(killed_at_any_moment_every_order_is_paid_once());
            Ok(())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn block_on(body: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(body);
}

fn store(folder: &Path) -> Store {
    let registry = registry().expect("a registry");
    Data::Folder(folder.to_owned()).open(registry).expect("a store")
}

/// From now on the bank writes a journal to this file.
fn log_to(file: &Path) {
    *bank::LOG.lock().unwrap_or_else(PoisonError::into_inner) = Some(file.to_owned());
}

/// Completes carts over this folder until the process is killed.
async fn buy_until_killed(folder: &Path, log: &Path, key: &str, variant: &str) {
    log_to(log);
    let app = TestApp::over(store(folder), None).await;
    app.ctx.recover().await.expect("a recovery");
    std::io::stdout().write_all(b"ready\n").expect("a pipe");
    std::io::stdout().flush().expect("a pipe");
    let storefront = app.storefront(key);
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..N_BUYERS {
        let (storefront, variant) = (storefront.clone(), variant.to_owned());
        buyers.spawn(async move {
            loop {
                let items = json!([{ "variant_id": variant, "quantity": 1 }]);
                let cart = storefront.post("/store/carts", json!({ "items": items })).await.ok();
                let cart = cart["cart"]["id"].as_str().expect("a cart").to_owned();
                // Some cards are refused, and sometimes the bank does not answer.
                let mood = match cart.as_bytes().last() {
                    Some(b'0'..=b'4') => Mood::Declines,
                    Some(b'5'..=b'9') => Mood::Hangs,
                    _ => Mood::Pays,
                };
                account(&cart, |it| it.mood = mood);
                pay_with(&storefront, &cart, "pp_bank").await;
                storefront.post(&format!("/store/carts/{cart}/complete"), json!({})).await;
            }
        });
    }
    assert!(buyers.join_next().await.is_none_or(|it| it.is_ok()), "a buyer gave up");
}

/// Charges without a refund by cart, and the number of retried calls.
fn charges(text: &str) -> (BTreeMap<String, usize>, usize) {
    let (mut charged, mut voided, mut n_again) = (BTreeSet::new(), BTreeSet::new(), 0);
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["charge", cart, key] => {
                n_again += usize::from(!charged.insert((cart.to_owned(), key.to_owned())))
            }
            ["void", _, key] => n_again += usize::from(!voided.insert(key.to_owned())),
            // A torn last line of a killed process.
            _ => {}
        }
    }
    let mut kept = BTreeMap::new();
    for (cart, _) in charged.into_iter().filter(|(_, key)| !voided.contains(key)) {
        *kept.entry(cart).or_insert(0) += 1;
    }
    (kept, n_again)
}

/// Carts that were charged twice, unpaid orders, and charged carts without an order.
fn wrongs(kept: &BTreeMap<String, usize>, ordered: &BTreeSet<String>) -> [usize; 3] {
    let duplicates = kept.values().filter(|n| **n > 1).count();
    let unpaid = ordered.iter().filter(|cart| !kept.contains_key(*cart)).count();
    let orderless = kept.keys().filter(|cart| !ordered.contains(*cart)).count();
    [duplicates, unpaid, orderless]
}

fn checker_detects_wrong_payments() {
    let check = |log: &str, expect: [usize; 3]| {
        assert_eq!(wrongs(&charges(log).0, &BTreeSet::from(["a".to_owned()])), expect, "{log}");
    };
    check("charge a 1\ncharge a 1\n", [0, 0, 0]);
    check("charge a 1\ncharge a 2\n", [1, 0, 0]);
    check("charge a 1\nvoid a 1\ncharge a 2\n", [0, 0, 0]);
    check("charge a 1\nvoid a 1\n", [0, 1, 0]);
    check("charge a 1\ncharge b 2\n", [0, 0, 1]);
}

async fn killed_at_any_moment_every_order_is_paid_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("bank.log");
    let shop = Shop::open(TestApp::over(store(folder.path()), None).await).await;
    bank::open_for(&shop).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 1_000_000).await;
    let key = shop.key(&[&web]).await;
    shop.app.ctx.store().close();
    drop(shop);

    let n_kills = times("ATOLL_KILLS", N_KILLS);
    for n in 0..n_kills {
        let mut child = Command::new(env::current_exe().expect("a program"))
            .arg(BUY)
            .args([folder.path(), &log])
            .args([&key, &tea.id])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert!(lines.any(|line| line.is_ok_and(|it| it.contains("ready"))), "process {n} ended by itself");
        // Every other process is killed only after its first call of the bank, however busy the machine is.
        let noted = || fs::metadata(&log).map_or(0, |it| it.len());
        let (before, patience) = (noted(), Instant::now());
        while n % 2 == 0 && noted() == before && patience.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // A delay that differs for each kill.
        let wait = Duration::from_micros(2_000 + (u64::from(n) * 7_919) % 60_000);
        std::thread::sleep(wait);
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }

    let app = TestApp::over(store(folder.path()), None).await;
    // This process is the last one, and refunds at the same bank.
    log_to(&log);
    app.ctx.recover().await.expect("a recovery");
    let view = app.ctx.view();
    let runs = EXECUTIONS.table.list_all(&view).expect("runs");
    let stuck = runs.iter().filter(|it| !it.has_ended() || it.state == ExecutionState::Failed).count();
    let (kept, n_again) = charges(&fs::read_to_string(&log).expect("the log of the bank"));
    let mut ordered = BTreeSet::new();
    for order in ORDERS.table.list_all(&view).expect("orders") {
        ordered.extend(ORDER_CART.rights(&view, &order.id).expect("carts"));
    }
    let [duplicates, unpaid, orderless] = wrongs(&kept, &ordered);
    eprintln!(
        "{n_kills} kills, {} runs, {} orders, {n_again} calls came again: {duplicates} charged twice, {unpaid} \
         unpaid, {orderless} without order, {stuck} stuck",
        runs.len(),
        ordered.len()
    );
    assert_eq!((duplicates, unpaid, orderless, stuck), (0, 0, 0, 0));
    assert!(ordered.len() >= n_kills as usize / 4, "only {} orders: the kills came too early", ordered.len());
    let reserved = atoll_inventory::RESERVATIONS.table.count(&view).expect("a count");
    assert_eq!(reserved as usize, ordered.len(), "what nobody ordered is promised to nobody");
}
