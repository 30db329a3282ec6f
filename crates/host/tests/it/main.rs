//! Tests of the `atoll` command, as a process.

mod command;
mod crash;
mod http;
mod kills;
mod server;
