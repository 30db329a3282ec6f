//! Data of earlier formats of the store, and of later ones.

use atoll_storage::{
    Changes, Engine as _, KeyBuf, Read as _, Span, Store, StoreError, View, Write, WriteKeys,
    engines::{EngineFault, Faulty, Memory},
};

use crate::SPACES;

/// More than one batch of the migration to checksums.
const N_KEYS: u32 = 50_000;

/// The key of the format version.
const FORMAT: &[u8] = b"\0\0\0format";

/// The key of the position.
const POSITION: &[u8] = b"\0\0\0position";

/// Every key and value of a disk, as they are stored, but for the position: earlier formats had none.
fn raw(disk: &Memory) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    let span = Span { start: Vec::new(), end: None };
    let visit = &mut |key: &[u8], value: &[u8]| {
        if key != POSITION {
            entries.push((key.to_vec(), value.to_vec()));
        }
        Ok(std::ops::ControlFlow::Continue(()))
    };
    disk.snapshot()
        .expect("a snapshot")
        .scan(&span, Default::default(), visit, &mut |_, _| Ok(()))
        .expect("a scan");
    entries
}

/// A disk with these keys, each of which has itself as its value.
async fn disk(n_keys: u32) -> Memory {
    let disk = Memory::default();
    let store = Store::open(disk.clone(), SPACES).expect("a store");
    let fill = move |tx: &mut dyn Write| {
        for n in 0..n_keys {
            let key = KeyBuf::new(tx.prefix("test")).tail(&n.to_be_bytes()).into_bytes();
            tx.put(key, n.to_string().into_bytes());
        }
        Ok::<_, StoreError>(())
    };
    store.write(fill).await.expect("a commit");
    store.close();
    disk
}

/// Turns it into a disk of format 1: without checksums, and without a format version.
fn without_checksums(disk: &Memory) -> Memory {
    let mut old = Memory::default();
    let bare = |value: Vec<u8>| value[..value.len() - 4].to_vec();
    let entries = raw(disk).into_iter().filter(|(key, _)| key != FORMAT);
    let changes: Changes = entries.map(|(key, value)| (key, Some(bare(value)))).collect();
    old.commit(&changes).expect("a commit");
    old
}

#[tokio::test]
async fn checksums_are_added_to_old_values() {
    let new = disk(N_KEYS).await;
    let old = without_checksums(&new);
    assert_ne!(raw(&old), raw(&new));
    // A read-only view reads the same, and changes nothing.
    let view = View::look(&old, SPACES).expect("a look");
    let key = KeyBuf::new(view.prefix("test")).tail(&7_u32.to_be_bytes()).into_bytes();
    assert_eq!(view.get(&key).expect("a get"), Some(b"7".to_vec()));
    assert_eq!(view.n_unchecked().expect("a count"), u64::from(N_KEYS) + SPACES.len() as u64);
    assert_eq!(raw(&old), raw(&without_checksums(&new)));

    Store::open(old.clone(), SPACES).expect("a store").close();
    assert!(raw(&old) == raw(&new), "each has its checksum, once");
    assert_eq!(View::look(&old, SPACES).expect("a look").n_unchecked().expect("a count"), 0);
}

#[tokio::test]
async fn adding_checksums_resumes_after_a_crash() {
    let new = disk(N_KEYS).await;
    let old = without_checksums(&new);
    let mut n_interrupted = 0;
    for n in 1..20 {
        for fault in [EngineFault::FailAt(n), EngineFault::CrashAfterCommit(n)] {
            let disk = old.fork();
            n_interrupted += usize::from(Store::open(Faulty::new(disk.clone(), fault), SPACES).is_err());
            let view = View::look(&disk, SPACES).expect("a look at what was left");
            let key = KeyBuf::new(view.prefix("test")).tail(&(N_KEYS - 1).to_be_bytes()).into_bytes();
            assert_eq!(view.get(&key).expect("a get"), Some((N_KEYS - 1).to_string().into_bytes()));
            Store::open(disk.clone(), SPACES).expect("a store").close();
            assert!(raw(&disk) == raw(&new), "{fault:?}: each has its checksum, once");
        }
    }
    assert!(n_interrupted > 5, "the faults did nothing: {n_interrupted}");
}

#[tokio::test]
async fn data_of_format_2_gets_the_number_of_today_when_it_is_opened() {
    let mut disk = disk(10).await;
    let new = raw(&disk);
    let mut older = vec![0, 2];
    older.extend_from_slice(&crc32c::crc32c(&[FORMAT, &older].concat()).to_le_bytes());
    disk.commit(&Changes::from([(FORMAT.to_vec(), Some(older))])).expect("a commit");
    assert!(raw(&disk) != new);
    View::look(&disk, SPACES).expect("a look");
    assert!(raw(&disk) != new, "a look changes nothing");
    Store::open(disk.clone(), SPACES).expect("a store").close();
    assert!(raw(&disk) == new);
}

#[tokio::test]
async fn data_of_a_newer_format_or_without_its_number_is_refused() {
    let open = |disk: &Memory| {
        let looked = View::look(disk, SPACES).map(drop).expect_err("it is refused").to_string();
        let opened = Store::open(disk.clone(), SPACES).map(drop).expect_err("it is refused").to_string();
        assert_eq!(looked, opened);
        opened
    };
    let mut disk = disk(10).await;
    let value = raw(&disk).into_iter().find(|(key, _)| key == FORMAT).expect("a number").1;
    // The computation of the checksum is part of the format, so it is spelt out here.
    let mut newer = vec![0, 4];
    newer.extend_from_slice(&crc32c::crc32c(&[FORMAT, &newer].concat()).to_le_bytes());
    disk.commit(&Changes::from([(FORMAT.to_vec(), Some(newer))])).expect("a commit");
    assert!(open(&disk).contains("it is in the store format 4, and this program knows those up to 3"));

    disk.commit(&Changes::from([(FORMAT.to_vec(), Some(vec![0, 2, 1, 2, 3, 4]))])).expect("a commit");
    assert!(open(&disk).contains("the number of the store's format: its checksum is wrong"));
    disk.commit(&Changes::from([(FORMAT.to_vec(), None)])).expect("a commit");
    assert!(open(&disk).contains("the number of the store's format: it is not there"));
    disk.commit(&Changes::from([(FORMAT.to_vec(), Some(value))])).expect("a commit");
    Store::open(disk, SPACES).expect("as it was").close();
}
