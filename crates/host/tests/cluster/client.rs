//! A client of hosts, over sockets: it waits for no answer for ever, and knows how far an answer was.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a client of several hosts waits for an answer, before it asks another one: a host that is stopped
/// does not answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Between two looks at what comes.
const PAUSE: Duration = Duration::from_millis(5);

/// Lets processes run for a while: a history takes its time, and a lease must end.
pub(crate) fn let_pass(time: Duration) {
    thread::sleep(time);
}

/// Waits until there is something to find.
///
/// # Panics
/// When it does not come.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let ends_at = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < ends_at, "{what}: not within {PATIENCE:?}");
        let_pass(PAUSE);
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The last commit that is behind it; zero if it does not say.
    pub(crate) position: u64,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        self.status == 200
    }
}

/// Headers of requests, and how long each may take.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) headers: String,
    pub(crate) answer_max: Duration,
}

impl Default for Client {
    fn default() -> Self {
        Client { headers: String::new(), answer_max: ANSWER_MAX }
    }
}

impl Client {
    /// With this header, too.
    #[must_use]
    pub(crate) fn with(&self, name: &str, value: &str) -> Client {
        Client { headers: format!("{}{name}: {value}\r\n", self.headers), ..*self }
    }

    /// Sends a request to a host; none if it gives no answer, or is not there.
    pub(crate) fn send(&self, host: SocketAddr, method: &str, path: &str, body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect_timeout(&host, self.answer_max).ok()?;
        stream.set_read_timeout(Some(self.answer_max)).ok()?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: atoll\r\nconnection: close\r\ncontent-type: application/json\r\n\
             {}content-length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let number = |name| head.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
        // An answer that was cut off is none.
        let is_whole = number("content-length: ").is_none_or(|it: u64| it == body.len() as u64);
        let position = number("atoll-after: ").unwrap_or(0);
        is_whole.then(|| Answer { status, position, json: serde_json::from_str(body).unwrap_or_default() })
    }

    /// Sends a request to one host after the other until it is not to be sent again: it was answered, and by
    /// no 503.
    ///
    /// # Panics
    /// When no host answers so.
    pub(crate) fn insist(&self, hosts: &[SocketAddr], method: &str, path: &str, body: &str) -> Answer {
        let mut hosts = hosts.iter().cycle();
        until(&format!("an answer to {method} {path}"), || {
            let answer = self.send(*hosts.next()?, method, path, body)?;
            (answer.status != 503).then_some(answer)
        })
    }

    /// As `insist`, and the answer must be a success.
    pub(crate) fn done(&self, hosts: &[SocketAddr], method: &str, path: &str, body: &str) -> Value {
        let answer = self.insist(hosts, method, path, body);
        assert!(answer.is_ok(), "{method} {path} {body}: {answer:?}");
        answer.json
    }
}
