//! The processes that are measured: a served binary or the floor; its CPU time and memory.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

/// The admin of all data sets.
pub(crate) const ADMIN: (&str, &str) = ("load@atoll.test", "load-load-load");
/// Pages of memory have so many bytes.
const PAGE_BYTES: u64 = 4096;
/// The kernel counts CPU time in ticks of 10 ms (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;
/// How often the memory of a process is looked at that ends by itself.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running server. It is stopped when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process until it served.
    pub(crate) opened_in: Duration,
}

impl Server {
    /// Serves this data folder.
    pub(crate) fn start(binary: &Path, data: &Path, env: &[(&str, &str)]) -> anyhow::Result<Server> {
        Server::start_on(None, binary, data, env)
    }

    /// As `start`, on one core.
    pub(crate) fn start_on(
        core: Option<usize>,
        binary: &Path,
        data: &Path,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Server> {
        let mut command = Command::new(if core.is_some() { Path::new("taskset") } else { binary });
        if let Some(core) = core {
            command.args(["--cpu-list", &core.to_string()]).arg(binary);
        }
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .envs(env.iter().copied())
            .envs([("ATOLL_LOG", "info"), ("NO_COLOR", "1")])
            .envs([("ATOLL_ADMIN_EMAIL", ADMIN.0), ("ATOLL_ADMIN_PASSWORD", ADMIN.1)]);
        Server::wait_for(command)
    }

    /// Starts a process that logs where it serves: `base=http://…`.
    pub(crate) fn wait_for(mut command: Command) -> anyhow::Result<Server> {
        let begun = Instant::now();
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = process.spawn().with_context(|| format!("{command:?} does not start"))?;
        let mut log = BufReader::new(process.stderr.take().context("a pipe")?);
        let (mut line, mut before) = (String::new(), String::new());
        let address = loop {
            line.clear();
            if log.read_line(&mut line)? == 0 {
                let _ = process.wait();
                bail!("{command:?} ended before it served:\n{before}");
            }
            if let Some((_, rest)) = line.split_once("base=http://") {
                break rest.split_whitespace().next().context("an address")?.parse()?;
            }
            before += &line;
        };
        let opened_in = begun.elapsed();
        // Further log lines must not fill the pipe.
        thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        Ok(Server { process, address, opened_in })
    }

    /// Ends it as a loss of power does.
    pub(crate) fn kill(mut self) {
        let _ = self.process.kill();
    }

    /// The CPU time of the process, of user and kernel, with that of threads that have ended.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name of the program, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(')').context("/proc has an unknown format")?;
        let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<Result<u64, _>>()?;
        Ok(Duration::from_secs_f64(ticks as f64 / TICKS_PER_S))
    }

    /// The resident memory of the process, in MB.
    pub(crate) fn rss_mb(&self) -> anyhow::Result<f64> {
        let statm = fs::read_to_string(format!("/proc/{}/statm", self.process.id()))?;
        let pages: u64 = statm.split(' ').nth(1).context("/proc has an unknown format")?.parse()?;
        Ok((pages * PAGE_BYTES) as f64 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // As an operator stops it, so that its data is closed as usual.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// How a process ended that ends by itself.
pub(crate) struct Ended {
    pub(crate) took: Duration,
    /// Its largest resident memory that was seen, in MB.
    pub(crate) peak_mb: f64,
}

/// Runs a process until it ends. Errors: one of its own, with what it has said.
pub(crate) fn run(mut command: Command) -> anyhow::Result<Ended> {
    let begun = Instant::now();
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?} does not start"))?;
    let id = process.id();
    let mut errors = process.stderr.take().context("a pipe")?;
    let (report, reported) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        let _ = errors.read_to_string(&mut text);
        let _ = report.send((process.wait(), text));
    });
    let mut peak_mb = 0.0;
    let (status, text): (std::io::Result<ExitStatus>, String) = loop {
        match reported.recv_timeout(LOOK_EVERY) {
            Ok(ended) => break ended,
            Err(RecvTimeoutError::Timeout) => peak_mb = peak(id).unwrap_or(peak_mb),
            Err(RecvTimeoutError::Disconnected) => bail!("{command:?} was lost"),
        }
    };
    if !status?.success() {
        bail!("{command:?} failed:\n{text}");
    }
    Ok(Ended { took: begun.elapsed(), peak_mb })
}

fn peak(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kb = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?;
    Some(kb.parse::<f64>().ok()? / 1e3)
}

/// The CPU time of the calling thread.
pub(crate) fn thread_cpu() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(stat.split(' ').next().context("/proc has an unknown format")?.parse()?))
}
