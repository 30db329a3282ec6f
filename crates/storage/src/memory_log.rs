//! A commit log in memory, for tests: it loses commits and their answers where they say.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{AppendError, CommitLog, Entry, Position};

/// How a commit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nobody answers, and it is not in the log.
    Before,
    /// Nobody answers, and it is in the log.
    After,
    /// The log does not take it.
    Failed,
}

/// A commit log in memory. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryLog {
    state: Arc<Mutex<State>>,
    commits: watch::Sender<Position>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    term: u64,
    /// How the next commit ends in which this text is.
    next: Option<(Cut, String)>,
}

impl MemoryLog {
    /// The log as a host sees it that leads from now on. It takes nothing any more of those that led before.
    pub fn begin_term(&self) -> Box<dyn CommitLog> {
        let mut state = self.state();
        state.term += 1;
        Box::new(OfTerm { log: self.clone(), term: state.term })
    }

    /// The last commit.
    pub fn head(&self) -> Position {
        *self.commits.borrow()
    }

    /// The last commit, for tasks that wait for the next one.
    pub fn commits(&self) -> watch::Receiver<Position> {
        self.commits.subscribe()
    }

    /// The commits behind this one, the first one first.
    pub fn after(&self, position: Position) -> Vec<Entry> {
        self.state().entries.iter().filter(|it| it.position > position).cloned().collect()
    }

    /// The first commit in which this text is.
    pub fn commit_of(&self, text: &str) -> Option<Position> {
        self.state().entries.iter().find(|it| holds(it, text)).map(|it| it.position)
    }

    /// The next commit ends so.
    pub fn cut(&self, cut: Cut) {
        self.cut_at(cut, "");
    }

    /// The next commit in which this text is ends so.
    pub fn cut_at(&self, cut: Cut, text: &str) {
        self.state().next = Some((cut, text.to_owned()));
    }

    /// Has the commit ended that was to be cut?
    pub fn has_cut(&self) -> bool {
        self.state().next.is_none()
    }

    /// Loses the last commit.
    ///
    /// # Panics
    /// If there is none.
    pub fn lose_last(&self) {
        let mut state = self.state();
        let lost = state.entries.pop().expect("a commit");
        self.commits.send_replace(Position(lost.position.0 - 1));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is this text in an entry?
fn holds(entry: &Entry, text: &str) -> bool {
    text.is_empty() || entry.bytes.windows(text.len()).any(|it| it == text.as_bytes())
}

/// The log as the host of one term sees it.
struct OfTerm {
    log: MemoryLog,
    term: u64,
}

impl CommitLog for OfTerm {
    fn append(&mut self, entry: &Entry) -> Result<(), AppendError> {
        let mut state = self.log.state();
        if state.term != self.term {
            return Err(AppendError::Refused("another host leads".into()));
        }
        let cut = state.next.take_if(|(_, text)| holds(entry, text)).map(|(cut, _)| cut);
        if matches!(cut, None | Some(Cut::After)) {
            let is_next = state.entries.last().is_none_or(|it| it.position.next() == entry.position);
            assert!(is_next, "{} is not the next one", entry.position);
            state.entries.push(entry.clone());
            self.log.commits.send_replace(entry.position);
        }
        match cut {
            None => Ok(()),
            Some(Cut::Before | Cut::After) => Err(AppendError::Unknown("no answer".into())),
            Some(Cut::Failed) => Err(AppendError::Failed("the disk is full".into())),
        }
    }
}
