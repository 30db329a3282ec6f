//! Jobs, on a manual clock that starts at 08:00:00. The slow jobs run from seven to eight only, so that they
//! do not interfere with other tests.

use std::time::Duration;

use atoll_background::Background;
use atoll_kernel::{Ctx, Fault, job, jobs::Tick};
use atoll_testkit::{Client, TestApp};
use serde_json::Value;

use crate::committed;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

job! { "test.each-minute" at "* * * * *" => nothing }
job! { "test.thrice" every Duration::from_secs(60), n_runs_max: Some(3) => nothing }

async fn nothing(_: Ctx, _: Tick) -> Result<(), Fault> {
    Ok(())
}

job! { "test.fail-hourly" at "0 * * * *" => fail }

async fn fail(_: Ctx, tick: Tick) -> Result<(), Fault> {
    assert!(tick.n_runs != 2, "on purpose");
    if tick.n_runs == 1 { Err(Fault::unexpected("the feed is not there")) } else { Ok(()) }
}

job! { "test.slow" at "*/10 * 7 * * *" => take_35_seconds }
job! { "test.slow-overlapping" at "*/10 * 7 * * *", may_overlap: true => take_35_seconds }

async fn take_35_seconds(ctx: Ctx, tick: Tick) -> Result<(), Fault> {
    ctx.sleep_until(ctx.now(), tick.scheduled_for.plus_millis(35 * SECOND)).await;
    Ok(())
}

struct Bench {
    app: TestApp,
    admin: Client,
}

impl Bench {
    async fn new() -> Bench {
        Bench::after(0).await
    }

    async fn after(millis: i64) -> Bench {
        let app = TestApp::init().await;
        app.advance_ms(millis);
        let (app, admin) = app.with_admin().await;
        Bench { app, admin }
    }

    async fn start(&self) -> Background {
        self.app.background().await
    }

    /// The runs of a job, the oldest first: scheduled time, state, number of missed times.
    async fn runs(&self, job: &str) -> Vec<String> {
        let list = self.admin.get(&format!("/admin/job-runs?job={job}&order=id&limit=100")).await.ok();
        let runs = list["job_runs"].as_array().expect("runs");
        let line = |run: &Value| {
            let moment = &run["scheduled_for"].as_str().expect("a moment")[5..19];
            let (state, n_missed) = (run["state"].as_str().expect("a state"), &run["n_missed"]);
            if state == "missed" {
                format!("{moment} {state} {n_missed}")
            } else {
                format!("{moment} {state}")
            }
        };
        runs.iter().map(line).collect()
    }

    /// Waits until the runs of a job are these.
    async fn wait_for(&self, job: &str, expect: &[&str]) {
        let runs = async || {
            let runs = self.runs(job).await;
            if runs == expect { Ok(()) } else { Err(format!("{job}: {runs:?}, and not {expect:?}")) }
        };
        committed(&self.app, runs).await;
    }

    /// Waits until the progress of a job has this field.
    async fn wait_for_standing(&self, job: &str, field: &str, expect: impl Into<Value>) {
        let expect = expect.into();
        let standing = async || {
            let standing = self.standing(job).await;
            if standing[field] == expect {
                Ok(())
            } else {
                Err(format!("{job}: {standing}, and not {expect}"))
            }
        };
        committed(&self.app, standing).await;
    }

    /// Runs, pauses or resumes a job.
    async fn act(&self, job: &str, action: &str) -> Value {
        self.admin.post(&format!("/admin/jobs/{job}/{action}"), serde_json::json!({})).await.ok()["job"]
            .clone()
    }

    /// When `test.thrice` runs after its n-th run, which was n minutes after the start.
    fn after_run(&self, n: i64) -> Value {
        if n == 3 { Value::Null } else { format!("2027-01-15T08:{:02}:00.000Z", n + 1).into() }
    }

    async fn standing(&self, job: &str) -> Value {
        let list = self.admin.get("/admin/jobs").await.ok();
        let jobs = list["jobs"].as_array().expect("jobs");
        jobs.iter().find(|it| it["name"] == job).expect("the job").clone()
    }
}

#[tokio::test]
async fn damaged_run_does_not_stop_later_runs_of_the_job() {
    let (bench, job) = (Bench::new().await, "test.each-minute");
    let background = bench.start().await;
    bench.app.advance_ms(MINUTE);
    bench.wait_for(job, &["01-15T08:01:00 done"]).await;
    background.stop().await;
    let list = bench.admin.get(&format!("/admin/job-runs?job={job}")).await.ok();
    let run = list["job_runs"][0]["id"].as_str().expect("an id");
    bench.app.damage("job_run", run.as_bytes()).await;
    let background = bench.start().await;
    bench.app.advance_ms(MINUTE);
    bench.wait_for_standing(job, "n_runs", 2).await;
    background.stop().await;
}

#[tokio::test]
async fn job_runs_on_schedule_and_reports_missed_runs() {
    let (bench, job) = (Bench::new().await, "test.each-minute");
    let standing = bench.standing(job).await;
    assert_eq!((&standing["schedule"], &standing["next_run_at"]), (&"* * * * *".into(), &Value::Null));
    let background = bench.start().await;
    bench.app.advance_ms(MINUTE + 20 * SECOND);
    bench.wait_for(job, &["01-15T08:01:00 done"]).await;
    background.stop().await;

    bench.app.advance_ms(10 * MINUTE);
    let background = bench.start().await;
    let before = ["01-15T08:01:00 done", "01-15T08:11:00 missed 10"];
    bench.wait_for(job, &before).await;
    bench.app.advance_ms(MINUTE);
    bench.wait_for(job, &[&before[..], &["01-15T08:12:00 done"]].concat()).await;
    let standing = bench.standing(job).await;
    assert_eq!((&standing["n_runs"], &standing["concurrency"]), (&2.into(), &"forbid".into()));
    assert_eq!(standing["next_run_at"], "2027-01-15T08:13:00.000Z");
    background.stop().await;
}

#[tokio::test]
async fn job_runs_once_after_the_machine_slept() {
    let (bench, job) = (Bench::new().await, "test.each-minute");
    let background = bench.start().await;
    bench.app.advance_ms(10 * MINUTE);
    bench.wait_for(job, &["01-15T08:09:00 missed 9", "01-15T08:10:00 done"]).await;
    background.stop().await;
}

#[tokio::test]
async fn interval_jobs_count_from_the_last_run_and_stop_at_their_limit() {
    let (bench, job) = (Bench::new().await, "test.thrice");
    let background = bench.start().await;
    bench.app.advance_ms(MINUTE);
    bench.wait_for(job, &["01-15T08:01:00 done"]).await;
    bench.app.advance_ms(MINUTE + 30 * SECOND);
    bench.wait_for(job, &["01-15T08:01:00 done", "01-15T08:02:00 done"]).await;
    assert_eq!(bench.standing(job).await["next_run_at"], "2027-01-15T08:03:30.000Z");
    background.stop().await;

    // An interval job does not miss runs, it runs late.
    bench.app.advance_ms(HOUR);
    let background = bench.start().await;
    let all = ["01-15T08:01:00 done", "01-15T08:02:00 done", "01-15T08:03:30 done"];
    bench.wait_for(job, &all).await;
    bench.app.advance_ms(HOUR);
    // Another job shows that the scheduler has read the clock since.
    bench.wait_for_standing("test.each-minute", "next_run_at", "2027-01-15T10:03:00.000Z").await;
    bench.wait_for(job, &all).await;
    assert_eq!(bench.standing(job).await["next_run_at"], Value::Null);
    background.stop().await;
}

#[tokio::test]
async fn failed_job_records_its_error_and_runs_again() {
    let (bench, job) = (Bench::new().await, "test.fail-hourly");
    let background = bench.start().await;
    let runs = ["01-15T09:00:00 failed", "01-15T10:00:00 failed", "01-15T11:00:00 done"];
    for n in 1..=runs.len() {
        bench.app.advance_ms(HOUR);
        bench.wait_for(job, &runs[..n]).await;
    }
    let list = bench.admin.get(&format!("/admin/job-runs?job={job}&state=failed&order=id")).await.ok();
    assert_eq!(list["job_runs"][0]["error"], "An unknown error occurred: the feed is not there");
    assert!(list["job_runs"][1]["error"].as_str().is_some_and(|it| it.contains("on purpose")));
    background.stop().await;
}

#[tokio::test]
async fn runs_do_not_overlap_unless_the_job_says_so() {
    let bench = Bench::after(23 * HOUR).await;
    let background = bench.start().await;
    bench.app.advance_ms(10 * SECOND);
    bench.wait_for("test.slow", &["01-16T07:00:10 running"]).await;
    bench.wait_for("test.slow-overlapping", &["01-16T07:00:10 running"]).await;
    bench.app.advance_ms(10 * SECOND);
    bench.wait_for("test.slow-overlapping", &["01-16T07:00:10 running", "01-16T07:00:20 running"]).await;
    bench.wait_for("test.slow", &["01-16T07:00:10 running"]).await;
    bench.app.advance_ms(25 * SECOND);
    let ended = ["01-16T07:00:10 done", "01-16T07:00:40 missed 3"];
    bench.wait_for("test.slow", &ended).await;
    bench.app.advance_ms(5 * SECOND);
    bench.wait_for("test.slow", &[&ended[..], &["01-16T07:00:50 running"]].concat()).await;
    // A run that has started is finished.
    bench.app.advance_ms(HOUR);
    background.stop().await;
    assert!(bench.runs("test.slow").await.iter().all(|it| !it.ends_with("running")));
}

#[tokio::test]
async fn run_of_a_dead_host_is_abandoned_when_its_lease_expires() {
    let (bench, job) = (Bench::after(23 * HOUR).await, "test.slow");
    let background = bench.start().await;
    bench.app.advance_ms(10 * SECOND);
    bench.wait_for(job, &["01-16T07:00:10 running"]).await;
    // As after a crash: the run is not ended.
    drop(background);
    let background = bench.start().await;
    bench.app.advance_ms(30 * SECOND);
    bench
        .wait_for(
            "test.slow-overlapping",
            &["01-16T07:00:10 running", "01-16T07:00:30 missed 2", "01-16T07:00:40 running"],
        )
        .await;
    bench.wait_for(job, &["01-16T07:00:10 running"]).await;
    bench.app.advance_ms(30 * SECOND);
    let runs = ["01-16T07:00:10 abandoned", "01-16T07:01:00 missed 5", "01-16T07:01:10 running"];
    bench.wait_for(job, &runs).await;
    bench.app.advance_ms(HOUR);
    background.stop().await;
}

#[tokio::test]
async fn expired_lease_abandons_a_run_before_the_next_is_due() {
    let (bench, job) = (Bench::after(23 * HOUR + 59 * MINUTE + 45 * SECOND).await, "test.slow");
    let background = bench.start().await;
    bench.app.advance_ms(5 * SECOND);
    bench.wait_for(job, &["01-16T07:59:50 running"]).await;
    drop(background);
    let background = bench.start().await;
    bench.app.advance_ms(30 * SECOND);
    assert_eq!(bench.runs(job).await, ["01-16T07:59:50 running"]);
    bench.app.advance_ms(30 * SECOND);
    bench.wait_for(job, &["01-16T07:59:50 abandoned"]).await;
    background.stop().await;
}

#[tokio::test]
async fn paused_job_does_not_run_until_it_is_resumed_also_after_a_restart() {
    let (bench, job) = (Bench::new().await, "test.each-minute");
    let background = bench.start().await;
    bench.app.advance_ms(MINUTE);
    let first = ["01-15T08:01:00 done"];
    bench.wait_for(job, &first).await;
    let paused = bench.act(job, "pause").await;
    assert_eq!((&paused["is_paused"], &paused["next_run_at"]), (&true.into(), &Value::Null));
    background.stop().await;
    let background = bench.start().await;
    bench.app.advance_ms(10 * MINUTE);
    // Another job shows that the schedulers have read the clock since.
    bench.wait_for("test.thrice", &["01-15T08:01:00 done", "01-15T08:02:00 done"]).await;
    bench.wait_for(job, &first).await;
    let resumed = bench.act(job, "resume").await;
    assert_eq!(resumed["next_run_at"], "2027-01-15T08:12:00.000Z");
    bench.app.advance_ms(MINUTE);
    // What it would have run meanwhile was not missed.
    bench.wait_for(job, &[first[0], "01-15T08:12:00 done"]).await;
    background.stop().await;
}

#[tokio::test]
async fn job_is_run_now_beside_its_schedule_and_while_it_is_paused() {
    let (bench, job) = (Bench::new().await, "test.fail-hourly");
    let background = bench.start().await;
    bench.act(job, "pause").await;
    bench.app.advance_ms(5 * MINUTE);
    bench.act(job, "run").await;
    // It is asked for once, however often.
    assert_eq!(bench.act(job, "run").await["next_run_at"], "2027-01-15T08:05:00.000Z");
    bench.app.advance_ms(MINUTE);
    bench.wait_for(job, &["01-15T08:05:00 failed"]).await;
    let standing = bench.standing(job).await;
    let last = &standing["last_run"];
    assert_eq!((&last["state"], &standing["n_runs"]), (&"failed".into(), &1.into()));
    assert!(last["duration_ms"].is_number() && last["error"].is_string(), "{standing}");
    assert_eq!((&standing["is_paused"], &standing["next_run_at"]), (&true.into(), &Value::Null));
    // The schedule goes on where it would have.
    bench.act(job, "resume").await;
    assert_eq!(bench.standing(job).await["next_run_at"], "2027-01-15T09:00:00.000Z");
    bench.act(job, "run").await;
    bench.app.advance_ms(MINUTE);
    let now = ["01-15T08:05:00 failed", "01-15T08:06:00 failed"];
    bench.wait_for(job, &now).await;
    bench.app.advance_ms(53 * MINUTE);
    bench.wait_for(job, &[now[0], now[1], "01-15T09:00:00 done"]).await;
    background.stop().await;
    let run = bench.admin.post("/admin/jobs/none/run", serde_json::json!({})).await;
    assert_eq!(run.error(), "404 not_found: Job with name: none was not found");
}

#[tokio::test]
async fn job_that_has_run_as_often_as_it_may_is_not_run_again() {
    let (bench, job) = (Bench::new().await, "test.thrice");
    let background = bench.start().await;
    for n in 1..=3 {
        bench.app.advance_ms(MINUTE);
        bench.wait_for_standing(job, "n_runs", n).await;
        bench.wait_for_standing(job, "next_run_at", bench.after_run(n)).await;
    }
    background.stop().await;
    let run = bench.admin.post(&format!("/admin/jobs/{job}/run"), serde_json::json!({})).await;
    assert_eq!(run.error(), format!("400 not_allowed: Job {job} has run as often as it may"));
}

#[tokio::test]
async fn two_hosts_run_each_scheduled_job_once() {
    let (bench, job) = (Bench::new().await, "test.each-minute");
    let hosts = [bench.start().await, bench.start().await];
    let mut expect = Vec::new();
    for minute in 1..=20 {
        bench.app.advance_ms(MINUTE);
        expect.push(format!("01-15T08:{minute:02}:00 done"));
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        bench.wait_for(job, &expect).await;
    }
    for host in hosts {
        host.stop().await;
    }
}

#[tokio::test]
async fn only_the_last_50_runs_of_a_job_are_kept() {
    let (bench, job) = (Bench::new().await, "test.each-minute");
    let background = bench.start().await;
    for minute in 1..=60 {
        bench.app.advance_ms(MINUTE);
        bench.wait_for_standing(job, "n_runs", minute).await;
        let ended = async || {
            let runs = bench.runs(job).await;
            if runs.iter().any(|it| it.ends_with("running")) { Err(format!("{runs:?}")) } else { Ok(()) }
        };
        committed(&bench.app, ended).await;
    }
    let runs = bench.runs(job).await;
    assert_eq!((runs.len(), runs[0].as_str()), (50, "01-15T08:11:00 done"));
    background.stop().await;
}

#[tokio::test]
async fn jobs_resume_after_the_clock_is_set_back() {
    let bench = Bench::new().await;
    let background = bench.start().await;
    bench.app.advance_ms(22 * HOUR);
    let ahead = ["01-16T05:59:00 missed 1000", "01-16T06:00:00 done"];
    bench.wait_for("test.each-minute", &ahead).await;
    let interval = ["01-15T08:01:00 done"];
    bench.wait_for("test.thrice", &interval).await;
    bench.app.advance_ms(-22 * HOUR);
    // After that, the schedules continue from the current time.
    for (job, next) in
        [("test.each-minute", "2027-01-15T08:01:00.000Z"), ("test.thrice", "2027-01-15T08:01:00.000Z")]
    {
        bench.wait_for_standing(job, "next_run_at", next).await;
    }
    bench.app.advance_ms(MINUTE);
    bench.wait_for("test.each-minute", &[&ahead[..], &["01-15T08:01:00 done"]].concat()).await;
    bench.wait_for("test.thrice", &[&interval[..], &["01-15T08:01:00 done"]].concat()).await;
    background.stop().await;
}

#[tokio::test]
async fn run_that_is_asked_for_while_the_clock_is_ahead_begins_when_it_is_set_back() {
    let (bench, job) = (Bench::new().await, "test.fail-hourly");
    bench.app.advance_ms(22 * HOUR);
    assert_eq!(bench.act(job, "run").await["next_run_at"], "2027-01-16T06:00:00.000Z");
    bench.app.advance_ms(-22 * HOUR);
    let background = bench.start().await;
    bench.app.advance_ms(MINUTE);
    bench.wait_for_standing(job, "n_runs", 1).await;
    background.stop().await;
}
