//! Who runs the transactions: this process alone, or one of several hosts that share a log (leader,
//! follower).

use std::time::{Duration, Instant};

use crate::{Position, View};

/// The standing of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no other host: transactions run here, and the engine is the truth.
    Alone,
    /// Transactions run here, but those alone that prepare the term of this host as leader. The rest is
    /// refused until the term is open.
    Prepares,
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
    /// Who leads. Of this host it is true only [until](Seen::until) then: [`Seen::leads`], [`Seen::led_by`].
    pub leader: Leader,
    /// Until when no other host can lead, by the clock of this one, if it is the one that leads; none: for
    /// good.
    pub until: Option<Instant>,
    /// How far the log went when it was last asked. A replica that is behind it lags.
    pub position: Position,
    /// How far it was folded then: the rest is what a host that joins replays. It grows while folding fails.
    pub folded: Position,
    /// Since when this host knows of commits that it does not have, by its clock; none: it has all of them.
    pub behind_since: Option<Instant>,
    /// How often the leadership has changed.
    pub epoch: i64,
    /// When the log was last heard of.
    pub heard_at: Option<Instant>,
    /// What is wrong.
    pub trouble: Option<Trouble>,
}

impl Seen {
    /// Whether this host leads now, and no other one can.
    pub fn leads(&self) -> bool {
        self.leader == Leader::Here && self.until.is_none_or(|it| Instant::now() < it)
    }

    /// Who leads now. A host that has led, and has not been able to say so in time, knows of nobody.
    pub fn led_by(&self) -> Leader {
        match self.leader {
            Leader::Here if !self.leads() => Leader::Nobody,
            _ => self.leader.clone(),
        }
    }

    /// For how long what this view shows is behind what is known of the log.
    pub fn lag(&self, view: &View) -> Duration {
        let since = self.behind_since.filter(|_| view.position() < self.position);
        since.map_or(Duration::ZERO, |it| it.elapsed())
    }
}

/// What an operator is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The log does not answer: reads go on, and nothing is written.
    Away(String),
    /// Another host leads that is reached at the address of this one, as it says: requests for it come here.
    SameAddress(String),
    /// The replica of this host is none of the log any more: the log has lost commits, or goes on from later
    /// ones. The host follows no more, and makes its replica anew when it is started again.
    Lost(String),
}
