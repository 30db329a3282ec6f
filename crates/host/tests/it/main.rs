//! Tests of the `atoll` command, as a process.

mod backups;
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
