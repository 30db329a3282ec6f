//! A PostgreSQL server for tests and measurements, in a folder of its own, at a socket and a port of its own;
//! and one that follows it, for failovers. It is Debian's.

mod patroni;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    mem,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

use tempfile::TempDir;

pub use patroni::Patroni;

/// A file of the certificates in the tests of the host.
pub fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/host/tests/it/tls").join(name)
}

/// Questions before [`Server::until`] gives up: more than half a minute, since each starts a client.
const QUESTIONS_MAX: usize = 2_000;

/// A transaction that is open. It is rolled back when this is dropped.
pub struct Open(Child);

impl Drop for Open {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.0.stdin.take());
        self.0.wait().expect("psql");
    }
}

/// Whether there is a PostgreSQL on this machine.
pub fn is_there() -> bool {
    programs().is_some()
}

/// A running server. It ends when it is dropped.
pub struct Server {
    programs: PathBuf,
    folder: TempDir,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// Settings, as `-c name=value`.
    settings: String,
}

impl Server {
    /// Makes and starts a server. None if there is no PostgreSQL. It does not wait for the disk: what a crash
    /// of the machine leaves is of no interest.
    pub fn start() -> Option<Server> {
        let mut server = Server::made()?;
        server.settings += " -c fsync=off";
        server.up();
        Some(server)
    }

    /// As `start`, and each commit waits for the disk, as they do by default.
    pub fn start_durable() -> Option<Server> {
        let server = Server::made()?;
        server.up();
        Some(server)
    }

    /// As `start`, and whoever is in the network of this address reaches it there, too.
    ///
    /// # Panics
    /// When no interface has the address.
    pub fn start_at(address: Ipv4Addr) -> Option<Server> {
        let mut server = Server::made()?;
        let mut hba =
            fs::File::options().append(true).open(server.data().join("pg_hba.conf")).expect("a file");
        writeln!(hba, "host all all {address}/24 trust").expect("a line");
        server.settings += &format!(" -c fsync=off -c listen_addresses=127.0.0.1,{address}");
        server.up();
        Some(server)
    }

    /// As `start`, with a certificate for `localhost`, and without connections that are not encrypted.
    pub fn start_with_tls() -> Option<Server> {
        let mut server = Server::made()?;
        let data = server.data();
        for name in ["first.pem", "first.key"] {
            let file = data.join(name);
            fs::copy(tls(name), &file).expect("a copy");
            assert!(run(Command::new("chmod").arg("600").arg(&file)), "chmod");
            own(&file);
        }
        fs::write(data.join("pg_hba.conf"), "hostssl all all all trust\n").expect("a file");
        server.settings += " -c fsync=off -c ssl=on -c ssl_cert_file=first.pem -c ssl_key_file=first.key";
        server.up();
        Some(server)
    }

    /// The address of a database of a server that ends with this process, however that ends. None if there is
    /// no PostgreSQL.
    ///
    /// # Panics
    /// When it does not start.
    pub fn of_process() -> Option<String> {
        static ADDRESS: LazyLock<Option<String>> = LazyLock::new(|| {
            let mut server = Server::made()?;
            // Each shop of a test has some.
            server.settings += " -c fsync=off -c max_connections=1000";
            server.up();
            let address = server.database("tests", server.port);
            server.end_with_process();
            Some(address)
        });
        ADDRESS.clone()
    }

    /// Leaves it to a shell, which waits for the end of its input.
    fn end_with_process(self) {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--mode=immediate", "-D"]).arg(self.data());
        let script = "trap '' HUP INT TERM; read -r _; folder=$1; shift; \"$@\"; rm -r \"$folder\"";
        let mut shell = Command::new("sh");
        shell
            .args(["-c", script, "sh"])
            .arg(self.folder.path())
            .arg(stop.get_program())
            .args(stop.get_args());
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its input is open as long as this process runs.
        mem::forget((shell.spawn().expect("a shell"), self));
    }

    /// A server with its folder, which is not running.
    fn made() -> Option<Server> {
        let server = Server::in_new_folder()?;
        let mut initdb = server.command("initdb");
        initdb.args(["--username=atoll", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        assert!(run(initdb.arg(server.data())), "initdb");
        Some(server)
    }

    fn in_new_folder() -> Option<Server> {
        let programs = programs()?;
        let folder = tempfile::tempdir().expect("a folder");
        own(folder.path());
        Some(Server { programs, folder, port: free_port(), settings: String::new() })
    }

    /// Starts one that follows this server (a standby). Where it is synchronous, this one answers no commit
    /// that the other one does not hold.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn standby(&self, is_synchronous: bool) -> Server {
        let mut standby = Server::in_new_folder().expect("this one has its programs");
        standby.settings.clone_from(&self.settings);
        let mut copy = standby.command("pg_basebackup");
        copy.args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf", "-D"]).arg(standby.data());
        let from = format!("host=127.0.0.1 port={} user=atoll application_name=standby", self.port);
        assert!(run(copy.args(["-d", &from])), "pg_basebackup");
        standby.up();
        if is_synchronous {
            self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
            self.sql("postgres", "SELECT pg_reload_conf()");
            self.until("postgres", "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
        }
        standby
    }

    /// Makes the one that follows a server on its own, and waits until it is (failover).
    ///
    /// # Panics
    /// When it follows none.
    pub fn promote(&self) {
        assert!(run(self.command("pg_ctl").args(["promote", "--wait", "-D"]).arg(self.data())), "promote");
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={}{}",
            self.port,
            self.folder.path().display(),
            self.settings
        );
        let log = self.folder.path().join("log");
        let mut start = self.command("pg_ctl");
        start.args(["start", "--wait", "-D"]).arg(self.data()).arg("-l").arg(log).args(["-o", &options]);
        assert!(run(&mut start), "pg_ctl start");
    }

    /// Stops it as a crash does.
    ///
    /// # Panics
    /// When it is not running.
    pub fn crash(&self) {
        let mut stop = self.command("pg_ctl");
        assert!(run(stop.args(["stop", "--mode=immediate", "-D"]).arg(self.data())), "pg_ctl stop");
    }

    /// Makes an empty database, and returns its address at this port.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database(&self, name: &str, port: u16) -> String {
        assert!(run(self.client("createdb").arg(name)), "createdb");
        format!("postgres://atoll@127.0.0.1:{port}/{name}")
    }

    /// Runs a statement.
    ///
    /// # Panics
    /// When it fails.
    pub fn sql(&self, database: &str, statement: &str) {
        let mut psql = self.client("psql");
        psql.args(["-d", database, "--quiet", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        assert!(run(&mut psql), "psql");
    }

    /// The rows of an answer, a line each, their columns by `|`; empty if there is none.
    pub fn ask(&self, database: &str, question: &str) -> String {
        let mut psql = self.client("psql");
        let answer = psql.args(["-d", database, "-tA", "-c", question]).stdin(Stdio::null()).output();
        String::from_utf8_lossy(&answer.expect("psql runs").stdout).trim().to_owned()
    }

    /// Whether the answer is yes.
    pub fn is_so(&self, database: &str, question: &str) -> bool {
        self.ask(database, question) == "t"
    }

    /// Asks until the answer is yes. Starting the client takes its time between two questions.
    ///
    /// # Panics
    /// When it stays no.
    pub fn until(&self, database: &str, question: &str) {
        assert!((0..QUESTIONS_MAX).any(|_| self.is_so(database, question)), "{question}: it is not so");
    }

    /// A transaction of somebody else that has run this statement, and stays open.
    ///
    /// # Panics
    /// When it fails.
    pub fn begin(&self, database: &str, statement: &str) -> Open {
        let mut psql = self.client("psql");
        psql.args(["-d", database, "-tA"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = psql.spawn().expect("psql");
        let input = child.stdin.as_mut().expect("an input");
        writeln!(input, "BEGIN; {statement}; SELECT 'it is done';").expect("psql");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("an output")).lines();
        assert!(lines.any(|it| it.expect("a line") == "it is done"), "{statement}");
        Open(child)
    }

    /// A program that connects to it.
    fn client(&self, name: &str) -> Command {
        let mut client = self.command(name);
        client.args(["-h", "127.0.0.1", "-U", "atoll", "-p", &self.port.to_string()]);
        client
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server.
    fn command(&self, name: &str) -> Command {
        self.as_its_user(&self.programs.join(name))
    }

    /// A program that refuses to run as root.
    fn as_its_user(&self, program: &Path) -> Command {
        let mut command = if is_root() { Command::new("setpriv") } else { Command::new(program) };
        if is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
        }
        // Clients look for certificates in the home, and that of root may be closed to this user.
        command.current_dir(self.folder.path()).env("HOME", self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        run(stop.args(["stop", "--mode=immediate", "-D"]).arg(self.data()));
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

fn run(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// Gives a file to whom the server runs as.
fn own(file: &Path) {
    if is_root() {
        assert!(run(Command::new("chown").arg("postgres").arg(file)), "chown");
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}

/// Where Debian keeps the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<_> =
        fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|it| Some(it.ok()?.path())).collect();
    versions.sort();
    versions.into_iter().rev().map(|it| it.join("bin")).find(|it| Path::exists(&it.join("initdb")))
}
