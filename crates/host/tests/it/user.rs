//! `atoll user`: admin users from the command line.

use tempfile::TempDir;

use crate::{command::atoll, server::Server};

#[test]
fn user_command_creates_users_who_can_log_in() {
    let folder = TempDir::new().expect("a folder");
    let create = ["user", "create", "--email", "ann@example.com", "--password", "correct horse"];
    let (ok, made) = atoll(folder.path(), &create);
    assert!(ok && made.contains("created user ann@example.com (user_"), "{made}");
    let (ok, twice) = atoll(folder.path(), &create);
    assert!(!ok && twice.contains("User with email: ann@example.com, already exists."), "{twice}");
    // A user with too short a password cannot be created.
    for password in ["", "seven77"] {
        let create = ["user", "create", "--email", "bob@example.com", "--password", password];
        let (ok, short) = atoll(folder.path(), &create);
        assert!(!ok && short.contains("Password must have 8 to 1024 characters"), "{short}");
    }
    let server = Server::start(folder.path(), &[]);
    let credentials = r#"{"email":"ann@example.com","password":"correct horse"}"#;
    let (status, answer) = server.send("POST", "/auth/user/emailpass", &[], credentials).expect("an answer");
    assert_eq!(status, 200, "{answer}");
    let token = format!("Bearer {}", answer["token"].as_str().expect("a token"));
    assert_eq!(server.send("GET", "/health", &[], "").expect("an answer").0, 200);
    server.signal("-TERM");
    assert!(server.wait());

    // The secret that signed it is kept, so the token is valid after a restart.
    let server = Server::start(folder.path(), &[]);
    let (status, _) =
        server.send("GET", "/admin/users/me", &[("authorization", &token)], "").expect("an answer");
    assert_eq!(status, 200);
    // With another secret it is invalid.
    drop(server);
    let server = Server::start(folder.path(), &["--jwt-secret", "another secret, long enough"]);
    let (status, _) =
        server.send("GET", "/admin/users/me", &[("authorization", &token)], "").expect("an answer");
    assert_eq!(status, 401);
}

#[test]
fn user_command_lists_users_and_gives_one_a_new_password() {
    let folder = TempDir::new().expect("a folder");
    let password = |command, email, password| ["user", command, "--email", email, "--password", password];
    let (ok, made) = atoll(folder.path(), &password("create", "ann@example.com", "correct horse"));
    assert!(ok, "{made}");
    let (ok, list) = atoll(folder.path(), &["user", "list"]);
    assert!(ok && list.contains("ann@example.com  user_"), "{list}");
    let log_in = |server: &Server, password: &str| {
        let credentials = format!(r#"{{"email":"ann@example.com","password":"{password}"}}"#);
        server.send("POST", "/auth/user/emailpass", &[], &credentials).expect("an answer")
    };
    let me = |server: &Server, token: &str| {
        let token = format!("Bearer {token}");
        server.send("GET", "/admin/users/me", &[("authorization", &token)], "").expect("an answer").0
    };
    let server = Server::start(folder.path(), &[]);
    let (_, answer) = log_in(&server, "correct horse");
    let token = answer["token"].as_str().expect("a token");
    assert_eq!(me(&server, token), 200);
    let reset = |to| password("reset-password", "Ann@example.com", to);
    // The running process does it.
    let (ok, done) = atoll(folder.path(), &reset("battery staple"));
    assert!(ok && done.contains("Ann@example.com has a new password"), "{done}");
    assert_eq!((log_in(&server, "correct horse").0, log_in(&server, "battery staple").0), (401, 200));
    assert_eq!(me(&server, token), 401, "whoever was logged in is logged out");
    let (ok, made) = atoll(folder.path(), &password("create", "bob@example.com", "correct horse"));
    assert!(ok && made.contains("created user bob@example.com (user_"), "{made}");
    let (ok, list) = atoll(folder.path(), &["user", "list"]);
    assert!(ok && list.contains("ann@example.com") && list.contains("bob@example.com"), "{list}");
    let (ok, twice) = atoll(folder.path(), &password("create", "bob@example.com", "correct horse"));
    assert!(!ok && twice.contains("bob@example.com, already exists."), "{twice}");
    drop(server);

    let (ok, done) = atoll(folder.path(), &reset("third password"));
    assert!(ok && done.contains("Ann@example.com has a new password"), "{done}");
    let (ok, nobody) = atoll(folder.path(), &password("reset-password", "cid@example.com", "battery staple"));
    assert!(!ok && nobody.contains("no admin user logs in as cid@example.com"), "{nobody}");
    let server = Server::start(folder.path(), &[]);
    assert_eq!((log_in(&server, "battery staple").0, log_in(&server, "third password").0), (401, 200));
}
