//! Damaged files: a flipped bit is an error or does no harm, and a file that was cut is refused.

use std::{collections::BTreeMap, fs, ops::Range, panic, path::Path};

use atoll_storage::{
    Direction, KeyBuf, Read as _, Scan, Span, Store, StoreError, Write, WriteKeys, engines::Redb,
};
use atoll_values::limits::CACHE_BYTES;
use tempfile::TempDir;

use crate::SPACES;

/// Records, and per record as many entries of an index.
const N_RECORDS: usize = 1500;

/// Bits that are flipped, each in a copy of its own; `ATOLL_BITS=300..20000` flips others. Of 20,000, four in
/// page numbers led to other whole pages, which no value's checksum shows, and one in redb's list of free
/// pages ended the process.
fn bits() -> Range<u64> {
    let Ok(bits) = std::env::var("ATOLL_BITS") else { return 0..300 };
    let (from, to) = bits.split_once("..").expect("`ATOLL_BITS=from..to`");
    from.parse().expect("a number")..to.parse().expect("a number")
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

fn id(n: usize) -> String {
    format!("rec_{:026}", n * 7)
}

/// Fills the file, in several commits, so that pages of earlier ones lie in it, too.
async fn fill(file: &Path) -> Entries {
    let store = Store::open(Redb::open(file).expect("a file"), SPACES).expect("a store");
    for pass in 0..3 {
        let write = move |tx: &mut dyn Write| {
            for n in 0..N_RECORDS {
                let key = KeyBuf::new(tx.prefix("test")).tail(id(n).as_bytes()).into_bytes();
                tx.put(key, format!("record {n} as of pass {pass}, ").repeat(4).into_bytes());
                let entry = KeyBuf::new(tx.prefix("other")).part(&format!("group {}", n % 50));
                tx.put(entry.tail(id(n).as_bytes()).into_bytes(), Vec::new());
            }
            Ok::<_, StoreError>(())
        };
        store.write(write).await.expect("a commit");
    }
    let entries = all(&store, &Span { start: Vec::new(), end: None }, Direction::Ascending).expect("all");
    store.close();
    // The directory also has the format and the position.
    assert_eq!(entries.len(), 2 * N_RECORDS + SPACES.len() + 2);
    entries
}

fn all(store: &Store, span: &Span, order: Direction) -> Result<Entries, StoreError> {
    let mut entries = Entries::new();
    store.view().scan(span, order, &mut |key, value| {
        entries.insert(key.to_vec(), value.to_vec());
        Ok(Scan::Continue(()))
    })?;
    Ok(entries)
}

/// Reads all keys and some absent ones, forwards and backwards. Returns the number of errors; its own error
/// is a value that differs from what was written.
fn check(file: &Path, entries: &Entries, is_checked: bool) -> Result<usize, String> {
    let opened = if is_checked { Redb::open_checked(file, CACHE_BYTES) } else { Redb::open(file) };
    let Ok(redb) = opened else { return Ok(1) };
    let Ok(store) = Store::open(redb, SPACES) else { return Ok(1) };
    let found = read(&store, entries);
    store.close();
    found
}

fn read(store: &Store, entries: &Entries) -> Result<usize, String> {
    let view = store.view();
    let mut n_errors = 0;
    for (key, value) in entries {
        let absent = [key.as_slice(), b"x"].concat();
        for (key, expected) in [(key, Some(value)), (&absent, None)] {
            match view.get(key) {
                Ok(found) if found.as_ref() == expected => {}
                Ok(found) => return Err(format!("{key:?} is {found:?}")),
                Err(_) => n_errors += 1,
            }
        }
    }
    let other = view.prefix("other");
    let groups = (0..50).map(|n| KeyBuf::new(other).part(&format!("group {n}")).into_bytes());
    for group in groups.chain([view.prefix("test").to_vec(), vec![0], other.to_vec()]) {
        let span = Span::prefix(&group);
        let expected: Entries = entries
            .range(group.clone()..)
            .map(|(key, value)| (key.clone(), value.clone()))
            .take_while(|(key, _)| key.starts_with(&group))
            .collect();
        for order in [Direction::Ascending, Direction::Descending] {
            match all(store, &span, order) {
                Ok(found) if found == expected => {}
                Ok(_) => return Err(format!("a scan of {group:?} shows something else")),
                Err(_) => n_errors += 1,
            }
        }
    }
    Ok(n_errors)
}

/// Opens each damaged copy by [`Redb::open`] and [`Redb::open_checked`], and compares its content with what
/// was written. If redb's list of free pages is damaged, redb may end the process: the last bit that was
/// printed is then the cause.
#[tokio::test]
async fn a_flipped_bit_is_an_error_or_does_no_harm() {
    let folder = TempDir::new().expect("a folder");
    let original = folder.path().join("original.redb");
    let entries = fill(&original).await;
    for is_checked in [false, true] {
        assert_eq!(check(&original, &entries, is_checked), Ok(0), "nothing was flipped");
    }
    let bytes = fs::read(&original).expect("the file");
    let file = folder.path().join("damaged.redb");
    // redb panics over some damaged pages, which the store catches; thousands of stack traces do not help.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.location().is_none_or(|it| !it.file().contains("redb")) {
            hook(info);
        }
    }));
    let (mut n_found, mut n_refused, mut wrong) = (0, 0, Vec::new());
    for n in bits() {
        // The golden ratio spreads any number of positions over the file.
        let place = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (bytes.len() as u64 * 8);
        let mut damaged = bytes.clone();
        damaged[usize::try_from(place / 8).expect("a place")] ^= 1 << (place % 8);
        for is_checked in [true, false] {
            eprintln!("flip {n}, checked: {is_checked}");
            fs::write(&file, &damaged).expect("a file");
            match check(&file, &entries, is_checked) {
                Ok(0) => {}
                Ok(_) if is_checked => n_refused += 1,
                Ok(_) => n_found += 1,
                Err(found) => wrong.push(format!("flip {n}, bit {place}, checked: {is_checked}: {found}")),
            }
        }
    }
    let n_bits = bits().count();
    eprintln!(
        "of {n_bits} flipped bits {n_found} were found, and {n_refused} with every page checked; the others are in bytes \
         that nobody reads"
    );
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
    assert!(n_found * 10 > n_bits && n_refused * 10 > n_bits, "only {n_found} and {n_refused} were found");
}

#[tokio::test]
async fn a_damaged_value_is_named_with_its_space_and_key() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.redb");
    fill(&file).await;
    let mut bytes = fs::read(&file).expect("the file");
    // Every copy of it, in whichever page.
    let text = b"record 7 as of pass";
    let places: Vec<usize> =
        bytes.windows(text.len()).enumerate().filter(|(_, it)| it == text).map(|(place, _)| place).collect();
    places.into_iter().for_each(|place| bytes[place] ^= 1);
    fs::write(&file, bytes).expect("a file");
    let store = Store::open(Redb::open(&file).expect("a file"), SPACES).expect("a store");
    let view = store.view();
    let key = KeyBuf::new(view.prefix("test")).tail(id(7).as_bytes()).into_bytes();
    let refused = view.get(&key).expect_err("it is damaged").to_string();
    assert_eq!(
        refused,
        format!("corrupt record `{}` in `test`: its checksum is wrong: the file was damaged", id(7))
    );
    // Its neighbours are as they were.
    let key = KeyBuf::new(view.prefix("test")).tail(id(8).as_bytes()).into_bytes();
    assert!(view.get(&key).expect("a get").is_some());
}

#[tokio::test]
async fn truncated_file_is_not_taken_for_a_new_database() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.redb");
    fill(&file).await;
    let whole = fs::read(&file).expect("the file");
    for len in [0, 1, 4096, whole.len() / 2] {
        fs::write(&file, &whole[..len]).expect("a file");
        let Err(refused) = Redb::open(&file).and_then(|it| Store::open(it, SPACES).map(drop)) else {
            panic!("{len} bytes are taken for a database")
        };
        assert!(len > 0 || refused.to_string().contains("is empty: what was in it is gone"), "{refused}");
        assert_eq!(fs::read(&file).expect("the file"), &whole[..len], "what is left was changed");
    }
}

#[cfg(unix)]
#[test]
fn database_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.redb");
    let mode = || fs::metadata(&file).expect("a file").permissions().mode() & 0o777;
    drop(Redb::open(&file).expect("a file"));
    assert_eq!(mode(), 0o600);
}
