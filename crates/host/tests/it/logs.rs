//! The log of the served binary: as JSON lines, and without secrets, whatever is asked for.

use atoll_kernel::serde_json::{self, Value, json};
use tempfile::TempDir;

use crate::server::Server;

fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: Value) -> (u16, Value) {
    server.send("POST", path, headers, &body.to_string()).expect("an answer")
}

#[test]
fn json_log_is_an_object_a_line() {
    let folder = TempDir::new().expect("a folder");
    let options = ["--log-format", "json", "--log", "info,atoll::requests=debug"];
    let server = Server::start(folder.path(), &options);
    let traced = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    server.send("GET", "/admin/products/prod_1", &[traced, ("x-request-id", "mine")], "").expect("an answer");
    let line: Value = serde_json::from_str(&server.until_logged("\"mine\"")).expect("JSON");
    let told = ["level", "target", "message", "method", "route", "status", "actor", "trace_id"];
    let told: Vec<&Value> = told.iter().map(|name| &line[*name]).collect();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let expected =
        json!(["DEBUG", "atoll::requests", "request", "GET", "/admin/products/:id", 401, "none", trace]);
    assert_eq!(json!(told), expected);
    assert!(line["elapsed_us"].is_u64() && line["timestamp"].is_string(), "{line}");
}

#[test]
fn log_at_its_most_detailed_holds_no_secret() {
    let folder = TempDir::new().expect("a folder");
    let options = ["--demo", "--log", "debug", "--email-provider", "log", "--log-format", "json"];
    let server = Server::start(folder.path(), &options);
    let key = server.key("Web Shop");
    let bearer = server.log_in();
    let admin = [("authorization", bearer.as_str())];
    let shop = [("x-publishable-api-key", key.as_str())];
    let mut secrets = vec![key.clone(), bearer.replace("Bearer ", ""), "atoll-demo".to_owned()];
    // A wrong password, a new account, a session, a secret key, a mailed token, a key for repeats.
    let login = |password: &str| json!({ "email": "admin@atoll.test", "password": password });
    assert_eq!(post(&server, "/auth/user/emailpass", &[], login("hunter2-wrong")).0, 401);
    let new = json!({ "email": "eve@test.dev", "password": "hunter2-right" });
    let (status, registered) = post(&server, "/auth/customer/emailpass/register", &[], new);
    assert_eq!(status, 200, "{registered}");
    secrets.extend(["hunter2-wrong".into(), "hunter2-right".into()]);
    secrets.push(registered["token"].as_str().expect("a token").to_owned());
    assert_eq!(post(&server, "/auth/session", &admin, json!({})).0, 200);
    let secret = json!({ "title": "server", "type": "secret" });
    let (status, made) = post(&server, "/admin/api-keys", &admin, secret);
    assert_eq!(status, 200, "{made}");
    secrets.push(made["api_key"]["token"].as_str().expect("a token").to_owned());
    let forgot = json!({ "identifier": "admin@atoll.test" });
    assert_eq!(post(&server, "/auth/user/emailpass/reset-password", &[], forgot).0, 201);
    let keyed = [shop[0], ("idempotency-key", "hunter2-key"), ("cookie", "connect.sid=hunter2-session")];
    assert_eq!(post(&server, "/store/carts", &keyed, json!({ "email": "shopper@test.dev" })).0, 200);
    server.send("GET", "/app/first-admin?token=hunter2-token", &[], "").expect("an answer");
    server.send("GET", "/store/hunter2-path", &shop, "").expect("an answer");
    secrets.extend([
        "hunter2".into(),
        "connect.sid".into(),
        "eve@test.dev".into(),
        "shopper@test.dev".into(),
    ]);
    server.signal("-TERM");
    let log = server.logged();
    assert!(log.iter().any(|it| it.contains("/auth/:actor/:provider")), "{log:?}");
    for secret in secrets {
        let lines: Vec<&String> = log.iter().filter(|it| it.contains(&secret)).collect();
        assert!(lines.is_empty(), "`{secret}` is in the log: {lines:?}");
    }
}
