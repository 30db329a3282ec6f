//! The graceful shutdown of background tasks, beside clients that are slow to read their answers.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::TcpListener,
    time::Duration,
};

use tempfile::TempDir;

use crate::server::Server;

/// More than the socket buffers of both sides hold.
const N_LARGE: usize = 64;

/// What begins when the process is to stop would have no time left when the last client has read its answer.
#[test]
fn shutdown_begins_no_delivery_while_clients_read_their_answers() {
    let folder = TempDir::new().expect("a folder");
    let mails = TcpListener::bind("127.0.0.1:0").expect("a port");
    let config = folder.path().join("shop.toml");
    let port = mails.local_addr().expect("an address").port();
    let settings = format!(
        "email_provider = \"smtp\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         from = \"Shop <orders@shop.test>\"\n"
    );
    fs::write(&config, settings).expect("a file");
    let config = config.to_str().expect("text");
    let server = Server::start(&folder.path().join("data"), &["--demo", "--config", config]);
    let mut reader = server.connect().expect("a connection");
    let large = "GET /openapi.json HTTP/1.1\r\nhost: atoll\r\n\r\n".repeat(N_LARGE);
    reader.write_all(large.as_bytes()).expect("it is sent");

    // Two events: the mail server is asked about the first, and answers when the process is to stop.
    let token = server.log_in();
    let headers = [("authorization", token.as_str())];
    for email in ["ann@mail.test", "bob@mail.test"] {
        let body = format!(r#"{{"email":"{email}"}}"#);
        assert_eq!(server.send("POST", "/admin/invites", &headers, &body).expect("an answer").0, 200);
    }
    let (mail, _) = mails.accept().expect("the first e-mail");
    server.signal("-TERM");
    server.until_logged("shutting down");

    let mut answers = mail.try_clone().expect("a socket");
    let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).expect("it is said");
    say("220 sink");
    mail.set_read_timeout(Some(Duration::from_secs(2))).expect("a time-out");
    let (mut sent, mut in_data) = (Vec::new(), false);
    for line in BufReader::new(mail).lines() {
        let line = match line {
            Ok(line) => line,
            // Nothing more is sent.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) => panic!("{error}"),
        };
        match line.split([' ', ':']).next().unwrap_or_default() {
            "." if in_data => {
                in_data = false;
                say("250 taken");
            }
            _ if in_data => {}
            "DATA" => {
                in_data = true;
                say("354 go on");
            }
            "RCPT" => {
                sent.push(line);
                say("250 ok");
            }
            _ => say("250 ok"),
        }
    }
    assert_eq!(sent, ["RCPT TO:<ann@mail.test>"]);
    // Its other requests are not answered any more, which may end in a reset.
    let _ = reader.read_to_end(&mut Vec::new());
    assert!(server.wait(), "what ran has ended");
}
