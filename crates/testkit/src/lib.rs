//! Helpers for integration tests: one application per test, with a store of its own, through the real router.
//! For the core's tests and for those of any module: `examples/custom-host/order-notes/tests` shows the
//! latter.

mod app;
mod client;
mod described;
mod drawn;
mod dump;
mod followed;
mod hosts;
pub mod isolation;
mod log;
mod mails;
#[cfg(feature = "postgres")]
mod postgres;
mod replay;
mod shop;
mod verified;
mod walk;

pub use app::{Engine, PACE, Setup, TestApp, memory, token};
pub use client::{Answer, Client};
pub use described::{check_schema, operation_of};
pub use drawn::{SEED, check_drawn, times};
pub use dump::Dump;
pub use hosts::TestHosts;
pub use log::Log;
pub use mails::RECORDED;
pub use replay::{Compared, Entry, RecordedAnswer, RecordedRequest, Recording, Replay, is_name};
pub use shop::{Shipping, Shop, Variant, complete, id, pages, pay, pay_with};
pub use walk::Walk;
