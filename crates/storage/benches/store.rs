//! What the store costs over redb. Read the ratios, not the figures: each figure is the median of rounds that
//! take turns on copies of one file, so the disk's speed and its noise are on both sides of every ratio.

use std::{
    error::Error,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use atoll_storage::{KeyBuf, Read as _, SEQUENCES, Space, Store, StoreError, WriteKeys, engines::Redb};
use redb::{Database, ReadableDatabase as _, TableDefinition};
use tokio::runtime::{self, Runtime};

/// The table of `engines::Redb`, so that the raw side reads and writes the very same B-tree.
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("atoll");
const BENCH: Space = "bench";
const SPACES: [Space; 2] = [BENCH, SEQUENCES];

/// Keys in the file before anything is measured; the reads get all of them.
const N_EXISTING: u64 = 100_000;
const N_READ_ROUNDS: u64 = 9;

const N_KEYS: u64 = 3;
const N_TRANSACTIONS: u64 = 4096;
const N_WRITE_ROUNDS: u64 = 5;
/// A measurement of writes ends here even if transactions are left. One commit each is that slow.
const TIME_MAX: Duration = Duration::from_millis(1500);
const N_RAW_BATCH: u64 = 64;

const WRITE_TARGET: f64 = 0.6;
const READ_TARGET: f64 = 0.8;

fn main() -> Result<(), Box<dyn Error>> {
    // Not the system's temporary folder: that is often memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let original = folder.path().join("original.redb");
    let prefix = fill(&original)?;
    let reads = measure_reads(folder.path(), &original)?;
    let writes = measure_writes(folder.path(), &original, prefix)?;
    print_table(&writes, &reads)?;
    Ok(())
}

/// A row of the table.
struct Row {
    name: String,
    /// Operations in one measurement; of a round that was cut short, those that it got to.
    n_operations: u64,
    rates: Vec<f64>,
    target: Option<f64>,
}

impl Row {
    fn new(name: impl Into<String>, target: Option<f64>) -> Self {
        Row { name: name.into(), n_operations: 0, rates: Vec::new(), target }
    }

    fn add(&mut self, (n_operations, time): (u64, Duration)) {
        self.n_operations = n_operations;
        self.rates.push(n_operations as f64 / time.as_secs_f64());
    }

    fn median(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    }
}

/// Writes the file that all sides start from a copy of; answers with the prefix of its keys.
fn fill(file: &Path) -> Result<[u8; 2], Box<dyn Error>> {
    let store = Store::open(Redb::open(file)?, &SPACES)?;
    let prefix = store.view().prefix(BENCH);
    let runtime = runtime::Builder::new_current_thread().build()?;
    runtime.block_on(store.write(move |tx| {
        for n in 0..N_EXISTING {
            tx.put(key(prefix, existing(n)), value(existing(n)));
        }
        Ok::<_, StoreError>(())
    }))?;
    store.close();
    Ok(prefix)
}

fn copy(folder: &Path, original: &Path, number: usize) -> io::Result<std::path::PathBuf> {
    let file = folder.join(format!("{number}.redb"));
    fs::copy(original, &file)?;
    File::open(&file)?.sync_all()?;
    Ok(file)
}

fn measure_reads(folder: &Path, original: &Path) -> Result<[Row; 2], Box<dyn Error>> {
    let store = Store::open(Redb::open(&copy(folder, original, 100)?)?, &SPACES)?;
    let view = store.view();
    let prefix = view.prefix(BENCH);
    let database = Database::open(copy(folder, original, 101)?)?;
    let table = database.begin_read()?.open_table(TABLE)?;

    // The raw side has its keys ready; the store's side makes each as `Table::get` does, which is its cost.
    let mut numbers: Vec<u64> = (0..N_EXISTING).map(existing).collect();
    numbers.sort_by_key(|&number| mix(!number));
    let tails: Vec<Vec<u8>> = numbers.iter().map(|&number| key(prefix, number)[2..].to_vec()).collect();
    let keys: Vec<Vec<u8>> = numbers.iter().map(|&number| key(prefix, number)).collect();

    let through_store = || -> Result<u64, Box<dyn Error>> {
        let mut n_bytes = 0;
        for tail in &tails {
            let key = KeyBuf::new(view.prefix(BENCH)).tail(tail).into_bytes();
            n_bytes += view.get(&key)?.ok_or("a key is missing")?.len() as u64;
        }
        Ok(n_bytes)
    };
    let through_redb = || -> Result<u64, Box<dyn Error>> {
        let mut n_bytes = 0;
        for key in &keys {
            let value = table.get(key.as_slice())?.map(|value| value.value().to_vec());
            // Behind each value stands its checksum.
            n_bytes += value.ok_or("a key is missing")?.len() as u64 - 4;
        }
        Ok(n_bytes)
    };

    let mut rows = [Row::new("store.view()", Some(READ_TARGET)), Row::new("raw redb", None)];
    let sides: [&dyn Fn() -> Result<u64, Box<dyn Error>>; 2] = [&through_store, &through_redb];
    // The first round fills the caches, and is not counted.
    for round in 0..=N_READ_ROUNDS {
        for turn in 0..2 {
            let side = (turn + round as usize) % 2;
            let start = Instant::now();
            let n_bytes = sides[side]()?;
            let time = start.elapsed();
            assert_eq!(n_bytes, N_EXISTING * 200, "every value was read whole");
            if round > 0 {
                rows[side].add((N_EXISTING, time));
            }
        }
    }
    store.close();
    Ok(rows)
}

/// Puts the transactions of a round into its file, and says how many it got to in which time.
type Writer = Box<dyn FnMut(u64) -> Result<(u64, Duration), Box<dyn Error>>>;

fn measure_writes(folder: &Path, original: &Path, prefix: [u8; 2]) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut sides: Vec<(Row, Writer)> = Vec::new();
    for n_callers in [1, 16, 64] {
        let file = copy(folder, original, sides.len())?;
        let name =
            if n_callers == 1 { "store, 1 caller".into() } else { format!("store, {n_callers} callers") };
        let target = (n_callers == 64).then_some(WRITE_TARGET);
        sides.push((Row::new(name, target), store_writer(&file, n_callers, prefix)?));
    }
    for n_batch in [1, N_RAW_BATCH] {
        let file = copy(folder, original, sides.len())?;
        let row = Row::new(format!("raw redb, {n_batch} per commit"), None);
        sides.push((row, redb_writer(&file, n_batch, prefix)?));
    }
    for round in 0..N_WRITE_ROUNDS {
        for (row, write) in &mut sides {
            row.add(write(round * N_TRANSACTIONS)?);
        }
    }
    Ok(sides.into_iter().map(|(row, _)| row).collect())
}

fn store_writer(file: &Path, n_callers: usize, prefix: [u8; 2]) -> Result<Writer, Box<dyn Error>> {
    let store = Store::open(Redb::open(file)?, &SPACES)?;
    let runtime = runtime::Builder::new_multi_thread().build()?;
    Ok(Box::new(move |first| Ok(write_through_store(&runtime, &store, n_callers, prefix, first)?)))
}

/// Callers that each wait for the answer before they send the next transaction.
fn write_through_store(
    runtime: &Runtime,
    store: &Store,
    n_callers: usize,
    prefix: [u8; 2],
    first: u64,
) -> Result<(u64, Duration), StoreError> {
    let n_begun = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let caller = |store: Store, n_begun: Arc<AtomicU64>| async move {
        let mut n_done = 0;
        while start.elapsed() < TIME_MAX {
            let n = n_begun.fetch_add(1, Ordering::Relaxed);
            if n >= N_TRANSACTIONS {
                break;
            }
            let body = move |tx: &mut dyn atoll_storage::Write| {
                for number in keys_of(first + n) {
                    tx.put(key(prefix, number), value(number));
                }
                Ok::<_, StoreError>(())
            };
            store.write(body).await?;
            n_done += 1;
        }
        Ok::<u64, StoreError>(n_done)
    };
    let callers: Vec<_> =
        (0..n_callers).map(|_| runtime.spawn(caller(store.clone(), n_begun.clone()))).collect();
    let mut n_done = 0;
    for caller in callers {
        n_done += runtime.block_on(caller).expect("a caller does not panic")?;
    }
    Ok((n_done, start.elapsed()))
}

fn redb_writer(file: &Path, n_batch: u64, prefix: [u8; 2]) -> Result<Writer, Box<dyn Error>> {
    let database = Database::open(file)?;
    Ok(Box::new(move |first| {
        let start = Instant::now();
        let mut n_done = 0;
        while n_done < N_TRANSACTIONS && start.elapsed() < TIME_MAX {
            let tx = database.begin_write()?;
            {
                let mut table = tx.open_table(TABLE)?;
                for n in n_done..n_done + n_batch {
                    for number in keys_of(first + n) {
                        table.insert(key(prefix, number).as_slice(), value(number).as_slice())?;
                    }
                }
            }
            tx.commit()?;
            n_done += n_batch;
        }
        Ok((n_done, start.elapsed()))
    }))
}

/// The numbers of the keys of the n-th transaction.
fn keys_of(n: u64) -> impl Iterator<Item = u64> {
    n * N_KEYS..(n + 1) * N_KEYS
}

/// The number of the n-th key that is there from the start.
fn existing(n: u64) -> u64 {
    (1 << 40) + n
}

/// 40 bytes anywhere in the space; no two numbers have the same.
fn key(prefix: [u8; 2], number: u64) -> Vec<u8> {
    let mut key = KeyBuf::new(prefix).tail(b"bench_").into_bytes();
    for part in [mix(number), mix(!number)] {
        key.extend((0..16).map(|digit| b"0123456789abcdef"[(part >> (4 * digit)) as usize % 16]));
    }
    key
}

/// 200 bytes.
fn value(number: u64) -> Vec<u8> {
    mix(number).to_le_bytes().repeat(25)
}

/// SplitMix64: scatters numbers, the same way in every run.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn print_table(writes: &[Row], reads: &[Row]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let parts = [
        (format!("writes of {N_KEYS} keys"), "tx/s", "of batched raw", writes),
        ("reads".to_owned(), "gets/s", "of raw", reads),
    ];
    for (title, unit, of, rows) in parts {
        writeln!(out, "{title:<24} {:>8} {unit:>10}  {:>21} {of:>15}  target", "count", "lowest to highest")?;
        let base = rows.last().expect("there are rows").median();
        for row in rows {
            let ratio = row.median() / base;
            let target = match row.target {
                Some(target) if ratio >= target => format!(">= {target:.2}: met"),
                Some(target) => format!(">= {target:.2}: MISSED"),
                None => String::new(),
            };
            let lowest = row.rates.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = row.rates.iter().copied().fold(0.0, f64::max);
            let spread = format!("{lowest:.0} to {highest:.0}");
            let line = format!(
                "{:<24} {:>8} {:>10.0}  {spread:>21} {ratio:>15.2}  {target}",
                row.name,
                row.n_operations,
                row.median()
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "Medians of {N_WRITE_ROUNDS} and {N_READ_ROUNDS} rounds. A count below {N_TRANSACTIONS} is of a round that \
         {TIME_MAX:?} cut short."
    )
}
