//! Admin routes of CSV: exports of products, orders, listings and stock, imports that are confirmed, and
//! `/admin/transfers`, which says how far they are and has the files of exports. The latter is an addition of
//! ours to the wire.

use std::collections::BTreeSet;

use atoll_catalogue::{
    CsvSettings, Export, OrderFilter, Transfer, TransferKind, TransferState, Vocabulary, arriving_file,
    begin_export, begin_import, confirm_import, exported_file, transfer, transfers,
};
use atoll_kernel::{
    Ctx, Fault, FaultKind,
    http::{
        Answer, Body, Call, Params, Part, Reply, Resource, StatusCode, Type, header_names as header,
        optional, required,
    },
    led,
    limits::{FILE_NAME_CHARS_MAX, UPLOAD_BYTES_MAX},
    routes,
    serde_json::{Value, json, to_value},
};
use atoll_providers::{Content, FileStorage, extension_of};
use serde::Deserialize;
use tempfile::NamedTempFile;
use tokio::{fs::File, io::AsyncWriteExt as _};

use super::{
    orders::{LIST as ORDER_LIST, ORDER},
    products::{LIST as PRODUCT_LIST, PRODUCT},
    uploads::Arriving,
};
use crate::tables::{NOTHING, ONE, any};

led! { "/admin/transfers" }

routes! {
    /// Exports products as CSV, in the background: those that the filters match, or all.
    /// `GET /admin/transfers/:id` says how far it is, and where the file is.
    Post "/admin/products/export" (Admin, PRODUCT_LIST, COLUMNS) => export_products: BEGUN;
    /// Exports orders as CSV, in the background: those that the filters match, or all; a row per line item.
    /// `GET /admin/transfers/:id` says how far it is, and where the file is.
    Post "/admin/orders/export" (Admin, ORDER_LIST, NOTHING) => export_orders: BEGUN;
    /// Exports listings or stock as CSV, in the background.
    Post "/admin/transfers" (Admin, ONE, RECORDS) => export_records: BEGUN;
    /// Imports an uploaded file of CSV, once it is confirmed. The upload is removed.
    Post "/admin/products/imports" (Admin, SETTINGS, UPLOADED) => import_uploaded: LOOKED;
    /// Confirms an import of an uploaded file. It is written in the background, as `GET /admin/transfers/:id`
    /// shows.
    Post "/admin/products/imports/:transaction_id/confirm" (Admin, LENIENT, NOTHING) => confirm: CONFIRMED;
    /// Confirms an import that was sent as a form. It is written in the background, as
    /// `GET /admin/transfers/:id` shows.
    Post "/admin/products/import/:transaction_id/confirm" (Admin, LENIENT, NOTHING) => confirm: CONFIRMED;
    /// Lists imports and exports of CSV, the newest first: their state, progress and problems.
    Get "/admin/transfers" (Admin, ONE) => index: TRANSFERS;
    /// Shows an import or export of CSV.
    Get "/admin/transfers/:id" (Admin, ONE) => show: ONE_TRANSFER;
    /// Sends the file of an export. It is kept for a day.
    Get "/admin/transfers/:id/file" (Admin, ONE) => send: Answer::File;
}

routes! {
    files "file";
    /// Imports a file of CSV, once it is confirmed: products in the columns of Shopify or Medusa, listings,
    /// or stock. It is checked in the background: `GET /admin/transfers/:id` has the problems, with row and
    /// column.
    Post "/admin/products/import" (Admin, SETTINGS, up_to UPLOAD_BYTES_MAX) => import: LOOKED;
}

const LENIENT: Params = Params { own: &[], limit: None, strict: false };

/// What a file does not say.
const SETTINGS: Params = Params {
    own: &[
        any("currency_code")
            .about("The currency of prices whose column names none; default that of the store."),
        any("location_id").about("The location of quantities; default that of the store."),
        any("sales_channel_id").about("Channels in which products are put."),
    ],
    limit: None,
    strict: false,
};

const COLUMNS: Body = &[&[
    optional("columns", Type::Words(&["medusa", "shopify", "shopify-legacy"]))
        .about("Whose columns the file has; default `medusa`."),
    optional("currency_code", Type::Text)
        .about("The currency of Shopify's price column; default that of the store."),
    optional("location_id", Type::Text)
        .about("The location of Shopify's quantity column; default that of the store."),
]];

const RECORDS: Body =
    &[&[required("kind", Type::Words(&["listing_export", "stock_export"])).about("What is exported.")]];

const UPLOADED: Body = &[&[
    required("file_key", Type::Text).about("The id of the uploaded file."),
    required("originalname", Type::Text).about("The name of the file."),
    optional("extension", Type::Text).about("Accepted, without effect."),
    optional("size", Type::Number).about("Accepted, without effect."),
    optional("mime_type", Type::Text).about("Accepted, without effect."),
]];

const BEGUN: Answer = Answer::Accepted(&[TRANSACTION]);
const LOOKED: Answer = Answer::Accepted(&[
    TRANSACTION,
    Part::value(
        "summary",
        Type::Object(&[
            required("toCreate", Type::NotNegative).about("Products that would be created."),
            required("toUpdate", Type::NotNegative)
                .about("Products, or rows of listings or stock, that are there."),
        ]),
        "What it would do.",
    ),
]);
const TRANSACTION: Part = Part::value("transaction_id", Type::Text, "The id of the transfer.");
const CONFIRMED: Answer = Answer::Accepted(&[]);
const TRANSFERS: Answer =
    Answer::Object(&[Part::value("transfers", Type::List(&TRANSFER), "The transfers, the newest first.")]);
const ONE_TRANSFER: Answer = Answer::Object(&[Part::value("transfer", TRANSFER, "The transfer.")]);
const TRANSFER: Type = Type::Object(&[
    required("id", Type::Text).about("Its id."),
    required("kind", Type::Words(TransferKind::WORDS)).about("What it does."),
    required("state", Type::Words(TransferState::WORDS)).about("How far it is."),
    required("file_name", Type::Text).about("The name of its file."),
    required("url", Type::Text).or_null().about("Where the file of an export is; null until it is done."),
    required("created_at", Type::Date).about("When it began."),
    required("ended_at", Type::Date).or_null().about("When it ended."),
    required("expires_at", Type::Date)
        .about("When its file is removed, and an import can no longer be confirmed."),
    required("n_done", Type::NotNegative).about("How many records are done."),
    required("n_total", Type::NotNegative).about("How many there are, as of its beginning."),
    required("summary", SUMMARY).or_null().about("What an import would do; null for exports."),
    required("problems", Type::List(&PROBLEM)).about("Problems of an import: the first ones of each kind."),
    required("n_problems", Type::NotNegative).about("How many problems there are."),
    required("error", Type::Text).or_null().about("Why it failed."),
]);
const SUMMARY: Type = Type::Object(&[
    required("to_create", Type::NotNegative).about("Products that would be created."),
    required("to_update", Type::NotNegative).about("Products, or rows of listings or stock, that are there."),
]);
const PROBLEM: Type = Type::Object(&[
    required("row", Type::NotNegative)
        .or_null()
        .about("The row, as a spreadsheet counts it: the header is row 1."),
    required("column", Type::Text).or_null().about("The name of the column."),
    required("message", Type::Text).about("The problem, and what the import does about it."),
]);

/// The columns of an export.
#[derive(Deserialize)]
struct Columns {
    #[serde(default)]
    columns: Option<String>,
    #[serde(default)]
    currency_code: Option<String>,
    #[serde(default)]
    location_id: Option<String>,
}

async fn export_products(mut call: Call) -> Result<Reply, Fault> {
    let Columns { columns, currency_code, location_id } = call.read()?;
    let vocabulary = columns.and_then(|it| Vocabulary::named(&it)).unwrap_or(Vocabulary::Medusa);
    let currency = currency_code.map(|it| it.to_lowercase());
    begun(call, TransferKind::ProductExport, "products.csv", move |call, ctx| {
        let ids = matching(&PRODUCT, call, ctx)?;
        Ok(Export::Products { vocabulary, currency, location: location_id, ids })
    })
}

async fn export_orders(call: Call) -> Result<Reply, Fault> {
    begun(call, TransferKind::OrderExport, "orders.csv", |call, ctx| {
        Ok(Export::Orders(OrderFilter { ids: matching(&ORDER, call, ctx)?, ..OrderFilter::default() }))
    })
}

async fn export_records(mut call: Call) -> Result<Reply, Fault> {
    match call.take_field("kind").is_some_and(|it| it == "stock_export") {
        true => begun(call, TransferKind::StockExport, "stock.csv", |_, _| Ok(Export::Stock)),
        false => begun(call, TransferKind::ListingExport, "listings.csv", |_, _| Ok(Export::Listings)),
    }
}

/// The ids of the records that the filters of a request match; none: all of them.
fn matching(
    resource: &'static Resource,
    mut call: Call,
    ctx: &Ctx,
) -> Result<Option<BTreeSet<String>>, Fault> {
    if call.params.filters.is_empty() && call.params.q.is_none() {
        return Ok(None);
    }
    (call.app, call.view) = (ctx.clone(), ctx.view());
    resource.plan(&call).all_ids(&call.view).map(Some)
}

/// Begins an export. What it is about is found out in the background.
fn begun(
    call: Call,
    kind: TransferKind,
    name: &str,
    plan: impl FnOnce(Call, &Ctx) -> Result<Export, Fault> + Send + 'static,
) -> Result<Reply, Fault> {
    let ctx = call.app.clone();
    let begun = begin_export(&ctx, kind, name, |ctx| plan(call, ctx))?;
    Ok(Reply::json(&json!({ "transaction_id": begun.id })).with_status(StatusCode::ACCEPTED))
}

/// What a request says of a file beside it.
fn settings(call: &mut Call) -> CsvSettings {
    let mut first = |name| call.params.take(name).and_then(|it| it.into_iter().next());
    CsvSettings {
        currency: first("currency_code").map(|it| it.to_lowercase()),
        location: first("location_id"),
        channels: call.params.take("sales_channel_id").unwrap_or_default(),
    }
}

async fn import(mut call: Call) -> Result<Reply, Fault> {
    let (ctx, settings) = (call.app.clone(), settings(&mut call));
    let mut files = call.files(ctx.config().files.bytes_max)?;
    // What the call holds keeps space in the store, and an upload takes its time.
    drop(call);
    let Some(file) = files.next().await? else { return Err(Fault::invalid("No file was uploaded")) };
    let name = file.name.clone();
    let arrived = arrive(&ctx, Box::new(Arriving(file))).await?;
    looked(&ctx, arrived, name, settings).await
}

/// An uploaded file.
#[derive(Deserialize)]
struct Uploaded {
    file_key: String,
    originalname: String,
}

async fn import_uploaded(mut call: Call) -> Result<Reply, Fault> {
    let settings = settings(&mut call);
    let Uploaded { file_key, originalname } = call.read()?;
    let ctx = call.app.clone();
    drop(call);
    for (_, storage) in ctx.providers().of::<dyn FileStorage>() {
        let Some(content) = storage.read(ctx.clone(), file_key.clone()).await? else { continue };
        let taken = async {
            let arrived = arrive(&ctx, content).await?;
            looked(&ctx, arrived, originalname, settings).await
        };
        let taken = taken.await;
        if is_spent(&taken, &file_key)
            && let Err(fault) = storage.delete(ctx.clone(), file_key.clone()).await
        {
            tracing::error!(%fault, file_key, "a file of CSV that was uploaded stays public");
        }
        return taken;
    }
    Err(Fault::not_found(format!("File with id: {file_key} was not found")))
}

/// Is an upload of no further use? Uploads are public, so it is removed then: when it is taken, and when it
/// is a CSV that will never be. What has another extension and is refused may be something else, such as a
/// picture whose key was given by mistake.
fn is_spent(taken: &Result<Reply, Fault>, file_key: &str) -> bool {
    match taken {
        Ok(_) => true,
        Err(fault) => {
            matches!(fault.kind(), FaultKind::InvalidData | FaultKind::TooLarge)
                && extension_of(file_key).as_deref() == Some("csv")
        }
    }
}

async fn looked(ctx: &Ctx, file: NamedTempFile, name: String, settings: CsvSettings) -> Result<Reply, Fault> {
    let name = name.chars().take(FILE_NAME_CHARS_MAX).collect();
    let begun = begin_import(ctx, file, name, settings).await?;
    let summary = begun.summary.unwrap_or_default();
    let summary = json!({ "toCreate": summary.to_create, "toUpdate": summary.to_update });
    let answer = json!({ "transaction_id": begun.id, "summary": summary });
    Ok(Reply::json(&answer).with_status(StatusCode::ACCEPTED))
}

/// Writes content as it arrives. Errors: 413 if it is too large.
async fn arrive(ctx: &Ctx, mut content: Box<dyn Content>) -> Result<NamedTempFile, Fault> {
    let arriving = arriving_file(ctx)?;
    let mut file = File::from_std(arriving.reopen().map_err(Fault::unexpected)?);
    let mut n_bytes = 0;
    while let Some(chunk) = content.chunk().await? {
        n_bytes += chunk.len();
        if n_bytes > ctx.config().files.bytes_max {
            return Err(Fault::new(FaultKind::TooLarge, "The file is too large").at_limit("file_bytes_max"));
        }
        file.write_all(&chunk).await.map_err(Fault::unexpected)?;
        ctx.room().check()?;
    }
    file.flush().await.map_err(Fault::unexpected)?;
    Ok(arriving)
}

async fn confirm(call: Call) -> Result<Reply, Fault> {
    confirm_import(&call.app, call.path("transaction_id"))?;
    Ok(Reply::json(&json!({})).with_status(StatusCode::ACCEPTED))
}

/// A transfer as it is shown.
fn shown(transfer: &Transfer) -> Result<Value, Fault> {
    let mut shown = to_value(transfer).map_err(Fault::unexpected)?;
    let has_file = transfer.kind != TransferKind::Import && transfer.state == TransferState::Done;
    shown["url"] = json!(has_file.then(|| format!("/admin/transfers/{}/file", transfer.id)));
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("settings");
        fields.remove("is_confirmed");
    }
    Ok(shown)
}

async fn index(call: Call) -> Result<Reply, Fault> {
    let transfers = transfers(&call.app)?;
    let shown = transfers.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(Reply::json(&json!({ "transfers": shown })))
}

async fn show(call: Call) -> Result<Reply, Fault> {
    let transfer = transfer(&call.app, call.path("id"))?;
    Ok(Reply::json(&json!({ "transfer": shown(&transfer)? })))
}

async fn send(call: Call) -> Result<Reply, Fault> {
    let (ctx, id) = (call.app.clone(), call.path("id").to_owned());
    drop(call);
    let (name, path) = (transfer(&ctx, &id)?.file_name, exported_file(&ctx, &id)?);
    let content = tokio::fs::read(path).await.map_err(Fault::unexpected)?;
    Ok(Reply::raw(content)
        .with_header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
        .with_header(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with_header(header::CACHE_CONTROL, "no-store"))
}
