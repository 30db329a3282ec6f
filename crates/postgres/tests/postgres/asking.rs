//! What only these tests ask of a server, and those of the host do not: statements, and TLS.

use std::process::{Child, Command, Stdio};

use crate::server::{Server, run};

/// Questions before a test gives up: more than half a minute, since each starts a client.
const QUESTIONS_MAX: usize = 2_000;

/// A transaction that is open. It is rolled back when this is dropped.
pub(crate) struct Open(Child);

impl Drop for Open {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.0.stdin.take());
        self.0.wait().expect("psql");
    }
}

impl Server {
    /// As `start`, with a certificate for `localhost`, and without connections that are not encrypted.
    pub(crate) fn start_with_tls() -> Option<Server> {
        Server::start_as(true)
    }

    fn psql(&self, database: &str) -> Command {
        let mut psql = self.command("psql");
        psql.args(["-h", "127.0.0.1", "-U", "atoll", "-p", &self.port.to_string(), "-d", database]);
        psql
    }

    /// Runs a statement.
    pub(crate) fn sql(&self, database: &str, statement: &str) {
        let mut psql = self.psql(database);
        assert!(run(psql.args(["--quiet", "-v", "ON_ERROR_STOP=1", "-c", statement])), "psql");
    }

    /// The answer to a question.
    pub(crate) fn ask(&self, database: &str, question: &str) -> String {
        let mut psql = self.psql(database);
        let answer = psql.args(["-tA", "-c", question]).stdin(Stdio::null()).output().expect("psql");
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    }

    /// Whether the answer is yes.
    pub(crate) fn is_so(&self, database: &str, question: &str) -> bool {
        self.ask(database, question) == "t"
    }

    /// Asks until the answer is yes. Starting the client takes its time between two questions.
    pub(crate) fn until(&self, database: &str, question: &str) {
        assert!((0..QUESTIONS_MAX).any(|_| self.is_so(database, question)), "{question}: it is not so");
    }

    /// A transaction of somebody else that has run this statement, and stays open.
    pub(crate) fn begin(&self, database: &str, statement: &str) -> Open {
        use std::io::{BufRead as _, Write as _};
        let mut psql = self.psql(database);
        let mut child = psql.arg("-tA").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("psql");
        let input = child.stdin.as_mut().expect("an input");
        writeln!(input, "BEGIN; {statement}; SELECT 'it is done';").expect("psql");
        let mut lines = std::io::BufReader::new(child.stdout.as_mut().expect("an output")).lines();
        assert!(lines.any(|it| it.expect("a line") == "it is done"), "{statement}");
        Open(child)
    }
}
