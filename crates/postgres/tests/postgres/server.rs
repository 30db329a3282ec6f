//! A PostgreSQL server for the tests, in a folder of its own, at a socket and a port of its own.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A file of the certificates in the tests of the host.
pub(crate) fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/tests/it/tls").join(name)
}

/// A running server. It ends when it is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    pub(crate) port: u16,
    is_encrypted: bool,
}

impl Server {
    /// Makes and starts a server. None if there is no PostgreSQL.
    pub(crate) fn start() -> Option<Server> {
        Server::start_as(false)
    }

    /// Makes and starts a server. With a certificate for `localhost`, it takes no other connections.
    pub(crate) fn start_as(is_encrypted: bool) -> Option<Server> {
        let programs = programs()?;
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let server = Server { programs, folder, port, is_encrypted };
        if is_root() {
            assert!(run(Command::new("chown").arg("postgres").arg(server.folder.path())), "chown");
        }
        let data = server.data();
        let mut initdb = server.command("initdb");
        initdb.args(["--username=atoll", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        assert!(run(initdb.arg(&data)), "initdb");
        if is_encrypted {
            for name in ["first.pem", "first.key"] {
                fs::copy(tls(name), data.join(name)).expect("a copy");
                assert!(run(Command::new("chmod").arg("600").arg(data.join(name))), "chmod");
                if is_root() {
                    assert!(run(Command::new("chown").arg("postgres").arg(data.join(name))), "chown");
                }
            }
            fs::write(data.join("pg_hba.conf"), "hostssl all all all trust\n").expect("a file");
        }
        server.up();
        Some(server)
    }

    /// Starts it.
    pub(crate) fn up(&self) {
        let tls = " -c ssl=on -c ssl_cert_file=first.pem -c ssl_key_file=first.key";
        let tls = if self.is_encrypted { tls } else { "" };
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off{tls}",
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

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server. It refuses to run as root.
    pub(crate) fn command(&self, name: &str) -> Command {
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

pub(crate) fn run(command: &mut Command) -> bool {
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
