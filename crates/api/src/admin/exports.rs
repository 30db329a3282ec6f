//! Admin routes of exports of the running shop: `/admin/exports`. An addition of ours to the wire.

use atoll_background::{export_status, exported, exports, start_export};
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type, required},
    led, routes,
    serde_json::{Value, json},
};

use crate::tables::{NOTHING, ONE};

led! { "/admin/exports" }

routes! {
    /// Lists the exports in the folder of the setting `export_dir`, the newest first, and shows the one that
    /// was begun last since the start of this process. Without that setting it is refused (400).
    Get "/admin/exports" (Admin, ONE) => index: EXPORTS;
    /// Shows an export by its name: how far it has come, and what is in it when it is whole.
    Get "/admin/exports/:id" (Admin, ONE) => retrieve: ONE_EXPORT;
    /// Starts an export into the folder of the setting `export_dir`: the whole shop as JSON lines, as of one
    /// commit, with the digests of passwords and keys. While one export is made, another is refused (409),
    /// and while the disk is nearly full, too (507).
    Post "/admin/exports" (Admin, ONE, NOTHING) => start: STARTED;
}

const EXPORTS: Answer = Answer::Object(&[
    Part::value("exports", Type::List(&FOLDER), "The exports, the newest first."),
    Part::value(
        "export",
        STATUS,
        "The export that was begun last, also one that `atoll export-shop` asked for.",
    ),
]);
const STARTED: Answer = Answer::Object(&[Part::value("export", STATUS, "The export that has begun.")]);
const ONE_EXPORT: Answer = Answer::Object(&[Part::value("export", EXPORT, "The export.")]);
const FOLDER: Type = Type::Object(&[
    required("id", Type::Text).about("The name of the folder."),
    required("position", Type::NotNegative).about("The last commit that is in it."),
    required("made_at", Type::Date).about("When it was begun."),
    required("n_lines", Type::NotNegative).about("How many lines its files have."),
    required("bytes", Type::NotNegative).about("The size of its files."),
]);
const STATUS: Type = Type::Object(&[
    required("id", Type::Text).or_null().about("The name of the folder; null if none was begun."),
    required("started_at", Type::Date).or_null().about("When it began; null if none was begun."),
    required("ended_at", Type::Date).or_null().about("When it ended; null while it is going on."),
    required("n_written", Type::NotNegative).about("How many lines were written so far."),
    required("n_lines", Type::NotNegative).about("How many lines there are; 0 before they are counted."),
    required("export", FOLDER).or_null().about("The export; null before it is whole."),
    required("error", Type::Text).or_null().about("Why there is none."),
]);
const EXPORT: Type = Type::Object(&[
    required("id", Type::Text).about("The name of the folder."),
    required("state", Type::Words(&["running", "done", "failed"])).about("How far it has come."),
    required("made_at", Type::Date).about("When it was begun."),
    required("position", Type::NotNegative).or_null().about("The last commit that is in it."),
    required("n_written", Type::NotNegative).about("How many lines were written so far."),
    required("n_lines", Type::NotNegative).about("How many lines there are; 0 before they are counted."),
    required("bytes", Type::NotNegative).or_null().about("The size of its files; null before it is whole."),
    required("error", Type::Text).or_null().about("Why it failed."),
    required("files", Type::List(&FILE)).about("Its files; none before it is whole."),
    required("left_out", Type::List(&LEFT_OUT)).about("What is not in it."),
]);
const FILE: Type = Type::Object(&[
    required("name", Type::Text).about("The name of the file, without `.jsonl`: a module and its table."),
    required("record_version", Type::NotNegative).about("The version of its records."),
    required("n_lines", Type::NotNegative).about("How many lines it has."),
    required("bytes", Type::NotNegative).about("Its size."),
    required("sha256", Type::Text).about("The SHA-256 of its bytes, in hexadecimal digits."),
]);
const LEFT_OUT: Type = Type::Object(&[
    required("name", Type::Text).about("The name of a table or another space."),
    required("why", Type::Text).about("Why it is not in it."),
]);

async fn index(call: Call) -> Result<Reply, Fault> {
    drop(call.view);
    // Before the folder: one that has ended is in the list.
    let export = export_status(&call.app);
    Ok(Reply::json(&json!({ "exports": exports(&call.app).await?, "export": export })))
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    drop(call.view);
    let last = export_status(&call.app);
    let export = match exported(&call.app, &id).await? {
        Some((folder, manifest)) => json!({
            "id": id, "state": "done", "made_at": folder.made_at, "position": folder.position,
            "n_written": folder.n_lines, "n_lines": folder.n_lines, "bytes": folder.bytes,
            "error": Value::Null, "files": manifest.files, "left_out": manifest.left_out,
        }),
        None if last.id.as_ref() == Some(&id) => json!({
            "id": id, "state": if last.ended_at.is_none() { "running" } else { "failed" },
            "made_at": last.started_at, "position": Value::Null, "n_written": last.n_written,
            "n_lines": last.n_lines, "bytes": Value::Null, "error": last.error, "files": [], "left_out": [],
        }),
        None => return Err(Fault::not_found(format!("Export with id: {id} was not found"))),
    };
    Ok(Reply::json(&json!({ "export": export })))
}

async fn start(call: Call) -> Result<Reply, Fault> {
    drop(call.view);
    start_export(&call.app)?;
    Ok(Reply::json(&json!({ "export": export_status(&call.app) })))
}
