//! A rule of `cargo xtask tidy`: the comments of a file use the trade's word for what it implements, so that
//! a search finds it. The words of our own are in the glossary of ARCHITECTURE.md.

/// A word, and the file in whose comments it must occur.
pub(crate) type Word = (&'static str, &'static str);

pub(crate) const WORDS: &[Word] = &[
    ("allow list", "crates/query/src/fields.rs"),
    ("at least once", "crates/background/src/dispatcher.rs"),
    ("authorisation", "crates/availability/src/scope.rs"),
    ("backoff", "crates/background/src/run.rs"),
    ("batch", "crates/kernel/src/migration/rebuild.rs"),
    ("budget", "crates/storage/src/meter.rs"),
    ("cache", "crates/http/src/caching.rs"),
    ("cancellation", "crates/storage/src/meter.rs"),
    ("cascade", "crates/kernel/src/link/cascade.rs"),
    ("checksum", "crates/storage/src/checksum.rs"),
    ("collation", "crates/storage/src/sort_key.rs"),
    ("compensation", "crates/kernel/src/saga/compensate.rs"),
    ("cron", "crates/background/src/scheduler.rs"),
    ("cursor", "crates/background/src/cursor.rs"),
    ("dead letter", "crates/background/src/dead_letter.rs"),
    ("dry run", "crates/kernel/src/migration/plan.rs"),
    ("escaped", "crates/storage/src/key.rs"),
    ("eviction", "crates/kernel/src/once/kept.rs"),
    ("fault injection", "crates/storage/src/engines/faulty.rs"),
    ("feature flag", "crates/kernel/src/flag.rs"),
    ("fingerprint", "crates/kernel/src/migration/fingerprint.rs"),
    ("foreign key", "crates/kernel/src/reference.rs"),
    ("format version", "crates/storage/src/format.rs"),
    ("graceful shutdown", "crates/host/src/http/mod.rs"),
    ("group commit", "crates/storage/src/store/mod.rs"),
    ("idempotency key", "crates/kernel/src/once/kept.rs"),
    ("idempotency", "crates/kernel/src/once/mod.rs"),
    ("integration test", "crates/testkit/src/lib.rs"),
    ("kill test", "tests/kills/main.rs"),
    ("lease", "crates/background/src/job_run.rs"),
    ("load shedding", "crates/host/src/http/connections.rs"),
    ("migration", "crates/kernel/src/migration/mod.rs"),
    ("mutex", "crates/kernel/src/saga/run_locks.rs"),
    ("negative control", "tests/flows/injection.rs"),
    ("outbox", "crates/storage/src/outbox.rs"),
    ("oversell", "plugins/inventory/src/service.rs"),
    ("pagination", "crates/query/src/list.rs"),
    ("password hash", "plugins/auth/src/password.rs"),
    ("projection", "crates/kernel/src/projection.rs"),
    ("race", "crates/kernel/src/saga/run_locks.rs"),
    ("rate limit", "crates/api/src/auth/attempts.rs"),
    ("request smuggling", "crates/http/src/head.rs"),
    ("resume", "crates/kernel/src/migration/rebuild.rs"),
    ("retention", "crates/background/src/prune.rs"),
    ("retry", "crates/background/src/dispatcher.rs"),
    ("reverse prox", "crates/http/src/proxies.rs"),
    ("rounding", "crates/flows/src/payment/due.rs"),
    ("schema version", "crates/storage/src/history.rs"),
    ("semaphore", "crates/kernel/src/saga/run_locks.rs"),
    ("sequence number", "crates/storage/src/outbox.rs"),
    ("serialise", "crates/storage/src/entity.rs"),
    ("slug", "plugins/product/src/handle.rs"),
    ("snapshot", "crates/storage/src/store/mod.rs"),
    ("soft delete", "crates/kernel/src/service.rs"),
    ("thread pool", "crates/kernel/src/reading.rs"),
    ("time out", "crates/host/src/http/connections.rs"),
    ("unique constraint", "crates/storage/src/table/index.rs"),
    ("upper bound", "crates/query/src/ids.rs"),
    ("validation", "crates/schema/src/body.rs"),
];

/// The words that are missing, with a message each; `read` returns the text of a file.
pub(crate) fn missing<'a>(
    words: &'a [Word],
    read: impl Fn(&str) -> Option<&'a str>,
) -> Vec<(&'static str, String)> {
    let mut missing = Vec::new();
    for (word, path) in words {
        match read(path) {
            None => missing.push((*path, format!("name another file for `{word}` in xtask/src/words.rs"))),
            Some(text) if !comments(text).contains(word) => {
                let message =
                    format!("say `{word}` in a comment, or name another file in xtask/src/words.rs");
                missing.push((*path, message));
            }
            Some(_) => {}
        }
    }
    missing
}

/// The comments of a file in one line, in lower case and without hyphens, so that a word is found across
/// lines.
fn comments(text: &str) -> String {
    let comments = text.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
    let words = comments.flat_map(|line| line.trim_start_matches(['/', '!']).split([' ', '-']));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_must_occur_in_comments_of_their_files() {
        let words = [("soft delete", "a.rs"), ("retry", "b.rs"), ("lease", "c.rs")];
        let read = |path: &str| match path {
            "a.rs" => Some("//! The Soft-\n//! delete of rows.\n"),
            "b.rs" => Some("//! Tries again.\nfn retry() {}\n"),
            _ => None,
        };
        assert_eq!(
            missing(&words, read),
            [
                ("b.rs", "say `retry` in a comment, or name another file in xtask/src/words.rs".to_owned()),
                ("c.rs", "name another file for `lease` in xtask/src/words.rs".to_owned()),
            ]
        );
    }
}
