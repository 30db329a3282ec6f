//! The `atoll` program: a host with the core's modules, and the extensions that are named here.

use std::process::ExitCode;

use atoll_host::Host;
use atoll_restock as _;
#[cfg(feature = "s3")]
use atoll_s3 as _;
#[cfg(feature = "smtp")]
use atoll_smtp as _;
#[cfg(feature = "webhook-sender")]
use atoll_webhook_sender as _;
use atoll_webhooks as _;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    Host::new().main()
}
