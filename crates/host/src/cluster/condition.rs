//! The condition of this host among several, for who watches it: how far its replica is behind the log,
//! whether the log is heard of, and whether this host may answer at all.

use std::time::Duration;

use atoll_kernel::{
    Ctx, Timestamp,
    limits::{LOG_SILENCE_MAX, REPLICA_AGE_MAX, REPLICA_LAG_MAX},
};
use atoll_storage::{Position, Standing, Trouble};

use super::Cluster;
use crate::Secrets;

impl Cluster {
    /// Why this host must be sent no requests.
    pub(crate) fn unready(&self, ctx: &Ctx) -> Vec<String> {
        let view = ctx.view();
        let version = match ctx.is_data_current() {
            Ok(true) => None,
            Ok(false) if view.position() == Position(0) => {
                Some("this host has no data yet: it waits for one that leads".into())
            }
            // Who prepares its term migrates it.
            Ok(false) if *self.store.standing().borrow() == Standing::Prepares => {
                Some("this host begins to lead, and migrates the data".into())
            }
            Ok(false) => Some("the data is of an older version: it is migrated when this host leads".into()),
            Err(error) => Some(error),
        };
        let secret = Secrets::in_use(ctx).differ_in(&view).map(|it| it.to_string());
        let lag = self.seen.borrow().lag(&view);
        let lag =
            (lag > REPLICA_LAG_MAX).then(|| format!("the replica is {} s behind the log", lag.as_secs()));
        let age = self.age_if_unheard(ctx.now()).filter(|_| view.position() > Position(0));
        let age = age.filter(|it| *it > REPLICA_AGE_MAX).map(|it| {
            let hours = it.as_secs() / 3_600;
            format!(
                "PostgreSQL has not answered since this host was started, with a replica of {hours} h ago"
            )
        });
        let address = match &self.seen.borrow().trouble {
            Some(Trouble::SameAddress(url)) => {
                Some(format!("another host has the same `peer_url` as this one, {url}, and leads"))
            }
            _ => None,
        };
        version.into_iter().chain(secret).chain(lag).chain(age).chain(address).collect()
    }

    /// How old the last commit is, if this host has not heard of the log since it was started, and cannot say
    /// what it lacks. None where no commit says its time.
    fn age_if_unheard(&self, now: Timestamp) -> Option<Duration> {
        if self.seen.borrow().heard_at.is_some() {
            return None;
        }
        let made_at = self.store.view().made_at().ok().filter(|it| *it > Timestamp::MIN)?;
        let age_ms = now.millis().saturating_sub(made_at.millis());
        Some(Duration::from_millis(age_ms.try_into().unwrap_or(0)))
    }

    /// Why this host can only be read from. Another one would not be better: whoever asks goes on asking.
    pub(crate) fn degraded(&self, ctx: &Ctx) -> Vec<String> {
        let seen = self.seen.borrow().clone();
        let silent = seen.heard_at.map_or(Duration::MAX, |it| it.elapsed());
        match &seen.trouble {
            Some(Trouble::Away(error)) if silent > LOG_SILENCE_MAX => {
                let away = format!("PostgreSQL does not answer, so that nothing is written: {error}");
                let age = self.age_if_unheard(ctx.now());
                let age = age.map(|it| format!("what is read is of {} min ago", it.as_secs() / 60));
                [away].into_iter().chain(age).collect()
            }
            _ => Vec::new(),
        }
    }
}
