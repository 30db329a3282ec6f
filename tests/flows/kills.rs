//! Real kills: a process that completes paid carts is killed at any moment, again and again. In the end every order is
//! paid once, and no money was kept without an order.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use atoll_cart::CARTS;
use atoll_host::{Data, registry};
use atoll_kernel::{EXECUTIONS, ExecutionState, Store};
use atoll_links::ORDER_CART;
use atoll_order::ORDERS;
use atoll_testkit::{Shop, TestApp, pay_with};
use serde_json::json;

use crate::bank::{LOG, Mood, account};

/// How often the process is killed; `ATOLL_KILLS` says otherwise.
const N_KILLS: usize = 20;
const N_BUYERS: usize = 8;

fn store(folder: &Path) -> Store {
    let registry = registry().expect("a registry");
    Data::Folder(folder.to_owned()).open(registry).expect("a store")
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// What is killed: the test below starts it in processes of their own. In the process of the tests it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buy_until_killed() {
    let Some(folder) = variable("ATOLL_KILLED_FOLDER") else { return };
    let (key, variant) = (variable("ATOLL_KILLED_KEY"), variable("ATOLL_KILLED_VARIANT"));
    let (key, variant) = (key.expect("a key"), variant.expect("a variant"));
    let app = TestApp::over(store(Path::new(&folder)), None).await;
    app.ctx.recover().await.expect("a recovery");
    std::io::stdout().write_all(b"ready\n").expect("a pipe");
    std::io::stdout().flush().expect("a pipe");
    let storefront = app.storefront(&key);
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..N_BUYERS {
        let (storefront, variant) = (storefront.clone(), variant.clone());
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

/// Charges that were not given back, by cart, and how many calls came more than once.
fn charges(text: &str) -> (BTreeMap<String, usize>, usize) {
    let (mut charged, mut voided, mut n_again) = (BTreeSet::new(), BTreeSet::new(), 0);
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["charge", cart, key] => {
                n_again += usize::from(!charged.insert((cart.to_owned(), key.to_owned())))
            }
            ["void", _, key] => n_again += usize::from(!voided.insert(key.to_owned())),
            // The last line of a process that was killed.
            _ => {}
        }
    }
    let mut kept = BTreeMap::new();
    for (cart, _) in charged.into_iter().filter(|(_, key)| !voided.contains(key)) {
        *kept.entry(cart).or_insert(0) += 1;
    }
    (kept, n_again)
}

/// Carts that were charged twice, orders that nobody paid, carts that were charged and are no order.
fn wrongs(kept: &BTreeMap<String, usize>, ordered: &BTreeSet<String>) -> [usize; 3] {
    let duplicates = kept.values().filter(|n| **n > 1).count();
    let unpaid = ordered.iter().filter(|cart| !kept.contains_key(*cart)).count();
    let orderless = kept.keys().filter(|cart| !ordered.contains(*cart)).count();
    [duplicates, unpaid, orderless]
}

#[test]
fn the_books_show_what_is_wrong() {
    let check = |log: &str, expect: [usize; 3]| {
        assert_eq!(wrongs(&charges(log).0, &BTreeSet::from(["a".to_owned()])), expect, "{log}");
    };
    check("charge a 1\ncharge a 1\n", [0, 0, 0]);
    check("charge a 1\ncharge a 2\n", [1, 0, 0]);
    check("charge a 1\nvoid a 1\ncharge a 2\n", [0, 0, 0]);
    check("charge a 1\nvoid a 1\n", [0, 1, 0]);
    check("charge a 1\ncharge b 2\n", [0, 0, 1]);
}

#[tokio::test]
async fn killed_at_any_moment_every_order_is_paid_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("bank.log");
    let shop = Shop::open(TestApp::over(store(folder.path()), None).await).await;
    crate::bank::open_for(&shop).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 1_000_000).await;
    let key = shop.key(&[&web]).await;
    shop.app.ctx.store().close();
    drop(shop);

    let n_kills = variable("ATOLL_KILLS").and_then(|it| it.parse().ok()).unwrap_or(N_KILLS);
    for n in 0..n_kills {
        let mut child = Command::new(env::current_exe().expect("a program"))
            .args(["kills::buy_until_killed", "--exact", "--nocapture"])
            .env("ATOLL_KILLED_FOLDER", folder.path())
            .env("ATOLL_KILLED_KEY", &key)
            .env("ATOLL_KILLED_VARIANT", &tea.id)
            .env(LOG, &log)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert!(lines.any(|line| line.is_ok_and(|it| it.contains("ready"))), "process {n} ended by itself");
        // Every other process is let come to the bank first, however busy the machine is.
        let noted = || fs::metadata(&log).map_or(0, |it| it.len());
        let (before, patience) = (noted(), Instant::now());
        while n % 2 == 0 && noted() == before && patience.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Any moment will do: this is one that no two kills share.
        let wait = Duration::from_micros(2_000 + (n as u64 * 7_919) % 60_000);
        std::thread::sleep(wait);
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }

    let app = TestApp::over(store(folder.path()), None).await;
    // The last process is this one: it gives back to the same bank.
    crate::bank::log_to(&log);
    app.ctx.recover().await.expect("a recovery");
    let view = app.ctx.view();
    let runs = EXECUTIONS.table.list_all(&view).expect("runs");
    let stuck = runs.iter().filter(|it| !it.has_ended() || it.state == ExecutionState::Failed).count();
    let (mut kept, n_again) = charges(&fs::read_to_string(&log).expect("the log of the bank"));
    // Other tests of this program pay at the same bank meanwhile.
    kept.retain(|cart, _| CARTS.table.exists(&view, cart).expect("a cart"));
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
    assert!(ordered.len() >= n_kills / 4, "only {} orders: the kills came too early", ordered.len());
    let reserved = atoll_inventory::RESERVATIONS.table.count(&view).expect("a count");
    assert_eq!(reserved as usize, ordered.len(), "what nobody ordered is promised to nobody");
}
