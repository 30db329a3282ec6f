//! A PostgreSQL server for the tests, in a folder of its own, at a socket and a port of its own.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A running server. It ends when it is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    pub(crate) port: u16,
}

impl Server {
    /// Makes and starts a server. None if there is no PostgreSQL.
    pub(crate) fn start() -> Option<Server> {
        let programs = programs()?;
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let server = Server { programs, folder, port };
        if is_root() {
            assert!(run(Command::new("chown").arg("postgres").arg(server.folder.path())), "chown");
        }
        let data = server.data();
        let mut initdb = server.command("initdb");
        initdb.args(["--username=atoll", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        assert!(run(initdb.arg(&data)), "initdb");
        server.up();
        Some(server)
    }

    /// Starts it.
    pub(crate) fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off",
            self.port,
            self.folder.path().display()
        );
        let log = self.folder.path().join("log");
        let mut start = self.command("pg_ctl");
        start.args(["start", "--wait", "-D"]).arg(self.data()).arg("-l").arg(log).args(["-o", &options]);
        assert!(run(&mut start), "pg_ctl start");
    }

    /// Stops it as a crash does.
    pub(crate) fn crash(&self) {
        let mut stop = self.command("pg_ctl");
        assert!(run(stop.args(["stop", "--mode=immediate", "-D"]).arg(self.data())), "pg_ctl stop");
    }

    /// Makes an empty database, and returns its address at this port.
    pub(crate) fn database(&self, name: &str, port: u16) -> String {
        let mut createdb = self.command("createdb");
        createdb.args(["-h", "127.0.0.1", "-U", "atoll", "-p", &self.port.to_string(), name]);
        assert!(run(&mut createdb), "createdb");
        format!("postgres://atoll@127.0.0.1:{port}/{name}")
    }

    /// Runs a statement.
    pub(crate) fn sql(&self, database: &str, statement: &str) {
        let mut psql = self.command("psql");
        psql.args(["-h", "127.0.0.1", "-U", "atoll", "-p", &self.port.to_string(), "-d", database]);
        assert!(run(psql.args(["--quiet", "-v", "ON_ERROR_STOP=1", "-c", statement])), "psql");
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server. It refuses to run as root.
    fn command(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(&program) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        run(stop.args(["stop", "--mode=immediate", "-D"]).arg(self.data()));
    }
}

fn run(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|it| it.success())
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
