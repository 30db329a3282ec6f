//! Configuration of an application by its host.

use std::path::PathBuf;

use crate::{
    http::{Hosts, Origins, Proxies, ReadLimits, Tracer},
    jobs::Schedules,
    limits::BACKUPS_KEPT_MAX,
    provider::ProviderChoice,
    registry::{Flags, ModuleSettings},
};

/// Configuration by the host.
pub struct Config {
    /// Key that signs the tokens (JWT) of users. Never printed.
    pub jwt_secret: Vec<u8>,
    /// Key for the session ids that are stored, so that a copy of the data opens no session. Never printed.
    pub cookie_secret: Vec<u8>,
    /// Feature flags that were switched on or off.
    pub flags: Flags,
    /// Allowed origins (CORS) of storefronts and admin pages.
    pub origins: Origins,
    /// Trusted proxies: their forwarding headers name the client.
    pub proxies: Proxies,
    /// Upper bound of requests that are served concurrently.
    pub requests_max: usize,
    /// The hosts that serve the same shop; `None` if this one is alone.
    pub hosts: Option<Hosts>,
    /// Limits of what one request may read, and of concurrent reads.
    pub reads: ReadLimits,
    /// Memory for remembered answers, in bytes; 0 for none.
    pub answers_bytes_max: usize,
    /// Days after which an unchanged cart is deleted; 0 for never.
    pub cart_days: u32,
    /// The settings of modules: [`Ctx::settings`](crate::Ctx::settings).
    pub modules: ModuleSettings,
    /// Which providers serve.
    pub providers: ProviderChoice,
    /// The file of the database; `None`: the data is in memory.
    pub database: Option<PathBuf>,
    /// Bytes of its disk that must stay free, or nothing new is written; 0 for none. `None`: not set.
    pub disk_free_min_bytes: Option<u64>,
    /// Backups of the running shop.
    pub backups: BackupConfig,
    /// The folder that admins export the shop into; `None`: there is none.
    pub exports: Option<PathBuf>,
    /// The schedules of jobs that settings say.
    pub schedules: Schedules,
    /// Uploaded files.
    pub files: FileConfig,
    /// Id of the notification provider that sends e-mails; none are sent without one.
    pub email_provider: Option<String>,
    /// Where this server is reached from outside, `https://shop.example`; `None`: as a request says.
    pub public_url: Option<String>,
    /// The path of the pages for people, such as `/app`; `None`: there are none.
    pub pages: Option<String>,
    /// Is the API reference served at `/docs`?
    pub docs: bool,
    /// Collects spans; `None`: nothing is traced.
    pub tracer: Option<Tracer>,
}

/// Configuration of backups.
#[derive(Clone, Debug)]
pub struct BackupConfig {
    /// The folder that admins and the schedule back up into; `None`: there is none.
    pub folder: Option<PathBuf>,
    /// How many backups are kept in that folder.
    pub n_kept_max: usize,
    /// Small files beside the database that belong to a backup: secrets. They need not exist.
    pub beside: Vec<PathBuf>,
}

impl Default for BackupConfig {
    fn default() -> Self {
        BackupConfig { folder: None, n_kept_max: BACKUPS_KEPT_MAX, beside: Vec::new() }
    }
}

/// Configuration of uploaded files.
pub struct FileConfig {
    /// The folder of those that are stored locally. It need not exist.
    pub folder: PathBuf,
    /// Where that folder is served, without a slash at the end.
    pub url: String,
    /// Upper bound of the bytes of one file, wherever it is stored.
    pub bytes_max: usize,
}
