//! Admin routes of backups of the running shop: `/admin/backups`. An addition of ours to the wire.

use atoll_background::{backup_status, backups, start_backup};
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type, required},
    led, routes,
    serde_json::json,
};

use crate::tables::{NOTHING, ONE};

led! { "/admin/backups" }

routes! {
    /// Lists the backups in the folder of the setting `backup_dir`, the newest first, and shows the one that
    /// was begun last since the start of this process. Without that setting it is refused (400).
    Get "/admin/backups" (Admin, ONE) => index: BACKUPS;
    /// Starts a backup into the folder of the setting `backup_dir`: everything that is stored as of one
    /// commit, with the secrets, without uploaded files. While one backup is made, another is refused (409).
    /// The oldest beyond `backups_kept` are removed when it is whole.
    Post "/admin/backups" (Admin, ONE, NOTHING) => start: STARTED;
}

const BACKUPS: Answer = Answer::Object(&[
    Part::value("backups", Type::List(&FILE), "The backups, the newest first."),
    Part::value("backup", STATUS, "The backup that was begun last, also one that `atoll backup` asked for."),
]);
const STARTED: Answer = Answer::Object(&[Part::value("backup", STATUS, "The backup that has begun.")]);
const FILE: Type = Type::Object(&[
    required("name", Type::Text).about("The name of the file."),
    required("position", Type::NotNegative).about("The last commit that is in it."),
    required("made_at", Type::Date).about("When it was begun."),
    required("bytes", Type::NotNegative).about("The size of the file."),
]);
const STATUS: Type = Type::Object(&[
    required("started_at", Type::Date).or_null().about("When it began; null if none was begun."),
    required("ended_at", Type::Date).or_null().about("When it ended; null while it is going on."),
    required("n_copied", Type::NotNegative).about("How many keys were copied so far."),
    required("n_keys", Type::NotNegative).about("How many keys there are."),
    required("file", FILE).or_null().about("The backup; null before it is whole."),
    required("error", Type::Text).or_null().about("Why there is none."),
]);

async fn index(call: Call) -> Result<Reply, Fault> {
    drop(call.view);
    // Before the folder: one that has ended is in the list.
    let backup = backup_status(&call.app);
    Ok(Reply::json(&json!({ "backups": backups(&call.app).await?, "backup": backup })))
}

async fn start(call: Call) -> Result<Reply, Fault> {
    drop(call.view);
    start_backup(&call.app)?;
    Ok(Reply::json(&json!({ "backup": backup_status(&call.app) })))
}
