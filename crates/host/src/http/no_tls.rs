//! In place of TLS, in a program that is built without it (the feature `tls`).

use std::{path::Path, sync::Arc};

use axum::Router;
use tokio::{net::TcpStream, sync::watch};

use super::connection::Connection;

/// A certificate and its key. There is none.
#[derive(Clone, Debug)]
pub enum Tls {}

impl Tls {
    /// Says that there is none.
    pub fn load(_: &Path, _: &Path) -> Result<Tls, String> {
        Err("this program is built without TLS".into())
    }

    pub(crate) async fn keep_loaded(self) {
        match self {}
    }

    pub(super) async fn answer(self, _: TcpStream, _: Arc<Connection>, _: Router, _: watch::Receiver<bool>) {
        match self {}
    }
}
