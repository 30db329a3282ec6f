//! `cargo xtask package`: the Debian package and the container image, each tried out after it was built.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, bail, ensure};

use crate::cargo;

/// Linking for everything, the C library included, is for a named target only.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The name of the image.
const IMAGE: &str = "localhost/atoll:latest";

/// Who the image runs as: nobody of the host.
const IMAGE_USER: &str = "10001:10001";

/// The roots that Debian trusts, where every TLS library looks for them.
const ROOTS: &str = "etc/ssl/certs/ca-certificates.crt";

/// Completions, by the shells that they are for.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Builds what is named: `deb`, `image`, or both. `--debug` packages a debug build, to try the packaging out.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let (options, names): (Vec<&str>, Vec<&str>) =
        args.iter().map(String::as_str).partition(|it| it.starts_with("--"));
    ensure!(options.iter().all(|it| *it == "--debug"), "the option of `cargo xtask package` is `--debug`");
    let profile = if options.is_empty() { "release" } else { "debug" };
    for name in if names.is_empty() { vec!["deb", "image"] } else { names } {
        match name {
            "deb" => try_deb(&deb(profile)?)?,
            "image" => {
                image(profile)?;
                try_image()?;
            }
            _ => bail!("`cargo xtask package` builds `deb` and `image`, and no `{name}`"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where what is packaged is made.
fn folder() -> PathBuf {
    cargo::root().join("target/package")
}

/// Runs a program; an error if it fails. Returns what it printed.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().display().to_string();
    let done = command.stderr(Stdio::inherit()).output().with_context(|| format!("{name} does not start"))?;
    ensure!(done.status.success(), "{command:?} failed");
    Ok(String::from_utf8(done.stdout)?)
}

/// Builds the program.
fn build(profile: &str, args: &[&str], flags: &str) -> anyhow::Result<()> {
    let mut build = cargo::command();
    build.args(["build", "-p", "atoll-host"]).args(args);
    if profile == "release" {
        build.arg("--release");
    }
    if !flags.is_empty() {
        build.env("RUSTFLAGS", flags);
    }
    output(&mut build).map(drop)
}

/// Builds the Debian package, by `cargo-deb`. Returns its file.
fn deb(profile: &str) -> anyhow::Result<PathBuf> {
    let is_there = cargo::command().args(["deb", "--version"]).output().is_ok_and(|it| it.status.success());
    ensure!(is_there, "there is no `cargo deb`: `cargo install --locked cargo-deb` (a minute or two)");
    build(profile, &[], "")?;
    let (program, made) = (cargo::root().join("target").join(profile).join("atoll"), folder());
    if made.exists() {
        fs::remove_dir_all(&made)?;
    }
    output(Command::new(&program).arg("man").arg(made.join("man1")))?;
    for shell in SHELLS {
        let script = output(Command::new(&program).args(["completions", shell]))?;
        fs::write(made.join(format!("atoll.{shell}")), script)?;
    }
    let mut deb = cargo::command();
    deb.args(["deb", "-p", "atoll-host", "--no-build", "--output"]).arg(made.join("atoll.deb"));
    if profile == "debug" {
        deb.args(["--profile", "dev", "--fast"]);
    }
    output(&mut deb)?;
    Ok(made.join("atoll.deb"))
}

/// Unpacks the package beside it, and runs what is in it.
fn try_deb(deb: &Path) -> anyhow::Result<()> {
    let root = folder().join("deb");
    output(Command::new("dpkg").arg("-x").args([deb, &root]))?;
    for file in [
        "etc/atoll/atoll.toml", "lib/systemd/system/atoll.service",
        "usr/share/bash-completion/completions/atoll", "usr/share/doc/atoll/docs/operations.md",
        "usr/share/doc/atoll/ops/alerts.yml",
    ] {
        // Where the folders of the system and those of users are one, units are below `usr`.
        let is_there = root.join(file).exists() || root.join("usr").join(file).exists();
        ensure!(is_there, "{file} is not in {}", deb.display());
    }
    let manual = root.join("usr/share/man/man1");
    ensure!(manual.join("atoll-serve.1.gz").exists(), "there are no pages of the manual");
    let fields = output(Command::new("dpkg").arg("-f").arg(deb))?;
    ensure!(fields.contains("libc6"), "the package does not name the libraries that it needs: {fields}");
    let settings = root.join("etc/atoll/atoll.toml");
    let mut serve = Command::new(root.join("usr/bin/atoll"));
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data", ":memory:", "--config"]).arg(settings);
    serves(serve)?;
    eprintln!("{} serves", deb.display());
    Ok(())
}

/// Builds images. It needs neither a kernel with overlays, nor a user with a namespace.
fn buildah() -> Command {
    let mut buildah = Command::new("buildah");
    buildah.args(["--storage-driver", "vfs"]);
    buildah
}

/// Builds the image, and an archive of it.
fn image(profile: &str) -> anyhow::Result<()> {
    build(profile, &["--target", TARGET], "-C target-feature=+crt-static")?;
    let (context, rootfs) = (folder().join("image"), folder().join("image/rootfs"));
    if context.exists() {
        fs::remove_dir_all(&context)?;
    }
    let data = context.join("owned/data");
    for folder in [rootfs.join("usr/bin"), rootfs.join("etc/ssl/certs"), data.clone()] {
        fs::create_dir_all(folder)?;
    }
    let program = cargo::root().join("target").join(TARGET).join(profile).join("atoll");
    output(Command::new("strip").arg("-o").arg(rootfs.join("usr/bin/atoll")).arg(program))?;
    let roots = Path::new("/").join(ROOTS);
    fs::copy(&roots, rootfs.join(ROOTS))
        .with_context(|| format!("{} is in the package `ca-certificates`", roots.display()))?;
    // The names of this machine are resolved without asking for them.
    fs::write(rootfs.join("etc/passwd"), "atoll:x:10001:10001:Atoll:/data:/nowhere\n")?;
    fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
    let file = cargo::root().join("crates/host/debian/Containerfile");
    let archive = folder().join("atoll.oci.tar");
    output(buildah().args(["build", "--isolation", "chroot", "-t", IMAGE, "-f"]).args([&file, &context]))?;
    output(buildah().arg("push").arg(IMAGE).arg(format!("oci-archive:{}:latest", archive.display())))?;
    eprintln!("{}", archive.display());
    Ok(())
}

/// Runs a container of the image, as far as that goes without namespaces.
fn try_image() -> anyhow::Result<()> {
    let container = output(buildah().args(["from", "--pull-never", IMAGE]))?;
    let root = output(buildah().args(["mount", container.trim()]));
    let tried = root.and_then(|it| try_root(Path::new(it.trim())));
    output(buildah().args(["rm", container.trim()]))?;
    tried
}

/// Runs the program of the image with nothing but the files of the image, and the devices of random bytes
/// that every container has.
fn try_root(rootfs: &Path) -> anyhow::Result<()> {
    fs::create_dir(rootfs.join("dev"))?;
    for (name, minor) in [("random", "8"), ("urandom", "9")] {
        let device = rootfs.join("dev").join(name);
        output(Command::new("mknod").args(["-m", "666"]).arg(device).args(["c", "1", minor]))?;
    }
    let chroot = || {
        let mut chroot = Command::new("chroot");
        chroot.arg(format!("--userspec={IMAGE_USER}")).arg(rootfs).arg("/usr/bin/atoll");
        chroot.env("ATOLL_DATA", "/data").env("TMPDIR", "/data");
        chroot
    };
    let mut serve = chroot();
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    serves(serve)?;
    let verified = output(chroot().arg("verify"))?;
    ensure!(!verified.is_empty(), "nothing was verified");
    eprintln!("the image serves");
    Ok(())
}

/// Starts the server, asks for its health, and stops it gracefully.
fn serves(mut serve: Command) -> anyhow::Result<()> {
    let mut server = serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let log = BufReader::new(server.stderr.take().context("a pipe")?);
    let mut logged = String::new();
    let mut healthy = None;
    for line in log.lines() {
        let line = line?;
        if let Some((_, rest)) = line.split_once("http://").filter(|_| line.contains("serving")) {
            let address = rest.split(['"', ' ', '\u{1b}']).next().unwrap_or_default();
            healthy = Some(health(address));
            output(Command::new("kill").arg("-TERM").arg(server.id().to_string()))?;
        }
        logged += &format!("{line}\n");
    }
    let is_graceful = server.wait()?.success();
    match healthy {
        Some(answer) if is_graceful => {
            let answer = answer?;
            ensure!(answer.starts_with("HTTP/1.1 200"), "{serve:?} answers: {answer}");
            Ok(())
        }
        _ => bail!("{serve:?} does not serve, or does not stop gracefully:\n{logged}"),
    }
}

/// The answer of `/health`.
fn health(address: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("nobody listens at {address}"))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: atoll\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
