//! Hosts in network namespaces: each has an address of its own, and can be cut off from PostgreSQL without a
//! word. Packets are dropped then; nothing is refused or closed.

use std::{
    env,
    io::{BufRead as _, BufReader},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
};

/// Set in the process that runs a test in a network of its own.
const INSIDE: &str = "ATOLL_TEST_INSIDE_NETWORK";

/// Where PostgreSQL is.
pub(crate) const POSTGRES: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

/// Where clients are. They reach a host that PostgreSQL does not.
const CLIENTS: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 254);

/// Runs a test, by its name, in a network of its own, which goes with its process. Skipped where none can be
/// made.
pub(crate) fn in_own_network(name: &str, test: fn()) {
    if env::var_os(INSIDE).is_some() {
        return test();
    }
    let can = |args: &[&str]| Command::new("unshare").arg("--net").args(args).stderr(Stdio::null()).output();
    let can = |args: &[&str]| can(args).is_ok_and(|it| it.status.success());
    if !can(&["ip", "link", "add", "hosts", "type", "bridge"]) || !can(&["iptables", "-L"]) {
        return eprintln!("skipped: a network needs root, and Debian's `iproute2` and `iptables`");
    }
    let mut inside = Command::new("unshare");
    inside.arg("--net").arg(env::current_exe().expect("a program")).args(["--exact", name, "--nocapture"]);
    let done = inside.env(INSIDE, "1").output().expect("unshare runs");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    eprintln!("{said}");
    assert!(done.status.success() && said.contains("1 passed"), "see above");
}

/// The bridge that all are at.
pub(crate) fn open() {
    ip("link set lo up");
    ip("link add hosts type bridge");
    // The first one is where connections come from.
    ip(&format!("addr add {CLIENTS}/24 dev hosts"));
    ip(&format!("addr add {POSTGRES}/24 dev hosts"));
    ip("link set hosts up");
}

fn ip(args: &str) {
    assert!(Command::new("ip").args(args.split(' ')).status().expect("ip runs").success(), "ip {args}");
}

/// The network of one host.
pub(crate) struct Namespace {
    pub(crate) address: Ipv4Addr,
    /// It is there as long as this process.
    holder: Child,
}

impl Namespace {
    /// That of the host of this number.
    pub(crate) fn new(n: usize) -> Namespace {
        let mut holder = Command::new("unshare");
        holder.args(["--net", "sh", "-c", "ip link set lo up && echo up && cat"]);
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare runs");
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "up\n");
        let address = Ipv4Addr::new(10, 99, 0, 11 + u8::try_from(n).expect("a few hosts"));
        ip(&format!("link add host{n} type veth peer name eth0 netns {}", holder.id()));
        ip(&format!("link set host{n} master hosts up"));
        let namespace = Namespace { address, holder };
        namespace.run(&["ip", "addr", "add", &format!("{address}/24"), "dev", "eth0"]);
        namespace.run(&["ip", "link", "set", "eth0", "up"]);
        namespace
    }

    /// A program that is to run in it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id())).arg(program);
        command
    }

    fn run(&self, args: &[&str]) {
        let done = self.command(args[0]).args(&args[1..]).status();
        assert!(done.expect("nsenter runs").success(), "{args:?}");
    }

    /// Drops all packets to and from PostgreSQL.
    pub(crate) fn cut(&self) {
        let postgres = POSTGRES.to_string();
        self.run(&["iptables", "-A", "INPUT", "-s", &postgres, "-j", "DROP"]);
        self.run(&["iptables", "-A", "OUTPUT", "-d", &postgres, "-j", "DROP"]);
    }

    /// Drops none any more.
    pub(crate) fn heal(&self) {
        self.run(&["iptables", "-F"]);
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop((self.holder.kill(), self.holder.wait()));
    }
}
