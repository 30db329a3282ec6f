//! The routes of imports and exports: what they answer, who may use them, and when what they keep goes.

use atoll_catalogue::{TransferState, confirm_import, transfer};
use atoll_kernel::limits::CSV_TRANSFER_LIFETIME;
use atoll_testkit::{Answer, Client, Shop};
use axum::body::Body;
use serde_json::{Value, json};

use super::{product, shop};

const MUG: &str = "Product Handle,Product Title,Product Status,Variant Title,Variant SKU,Variant Price EUR,Colour\n\
                   mug,Mug,published,White,MUG-W,12.90,\nmug,Mug,published,Black,MUG-B,free,\n";

/// Sends a file called `mugs.csv` as a form.
async fn send(admin: &Client, path: &str, field: &str, text: &str) -> Answer {
    let head =
        format!("--XYZ\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"mugs.csv\"\r\n\r\n");
    let client =
        admin.clone().without_type().with_header("content-type", "multipart/form-data; boundary=XYZ");
    client.send("POST", path, Body::from(format!("{head}{text}\r\n--XYZ--\r\n"))).await
}

/// What was answered with 202.
#[track_caller]
fn accepted(answer: Answer) -> Value {
    assert_eq!(answer.status, 202, "{}", answer.json);
    answer.json
}

fn id_of(answer: &Value) -> String {
    answer["transaction_id"].as_str().expect("an id").to_owned()
}

/// The transfer, once it is in another state than these.
async fn beyond(shop: &Shop, id: &str, states: &[&str]) -> Value {
    loop {
        let shown =
            shop.admin.get_unchecked(&format!("/admin/transfers/{id}")).await.ok()["transfer"].clone();
        if !states.iter().any(|it| shown["state"] == *it) {
            return shown;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_import_is_checked_and_written_when_it_is_confirmed() {
    let shop = shop().await;
    let sent = send(&shop.admin, "/admin/products/import", "file", MUG).await;
    assert_eq!(sent.status, 202);
    assert_eq!(sent.json["summary"], json!({ "toCreate": 1, "toUpdate": 0 }));
    let id = id_of(&sent.json);
    let checked = beyond(&shop, &id, &["checking"]).await;
    assert_eq!(
        [&checked["state"], &checked["file_name"], &checked["kind"]],
        ["waiting", "mugs.csv", "import"]
    );
    assert_eq!(
        checked["problems"],
        json!([
            { "row": 1, "column": "Colour", "message": "it is unknown; it was left out" },
            { "row": 3, "column": "Variant Price EUR", "message": "`free` is not a price; left out" },
            { "row": 3, "column": "Variant Price EUR", "message": "no price; it cannot be put into a cart" },
        ])
    );
    // It was tried, and taken back.
    assert_eq!(shop.admin.get("/admin/products").await.ok()["count"], 0);
    let path = format!("/admin/products/import/{id}/confirm");
    assert_eq!(shop.admin.post(&path, json!({})).await.status, 202);
    let done = beyond(&shop, &id, &["running"]).await;
    assert_eq!((&done["state"], &done["n_done"], &done["n_total"]), (&json!("done"), &json!(1), &json!(1)));
    assert_eq!(product(&shop, "mug").await["title"], "Mug");
    assert_eq!(
        shop.admin.post(&path, json!({})).await.error(),
        "400 not_allowed: The import does not wait to be confirmed"
    );
    let again = accepted(send(&shop.admin, "/admin/products/import", "file", MUG).await);
    assert_eq!(again["summary"], json!({ "toCreate": 0, "toUpdate": 1 }));
}

#[tokio::test]
async fn an_uploaded_file_is_imported_and_removed() {
    let shop = shop().await;
    let uploaded = send(&shop.admin, "/admin/uploads", "files", MUG).await.ok();
    let key = uploaded["files"][0]["id"].as_str().expect("an id").to_owned();
    let body = json!({ "file_key": key, "originalname": "mugs.csv", "extension": "csv", "size": 9, "mime_type": "text/csv" });
    let begun = shop.admin.post("/admin/products/imports", body.clone()).await;
    assert_eq!(begun.status, 202);
    assert_eq!(begun.json["summary"]["toCreate"], 1);
    assert_eq!(shop.admin.get(&format!("/admin/uploads/{key}")).await.status, 404);
    assert_eq!(shop.admin.post("/admin/products/imports", body).await.status, 404);
    // Confirmed while it may still be checked.
    let id = id_of(&begun.json);
    accepted(shop.admin.post(&format!("/admin/products/imports/{id}/confirm"), json!({})).await);
    assert_eq!(beyond(&shop, &id, &["checking", "running"]).await["state"], "done");
    assert_eq!(product(&shop, "mug").await["title"], "Mug");
}

/// Uploads are public, so one that will never be imported goes, too; but not what is no CSV at all.
#[tokio::test]
async fn an_uploaded_file_that_is_refused_is_removed_if_it_is_csv() {
    let shop = shop().await;
    let upload = async |name: &str| {
        let form = format!(
            "--XYZ\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\na,b\n1,2\r\n--XYZ--\r\n"
        );
        let client = shop
            .admin
            .clone()
            .without_type()
            .with_header("content-type", "multipart/form-data; boundary=XYZ");
        let uploaded = client.send("POST", "/admin/uploads", Body::from(form)).await.ok();
        uploaded["files"][0]["id"].as_str().expect("an id").to_owned()
    };
    for (name, left) in [("prices.csv", 404), ("leaflet.pdf", 200)] {
        let key = upload(name).await;
        let body = json!({ "file_key": key, "originalname": name });
        assert_eq!(shop.admin.post("/admin/products/imports", body).await.status, 400);
        assert_eq!(shop.admin.get(&format!("/admin/uploads/{key}")).await.status, left, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_exported_while_the_disk_is_nearly_full() {
    let shop = shop().await;
    shop.app.ctx.room().measured(1, 2);
    let refused = shop.admin.post("/admin/products/export", json!({})).await;
    assert_eq!(refused.status, 507);
    assert_eq!(shop.admin.get("/admin/transfers").await.ok()["transfers"], json!([]));
    shop.app.ctx.room().measured(3, 2);
    accepted(shop.admin.post("/admin/products/export", json!({})).await);
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_with_the_place() {
    let shop = shop().await;
    for (text, error) in [
        ("a,b\n1,2\n", "The file cannot be imported: row 1: the first row is no header that is known"),
        ("{}", "The file cannot be imported: row 1: the first row is no header that is known"),
        (
            "Product Handel,Product Title\n",
            "column `Product Handle` is missing (did you mean `Product Handel`?)",
        ),
    ] {
        let refused = send(&shop.admin, "/admin/products/import", "file", text).await;
        assert_eq!(refused.status, 400);
        assert!(refused.json["message"].as_str().expect("a message").contains(error), "{}", refused.json);
    }
    assert_eq!(shop.admin.get("/admin/transfers").await.ok()["transfers"], json!([]));
}

#[tokio::test]
async fn what_is_not_confirmed_or_fetched_in_time_goes() {
    let shop = shop().await;
    let sent = accepted(send(&shop.admin, "/admin/products/import", "file", MUG).await);
    let id = id_of(&sent);
    beyond(&shop, &id, &["checking"]).await;
    let exported = id_of(&shop.admin.post("/admin/orders/export", json!({})).await.json);
    let file = beyond(&shop, &exported, &["running"]).await["url"].as_str().expect("a url").to_owned();
    assert_eq!(shop.admin.get(&file).await.status, 200);
    shop.app.advance_ms(i64::try_from(CSV_TRANSFER_LIFETIME.as_millis()).expect("a number"));
    shop.app.run_job("transfers.expire").await;
    let folder = shop.app.ctx.config().files.folder.join(".transfers");
    let left = std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").file_name());
    assert_eq!(left.collect::<Vec<_>>(), [format!("{id}.json").as_str()]);
    // The token of the admin has expired, too.
    let ctx = &shop.app.ctx;
    assert_eq!(transfer(ctx, &id).expect("it is known").state, TransferState::Expired);
    let refused = confirm_import(ctx, &id).expect_err("it is too late");
    assert_eq!(refused.to_string(), "The import was not confirmed in time: send the file again");
    assert!(transfer(ctx, &exported).is_err());
}

#[tokio::test]
async fn exports_are_for_admins_alone_and_no_cache_keeps_them() {
    let (shop, web, storefront) = Shop::web().await;
    shop.product("=Tea", &[&web], 3).await;
    shop.product("Pot", &[&web], 3).await;
    let begun = shop.admin.post("/admin/products/export?title=Pot", json!({ "columns": "shopify" })).await;
    assert_eq!(begun.status, 202);
    let done = beyond(&shop, &id_of(&begun.json), &["running"]).await;
    let url = done["url"].as_str().expect("a url");
    let file = shop.admin.get(url).await;
    let text = String::from_utf8(file.body.to_vec()).expect("text");
    assert!(
        text.starts_with("Title,URL handle,") && text.contains("\nPot,pot,") && !text.contains("Tea"),
        "{text}"
    );
    assert_eq!(file.headers["cache-control"], "no-store");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"products.csv\"");
    for path in [url, "/admin/transfers"] {
        for client in [storefront.clone(), shop.app.client()] {
            assert_eq!(client.get(path).await.status, 401);
        }
    }
    assert_eq!(shop.app.client().get(&url.replace("/admin/transfers", "/static")).await.status, 404);
    for kind in ["listing_export", "stock_export"] {
        let begun = accepted(shop.admin.post("/admin/transfers", json!({ "kind": kind })).await);
        let done = beyond(&shop, &id_of(&begun), &["running"]).await;
        assert_eq!((&done["state"], &done["n_done"]), (&json!("done"), &json!(2)));
    }
    assert_eq!(shop.admin.get("/admin/transfers/csv_none/file").await.status, 404);
}
