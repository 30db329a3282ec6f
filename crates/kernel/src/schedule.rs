//! Schedules of jobs: cron patterns and intervals, in code or by a setting.

use std::{collections::BTreeMap, fmt, time::Duration};

use croner::Cron;
use jiff::{civil::DateTime, tz::TimeZone};

use crate::Timestamp;

/// A schedule as it is written in code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// A cron pattern in UTC: `minute hour day month weekday`, or the same with seconds in front.
    Cron(&'static str),
    /// An interval from the run before.
    Every(Duration),
    /// What a setting of the host says, by its name; never where it is not set.
    Setting(&'static str),
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Cron(pattern) => f.write_str(pattern),
            Schedule::Every(pause) => write!(f, "every {pause:?}"),
            Schedule::Setting(name) => write!(f, "by the setting {name}"),
        }
    }
}

/// A parsed schedule.
#[derive(Clone, Debug)]
pub enum Plan {
    /// The times of a cron pattern.
    Cron(Box<Cron>),
    /// Milliseconds after the run before.
    EveryMs(i64),
    /// No time at all.
    Never,
}

/// The schedules that settings say, by their names.
pub type Schedules = BTreeMap<&'static str, Plan>;

impl Schedule {
    /// Parses the schedule; of one by a setting, which is in `set`, it is what that says. Error: what is
    /// wrong with the pattern or interval.
    pub fn plan(&self, set: &Schedules) -> Result<Plan, String> {
        match self {
            Schedule::Cron(pattern) => Plan::cron(pattern),
            Schedule::Setting(name) => Ok(set.get(name).cloned().unwrap_or(Plan::Never)),
            Schedule::Every(pause) => match i64::try_from(pause.as_millis()) {
                Ok(millis) if millis > 0 => Ok(Plan::EveryMs(millis)),
                _ => Err(format!("an interval of {pause:?} is no interval in milliseconds")),
            },
        }
    }
}

impl Plan {
    /// Parses a cron pattern. Error: what is wrong with it.
    pub fn cron(pattern: &str) -> Result<Plan, String> {
        let n_fields = pattern.split_whitespace().count();
        if !pattern.starts_with('@') && n_fields != 5 && n_fields != 6 {
            return Err(format!("`{pattern}` has {n_fields} fields; 5, or 6 with seconds, are read"));
        }
        let cron = pattern.parse::<Cron>().map_err(|error| format!("`{pattern}`: {error}"))?;
        let plan = Plan::Cron(Box::new(cron));
        match plan.after(Timestamp::default()) {
            Some(_) => Ok(plan),
            None => Err(format!("`{pattern}` names a moment that never comes")),
        }
    }

    /// The first time after this one.
    pub fn after(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Plan::Never => None,
            Plan::EveryMs(millis) => Some(at.plus_millis(*millis)),
            Plan::Cron(cron) => stamp(cron.find_next_occurrence(&civil(at)?, false).ok()?),
        }
    }

    /// The last time of a pattern up to this one. An interval has none, since it begins again with each run.
    pub fn last(&self, until: Timestamp) -> Option<Timestamp> {
        match self {
            Plan::EveryMs(_) | Plan::Never => None,
            Plan::Cron(cron) => stamp(cron.find_previous_occurrence(&civil(until)?, true).ok()?),
        }
    }

    /// Number of times of a pattern after `after` up to `until`, at most `n_max`.
    pub fn count(&self, after: Timestamp, until: Timestamp, n_max: usize) -> usize {
        match self {
            Plan::EveryMs(_) | Plan::Never => 0,
            Plan::Cron(_) => std::iter::successors(self.after(after), |it| self.after(*it))
                .take_while(|it| *it <= until)
                .take(n_max)
                .count(),
        }
    }
}

fn stamp(utc: DateTime) -> Option<Timestamp> {
    let utc = utc.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(utc.timestamp().as_millisecond()))
}

/// Date and time of day in UTC; cron patterns have no milliseconds.
fn civil(at: Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_millisecond(at.millis()).ok()?;
    Some(at.to_zoned(TimeZone::UTC).datetime())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schedule: Schedule, after: &str, expect: Result<&str, &str>) {
        let after: Timestamp = after.parse().expect("a date");
        let next = schedule
            .plan(&Schedules::new())
            .map(|plan| plan.after(after).expect("a next moment").to_string());
        assert_eq!(next.as_deref().map_err(String::as_str), expect, "{schedule}");
    }

    #[test]
    fn cron_schedules_find_the_next_run() {
        let cron = Schedule::Cron;
        check(cron("0 0 * * *"), "2026-11-22T00:00:00Z", Ok("2026-11-23T00:00:00.000Z"));
        check(cron("0 0 * * *"), "2026-11-21T23:59:59.999Z", Ok("2026-11-22T00:00:00.000Z"));
        check(cron("*/15 8-17 * * MON-FRI"), "2026-11-20T17:45:00Z", Ok("2026-11-23T08:00:00.000Z"));
        check(cron("30 0 0 1 1 *"), "2026-01-01T00:00:30Z", Ok("2027-01-01T00:00:30.000Z"));
        check(cron("0 0 29 2 *"), "2026-01-01", Ok("2028-02-29T00:00:00.000Z"));
        check(cron("@daily"), "2026-11-22T13:00:00Z", Ok("2026-11-23T00:00:00.000Z"));
        let every = Schedule::Every(Duration::from_millis(1500));
        check(every, "2026-11-22T00:00:00.100Z", Ok("2026-11-22T00:00:01.600Z"));
    }

    #[test]
    fn schedule_of_a_setting_is_what_that_says() {
        let (schedule, at) = (Schedule::Setting("backup_schedule"), "2026-11-22".parse().expect("a date"));
        let next = |set: &Schedules| schedule.plan(set).expect("a plan").after(at).map(|it| it.to_string());
        assert_eq!(next(&Schedules::new()), None);
        let set = Schedules::from([("backup_schedule", Plan::cron("0 3 * * *").expect("a pattern"))]);
        assert_eq!(next(&set).as_deref(), Some("2026-11-22T03:00:00.000Z"));
        assert_eq!(schedule.to_string(), "by the setting backup_schedule");
    }

    #[test]
    fn missed_runs_are_counted_up_to_a_limit() {
        let day: Timestamp = "2026-11-22".parse().expect("a date");
        let after_8_hours = day.plus_millis(8 * 60 * 60 * 1000 + 1);
        let plan = Plan::cron("* * * * * *").expect("a plan");
        assert_eq!(plan.count(day, day.plus_millis(59_999), 1000), 59);
        assert_eq!(plan.count(day, after_8_hours, 1000), 1000);
        assert_eq!(plan.last(after_8_hours), Some(after_8_hours.plus_millis(-1)));
        assert_eq!(plan.last(day), Some(day));
    }

    #[test]
    fn invalid_cron_schedules_are_refused() {
        let (cron, day) = (Schedule::Cron, "2026-11-22");
        check(cron("0 0 * *"), day, Err("`0 0 * *` has 4 fields; 5, or 6 with seconds, are read"));
        check(cron(""), day, Err("`` has 0 fields; 5, or 6 with seconds, are read"));
        check(cron("0 0 30 2 *"), day, Err("`0 0 30 2 *` names a moment that never comes"));
        check(Schedule::Every(Duration::ZERO), day, Err("an interval of 0ns is no interval in milliseconds"));
        let plan = Plan::cron("61 0 * * *");
        assert!(plan.is_err_and(|error| error.starts_with("`61 0 * * *`: ")));
    }
}
