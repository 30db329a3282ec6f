//! Who leads, and what becomes of commits whose answers are lost.

use std::{sync::atomic::Ordering, time::Duration};

use atoll_postgres::{DatabaseError, Latest, Member};
use atoll_storage::{Halt, Leader, Position, Seen, Standing, StoreError, Trouble, engines::Memory};
use atoll_test_postgres::Server;
use futures_util::future::join_all;

use crate::{
    Host, LEASE,
    altered::{WITHOUT_RAISE, altered},
    content, database, has, in_time, through,
    wire::{Cut, Wire},
};

/// A lease that does not end while a test runs.
const LONG: Duration = Duration::from_secs(600);

pub(crate) async fn one_host_leads_and_the_others_hold_what_it_wrote(server: &Server, name: &'static str) {
    let database = database(server, name);
    let first = Host::join(&database, Memory::default(), "first");
    first.until(Standing::Leads).await;
    let second = Host::join(&database, Memory::default(), "second");
    let mut last = Position::default();
    for key in 0..100 {
        last = first.write(key).await.expect("a commit");
    }
    assert_eq!(content(&second.reached(last).await), content(&first.store.view()));
    let refused = second.write(100).await.expect_err("it follows");
    assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
    let is_told = "who leads, and how far the log goes";
    second.until_seen(is_told, |it| it.leader == Leader::At("first".into()) && it.position == last).await;
    first.until_seen(is_told, |it| it.leads() && it.position == last).await;
    // Who leaves gives the leadership back.
    first.leave().await;
    second.until(Standing::Leads).await;
    second.write(100).await.expect("it leads");
    second.leave().await;
}

pub(crate) async fn host_that_starts_anew_does_not_take_itself_for_another_one(
    server: &Server,
    name: &'static str,
) {
    let database = database(server, name);
    let leader = Host::join(&database, Memory::default(), "first");
    leader.until(Standing::Leads).await;
    leader.task.abort();
    leader.store.close();
    let again = Host::join(&database, Memory::default(), "first");
    let mut seen = again.seen.clone();
    loop {
        let now = seen.borrow_and_update().clone();
        assert_ne!(now.leader, Leader::At("first".into()));
        if now.leads() {
            break;
        }
        in_time("its turn", seen.changed()).await.expect("open");
    }
    again.leave().await;
}

pub(crate) async fn host_notices_another_one_at_its_own_address(server: &Server, name: &'static str) {
    let database = database(server, name);
    let first = Host::join(&database, Memory::default(), "the same");
    first.until(Standing::Leads).await;
    let second = Host::join(&database, Memory::default(), "the same");
    let is_noticed = |it: &Seen| matches!(&it.trouble, Some(Trouble::SameAddress(url)) if url == "the same");
    second.until_seen("the other one", is_noticed).await;
    first.leave().await;
    second.until(Standing::Leads).await;
    second.until_seen("it is alone", |it| it.trouble.is_none()).await;
    second.leave().await;
}

pub(crate) async fn host_that_cannot_extend_its_lease_ends_before_another_leads(
    server: &Server,
    name: &'static str,
) {
    let wire = Wire::to(server.port).await;
    let database = database(server, name);
    let first = Host::join(&through(wire.port, name), Memory::default(), "first");
    first.until(Standing::Leads).await;
    first.until_seen("that it leads", |it| it.leads()).await;
    let second = Host::join(&database, Memory::default(), "second");
    let mut standing = second.store.standing();
    wire.stop();
    let seen = first.seen.clone();
    in_time("another leader", standing.wait_for(|it| *it == Standing::Leads)).await.expect("open");
    assert_eq!(seen.borrow().led_by(), Leader::Nobody, "it knows by its own clock");
    first.until(Standing::Follows).await;
    first.until_seen("its trouble", |it| matches!(it.trouble, Some(Trouble::Away(_)))).await;
    wire.pass();
    first
        .until_seen("the leader", |it| it.leader == Leader::At("second".into()) && it.trouble.is_none())
        .await;
    first.leave().await;
    second.leave().await;
}

pub(crate) async fn commits_whose_answers_are_lost_are_written_once(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    let database = database(server, name);
    let member = |store| Member::new(through(wire.port, name), store, "first".into(), LONG);
    let host = Host::start(Memory::default(), member, |_| true);
    host.until(Standing::Leads).await;
    for key in 0..42 {
        let cut = [Cut::Before, Cut::After, Cut::Late][key as usize % 3];
        wire.cut(cut);
        let written = host.write(key).await;
        let position = written.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert!(wire.is_cut(), "{cut:?}");
        assert_eq!(position, Position(key + 2), "{cut:?}: each key is one commit");
    }
    let other = Host::join(&database, Memory::default(), "second");
    assert_eq!(content(&other.reached(Position(43)).await), content(&host.store.view()));
    other.leave().await;
    host.leave().await;
}

/// The control: the raise is what refuses a commit that arrives when its host has looked. Whoever is told
/// that nothing was written sends it again, and it is there twice.
pub(crate) async fn without_the_raise_it_is_denied_that_a_late_commit_is_written(
    server: &Server,
    name: &'static str,
) {
    drop(database(server, name));
    let wire = Wire::to(altered(server.port, &WITHOUT_RAISE).await).await;
    let member = |store| Member::new(through(wire.port, name), store, "first".into(), LONG);
    let host = Host::start(Memory::default(), member, |_| true);
    host.until(Standing::Leads).await;
    wire.cut(Cut::Late);
    let denied = host.write(1).await.expect_err("the log goes on from another commit: its own");
    assert!(matches!(denied, StoreError::NotWritten(_)), "{denied}");
    let written = host.reached(Position(2)).await;
    assert!(has(&written, 1), "it is written");
    host.until(Standing::Leads).await;
    host.leave().await;
}

/// Numbers of epochs are given out again when PostgreSQL has lost that a host took over.
pub(crate) async fn nothing_is_appended_to_a_log_that_goes_on_from_another_commit(
    server: &Server,
    name: &'static str,
) {
    let database = database(server, name);
    let host = Host::join(&database, Memory::default(), "first");
    host.until(Standing::Leads).await;
    host.write(1).await.expect("a commit");
    server.sql(name, "UPDATE atoll_head SET chain = sha256(chain)");
    let refused = host.write(2).await.expect_err("the log goes on from another commit");
    assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
    let ended = host.ended().await;
    assert!(matches!(ended, DatabaseError::Store(StoreError::Diverged { .. })), "{ended}");
}

/// The clock of the server that PostgreSQL failed over to is behind.
pub(crate) async fn host_takes_over_from_one_whose_last_sign_is_of_the_future(
    server: &Server,
    name: &'static str,
) {
    let database = database(server, name);
    let first = Host::join(&database, Memory::default(), "first");
    first.until(Standing::Leads).await;
    first.task.abort();
    assert!(first.task.await.expect_err("it was stopped").is_cancelled());
    server.sql(name, "UPDATE atoll_head SET beat = clock_timestamp() + interval '1 hour'");
    let second = Host::join(&database, Memory::default(), "second");
    second.until(Standing::Leads).await;
    second.leave().await;
    first.store.close();
}

pub(crate) async fn commit_waits_for_a_connection_that_comes_back(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    drop(database(server, name));
    let member = |store| Member::new(through(wire.port, name), store, "first".into(), LONG);
    let host = Host::start(Memory::default(), member, |_| true);
    host.until(Standing::Leads).await;
    wire.close();
    let (written, ()) = tokio::join!(host.write(1), async {
        // The connections that were open, and some that it has tried to make.
        let tried = async {
            while wire.n_closed() < 10 {
                tokio::task::yield_now().await;
            }
        };
        in_time("attempts", tried).await;
        wire.pass();
    });
    assert_eq!(written.expect("it is written when PostgreSQL is back"), Position(2));
    host.leave().await;
}

pub(crate) async fn nothing_is_written_without_a_server_and_it_goes_on_with_one(
    _: &Server,
    name: &'static str,
) {
    let Some(server) = Server::start() else { return };
    let database = database(&server, name);
    let host = Host::join(&database, Memory::default(), "first");
    host.until(Standing::Leads).await;
    host.write(0).await.expect("a commit");
    server.crash();
    let refused = host.write(1).await.expect_err("there is no server");
    let is_of_log = matches!(refused, StoreError::Unknown(_) | StoreError::NotWritten(_));
    assert!(is_of_log, "{refused}");
    host.until_seen("its trouble", |it| matches!(it.trouble, Some(Trouble::Away(_)))).await;
    assert_eq!(content(&host.store.view()).len(), 2, "reads go on");
    server.up();
    host.until(Standing::Leads).await;
    host.until_seen("no trouble any more", |it| it.leads() && it.trouble.is_none()).await;
    if !has(&host.store.view(), 1) {
        host.write(1).await.expect("it leads again");
    }
    host.write(2).await.expect("it leads again");
    host.leave().await;
}

pub(crate) async fn host_that_may_not_lead_leaves_it_to_another(server: &Server, name: &'static str) {
    let database = database(server, name);
    let first = Host::join(&database, Memory::default(), "first");
    first.until(Standing::Leads).await;
    let second = Host::join(&database, Memory::default(), "second");
    first.write(1).await.expect("it leads");
    first.may_lead.store(false, Ordering::SeqCst);
    first.store.follow().await.expect("it follows");
    second.until(Standing::Leads).await;
    let position = second.write(2).await.expect("it leads");
    assert_eq!(content(&first.reached(position).await), content(&second.store.view()));
    first.may_lead.store(true, Ordering::SeqCst);
    second.may_lead.store(false, Ordering::SeqCst);
    second.store.follow().await.expect("it follows");
    first.until(Standing::Leads).await;
    first.leave().await;
    second.leave().await;
}

/// The program of the second host does not know what the first one wrote last, and it had not seen that when
/// the first one ended.
pub(crate) async fn host_is_asked_whether_it_may_lead_the_data_that_it_takes_over(
    server: &Server,
    name: &'static str,
) {
    let wire = Wire::to(server.port).await;
    let database = database(server, name);
    let newer = Host::join(&database, Memory::default(), "newer");
    newer.until(Standing::Leads).await;
    let member = |store| Member::new(through(wire.port, name), store, "older".into(), LEASE);
    let older = Host::start(Memory::default(), member, |view| !has(view, 7));
    older.reached(newer.write(1).await.expect("it leads")).await;
    wire.close();
    newer.write(7).await.expect("it leads");
    newer.leave().await;
    wire.pass();
    older.reached(Position(3)).await;
    older
        .until_seen("that nobody leads", |it| it.leader == Leader::Nobody && it.position == Position(3))
        .await;
    let third = Host::join(&database, Memory::default(), "third");
    third.until(Standing::Leads).await;
    assert_eq!(*older.store.standing().borrow(), Standing::Follows);
    third.leave().await;
    older.leave().await;
}

pub(crate) async fn transaction_that_is_too_large_is_refused_alone(server: &Server, name: &'static str) {
    let database = database(server, name);
    let host = Host::join(&database, Memory::default(), "first");
    host.until(Standing::Leads).await;
    let (large, small) = tokio::join!(host.write_long(1, vec![b'x'; 65 << 20]), host.write(2));
    let refused = large.expect_err("it is too large");
    assert!(matches!(refused, StoreError::Halted(Halt::Written(_))), "{refused}");
    assert!(refused.to_string().contains("more than 67108864 bytes"), "{refused}");
    assert_eq!(small.expect("a commit"), Position(2));
    assert_eq!(*host.store.standing().borrow(), Standing::Leads);
    host.leave().await;
}

pub(crate) async fn how_far_the_log_goes_is_asked_once_for_all_who_wait(server: &Server, name: &'static str) {
    let wire = Wire::to(server.port).await;
    let database = database(server, name);
    let host = Host::join(&database, Memory::default(), "first");
    host.until(Standing::Leads).await;
    let latest = Latest::new(through(wire.port, name), LONG);
    let position = host.write(1).await.expect("a commit");
    assert_eq!(latest.position().await, Ok(position));
    let mut sent = wire.sent();
    let n_before = *sent.borrow_and_update();
    wire.stop();
    let first = async { latest.position().await.expect("an answer") };
    let others = async {
        in_time("a question", sent.changed()).await.expect("open");
        let asking = join_all((0..100).map(|_| latest.position()));
        let passing = async {
            let position = host.write(2).await.expect("a commit");
            wire.pass();
            position
        };
        tokio::join!(asking, passing)
    };
    let (first, (answers, position)) = in_time("answers", async { tokio::join!(first, others) }).await;
    assert!(first <= position);
    for answer in answers {
        assert_eq!(answer, Ok(position), "it is of after the question");
    }
    // Each question prepares its statement, asks, and is done with it.
    let n_questions = 2;
    assert!(*wire.sent().borrow() - n_before <= 3 * n_questions, "{n_questions} questions");
    host.leave().await;
}
