//! Histories: what clients of several hosts are answered while leaders are lost, against the log in
//! PostgreSQL, which says what was there at each position. Each client writes one register, and reads all of
//! them, at any host. Some read strictly, the others carry what they have seen.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    client::{Client, PATIENCE, let_pass},
    shop::{Shop, seconds},
};

const N_CLIENTS: usize = 6;

/// Seconds of a history; set by `ATOLL_HISTORY_SECONDS`.
const SECONDS: (u64, u64) = (10, 60);

/// Problems that a failed test shows.
const N_SHOWN_MAX: usize = 10;

/// What reads say that they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// Of all that was committed before they began.
    Strict,
    /// Of no less than this client has seen.
    Carried,
}

impl Claim {
    fn of(client: usize) -> Claim {
        if client.is_multiple_of(2) { Claim::Strict } else { Claim::Carried }
    }
}

/// What was answered.
#[derive(Clone, Debug)]
enum Answered {
    /// This value of the own register was written.
    Wrote(u64),
    /// These were the values of all registers.
    Read(Vec<u64>),
}

/// A request that was answered by a success, and when.
#[derive(Clone, Debug)]
struct Event {
    client: usize,
    begun: Instant,
    ended: Instant,
    position: u64,
    answered: Answered,
}

/// The values that each position wrote, by register.
type Log = BTreeMap<u64, Vec<(usize, u64)>>;

/// The text of a register's value, as it is found in the log.
fn mark(register: usize, value: u64) -> String {
    format!("r{register}={value};")
}

fn of_mark(mark: &str) -> Option<(usize, u64)> {
    let (register, value) = mark.strip_prefix('r')?.strip_suffix(';')?.split_once('=')?;
    Some((register.parse().ok()?, value.parse().ok()?))
}

/// Reads on in the log, which the leader shortens in time.
fn read_log(shop: &Shop, log: &mut Log) {
    let read = log.last_key_value().map_or(0, |(position, _)| *position);
    let rows = shop.ask(&format!(
        "SELECT seq, found[1] FROM atoll_log,
            regexp_matches(encode(changes, 'escape'), 'r[0-9]+=[0-9]+;', 'g') AS found
         WHERE seq > {read} ORDER BY seq"
    ));
    for row in rows.lines() {
        let (position, mark) = row.split_once('|').expect("two columns");
        let written = of_mark(mark).expect("a mark");
        log.entry(position.parse().expect("a number")).or_default().push(written);
    }
}

/// The registers: customer groups, whose metadata has the value.
struct Registers(Vec<String>);

impl Registers {
    fn make(shop: &Shop) -> Registers {
        let make = |n| {
            let body = format!(r#"{{"name":"register {n}","metadata":{{"mark":"{}"}}}}"#, mark(n, 0));
            let path = "/admin/customer-groups";
            let made = shop.admin.done(&shop.addresses(), "POST", path, &body);
            made["customer_group"]["id"].as_str().expect("an id").to_owned()
        };
        Registers((0..N_CLIENTS).map(make).collect())
    }

    fn write(
        &self,
        client: &Client,
        host: SocketAddr,
        register: usize,
        value: u64,
    ) -> Option<(u64, Answered)> {
        let path = format!("/admin/customer-groups/{}", self.0[register]);
        let body = format!(r#"{{"metadata":{{"mark":"{}"}}}}"#, mark(register, value));
        let answer = client.send(host, "POST", &path, &body).filter(|it| it.is_ok())?;
        Some((answer.position, Answered::Wrote(value)))
    }

    fn read(client: &Client, host: SocketAddr) -> Option<(u64, Answered)> {
        let path = "/admin/customer-groups?fields=id,metadata&limit=100";
        let answer = client.send(host, "GET", path, "").filter(|it| it.is_ok())?;
        let mut values = vec![0; N_CLIENTS];
        for group in answer.json["customer_groups"].as_array()? {
            let (register, value) = of_mark(group["metadata"]["mark"].as_str()?)?;
            values[register] = value;
        }
        Some((answer.position, Answered::Read(values)))
    }
}

/// Writes and reads at any host until it is over. One that is not honest claims what it does not ask for.
fn take_part(
    shop: &Shop,
    registers: &Registers,
    n: usize,
    is_honest: bool,
    is_over: &AtomicBool,
) -> Vec<Event> {
    let (hosts, mut events, mut value, mut seen) = (shop.addresses(), Vec::new(), 0, 0);
    for turn in n.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let client = match Claim::of(n) {
            _ if !is_honest => shop.admin.clone(),
            Claim::Strict => shop.admin.with("atoll-read", "strict"),
            Claim::Carried => shop.admin.with("atoll-after", &seen.to_string()),
        };
        let (host, begun) = (hosts[turn % hosts.len()], Instant::now());
        // Three hosts and two kinds of turns: each host gets both.
        let answered = if turn.is_multiple_of(2) {
            value += 1;
            registers.write(&client, host, n, value)
        } else {
            Registers::read(&client, host)
        };
        if let Some((position, answered)) = answered {
            seen = position.max(seen);
            events.push(Event { client: n, begun, ended: Instant::now(), position, answered });
        }
    }
    events
}

/// Lets clients take part for so long, or until a look at the log says that it is over.
fn history(shop: &Shop, time: Duration, is_honest: bool, is_disturbed: bool) -> (Vec<Event>, Log) {
    let registers = Registers::make(shop);
    let (is_over, mut log) = (AtomicBool::new(false), Log::new());
    let mut events = Vec::new();
    thread::scope(|scope| {
        let part = |n| {
            let (registers, is_over) = (&registers, &is_over);
            move || take_part(shop, registers, n, is_honest, is_over)
        };
        let clients: Vec<_> = (0..N_CLIENTS).map(|n| scope.spawn(part(n))).collect();
        let disturbed = is_disturbed.then(|| scope.spawn(|| shop.disturb(&is_over)));
        let ends_at = Instant::now() + time;
        while Instant::now() < ends_at {
            read_log(shop, &mut log);
            let_pass(Duration::from_millis(200));
        }
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().for_each(|it| events.extend(it.join().expect("a client")));
        disturbed.into_iter().for_each(|it| assert!(it.join().expect("no panic") > 0, "nothing happened"));
    });
    read_log(shop, &mut log);
    (events, log)
}

/// Answers that began after another one had ended, and are of an earlier position, though they claim not to
/// be.
fn out_of_order(events: &[Event]) -> Vec<String> {
    let mut by_end: Vec<&Event> = events.iter().collect();
    by_end.sort_by_key(|it| it.ended);
    let mut by_begin = by_end.clone();
    by_begin.sort_by_key(|it| it.begun);
    let (mut ended, mut latest, mut problems) = (by_end.into_iter().peekable(), 0, Vec::new());
    for event in by_begin {
        while let Some(before) = ended.next_if(|it| it.ended < event.begun) {
            latest = latest.max(before.position);
        }
        let is_right = match event.answered {
            Answered::Wrote(_) => event.position > latest,
            Answered::Read(_) => event.position >= latest || Claim::of(event.client) != Claim::Strict,
        };
        if !is_right {
            problems.push(format!("{latest} was answered before it began: {event:?}"));
        }
    }
    problems
}

/// Answers of an earlier position than one that the same client got before, though it carries that.
fn less_than_seen(events: &[Event]) -> Vec<String> {
    let (mut seen, mut problems) = ([0; N_CLIENTS], Vec::new());
    for event in events.iter().filter(|it| Claim::of(it.client) == Claim::Carried) {
        let seen = &mut seen[event.client];
        if event.position < *seen {
            problems.push(format!("the client had seen {seen}: {event:?}"));
        }
        *seen = event.position.max(*seen);
    }
    problems
}

/// Answers that are not what the log says at their position, and what was written twice.
fn not_of_the_log(events: &[Event], log: &Log) -> Vec<String> {
    let (mut values, mut entries, mut problems) = ([0; N_CLIENTS], log.iter().peekable(), Vec::new());
    let mut n_written: BTreeMap<(usize, u64), u32> = BTreeMap::new();
    log.values().flatten().for_each(|it| *n_written.entry(*it).or_default() += 1);
    problems
        .extend(n_written.into_iter().filter(|(_, n)| *n > 1).map(|(it, n)| format!("{it:?}: {n} times")));
    let mut by_position: Vec<&Event> = events.iter().collect();
    by_position.sort_by_key(|it| it.position);
    for event in by_position {
        while let Some((_, written)) = entries.next_if(|(position, _)| **position <= event.position) {
            written.iter().for_each(|(register, value)| values[*register] = *value);
        }
        let is_right = match &event.answered {
            Answered::Wrote(value) => {
                log.get(&event.position).is_some_and(|it| it.contains(&(event.client, *value)))
            }
            Answered::Read(found) => *found == values,
        };
        if !is_right {
            problems.push(format!("the log has {values:?}: {event:?}"));
        }
    }
    problems
}

fn assert_none(what: &str, problems: &[String]) {
    let shown = &problems[..problems.len().min(N_SHOWN_MAX)];
    assert!(problems.is_empty(), "{what}, {} times: {shown:#?}", problems.len());
}

pub(crate) fn answers_are_of_the_log_and_in_the_order_of_time_while_leaders_are_lost() {
    let Some(shop) = Shop::open(3) else { return };
    let (epoch, time) = (shop.epoch(), seconds("ATOLL_HISTORY_SECONDS", SECONDS.0, SECONDS.1));
    let (events, log) = history(&shop, time, true, true);
    let n_writes = events.iter().filter(|it| matches!(it.answered, Answered::Wrote(_))).count();
    let (n, n_terms) = (events.len(), shop.epoch() - epoch);
    eprintln!("{n} answers, of which {n_writes} to writes, over {n_terms} changes of the leadership");
    assert!(n_writes.min(n - n_writes) > N_CLIENTS && n_terms > 0, "too little happened");
    assert_none("not what the log says", &not_of_the_log(&events, &log));
    assert_none("out of order", &out_of_order(&events));
    assert_none("less than was seen", &less_than_seen(&events));
    shop.close();
}

/// The control: plain reads at any host are claimed to be strict, and to be of no less than was seen.
pub(crate) fn plain_reads_are_neither_strict_nor_of_what_was_seen() {
    let Some(shop) = Shop::open(3) else { return };
    let ends_at = Instant::now() + PATIENCE;
    let mut found = [false; 2];
    while found != [true; 2] {
        assert!(Instant::now() < ends_at, "nobody noticed: strict {}, carried {}", found[0], found[1]);
        let (events, log) = history(&shop, Duration::from_secs(2), false, false);
        assert_none("not what the log says", &not_of_the_log(&events, &log));
        found[0] |= !out_of_order(&events).is_empty();
        found[1] |= !less_than_seen(&events).is_empty();
    }
    shop.close();
}

/// The checks themselves, of histories that are wrong in one way each.
pub(crate) fn checks_of_histories_find_what_is_wrong() {
    let (now, log) = (Instant::now(), Log::from([(1, vec![(0, 1)]), (2, vec![(1, 1)])]));
    let at = |n: u64| now + Duration::from_secs(n);
    let event = |client, time, position, answered| Event {
        client,
        begun: at(time),
        ended: at(time + 1),
        position,
        answered,
    };
    let read = |of: [u64; 2]| {
        let mut values = vec![0; N_CLIENTS];
        values[..2].copy_from_slice(&of);
        Answered::Read(values)
    };
    let check = |events: &[Event]| {
        [not_of_the_log(events, &log), out_of_order(events), less_than_seen(events)].map(|it| it.len())
    };
    let written = [event(0, 0, 1, Answered::Wrote(1)), event(1, 2, 2, Answered::Wrote(1))];
    let with = |last: Event| [written[0].clone(), written[1].clone(), last];
    assert_eq!(check(&with(event(0, 4, 2, read([1, 1])))), [0, 0, 0]);
    assert_eq!(check(&with(event(3, 4, 1, read([1, 0])))), [0, 0, 0], "another client has seen more");
    assert_eq!(check(&with(event(0, 4, 2, read([1, 0])))), [1, 0, 0], "a value is missing");
    assert_eq!(check(&with(event(0, 4, 1, read([1, 0])))), [0, 1, 0], "a strict read is late");
    assert_eq!(check(&with(event(1, 4, 1, read([1, 0])))), [0, 0, 1], "a client has seen more");
    assert_eq!(check(&with(event(2, 4, 3, Answered::Wrote(7)))), [1, 0, 0], "what was answered is not there");
    assert_eq!(check(&with(event(0, 4, 2, Answered::Wrote(7)))), [1, 1, 0], "no commit has its own position");
}
