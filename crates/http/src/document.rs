//! A document that stays the same while the process runs, such as the description of the API: written once,
//! and compressed once for each encoding.

use std::sync::OnceLock;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::{
    Fault, Reply,
    compression::{Encoding, compressed},
};

/// JSON that is the same for everybody, and large: it is written when it is first asked for, and compressed
/// when it is first asked for in an encoding; both are kept. So the limits of what is compressed for one
/// request do not apply to it.
#[derive(Default)]
pub struct Document {
    json: OnceLock<Bytes>,
    encoded: [OnceCell<Bytes>; Encoding::ALL.len()],
}

impl Document {
    /// The document in the encoding that a client with these headers likes most. `write` writes it, the first
    /// time.
    pub async fn reply(&self, headers: &HeaderMap, write: impl FnOnce() -> String) -> Result<Reply, Fault> {
        let json = self.json.get_or_init(|| write().into());
        let reply = |body: &Bytes| Reply::raw(body.clone()).with_header(header::VARY, "accept-encoding");
        match Encoding::accepted(headers) {
            Encoding::Identity => Ok(reply(json)),
            encoding => {
                let compress = || compressed(json.clone(), encoding, true);
                let body = self.encoded[encoding as usize].get_or_try_init(compress).await?;
                Ok(reply(body).with_header(header::CONTENT_ENCODING, encoding.name()))
            }
        }
    }
}
