//! What only these tests ask of a server, and those of the host do not: statements, and TLS.

use std::process::Stdio;

use crate::server::{Server, run};

/// Questions before a test gives up.
const QUESTIONS_MAX: usize = 1_000;

impl Server {
    /// As `start`, with a certificate for `localhost`, and without connections that are not encrypted.
    pub(crate) fn start_with_tls() -> Option<Server> {
        Server::start_as(true)
    }

    /// Runs a statement.
    pub(crate) fn sql(&self, database: &str, statement: &str) {
        let mut psql = self.command("psql");
        psql.args(["-h", "127.0.0.1", "-U", "atoll", "-p", &self.port.to_string(), "-d", database]);
        assert!(run(psql.args(["--quiet", "-v", "ON_ERROR_STOP=1", "-c", statement])), "psql");
    }

    /// Asks until the answer is yes. Starting the client takes its time between two questions.
    pub(crate) fn until(&self, database: &str, question: &str) {
        let ask = || {
            let mut psql = self.command("psql");
            psql.args(["-h", "127.0.0.1", "-U", "atoll", "-p", &self.port.to_string(), "-d", database]);
            let answer = psql.args(["-tA", "-c", question]).stdin(Stdio::null()).output().expect("psql");
            String::from_utf8_lossy(&answer.stdout).trim() == "t"
        };
        assert!((0..QUESTIONS_MAX).any(|_| ask()), "{question}: it is not so");
    }
}
