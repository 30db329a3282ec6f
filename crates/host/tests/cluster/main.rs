//! Several hosts as processes, over a PostgreSQL of the test: what they promise, while they are killed and
//! stopped, and while PostgreSQL fails. Skipped where there is no PostgreSQL.

mod buying;
mod client;
mod example;
mod failover;
mod histories;
mod network;
mod shop;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use self::{
    buying::{
        each_cart_is_one_order_with_one_payment_while_leaders_are_lost,
        last_unit_is_sold_once_while_leaders_are_killed,
    },
    example::example_of_three_hosts_loses_nothing,
    failover::{
        acknowledged_writes_survive_a_failover_by_patroni,
        acknowledged_writes_survive_a_failover_of_postgresql_that_loses_none,
        host_that_is_cut_off_without_a_word_is_followed_by_another_and_comes_back,
        hosts_notice_a_failover_of_postgresql_that_loses_commits,
        reads_go_on_without_postgresql_and_writes_come_back,
    },
    histories::{
        answers_are_of_the_log_and_in_the_order_of_time_while_leaders_are_lost,
        checks_of_histories_find_what_is_wrong, plain_reads_are_neither_strict_nor_of_what_was_seen,
    },
};

macro_rules! tests {
    ($($name:ident),+ $(,)?) => { [$((stringify!($name), $name as fn())),+] };
}

fn main() -> ExitCode {
    // Each test has several processes: one test after the other.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let tests = tests![
        checks_of_histories_find_what_is_wrong,
        answers_are_of_the_log_and_in_the_order_of_time_while_leaders_are_lost,
        plain_reads_are_neither_strict_nor_of_what_was_seen,
        last_unit_is_sold_once_while_leaders_are_killed,
        each_cart_is_one_order_with_one_payment_while_leaders_are_lost,
        reads_go_on_without_postgresql_and_writes_come_back,
        acknowledged_writes_survive_a_failover_of_postgresql_that_loses_none,
        acknowledged_writes_survive_a_failover_by_patroni,
        hosts_notice_a_failover_of_postgresql_that_loses_commits,
        host_that_is_cut_off_without_a_word_is_followed_by_another_and_comes_back,
        example_of_three_hosts_loses_nothing,
    ];
    let is_skipped = !atoll_test_postgres::is_there();
    if is_skipped {
        eprintln!("skipped: there is no PostgreSQL in /usr/lib/postgresql");
    }
    let trial = |(name, test): (&str, fn())| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(is_skipped)
    };
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit_code()
}
