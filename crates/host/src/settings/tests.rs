//! Tests of settings: which source counts, and how errors are reported.

use std::{
    os::unix::{ffi::OsStringExt as _, fs::PermissionsExt as _},
    time::Duration,
};

use atoll_kernel::{
    provider, provider_kind,
    registry::{ProviderEntry, ProviderKind, Settings as _},
    settings,
};

use super::*;

const FLAGS: &[&FeatureFlag] = &[&FLAG];
static FLAG: FeatureFlag = FeatureFlag { name: "sales_channels", default: true };

/// The settings of a file, an environment (`NAME=value`, one a line) and a command line.
fn load(file: &str, env: &str, line: &[(&'static str, &str)]) -> Result<Settings, Wrong> {
    load_with(Registry::default(), file, env, line, &[])
}

/// As `load`, with the modules of a registry, and their settings on the command line.
fn load_with(
    registry: Registry,
    file: &str,
    env: &str,
    line: &[(&'static str, &str)],
    set: &[&str],
) -> Result<Settings, Wrong> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    fs::write(&path, file).expect("a file");
    let read = |name: &str| {
        let mut pairs = env.lines().filter_map(|it| it.split_once('='));
        let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value)?;
        Some(if value == "(not UTF-8)" { OsString::from_vec(vec![0xff]) } else { value.into() })
    };
    let line = line.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let known = |off: &BTreeSet<String>| match off.first() {
        Some(it) if it != "reviews" => Err(vec![format!("there is no module `{it}`")]),
        _ => Ok(Known {
            flags: FLAGS,
            providers: vec![("notification", vec!["log", "smtp"]), ("payment", vec!["pp_bank", "pp_cash"])],
            registry: &registry,
        }),
    };
    let set = set.iter().map(|it| (*it).to_owned()).collect();
    let sources = Sources { file: Some(path), env: &read, line, set, linked: registry.settings.clone() };
    let settings = Settings::load(sources, &BTreeSet::new(), known);
    let tidy = |it: Vec<String>| {
        it.into_iter().map(|it| it.replace(&format!("{}/", folder.path().display()), "")).collect()
    };
    match settings {
        Ok(it) => Ok(Settings { shown: tidy(it.shown), ..it }),
        Err(Wrong(it)) => Err(Wrong(tidy(it))),
    }
}

#[test]
fn command_line_overrides_environment_overrides_file() {
    let file = "listen = \"127.0.0.1:1\"\nrole = \"worker\"\nlog = \"debug\"\nwrite_timeout = 7\nfile_bytes_max = 1000\n[feature_flags]\nsales_channels = false";
    let env = "ATOLL_LISTEN=127.0.0.1:2\nATOLL_DRAIN_TIMEOUT=5 s\nATOLL_ROLE=server\nATOLL_DATA=\nATOLL_JWT_SECRET=long enough to be one\nATOLL_TRUSTED_PROXIES=10.0.0.0/8\nATOLL_CART_DAYS=0\nATOLL_PUBLIC_URL=https://shop.example.com/\nATOLL_FILES_URL=https://shop.example.com/static/\nATOLL_EMAIL_PROVIDER=smtp";
    let settings = load(file, env, &[("listen", "127.0.0.1:3")]).expect("settings");
    assert_eq!(settings.listen.map(|it| it.port()), Some(3));
    assert_eq!((settings.role, settings.flags.is_on(&FLAG)), (Role::Server, false));
    let timeouts = (settings.http.write_timeout.as_secs(), settings.http.drain_timeout.as_secs());
    assert_eq!(timeouts, (7, 5));
    assert_eq!(settings.public_url.as_deref(), Some("https://shop.example.com"));
    assert_eq!(settings.files_url.as_deref(), Some("https://shop.example.com/static"));
    assert_eq!(
        settings.shown,
        [
            "data = atoll-data, or :memory: for the demo (default)",
            "store = none: the data folder is the store (default)",
            "peer_url = http://<listen>, or https (default)",
            "store_lease = 5 s (default)",
            "listen = 127.0.0.1:3 (--listen)",
            "tls_cert = none (default)",
            "tls_key = none (default)",
            "metrics_listen = none (default)",
            "otlp_endpoint = none (default)",
            "role = server (ATOLL_ROLE)",
            "log = debug (atoll.toml)",
            "log_format = text (default)",
            "jwt_secret = (secret) (ATOLL_JWT_SECRET)",
            "cookie_secret = generated, and kept in the data folder (default)",
            "store_cors = * (default)",
            "admin_cors = * (default)",
            "auth_cors = * (default)",
            "trusted_proxies = 10.0.0.0/8 (ATOLL_TRUSTED_PROXIES)",
            "connections_max = 4096 (default)",
            "buffer_bytes_max = 268435456 (default)",
            "header_timeout = 10 s (default)",
            "body_timeout = 30 s (default)",
            "idle_timeout = 75 s (default)",
            "write_timeout = 7 (atoll.toml)",
            "drain_timeout = 5 s (ATOLL_DRAIN_TIMEOUT)",
            "drain_delay = 0 s (default)",
            "requests_max = 1024 (default)",
            "request_keys_max = 5000000 (default)",
            "read_threads = half of the processors (default)",
            "reads_waiting_max = 64 (default)",
            "read_timeout = 30 s (default)",
            "answer_bytes_max = 67108864 (default)",
            "store_answer_bytes_max = 16777216 (default)",
            "store_children_max = 100 (default)",
            "cache_bytes = 134217728 (default)",
            "answers_bytes_max = 67108864 (default)",
            "disk_free_min_bytes = 268435456, or a twentieth of the disk (default)",
            "cart_days = 0 (ATOLL_CART_DAYS)",
            "event_attempts = 10 (default)",
            "public_url = https://shop.example.com/ (ATOLL_PUBLIC_URL)",
            "files_url = https://shop.example.com/static/ (ATOLL_FILES_URL)",
            "file_bytes_max = 1000 (atoll.toml)",
            "app = /app (default)",
            "backup_dir = none (default)",
            "backup_schedule = none (default)",
            "backups_kept = 7 (default)",
            "export_dir = none (default)",
            "docs = on (default)",
            "dashboard_path = /dashboard (default)",
            "dashboard = none (default)",
            "admin_email = none (default)",
            "admin_password = none (default)",
            "modules.off = none (default)",
            "feature_flags.sales_channels = false (atoll.toml)",
            "providers.notification = log, smtp (default)",
            "providers.payment = pp_bank, pp_cash (default)",
            "email_provider = smtp (ATOLL_EMAIL_PROVIDER)",
        ]
    );
    for (env, is_on) in [
        ("", false),
        ("MEDUSA_FF_SALES_CHANNELS=true", true),
        ("MEDUSA_FF_SALES_CHANNELS=true\nATOLL_FF_SALES_CHANNELS=0", false),
    ] {
        assert_eq!(load(file, env, &[]).expect("settings").flags.is_on(&FLAG), is_on, "{env}");
    }
}

#[test]
fn modules_are_switched_off_by_name() {
    let off = |file: &str, env: &str| {
        let settings = load(file, env, &[]).expect("settings");
        let shown = settings.shown.iter().find(|it| it.starts_with("modules.off")).expect("it is shown");
        (settings.modules_off.into_iter().collect::<Vec<_>>().join(" "), shown.clone())
    };
    let file = "[modules]\noff = [\"reviews\"]";
    assert_eq!(off(file, ""), ("reviews".into(), "modules.off = reviews (atoll.toml)".into()));
    let env = "ATOLL_MODULES_OFF=reviews";
    assert_eq!(off("", env), ("reviews".into(), "modules.off = reviews (ATOLL_MODULES_OFF)".into()));
    for (file, wrong) in [
        ("modules = 1", "modules: it is not a table (atoll.toml)"),
        ("[modules]\noff = 1", "modules.off: it is not a list of names (atoll.toml)"),
        ("[modules]\non = []", "modules.on is not a setting (atoll.toml)"),
        ("[modules]\noff = [\"revues\"]", "there is no module `revues`"),
    ] {
        let Err(Wrong(all)) = load(file, "", &[]) else { panic!("it is wrong: {file}") };
        assert_eq!(all, [wrong]);
    }
}

#[test]
fn hosts_share_a_store_and_a_lease_may_be_a_part_of_a_second() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    fs::write(&store, "postgres://atoll_host:secret@db.example.com/shop").expect("a file");
    let page = include_str!("../../../../docs/store.toml");
    let page = page.replace("/etc/atoll/store", &store.display().to_string());
    let lease = |env: &str| load(&page, env, &[]).map(|it| it.store.expect("a store").lease.as_millis());
    assert_eq!(lease(""), Ok(5_000));
    assert_eq!(lease("ATOLL_STORE_LEASE=0.3"), Ok(300));
    for wrong in ["0.05", "61", "long"] {
        let said = format!(
            "store_lease: {wrong}: it must be a number of seconds from 0.1 to 60 (ATOLL_STORE_LEASE)"
        );
        assert_eq!(lease(&format!("ATOLL_STORE_LEASE={wrong}")), Err(Wrong(vec![said])));
    }
}

#[test]
fn backups_are_scheduled_into_a_folder() {
    let settings = load(include_str!("../../../../docs/backup.toml"), "", &[]).expect("settings");
    assert_eq!(settings.backup_dir, Some("/var/backups/atoll".into()));
    assert_eq!(settings.backups_kept, Some(14));
    let next =
        settings.backup_schedule.and_then(|it| it.after("2026-11-27T21:44:00Z".parse().expect("a date")));
    assert_eq!(next.map(|it| it.to_string()).as_deref(), Some("2026-11-28T03:00:00.000Z"));
    for (file, wrong) in [
        ("backup_schedule = \"@daily\"", "backup_schedule needs backup_dir"),
        (
            "backup_dir = \"/b\"\nbackup_schedule = \"at noon\"",
            "backup_schedule: at noon: `at noon` has 2 fields; 5, or 6 with seconds, are read (atoll.toml)",
        ),
        ("backups_kept = 0", "backups_kept: 0: it must be a number from 1 to 4294967295 (atoll.toml)"),
    ] {
        let Err(Wrong(all)) = load(file, "", &[]) else { panic!("it is wrong: {file}") };
        assert_eq!(all, [wrong]);
    }
}

#[test]
fn providers_are_chosen_among_those_that_are_linked_in() {
    let chosen = |ids: &[&str]| {
        let mut choice = ProviderChoice::default();
        choice.set("payment", ids.iter().map(|it| (*it).to_owned()).collect());
        choice
    };
    let file = "[providers]\npayment = [\"pp_cash\"]";
    let settings = load(file, "", &[]).expect("settings");
    assert_eq!(settings.providers, chosen(&["pp_cash"]));
    assert_eq!(
        settings.shown.iter().rev().nth(1).map(String::as_str),
        Some("providers.payment = pp_cash (atoll.toml)")
    );
    let settings = load(file, "ATOLL_PROVIDERS_PAYMENT=pp_cash, pp_bank", &[]).expect("settings");
    assert_eq!(settings.providers, chosen(&["pp_cash", "pp_bank"]));
    assert_eq!(load("", "", &[]).expect("settings").providers, ProviderChoice::default());
    for (file, env, expected) in [
        (
            "[providers]\npayment = [\"pp_csh\"]\npayments = []",
            "ATOLL_PROVIDERS_PAYMENT=paypal",
            vec![
                "providers.payments is not a kind of provider (did you mean `payment`?) (atoll.toml)",
                "providers.payment: `pp_csh` is no payment provider that is linked in (did you mean `pp_cash`?) \
                 (atoll.toml)",
                "providers.payment: `paypal` is no payment provider that is linked in (ATOLL_PROVIDERS_PAYMENT)",
            ],
        ),
        (
            "[providers]\npayment = \"pp_bank\"",
            "ATOLL_PROVIDERS_PAYMENT=pp_bank,pp_bank",
            vec![
                "providers.payment: it must be a list of ids (atoll.toml)",
                "providers.payment: `pp_bank` is named twice (ATOLL_PROVIDERS_PAYMENT)",
            ],
        ),
        ("providers = 1", "", vec!["providers: it is not a table (atoll.toml)"]),
    ] {
        let Err(Wrong(wrong)) = load(file, env, &[]) else { panic!("it is wrong") };
        assert_eq!(wrong, expected);
    }
}

settings! {
    /// What is sent by mail.
    struct MailSettings = "mail" {
        /// Days for which a letter is kept.
        pub days: u32 = 30, 1..=365;
        /// The time-out of a call.
        pub timeout: Duration = "10 s";
        /// The sender.
        pub sender: String;
        /// The key of the service.
        pub api_key: Option<Secret>;
        /// The languages.
        pub languages: Vec<String> = "en, de";
    }
}

/// What the settings are of, where other tests of this program link everything in.
trait Post: Send + Sync {}

struct Mail;

impl Post for Mail {}

provider_kind! { dyn Post as "post" }

provider! { dyn Post: "mail" => Mail }
provider! { dyn Post: "pp_bank" => Mail }

fn mail() -> Registry {
    Registry { settings: vec![MailSettings::DEF], ..Registry::default() }
}

#[test]
fn settings_of_modules_are_read_from_file_environment_and_command_line() {
    let file = "[mail]\ndays = 7\nsender = \"a\"\nlanguages = [\"fr\", \"it\"]\napi_key = \"hunter2\"";
    let env = "ATOLL_MAIL_SENDER=b\nATOLL_MAIL_TIMEOUT=3";
    let settings = load_with(mail(), file, env, &[], &["mail.sender=c"]).expect("settings");
    let shown: Vec<&String> = settings.shown.iter().filter(|it| it.starts_with("mail.")).collect();
    assert_eq!(
        shown,
        [
            "mail.days = 7 (atoll.toml)", "mail.timeout = 3 (ATOLL_MAIL_TIMEOUT)", "mail.sender = c (--set)",
            "mail.api_key = (secret) (atoll.toml)", "mail.languages = fr,it (atoll.toml)",
        ]
    );
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn settings_of_modules_are_refused_with_all_others() {
    let file = "rolle = 1\n[mail]\ndays = 0\nday = 1\ntimeout = 1979-05-27\n[mial]\nx = 1";
    let env = "ATOLL_MAIL_DAYS=many\nATOLL_IDLE_TIMEOUT=long";
    let Err(Wrong(wrong)) = load_with(mail(), file, env, &[], &["mail.sendr=b", "x"]) else {
        panic!("it is wrong")
    };
    assert_eq!(
        wrong,
        [
            "mail.sendr is not a setting of a module (did you mean `mail.sender`?) (--set)",
            "--set needs `module.name=value`",
            "mial is not a setting (did you mean `mail`?) (atoll.toml)",
            "rolle is not a setting (did you mean `role`?) (atoll.toml)",
            "idle_timeout: long: it must be a number of seconds from 1 to 86400 (ATOLL_IDLE_TIMEOUT)",
            "mail.day is not a setting (did you mean `days`?) (atoll.toml)",
            "mail.days: 0: it must be from 1 to 365 (atoll.toml)",
            "mail.days: many: it must be a whole number from 0 to 4294967295 (ATOLL_MAIL_DAYS)",
            "mail.timeout: it must be a text, a number or a list (atoll.toml)",
            "mail.sender must be set: it has no default",
        ]
    );
}

trait Pigeon: Send + Sync {}
struct Homing;
impl Pigeon for Homing {}
static HOMING: &dyn Pigeon = &Homing;
static PIGEON_POST: ProviderEntry =
    ProviderEntry::new::<dyn Pigeon>("pp_bank", atoll_kernel::source!(), &HOMING);

impl ProviderKind for dyn Pigeon {
    const NAME: &'static str = "payment";
}

settings! {
    /// A bank.
    struct BankSettings = "pp_bank" {
        /// The account.
        account: String;
        /// The user.
        user: Option<String>;
        /// The password.
        password: Option<Secret>;
    }
    check BankSettings::check;
}

impl BankSettings {
    fn check(&self) -> Result<(), String> {
        match (&self.user, &self.password) {
            (None, Some(_)) => Err("pp_bank.password needs pp_bank.user".into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn settings_of_a_provider_must_be_set_where_it_is_named() {
    let load = |file: &str| {
        let (settings, providers) = (vec![BankSettings::DEF], vec![&PIGEON_POST]);
        load_with(Registry { settings, providers, ..Registry::default() }, file, "", &[], &[])
    };
    let unused = load("").expect("nothing needs to be set");
    for shown in ["providers.payment = pp_cash (default)", "pp_bank.account = none (default)"] {
        assert!(unused.shown.iter().any(|it| it == shown), "{:?}", unused.shown);
    }
    let named = "[providers]\npayment = [\"pp_bank\"]\n";
    let must = "pp_bank.account must be set: it has no default";
    for (file, wrong) in [
        (named.to_owned(), must),
        ("[pp_bank]\nuser = \"ann\"".to_owned(), must),
        (
            format!("{named}[pp_bank]\naccount = \"1\"\npassword = \"2\""),
            "pp_bank.password needs pp_bank.user",
        ),
        (
            "[pp_bank]\nacount = \"1\"".to_owned(),
            "pp_bank.acount is not a setting (did you mean `account`?) (atoll.toml)",
        ),
    ] {
        let Err(Wrong(all)) = load(&file) else { panic!("it is wrong: {file}") };
        assert_eq!(all, [wrong]);
    }
    let set_up = load(&format!("{named}[pp_bank]\naccount = \"1\"")).expect("settings");
    assert_eq!(format!("{:?}", set_up.modules), "(settings of 1 modules)");
}

#[test]
fn settings_report_all_errors_at_once() {
    let file = "listen = 9000.5\nport = \"1\"\njwt_secret = \"hunter2\"\n[feature_flags]\nsales_channels = \"no\"\ntaxes = true";
    let env = "ATOLL_TRUSTED_PROXIES=nginx\nATOLL_LISTEN=nowhere\nATOLL_FF_SALES_CHANNELS=maybe\nATOLL_ADMIN_EMAIL=me@example.com\nATOLL_CONNECTIONS_MAX=0\nATOLL_IDLE_TIMEOUT=long\nATOLL_CACHE_BYTES=4194303\nATOLL_CART_DAYS=-1\nATOLL_EVENT_ATTEMPTS=0\nATOLL_PUBLIC_URL=https://shop.example.com/app\nATOLL_FILES_URL=/static\nATOLL_FILE_BYTES_MAX=100000000\nATOLL_DOCS=no\nATOLL_EMAIL_PROVIDER=smpt";
    let Err(Wrong(wrong)) = load(file, env, &[("role", "king"), ("log", "a=b=c")]) else {
        panic!("it is wrong");
    };
    assert_eq!(
        wrong,
        [
            "port is not a setting (atoll.toml)",
            "listen: it is neither text nor a number (atoll.toml)",
            "listen: nowhere: it is not an address and port (ATOLL_LISTEN)",
            "role: king: it must be `shared`, `server` or `worker` (--role)",
            "log: a=b=c: it is not a filter of `tracing` (--log)",
            "jwt_secret: (secret): it has 7 bytes, and needs 16 (atoll.toml)",
            "trusted_proxies: nginx: `nginx` is no network, such as `10.0.0.0/8` (ATOLL_TRUSTED_PROXIES)",
            "connections_max: 0: it must be a number from 1 to 4294967295 (ATOLL_CONNECTIONS_MAX)",
            "idle_timeout: long: it must be a number of seconds from 1 to 86400 (ATOLL_IDLE_TIMEOUT)",
            "cache_bytes: 4194303: it must be a number of bytes from 4194304 on (ATOLL_CACHE_BYTES)",
            "cart_days: -1: it must be a number of days from 1 to 36500, or 0 for never (ATOLL_CART_DAYS)",
            "event_attempts: 0: it must be a number from 1 to 1000 (ATOLL_EVENT_ATTEMPTS)",
            "public_url: https://shop.example.com/app: it must be an address without a path, such as `https://shop.example.com` (ATOLL_PUBLIC_URL)",
            "files_url: /static: it must be an address such as `https://shop.example.com/static` (ATOLL_FILES_URL)",
            "file_bytes_max: 100000000: it must be a number of bytes from 1 to 67108864 (ATOLL_FILE_BYTES_MAX)",
            "docs: no: it must be `on` or `off` (ATOLL_DOCS)",
            "admin_email needs admin_password",
            "feature_flags.taxes is not a feature flag (atoll.toml)",
            "feature_flags.sales_channels: a string: it must be true or false (atoll.toml)",
            "feature_flags.sales_channels: maybe: it must be true or false (ATOLL_FF_SALES_CHANNELS)",
            "email_provider: smpt: it is no notification provider that is linked in (did you mean `smtp`?) (ATOLL_EMAIL_PROVIDER)",
        ]
    );
    let env = "ATOLL_ADMIN_EMAIL=me@example.com\nATOLL_ADMIN_PASSWORD=hunter2";
    let Err(Wrong(wrong)) = load("", env, &[]) else { panic!("it is too short") };
    let short = "admin_password: (secret): it needs 8 to 1024 characters (ATOLL_ADMIN_PASSWORD)";
    assert_eq!(wrong, [short, "admin_email needs admin_password"]);
    let served = load(include_str!("../../../../docs/tls.toml"), "", &[]).expect("settings");
    assert!(served.tls.is_some_and(|(cert, _)| cert.ends_with("fullchain.pem")));
    for (one, wrong) in [
        ("tls_cert = \"a.pem\"", "tls_cert needs tls_key"),
        ("tls_key = \"a.pem\"", "tls_key needs tls_cert"),
    ] {
        assert_eq!(load(one, "", &[]).err(), Some(Wrong(vec![wrong.to_owned()])));
    }
    let env = "ATOLL_ROLE=(not UTF-8)\nATOLL_FF_SALES_CHANNELS=(not UTF-8)";
    let Err(Wrong(wrong)) = load("", env, &[]) else { panic!("it is no text") };
    assert_eq!(wrong, ["ATOLL_ROLE is not UTF-8", "ATOLL_FF_SALES_CHANNELS is not UTF-8"]);
    let Err(Wrong(wrong)) = load("listen = \"a\"\njwt_secret = hunter2", "", &[]) else {
        panic!("it is not TOML")
    };
    assert!(wrong.len() == 1 && wrong[0].contains("(line 2)"), "{wrong:?}");
    assert!(!wrong[0].contains("hunter2"), "{wrong:?}");
}

#[test]
fn secrets_are_read_from_files_in_every_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        path.display().to_string()
    };
    let (narrow, wide) =
        (file("narrow", "a secret of the file\r\n", 0o640), file("wide", "a secret with a mode", 0o644));
    let secret = |it: &Settings| it.jwt_secret.clone().map(|it| it.0);

    let read = load(&format!("jwt_secret_file = \"{narrow}\""), "", &[]).expect("settings");
    assert_eq!((secret(&read).as_deref(), read.warnings.len()), (Some("a secret of the file"), 0));
    let shown = format!("jwt_secret = (secret) ({narrow}, by atoll.toml)");
    assert!(read.shown.contains(&shown), "{:?}", read.shown);

    // A later source overrides an earlier one, whichever form they have.
    let in_file = "jwt_secret = \"a secret in the settings\"";
    let read = load(in_file, &format!("ATOLL_JWT_SECRET_FILE={wide}"), &[]).expect("settings");
    assert_eq!(secret(&read).as_deref(), Some("a secret with a mode"));
    assert!(read.warnings[0].contains("others may read or change it (mode 0644)"), "{:?}", read.warnings);
    let read = load("", &format!("ATOLL_JWT_SECRET_FILE={wide}"), &[("jwt_secret_file", &narrow)]);
    assert_eq!(secret(&read.expect("settings")).as_deref(), Some("a secret of the file"));

    // systemd hands over files by the names of the settings.
    file("atoll_jwt_secret", "a secret by systemd\n", 0o440);
    file("atoll_pp_bank.password", "1234\n", 0o440);
    let env = format!("CREDENTIALS_DIRECTORY={}", folder.path().display());
    let read = load(in_file, &env, &[]).expect("settings");
    assert_eq!((secret(&read).as_deref(), read.warnings.len()), (Some("a secret by systemd"), 0));

    let bank = |file: &str, env: &str, set: &[&str]| {
        let registry = Registry { settings: vec![BankSettings::DEF], ..Registry::default() };
        load_with(registry, &format!("[pp_bank]\naccount = \"1\"\nuser = \"ann\"\n{file}"), env, &[], set)
    };
    let by_file = format!("password_file = \"{narrow}\"");
    let by_env = format!("ATOLL_PP_BANK_PASSWORD_FILE={narrow}");
    let by_line = format!("pp_bank.password_file={narrow}");
    for (read, by) in [
        (bank(&by_file, "", &[]), "atoll.toml"),
        (bank("", &by_env, &[]), "ATOLL_PP_BANK_PASSWORD_FILE"),
        (bank("", "", &[&by_line]), "--set"),
    ] {
        let shown = format!("pp_bank.password = (secret) ({narrow}, by {by})");
        let read = read.expect("settings");
        assert!(read.shown.contains(&shown), "{:?}", read.shown);
    }
    let shown = bank("", &env, &[]).expect("settings").shown;
    assert!(shown.iter().any(|it| it.contains("pp_bank.password = (secret)")), "{shown:?}");
}

#[test]
fn wrong_files_of_secrets_are_named_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secret");
    let name = path.display();
    let check = |content: &[u8], why: &str| {
        fs::write(&path, content).expect("a file");
        let Err(Wrong(wrong)) = load("", &format!("ATOLL_COOKIE_SECRET_FILE={name}"), &[]) else {
            panic!("it is wrong: {why}")
        };
        assert_eq!(wrong, [format!("cookie_secret{why}")]);
    };
    check(
        b"hunter2",
        &format!(": (secret): it has 7 bytes, and needs 16 ({name}, by ATOLL_COOKIE_SECRET_FILE)"),
    );
    check(b"\n", &format!("_file: {name}: it is empty (ATOLL_COOKIE_SECRET_FILE)"));
    check(b"\xff", &format!("_file: {name}: it is not UTF-8 (ATOLL_COOKIE_SECRET_FILE)"));
    check(
        &[b'x'; 65_537],
        &format!("_file: {name}: it has more than 65536 bytes (ATOLL_COOKIE_SECRET_FILE)"),
    );
    let both = format!("jwt_secret = \"a secret in the settings\"\njwt_secret_file = \"{name}\"");
    let env = format!("ATOLL_JWT_SECRET=a secret of the environment\nATOLL_JWT_SECRET_FILE={name}");
    let Err(Wrong(wrong)) = load(&both, &env, &[]) else { panic!("which one?") };
    assert_eq!(
        wrong,
        [
            "jwt_secret and jwt_secret_file are both set (atoll.toml)",
            "jwt_secret and jwt_secret_file are both set (ATOLL_JWT_SECRET, ATOLL_JWT_SECRET_FILE)",
        ]
    );
    // Only secrets have this form.
    let Err(Wrong(wrong)) = load("listen_file = \"a\"\ncookie_secret_file = \"/nowhere\"", "", &[]) else {
        panic!("it is wrong")
    };
    assert_eq!(
        wrong,
        [
            "listen_file is not a setting (atoll.toml)",
            "cookie_secret_file: /nowhere: there is no such file (atoll.toml)",
        ]
    );
}
