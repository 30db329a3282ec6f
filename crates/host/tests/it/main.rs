//! Tests of the `atoll` command, as a process.

mod backups;
#[path = "../cluster/client.rs"]
#[expect(dead_code, reason = "the tests of several hosts need more")]
mod client;
mod cluster;
mod command;
mod crash;
mod exports;
mod followers;
mod health;
mod http;
mod kills;
mod logs;
mod metrics;
mod operations;
mod server;
mod shutdown;
mod supervisor;
mod tls;
mod unit;
mod user;
