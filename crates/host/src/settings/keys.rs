//! The settings of the host: their names in the file and in the environment, and their defaults.

/// A setting.
pub(super) struct Key {
    /// Its name in the file; on the command line, with dashes.
    pub(super) name: &'static str,
    /// Its name in the environment.
    pub(super) env: &'static str,
    /// The default, as text for `atoll check --config`.
    pub(super) default: &'static str,
    /// Is it a secret, which must not be printed?
    pub(super) is_secret: bool,
}

const fn key(name: &'static str, env: &'static str, default: &'static str) -> Key {
    Key { name, env, default, is_secret: false }
}

const fn secret(name: &'static str, env: &'static str, default: &'static str) -> Key {
    Key { name, env, default, is_secret: true }
}

pub(super) const DATA: Key = key("data", "ATOLL_DATA", "atoll-data, or :memory: for the demo");
pub(super) const STORE: Key = secret("store", "ATOLL_STORE", "none: the data folder is the store");
pub(super) const STORE_LEASE: Key = key("store_lease", "ATOLL_STORE_LEASE", "5 s");
pub(super) const PEER_URL: Key = key("peer_url", "ATOLL_PEER_URL", "http://<listen>, or https");
pub(super) const LISTEN: Key = key("listen", "ATOLL_LISTEN", "127.0.0.1:9000");
pub(super) const METRICS_LISTEN: Key = key("metrics_listen", "ATOLL_METRICS_LISTEN", "none");
pub(super) const TLS_CERT: Key = key("tls_cert", "ATOLL_TLS_CERT", "none");
pub(super) const TLS_KEY: Key = key("tls_key", "ATOLL_TLS_KEY", "none");
pub(super) const OTLP_ENDPOINT: Key = key("otlp_endpoint", "ATOLL_OTLP_ENDPOINT", "none");
pub(super) const ROLE: Key = key("role", "ATOLL_ROLE", "shared");
pub(super) const LOG: Key = key("log", "ATOLL_LOG", "info");
pub(super) const LOG_FORMAT: Key = key("log_format", "ATOLL_LOG_FORMAT", "text");
pub(super) const ADMIN_EMAIL: Key = key("admin_email", "ATOLL_ADMIN_EMAIL", "none");
pub(super) const ADMIN_PASSWORD: Key = secret("admin_password", "ATOLL_ADMIN_PASSWORD", "none");
pub(super) const JWT_SECRET: Key =
    secret("jwt_secret", "ATOLL_JWT_SECRET", "generated, and kept in the data folder");
pub(super) const COOKIE_SECRET: Key =
    secret("cookie_secret", "ATOLL_COOKIE_SECRET", "generated, and kept in the data folder");
pub(super) const STORE_CORS: Key = key("store_cors", "ATOLL_STORE_CORS", "*");
pub(super) const ADMIN_CORS: Key = key("admin_cors", "ATOLL_ADMIN_CORS", "*");
pub(super) const AUTH_CORS: Key = key("auth_cors", "ATOLL_AUTH_CORS", "*");
pub(super) const CONNECTIONS_MAX: Key = key("connections_max", "ATOLL_CONNECTIONS_MAX", "4096");
pub(super) const REQUESTS_MAX: Key = key("requests_max", "ATOLL_REQUESTS_MAX", "1024");
pub(super) const BUFFER_BYTES_MAX: Key = key("buffer_bytes_max", "ATOLL_BUFFER_BYTES_MAX", "268435456");
pub(super) const REQUEST_KEYS_MAX: Key = key("request_keys_max", "ATOLL_REQUEST_KEYS_MAX", "5000000");
pub(super) const READ_THREADS: Key = key("read_threads", "ATOLL_READ_THREADS", "half of the processors");
pub(super) const READS_WAITING_MAX: Key = key("reads_waiting_max", "ATOLL_READS_WAITING_MAX", "64");
pub(super) const READ_TIMEOUT: Key = key("read_timeout", "ATOLL_READ_TIMEOUT", "30 s");
pub(super) const ANSWER_BYTES_MAX: Key = key("answer_bytes_max", "ATOLL_ANSWER_BYTES_MAX", "67108864");
pub(super) const STORE_ANSWER_BYTES_MAX: Key =
    key("store_answer_bytes_max", "ATOLL_STORE_ANSWER_BYTES_MAX", "16777216");
pub(super) const STORE_CHILDREN_MAX: Key = key("store_children_max", "ATOLL_STORE_CHILDREN_MAX", "100");
pub(super) const ANSWERS_BYTES_MAX: Key = key("answers_bytes_max", "ATOLL_ANSWERS_BYTES_MAX", "67108864");
pub(super) const HEADER_TIMEOUT: Key = key("header_timeout", "ATOLL_HEADER_TIMEOUT", "10 s");
pub(super) const BODY_TIMEOUT: Key = key("body_timeout", "ATOLL_BODY_TIMEOUT", "30 s");
pub(super) const IDLE_TIMEOUT: Key = key("idle_timeout", "ATOLL_IDLE_TIMEOUT", "75 s");
pub(super) const WRITE_TIMEOUT: Key = key("write_timeout", "ATOLL_WRITE_TIMEOUT", "30 s");
pub(super) const DRAIN_TIMEOUT: Key = key("drain_timeout", "ATOLL_DRAIN_TIMEOUT", "30 s");
pub(super) const DRAIN_DELAY: Key = key("drain_delay", "ATOLL_DRAIN_DELAY", "0 s");
pub(super) const TRUSTED_PROXIES: Key = key("trusted_proxies", "ATOLL_TRUSTED_PROXIES", "none");
pub(super) const CART_DAYS: Key = key("cart_days", "ATOLL_CART_DAYS", "30");
pub(super) const CACHE_BYTES: Key = key("cache_bytes", "ATOLL_CACHE_BYTES", "134217728");
pub(super) const DISK_FREE_MIN_BYTES: Key =
    key("disk_free_min_bytes", "ATOLL_DISK_FREE_MIN_BYTES", "268435456, or a twentieth of the disk");
pub(super) const EVENT_ATTEMPTS: Key = key("event_attempts", "ATOLL_EVENT_ATTEMPTS", "10");
pub(super) const PUBLIC_URL: Key = key("public_url", "ATOLL_PUBLIC_URL", "http://<listen>, or https");
pub(super) const FILES_URL: Key = key("files_url", "ATOLL_FILES_URL", "<public_url>/static");
pub(super) const FILE_BYTES_MAX: Key = key("file_bytes_max", "ATOLL_FILE_BYTES_MAX", "16777216");
pub(super) const APP: Key = key("app", "ATOLL_APP", "/app");
pub(super) const DOCS: Key = key("docs", "ATOLL_DOCS", "on");
pub(super) const DASHBOARD: Key = key("dashboard", "ATOLL_DASHBOARD", "none");
pub(super) const DASHBOARD_PATH: Key = key("dashboard_path", "ATOLL_DASHBOARD_PATH", "/dashboard");
pub(super) const EMAIL_PROVIDER: Key = key("email_provider", "ATOLL_EMAIL_PROVIDER", "none");
pub(super) const BACKUP_DIR: Key = key("backup_dir", "ATOLL_BACKUP_DIR", "none");
pub(super) const BACKUP_SCHEDULE: Key = key("backup_schedule", "ATOLL_BACKUP_SCHEDULE", "none");
pub(super) const BACKUPS_KEPT: Key = key("backups_kept", "ATOLL_BACKUPS_KEPT", "7");
pub(super) const EXPORT_DIR: Key = key("export_dir", "ATOLL_EXPORT_DIR", "none");

/// All settings of the file, in the order in which they are shown.
pub(super) const KEYS: &[&Key] = &[
    &DATA, &STORE, &STORE_LEASE, &PEER_URL, &LISTEN, &TLS_CERT, &TLS_KEY, &METRICS_LISTEN, &OTLP_ENDPOINT,
    &ROLE, &LOG, &LOG_FORMAT, &ADMIN_EMAIL, &ADMIN_PASSWORD, &JWT_SECRET, &COOKIE_SECRET, &STORE_CORS,
    &ADMIN_CORS, &AUTH_CORS, &TRUSTED_PROXIES, &CONNECTIONS_MAX, &REQUESTS_MAX, &BUFFER_BYTES_MAX,
    &HEADER_TIMEOUT, &BODY_TIMEOUT, &IDLE_TIMEOUT, &WRITE_TIMEOUT, &DRAIN_TIMEOUT, &DRAIN_DELAY,
    &REQUEST_KEYS_MAX, &READ_THREADS, &READS_WAITING_MAX, &READ_TIMEOUT, &ANSWER_BYTES_MAX,
    &STORE_ANSWER_BYTES_MAX, &STORE_CHILDREN_MAX, &CACHE_BYTES, &ANSWERS_BYTES_MAX, &DISK_FREE_MIN_BYTES,
    &CART_DAYS, &EVENT_ATTEMPTS, &PUBLIC_URL, &FILES_URL, &FILE_BYTES_MAX, &EMAIL_PROVIDER, &APP, &DOCS,
    &DASHBOARD, &DASHBOARD_PATH, &BACKUP_DIR, &BACKUP_SCHEDULE, &BACKUPS_KEPT, &EXPORT_DIR,
];
