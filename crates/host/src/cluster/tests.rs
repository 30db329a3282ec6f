//! Terms of several hosts in one process, over a log in memory: what is done before anybody else writes, and
//! what a host that may not lead does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use atoll_background::{Pace, position_of};
use atoll_customer::{CUSTOMER_GROUPS, CustomerGroup};
use atoll_kernel::{
    Actor, Fault, Moment, Timestamp, Write,
    clock::{Clock, ManualClock},
    http::Config,
    migration::{FORMAT, is_current},
    saga::{EXECUTIONS, ExecutionState, WorkflowExecution},
    serde_json::json,
    verify::Findings,
};
use atoll_storage::{Cut, KeyBuf, MemoryLog, StoreOptions, Trouble, WriteKeys as _, engines::Memory};

use super::*;
use crate::{Application, Assembly, Data, Health, Role, Secrets, Settings, registry};

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host of the shop.
struct Host {
    app: Application,
    replica: Memory,
    log: MemoryLog,
    _terms: Task<()>,
}

impl Host {
    /// A host that follows, with an empty replica.
    async fn join(log: &MemoryLog) -> Host {
        Host::join_at(log, Clock::System).await
    }

    async fn join_at(log: &MemoryLog, clock: Clock) -> Host {
        Host::start(log, Memory::default(), clock).await
    }

    /// A host that follows, with this replica.
    async fn start(log: &MemoryLog, replica: Memory, clock: Clock) -> Host {
        let registry = registry().expect("a registry");
        let store = Store::open_replica(replica.clone(), &registry.spaces(), StoreOptions::default());
        let (store, seen) = (store.expect("a store"), watch::Sender::default());
        let cluster = Cluster { store, seen, latest: None };
        let candidacy = Candidacy::new(cluster.store.clone(), registry, Role::Shared);
        // The tests do what it would: they bring it the log, and have it lead.
        let task = Task::spawn(async |mut stopped: watch::Receiver<bool>| {
            drop(stopped.wait_for(|it| *it).await);
            Ok(())
        });
        let membership = Some(Membership { task, candidacy, given: Given::default() });
        let alone = Assembly::open(&Data::Memory, Settings::default()).await.expect("settings");
        // As if the shop had them.
        let (jwt_secret, cookie_secret) = (b"for tests".to_vec(), b"for tests".to_vec());
        let config = Config { jwt_secret, cookie_secret, ..alone.config };
        let assembly = Assembly { cluster, membership, plan: None, clock, config, ..alone };
        let app = assembly.start().await.expect("it starts as a follower");
        let leadership = Leadership {
            ctx: app.ctx.clone(),
            role: Role::Shared,
            pace: Pace::default(),
            health: Health::of(&app.ctx, &app.cluster),
            seen: app.cluster.seen(),
            admin: None,
            pages: None,
        };
        let _terms = leadership.start(app.membership.as_ref()).await.expect("it follows");
        Host { app, replica, log: log.clone(), _terms }
    }

    fn ctx(&self) -> &Ctx {
        &self.app.ctx
    }

    /// Catches up.
    async fn follow(&self) {
        self.ctx().store().follow().await.expect("it follows");
        let entries = self.log.after(self.ctx().view().position());
        self.ctx().store().apply(entries).await.expect("they follow");
    }

    /// Catches up, and begins to lead; who leads before is deposed.
    async fn begin(&self) {
        let log = self.log.begin_term();
        self.follow().await;
        self.ctx().store().lead(log).await.expect("it begins to lead");
    }

    async fn until(&self, standing: Standing) {
        let mut now = self.ctx().store().standing();
        let waited = tokio::time::timeout(PATIENCE, now.wait_for(|it| *it == standing)).await;
        waited.unwrap_or_else(|_| panic!("not {standing:?} in time")).expect("the store is open");
    }

    async fn lead(&self) {
        self.begin().await;
        self.until(Standing::Leads).await;
    }

    /// A request that writes. Returns whether the program could read all of the data when it was written.
    async fn request(&self) -> Result<bool, Fault> {
        let ctx = self.ctx().of_this_term();
        let write = |tx: &mut dyn Write, at: &Moment| {
            let name = format!("group {}", at.id::<CustomerGroup>());
            CUSTOMER_GROUPS.create(tx, at, CustomerGroup { name, ..CustomerGroup::default() })?;
            Ok(())
        };
        let ((), view) = ctx.write(Actor::System, write).await?;
        Ok(is_current(&view, ctx.registry()).expect("it can be read"))
    }
}

/// Leaves the data as a program does that has not the index of groups by name.
async fn forget_an_index(host: &Host) {
    let forget = |tx: &mut dyn Write, _: &Moment| {
        let key = KeyBuf::new(tx.prefix(FORMAT)).tail(b"index customer_group.by_name").into_bytes();
        assert!(tx.get(&key)?.is_some(), "there is such an index");
        tx.delete(key);
        Ok(())
    };
    host.ctx().write(Actor::System, forget).await.expect("it leads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_writes_before_the_host_that_takes_over_has_migrated() {
    let log = MemoryLog::default();
    let (first, second) = (Host::join(&log).await, Host::join(&log).await);
    first.lead().await;
    // More than one batch of the migration.
    let fill = |tx: &mut dyn Write, at: &Moment| {
        for n in 0..12_000 {
            let name = format!("customers {n}");
            CUSTOMER_GROUPS.create(tx, at, CustomerGroup { name, ..CustomerGroup::default() })?;
        }
        Ok(())
    };
    first.ctx().write(Actor::System, fill).await.expect("it leads");
    assert!(first.request().await.expect("it leads"));
    forget_an_index(&first).await;
    second.follow().await;
    assert!(!is_current(&second.ctx().view(), second.ctx().registry()).expect("it can be migrated"));
    assert!(second.app.membership.as_ref().expect("it is one").candidacy.stands());
    let (mut n_refused, mut is_written) = (0, false);
    second.begin().await;
    tokio::time::timeout(PATIENCE, async {
        while !is_written {
            match second.request().await {
                Ok(is_whole) => {
                    assert!(is_whole, "it was written while the data was being migrated");
                    is_written = true;
                }
                Err(_) => n_refused += 1,
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it leads in time");
    assert!(n_refused > 0, "there were requests meanwhile");
    second.until(Standing::Leads).await;
    let (registry, now) = (second.ctx().registry(), second.ctx().now());
    let report = registry.verify(second.ctx().view(), now, Findings::new(10, Arc::default()));
    let report = report.expect("a verification");
    assert_eq!(report.n_findings, 0, "{report:?}");
}

#[tokio::test]
async fn host_does_not_lead_with_data_of_a_newer_program() {
    let log = MemoryLog::default();
    let (first, second) = (Host::join(&log).await, Host::join(&log).await);
    first.lead().await;
    second.follow().await;
    let candidacy = &second.app.membership.as_ref().expect("it is one").candidacy;
    assert!(candidacy.stands());
    // What a newer program notes, as far as this one can tell.
    let note = |tx: &mut dyn Write, _: &Moment| {
        let key = KeyBuf::new(tx.prefix(FORMAT)).tail(b"index of a newer program").into_bytes();
        tx.put(key, b"{}".to_vec());
        Ok(())
    };
    first.ctx().write(Actor::System, note).await.expect("it leads");
    second.follow().await;
    assert!(!candidacy.stands());
    let reasons = second.app.cluster.unready(second.ctx());
    assert!(reasons.len() == 1 && reasons[0].contains("written by a newer one"), "{reasons:?}");
}

#[tokio::test]
async fn runs_that_a_leader_left_open_are_resumed_by_the_next_one() {
    let log = MemoryLog::default();
    let (first, second) = (Host::join(&log).await, Host::join(&log).await);
    first.lead().await;
    // A run whose host ended, with an input that its saga does not know: who resumes it can only fail it.
    let open = async |host: &Host, transaction: &'static str| {
        let write = move |tx: &mut dyn Write, at: &Moment| {
            let run = WorkflowExecution {
                workflow_id: "complete-cart".into(),
                transaction_id: transaction.into(),
                state: ExecutionState::Invoking,
                input: json!(1),
                ..WorkflowExecution::default()
            };
            Ok(EXECUTIONS.create(tx, at, run)?.id)
        };
        host.ctx().write(Actor::System, write).await.expect("it leads").0
    };
    let until_failed = async |host: &Host, id: &str| {
        let mut commits = host.ctx().store().commits();
        let failed = async {
            while EXECUTIONS.get(&host.ctx().view(), id).expect("a read").expect("a run").state
                != ExecutionState::Failed
            {
                commits.changed().await.expect("the store is open");
            }
        };
        tokio::time::timeout(PATIENCE, failed).await.expect("it is resumed in time");
    };
    let id = open(&first, "first").await;
    second.lead().await;
    until_failed(&second, &id).await;
    // The same host leads again, as after an answer that was lost.
    let id = open(&second, "second").await;
    second.lead().await;
    until_failed(&second, &id).await;
}

#[tokio::test]
async fn secrets_are_the_shops() {
    let log = MemoryLog::default();
    let registry = registry().expect("a registry");
    let open = || Store::open_replica(Memory::default(), &registry.spaces(), StoreOptions::default());
    let (first, second) = (open().expect("a store"), open().expect("a store"));
    let given = Given::default();
    let waiting = given.of_several_hosts(&Data::Memory, &second, registry);
    let lead = async {
        first.lead(log.begin_term()).await.expect("it begins to lead");
        let made = given.of_several_hosts(&Data::Memory, &first, registry).await.expect("it makes them");
        second.apply(log.after(Position(0))).await.expect("they follow");
        made
    };
    let (made, found) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(lead, waiting) }).await.expect("in time");
    let found = found.expect("it has them from the leader");
    assert!(made.jwt == found.jwt && made.cookie == found.cookie && made.jwt != made.cookie);
    // A host that is given another one says so, and one that is given it has it.
    let other = Given { jwt: Some(Secret("another one of sixteen".into())), ..Given::default() };
    let other = other.of_several_hosts(&Data::Memory, &second, registry).await.expect("it is given it");
    let differs = other.differ_in(&second.view()).expect("it differs").to_string();
    assert!(differs.starts_with("`jwt_secret` is not that of the other hosts"), "{differs}");
    assert!(found.differ_in(&second.view()).is_none());
}

#[tokio::test]
async fn host_that_cannot_prepare_its_term_leaves_it_to_another() {
    let log = MemoryLog::default();
    let (first, second) = (Host::join(&log).await, Host::join(&log).await);
    first.lead().await;
    // The hosts are given a secret now; the second one is not.
    let given = Given { jwt: Some(Secret("given to every host".into())), ..Given::default() };
    let new = Secrets::in_use(first.ctx());
    given.settle(first.ctx().store(), new).await.expect("it leads");
    second.begin().await;
    second.until(Standing::Follows).await;
    assert!(second.request().await.is_err());
    first.begin().await;
    first.until(Standing::Follows).await;
}

#[tokio::test]
async fn host_whose_background_cannot_start_leaves_the_leadership() {
    let log = MemoryLog::default();
    let host = Host::join(&log).await;
    let subscriber = host.ctx().registry().subscribers.first().expect("there are some").name;
    log.cut_at(Cut::Failed, subscriber);
    host.begin().await;
    host.until(Standing::Follows).await;
    assert!(log.has_cut(), "it has come to the subscribers");
    assert!(host.request().await.is_err());
    host.lead().await;
    assert!(position_of(&host.ctx().view(), subscriber).expect("a read").is_some());
}

#[tokio::test]
async fn term_ends_with_the_lease_whatever_its_writer_waits_for() {
    let host = Host::join(&MemoryLog::default()).await;
    host.lead().await;
    let until = |it: Option<Instant>| host.app.cluster.seen.send_modify(|seen| seen.until = it);
    until(Some(Instant::now() + PATIENCE));
    host.request().await.expect("it leads");
    until(Some(Instant::now()));
    host.until(Standing::Follows).await;
    until(None);
    host.lead().await;
}

/// Nobody would prepare a term to which it comes while it drains.
#[tokio::test]
async fn host_that_stops_does_not_come_to_lead_again() {
    let host = Host::join(&MemoryLog::default()).await;
    host.lead().await;
    let candidacy = host.app.membership.as_ref().expect("it is one").candidacy.clone();
    assert!(candidacy.stands());
    host._terms.stop().await;
    assert!(!candidacy.stands());
}

#[tokio::test]
async fn host_alone_makes_no_secret_where_it_is_not_given_that_of_the_shop() {
    let host = Host::join(&MemoryLog::default()).await;
    host.lead().await;
    let secret = || Some(Secret("given to every host".into()));
    let given = Given { jwt: secret(), cookie: secret() };
    let new = Secrets::in_use(host.ctx());
    given.settle(host.ctx().store(), new).await.expect("it leads");
    let view = host.ctx().view();
    assert!(given.of_one_host(&Data::Memory, &view).is_ok());
    let error = Given::default().of_one_host(&Data::Memory, &view).err().expect("it is not given it");
    assert!(error.to_string().starts_with("`jwt_secret` is not that of the other hosts"), "{error}");
}

#[tokio::test]
async fn readiness_tells_of_lag_and_of_a_log_that_does_not_answer() {
    let log = MemoryLog::default();
    let host = Host::join(&log).await;
    let (cluster, ctx) = (&host.app.cluster, host.ctx());
    assert_eq!(cluster.unready(ctx), ["this host has no data yet: it waits for one that leads"]);
    host.lead().await;
    let position = ctx.view().position();
    let behind_for = |seconds: u64| {
        // The background writes meanwhile, but not that much.
        let head = Position(position.0 + 1_000);
        let since = Instant::now().checked_sub(Duration::from_secs(seconds));
        cluster.seen.send_modify(|it| (it.position, it.behind_since) = (head, since));
        cluster.unready(ctx)
    };
    assert_eq!(cluster.unready(ctx), [""; 0]);
    assert_eq!(behind_for(9), [""; 0]);
    let behind = behind_for(60);
    assert!(behind.len() == 1 && behind[0].starts_with("the replica is "), "{behind:?}");
    cluster.seen.send_modify(|it| it.position = position);
    assert_eq!(cluster.unready(ctx), [""; 0], "it has caught up");
    let silent_for = |seconds: u64| {
        cluster.seen.send_modify(|it| {
            it.heard_at = Instant::now().checked_sub(Duration::from_secs(seconds));
            it.trouble = Some(Trouble::Away("no route".into()));
        });
        cluster.degraded(ctx)
    };
    assert_eq!(silent_for(5), [""; 0], "it may be failing over");
    let away = ["PostgreSQL does not answer, so that nothing is written: no route"];
    assert_eq!(silent_for(20), away);
    assert_eq!(cluster.unready(ctx), [""; 0], "reads go on");
    cluster.seen.send_modify(|it| it.trouble = Some(Trouble::SameAddress("http://a".into())));
    assert_eq!(
        cluster.unready(ctx),
        ["another host has the same `peer_url` as this one, http://a, and leads"]
    );
    cluster.seen.send_modify(|it| it.trouble = None);
    assert_eq!(cluster.degraded(ctx), [""; 0]);
}

/// It is started while PostgreSQL is away: what it lacks, it does not know.
#[tokio::test]
async fn host_that_has_heard_of_nothing_is_not_ready_with_a_replica_of_days_ago() {
    let log = MemoryLog::default();
    let first = Host::join(&log).await;
    first.lead().await;
    let started_after = async |hours: u64| {
        // The background of the first one goes on writing meanwhile.
        let at = Timestamp::now().plus(Duration::from_secs(3_600 * hours + 60));
        let clock = || Clock::Manual(ManualClock::at(at));
        let before = Host::join_at(&log, clock()).await;
        before.follow().await;
        let host = Host::start(&log, before.replica.clone(), clock()).await;
        host.app.cluster.seen.send_modify(|it| it.trouble = Some(Trouble::Away("no route".into())));
        host
    };
    let host = started_after(5).await;
    let (cluster, ctx) = (&host.app.cluster, host.ctx());
    assert_eq!(cluster.unready(ctx), [""; 0]);
    assert!(cluster.degraded(ctx)[1].starts_with("what is read is of 30"), "{:?}", cluster.degraded(ctx));
    let host = started_after(50).await;
    let (cluster, ctx) = (&host.app.cluster, host.ctx());
    let told = "PostgreSQL has not answered since this host was started, with a replica of 50 h ago";
    assert_eq!(cluster.unready(ctx), [told]);
    cluster.seen.send_modify(|it| it.heard_at = Some(Instant::now()));
    assert_eq!(cluster.unready(ctx), [""; 0], "it knows by now");
}

#[tokio::test]
async fn time_does_not_go_back_where_another_clock_was_ahead() {
    let log = MemoryLog::default();
    let ahead = Timestamp::now().plus(Duration::from_secs(3600));
    let first = Host::join_at(&log, Clock::Manual(ManualClock::at(ahead))).await;
    let second = Host::join(&log).await;
    first.lead().await;
    first.request().await.expect("it leads");
    assert!(second.ctx().now() < ahead, "it has its own clock until it leads");
    second.lead().await;
    assert_eq!(second.ctx().now(), ahead);
    // Whatever it stores by its context or by the moment of a transaction.
    let at = async |host: &Host| {
        let write = |_: &mut dyn Write, at: &Moment| Ok(at.now());
        host.ctx().write(Actor::System, write).await.expect("it leads").0
    };
    assert_eq!(at(&second).await, ahead);
}
