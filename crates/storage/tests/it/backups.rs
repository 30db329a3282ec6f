//! Backups: what is restored is what was backed up, and nothing else is restored.

use std::{fs, path::Path};

use atoll_storage::{
    Beside, Engine as _, KeyBuf, Manifest, Position, Progress, Raw, Scan, Span, Store, StoreError, View,
    Write, WriteKeys,
    engines::{Content, Memory, Redb},
    restore,
};
use atoll_values::Timestamp;
use tempfile::TempDir;

use crate::SPACES;

const N_KEYS: u32 = 2_000;

/// A store with many keys, some of them large.
async fn filled(disk: Memory) -> Store {
    let store = Store::open(disk, SPACES).expect("a store");
    let fill = |tx: &mut dyn Write| {
        for n in 0..N_KEYS {
            let key = KeyBuf::new(tx.prefix("test")).tail(&n.to_be_bytes()).into_bytes();
            tx.put(key, vec![n as u8; n as usize % 300]);
        }
        Ok::<_, StoreError>(())
    };
    store.write(fill).await.expect("a commit");
    store
}

fn back_up(view: &View, file: &Path) -> Result<Manifest, StoreError> {
    let beside = Beside::from([("secret".to_owned(), b"of the shop".to_vec())]);
    view.back_up(file, Timestamp::from_millis(7), "0.0.1", &beside, &Progress::default())
}

/// All keys and values, as they are stored.
fn content(raw: &dyn Raw) -> Content {
    let mut content = Content::new();
    let all = Span { start: Vec::new(), end: None };
    let mut visit = |key: &[u8], value: &[u8]| {
        content.insert(key.to_vec(), value.to_vec());
        Ok(Scan::Continue(()))
    };
    raw.scan(&all, Default::default(), &mut visit, &mut |_, _| Ok(())).expect("a scan");
    content
}

/// The names of the files of a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|it| it.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn restored_database_is_the_one_that_was_backed_up() {
    let (disk, folder) = (Memory::default(), TempDir::new().expect("a folder"));
    let store = filled(disk.clone()).await;
    let (file, to) = (folder.path().join("a.backup"), folder.path().join("restored.redb"));
    let manifest = back_up(&store.view(), &file).expect("a backup");
    let before = content(&*disk.snapshot().expect("a snapshot"));
    assert_eq!(manifest.position, Position(2));
    assert_eq!(manifest.n_keys, before.len() as u64);
    assert_eq!(names(folder.path()), ["a.backup"]);
    assert_eq!(Manifest::read(&file).expect("a backup"), manifest);

    let (restored, beside) = restore(&file, &to).expect("a restored database");
    assert_eq!(restored, manifest);
    assert_eq!(beside, Beside::from([("secret".to_owned(), b"of the shop".to_vec())]));
    let engine = Redb::open(&to).expect("a database");
    assert!(content(&*engine.snapshot().expect("a snapshot")) == before);
    let again = Store::open(engine, SPACES).expect("a store");
    assert_eq!(again.view().position(), Position(2));
    again.close();
    // What is left in the restored file is no backup.
    let error = restore(&to, &folder.path().join("again.redb")).expect_err("it is refused").to_string();
    assert!(error.contains("is no backup: it has no manifest"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn backups_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.backup");
    back_up(&filled(Memory::default()).await.view(), &file).expect("a backup");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
}

/// Each damaged backup is refused, or gives what was backed up: some pages hold nothing that is needed.
#[tokio::test]
async fn damaged_backup_is_refused() {
    const N_DAMAGES: usize = 60;
    let (disk, folder) = (Memory::default(), TempDir::new().expect("a folder"));
    let store = filled(disk.clone()).await;
    let (file, to) = (folder.path().join("a.backup"), folder.path().join("restored.redb"));
    back_up(&store.view(), &file).expect("a backup");
    let (whole, before) = (fs::read(&file).expect("a file"), content(&*disk.snapshot().expect("a snapshot")));
    let mut n_refused = 0;
    for n in 0..N_DAMAGES {
        let mut bytes = whole.clone();
        let at = whole.len() / N_DAMAGES * n + n;
        bytes[at] ^= 0x10;
        fs::write(&file, bytes).expect("a file");
        let _ = fs::remove_file(&to);
        match restore(&file, &to) {
            Err(_) => n_refused += 1,
            Ok(_) => {
                let engine = Redb::open(&to).expect("a database");
                assert!(content(&*engine.snapshot().expect("a snapshot")) == before, "byte {at}");
            }
        }
    }
    assert!(n_refused > N_DAMAGES / 4, "{n_refused} of {N_DAMAGES} were refused");
    for n_bytes in [0, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..n_bytes]).expect("a file");
        assert!(restore(&file, &to).is_err(), "{n_bytes} bytes of {}", whole.len());
    }
}

#[tokio::test]
async fn damaged_value_is_never_backed_up() {
    let (mut disk, folder) = (Memory::default(), TempDir::new().expect("a folder"));
    let view = filled(disk.clone()).await.view();
    let (key, value) = content(&*disk.snapshot().expect("a snapshot")).pop_last().expect("a key");
    let flipped = value.iter().map(|it| it ^ 1).collect();
    disk.commit(&[(key, Some(flipped))].into()).expect("a commit");
    let file = folder.path().join("a.backup");
    for view in
        [View::look(&disk, SPACES).expect("a look"), View::look(&disk, SPACES).expect("a look").lenient()]
    {
        let error = back_up(&view, &file).expect_err("it is damaged").to_string();
        assert!(error.contains("its checksum is wrong"), "{error}");
    }
    assert!(names(folder.path()).is_empty());
    back_up(&view, &file).expect("the view of before is whole");
}

#[tokio::test]
async fn stopped_backup_leaves_nothing() {
    let folder = TempDir::new().expect("a folder");
    let view = filled(Memory::default()).await.view();
    let progress = Progress::default();
    progress.stop();
    let file = folder.path().join("a.backup");
    let stopped = view.back_up(&file, Timestamp::from_millis(7), "0.0.1", &Beside::new(), &progress);
    assert_eq!(stopped.expect_err("it was stopped").to_string(), "it was cancelled");
    assert!(names(folder.path()).is_empty());
    // What another process is writing is left alone.
    fs::write(folder.path().join("a.backup.part"), "half").expect("a file");
    back_up(&view, &file).expect_err("there is such a file");
    assert_eq!(names(folder.path()), ["a.backup.part"]);
}
