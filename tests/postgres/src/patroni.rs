//! A cluster of Patroni: two servers of which each holds what the other one has acknowledged, and etcd, by
//! which one takes the place of the other. They are Debian's.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{QUESTIONS_MAX, Server, free_port, own};

/// What decides who leads, and what looks after each server.
pub struct Patroni {
    etcd: Child,
    nodes: [Child; 2],
}

impl Patroni {
    /// A cluster, the server that leads, and the other one. None where it is not installed.
    ///
    /// # Panics
    /// When no server becomes the synchronous standby of the other one.
    pub fn start() -> Option<(Patroni, Server, Server)> {
        if !["patroni", "etcd"].iter().all(|it| Path::new("/usr/bin").join(it).exists()) {
            return None;
        }
        let [first, second] = [Server::in_new_folder()?, Server::in_new_folder()?];
        let [clients, peers] = [free_port(), free_port()].map(|port| format!("http://127.0.0.1:{port}"));
        let mut etcd = first.as_its_user(Path::new("etcd"));
        etcd.arg("--data-dir").arg(first.folder.path().join("etcd"));
        etcd.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        etcd.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        etcd.args(["--initial-cluster", &format!("default={peers}")]);
        let etcd = spawned(etcd);
        let nodes = [(&first, "first"), (&second, "second")].map(|(server, name)| {
            let settings = server.folder.path().join("patroni.yml");
            fs::write(&settings, settings_of(server, name, &clients)).expect("a file");
            own(&settings);
            let mut node = server.as_its_user(Path::new("patroni"));
            node.arg(settings);
            spawned(node)
        });
        let mut patroni = Patroni { etcd, nodes };
        let leads = "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        let led_by = |_| [&first, &second].into_iter().position(|it| it.is_so("postgres", leads));
        if (0..QUESTIONS_MAX).find_map(led_by).expect("a synchronous standby") == 0 {
            return Some((patroni, first, second));
        }
        patroni.nodes.swap(0, 1);
        Some((patroni, second, first))
    }

    /// Kills what looks after the server that led first, which nobody starts again then.
    pub fn leave_alone(&mut self) {
        end(&mut self.nodes[0]);
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        self.nodes.iter_mut().for_each(end);
        end(&mut self.etcd);
    }
}

fn end(process: &mut Child) {
    drop((process.kill(), process.wait()));
}

fn spawned(mut program: Command) -> Child {
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

/// The settings of what looks after a server. It is given up after 20 s, which is as short as may be.
fn settings_of(server: &Server, name: &str, etcd: &str) -> String {
    let (port, rest, etcd) = (server.port, free_port(), etcd.trim_start_matches("http://"));
    let (folder, data, programs) = (server.folder.path().display(), server.data(), server.programs.display());
    format!(
        "scope: shop
name: {name}
restapi: {{listen: '127.0.0.1:{rest}', connect_address: '127.0.0.1:{rest}'}}
etcd3: {{host: '{etcd}'}}
bootstrap:
  dcs: {{ttl: 20, loop_wait: 1, retry_timeout: 3, synchronous_mode: true}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}, {{auth: trust}}, no-sync]
  pg_hba: [local all all trust, host all all 127.0.0.1/32 trust, host replication all 127.0.0.1/32 trust]
postgresql:
  listen: '127.0.0.1:{port}'
  connect_address: '127.0.0.1:{port}'
  data_dir: {data}
  bin_dir: {programs}
  pgpass: {folder}/pgpass
  authentication: {{superuser: {{username: atoll}}, replication: {{username: atoll}}}}
  parameters: {{unix_socket_directories: {folder}}}
",
        data = data.display(),
    )
}
