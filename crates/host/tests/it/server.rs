//! Starts the binary as a server, and sends requests over a socket.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
    time::Instant,
};

use serde_json::Value;

use crate::client::{Client, PATIENCE, until};

/// A running `atoll serve` on a folder. On drop it is killed, and the folder is verified.
pub(crate) struct Server {
    pub(crate) process: Child,
    folder: PathBuf,
    pub(crate) address: String,
    /// Output before it served: the demo's keys.
    pub(crate) printed: String,
    /// Its log, line by line.
    log: Mutex<Receiver<String>>,
}

impl Server {
    /// Starts the server, and waits until it serves.
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Server {
        Server::start_by(Command::new(env!("CARGO_BIN_EXE_atoll")), folder, more)
    }

    /// As `start`, with a limit of file descriptors.
    pub(crate) fn start_with_descriptors(n_descriptors: u32, folder: &Path) -> Server {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {n_descriptors}; exec \"$@\"");
        shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_atoll")]);
        Server::start_by(shell, folder, &[])
    }

    /// As `start`, by a command that has its environment.
    pub(crate) fn start_by(mut command: Command, folder: &Path, more: &[&str]) -> Server {
        let mut process = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .args(more)
            .env("ATOLL_LOG", "info")
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(log.read_line(&mut line).expect("a line") > 0, "the server ended before it served");
            // As text, `base=http://…`; as JSON, `"base":"http://…"`; with TLS, `https`.
            if let Some((_, rest)) = line.split_once("://").filter(|_| line.contains("serving")) {
                break rest.split(['"', ' ']).next().expect("an address").to_owned();
            }
        };
        // Further log lines must not fill the pipe.
        let (line, lines) = channel();
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(|it| drop(line.send(it))));
        let mut printed = String::new();
        if more.contains(&"--demo") {
            let mut out = BufReader::new(process.stdout.take().expect("a pipe"));
            while !printed.contains("Marketplace") {
                assert!(out.read_line(&mut printed).expect("a line") > 0, "the demo printed: {printed}");
            }
        }
        Server { process, folder: folder.to_owned(), address, printed, log: Mutex::new(lines) }
    }

    /// The publishable key of a channel of the demo.
    pub(crate) fn key(&self, channel: &str) -> String {
        let mut lines = self.printed.lines().skip_while(|line| *line != channel);
        lines.nth(1).unwrap_or_else(|| panic!("no key for {channel} in {}", self.printed)).trim().to_owned()
    }

    /// A connection to the server, on which no answer is waited for without an end.
    pub(crate) fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        Some(stream)
    }

    /// Sends a request; `None` if the server stops before it has answered.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<(u16, Value)> {
        // There is no other host to be asked.
        let client = Client { answer_max: PATIENCE, ..Client::default() };
        let client = headers.iter().fold(client, |it, (name, value)| it.with(name, value));
        let answer = client.send(self.address.parse().expect("an address"), method, path, body)?;
        Some((answer.status, answer.json))
    }

    /// Sends these bytes; returns all bytes that come back.
    pub(crate) fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().expect("a connection");
        let mut answer = Vec::new();
        // A request that is refused before it was read ends in a reset, after the answer.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Logs in as the admin of the demo.
    pub(crate) fn log_in(&self) -> String {
        let credentials = r#"{"email":"admin@atoll.test","password":"atoll-demo"}"#;
        let (status, answer) =
            self.send("POST", "/auth/user/emailpass", &[], credentials).expect("an answer");
        assert_eq!(status, 200, "{answer}");
        format!("Bearer {}", answer["token"].as_str().expect("a token"))
    }

    /// Waits until it logs a line with this text.
    #[track_caller]
    pub(crate) fn until_logged(&self, text: &str) -> String {
        let log = self.log.lock().expect("a lock");
        let ends_at = Instant::now() + PATIENCE;
        loop {
            let left = ends_at.saturating_duration_since(Instant::now());
            match log.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(why) => panic!("the server did not log `{text}`: {why}"),
            }
        }
    }

    /// The rest of its log, once it has ended.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.log.lock().expect("a lock").iter().collect()
    }

    /// Sends a signal to the server.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(name).arg(self.process.id().to_string()).status();
        assert!(done.expect("kill runs").success());
    }

    /// Waits until the server has stopped. Returns whether its exit code was 0.
    pub(crate) fn wait(mut self) -> bool {
        until("the server ends", || self.process.try_wait().expect("a process")).success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            return;
        }
        let verify =
            Command::new(env!("CARGO_BIN_EXE_atoll")).args(["verify", "--data"]).arg(&self.folder).output();
        let done = verify.expect("the binary runs");
        let (found, why) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "what the server left behind: {found}{why}");
    }
}
