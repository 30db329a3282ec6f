//! How far the log goes, for reads that are to be strict.

use std::{sync::Arc, time::Duration};

use atoll_storage::Position;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Client;

use crate::{Database, DatabaseError, database::within, head::Head};

/// Questions that wait for the next answer; further ones wait before that.
const WAITING_MAX: usize = 1_024;

/// Asks how far the log goes. Whoever asks before a question is sent gets its answer, so there is one in
/// flight, however many ask. Clones share it.
#[derive(Clone)]
pub struct Latest(mpsc::Sender<Asker>);

/// Who waits for an answer.
type Asker = oneshot::Sender<Result<Position, String>>;

impl Latest {
    /// Of this database, which may take so long for an answer. A task of the runtime asks, as long as there
    /// is a clone.
    pub fn new(database: Database, patience: Duration) -> Latest {
        let (send, mut waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let (mut connected, mut askers): (_, Vec<Asker>) = (None, Vec::new());
            while waiting.recv_many(&mut askers, WAITING_MAX).await > 0 {
                let answer = within(patience, ask(&database, &mut connected)).await;
                if answer.is_err() {
                    connected = None;
                }
                let answer = answer.map_err(|error| error.to_string());
                // Some may not wait any more.
                askers.drain(..).for_each(|asker| drop(asker.send(answer.clone())));
            }
        });
        Latest(send)
    }

    /// The last commit of the log at a moment after this was called. Errors: PostgreSQL does not answer.
    pub async fn position(&self) -> Result<Position, String> {
        let (send, answer) = oneshot::channel();
        // If the task has ended, so has the other end of the answer.
        drop(self.0.send(send).await);
        answer.await.unwrap_or_else(|_| Err("nobody asks PostgreSQL any more".into()))
    }
}

async fn ask(database: &Database, connected: &mut Option<Client>) -> Result<Position, DatabaseError> {
    let client = match connected {
        Some(client) => client,
        None => connected.insert(database.connect(Arc::default()).await?),
    };
    Ok(Head::read(client).await?.position)
}
