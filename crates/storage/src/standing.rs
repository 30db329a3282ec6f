//! Who runs the transactions: this process alone, or one of several hosts that share a log (leader,
//! follower).

use crate::Position;

/// The standing of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no other host: transactions run here, and the engine is the truth.
    Alone,
    /// Transactions run here, and each commit is in the log before anybody sees it.
    Leads,
    /// Transactions run at another host; its commits are applied here.
    Follows,
}

impl Standing {
    /// Whether transactions run here.
    pub fn writes(self) -> bool {
        self != Standing::Follows
    }
}

/// Where transactions run, as far as a host knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Leader {
    /// Here.
    Here,
    /// At the host that is reached at this URL. It may have ended since: then another one leads after the
    /// lease.
    At(String),
    /// No host has led yet, or the last one has given the leadership back.
    #[default]
    Nobody,
}

/// What a host knows of those that share its log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Who leads.
    pub leader: Leader,
    /// How far the log went when it was last asked. The host that leads does not ask; a replica that is
    /// behind it lags.
    pub position: Position,
    /// The latest time of a commit, in milliseconds by the clocks of the hosts that led.
    pub at_ms: i64,
    /// What is wrong.
    pub trouble: Option<Trouble>,
}

/// What an operator is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The log does not answer: reads go on, and nothing is written.
    Away(String),
    /// The replica of this host is none of the log any more: the log has lost commits, or goes on from later
    /// ones. The host follows no more, and makes its replica anew when it is started again.
    Lost(String),
}
