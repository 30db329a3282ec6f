//! The report: a table for people, and the same figures as JSON.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use crate::{measure::Figures, scenarios::Target, sets::Made};

/// What was measured of one scenario on one data set.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) set: String,
    pub(crate) here: Figures,
    /// The same bytes from memory, or the same writes by redb alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<Figures>,
    /// The binary of the other commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beside: Option<Figures>,
    /// Bytes of the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(skip)]
    pub(crate) target: Target,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, set: &str, here: Figures) -> Row {
        let (name, set) = (name.into(), set.to_owned());
        Row { name, set, here, floor: None, beside: None, bytes: None, note: None, target: Target::default() }
    }

    /// A row that only says why there is nothing.
    pub(crate) fn nothing(name: &str, set: &str, why: impl Into<String>) -> Row {
        Row { note: Some(why.into()), ..Row::new(name, set, Figures::default()) }
    }
}

/// All of one run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) commit: String,
    pub(crate) beside: Option<String>,
    pub(crate) machine: String,
    /// The data sets, by commit and name.
    pub(crate) sets: BTreeMap<String, Made>,
    pub(crate) rows: Vec<Row>,
}

/// CPU time, or else the median of the time.
fn cost(figures: &Figures) -> f64 {
    figures.cpu_us.unwrap_or(figures.p50_ms * 1e3)
}

/// `a / b`, if both are there.
fn ratio(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).filter(|(a, b)| *a > 0.0 && *b > 0.0).map(|(a, b)| a / b)
}

fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(it) if it >= 100.0 => format!("{it:.0}"),
        Some(it) if it >= 10.0 => format!("{it:.1}"),
        Some(it) => format!("{it:.2}"),
    }
}

impl Report {
    /// Of this commit, beside another one, before anything was measured.
    pub(crate) fn new(commit: &str, beside: Option<&str>) -> Report {
        let beside = beside.map(str::to_owned);
        Report {
            commit: commit.to_owned(),
            beside,
            machine: machine(),
            sets: BTreeMap::new(),
            rows: Vec::new(),
        }
    }

    /// The row of the same scenario on the small set.
    fn small(&self, row: &Row) -> Option<&Row> {
        if row.set != "large" {
            return None;
        }
        self.rows.iter().find(|it| it.name == row.name && it.set == "small")
    }

    /// Markdown: a line for each scenario and data set, and what became of its targets.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{} on {}", self.commit, self.machine);
        if let Some(beside) = &self.beside {
            text += &format!(", beside {beside}");
        }
        text += "\n\n| scenario | set | per s | p50 ms | p99 ms | CPU µs | keys | bytes | RSS MB | remembered | floor \
                 CPU µs | floor / CPU | beside CPU µs | CPU / beside | CPU large / small | keys large / small | \
                 target |\n";
        text += &format!("|{}\n", " --- |".repeat(17));
        for row in &self.rows {
            let here = &row.here;
            let has_run = here.n > 0;
            let shown = |value: f64| figure(Some(value).filter(|_| has_run));
            let small = self.small(row).map(|it| &it.here);
            let of_small = small.and_then(|it| ratio(here.cpu_us, it.cpu_us));
            let keys_of_small = small.and_then(|it| ratio(here.keys, it.keys));
            let of_floor = row.floor.as_ref().and_then(|it| ratio(Some(cost(it)), Some(cost(here))));
            let beside = row.beside.as_ref().and_then(|it| it.cpu_us);
            let of_beside = ratio(here.cpu_us, beside);
            let bytes = row.bytes.map(|it| it as f64);
            let target = &row.target;
            let judged = [
                ("large / small ≤", of_small, target.of_small_max, false),
                ("keys large / small ≤", keys_of_small, target.of_small_max, false),
                ("floor ≥", of_floor, target.of_floor_min, true),
                ("beside ≤", of_beside, target.of_beside_max, false),
                ("CPU ≤", here.cpu_us, target.cpu_us_max, false),
                ("p99 ≤", Some(here.p99_ms), target.p99_ms_max, false),
                ("bytes ≤", bytes, target.bytes_max, false),
            ];
            let judged = judged.into_iter().filter_map(|(what, value, target, is_least)| {
                let (value, target) = value.filter(|_| has_run).zip(target)?;
                let is_met = if is_least { value >= target } else { value <= target };
                Some(format!("{what} {target}: {}", if is_met { "met" } else { "MISSED" }))
            });
            let mut said: Vec<String> = judged.collect();
            said.extend(row.note.clone());
            said.extend(here.failure.as_ref().map(|it| format!("{} FAILED: {it}", here.n_failed)));
            let beside_failed = row.beside.as_ref().and_then(|it| it.failure.clone());
            said.extend(beside_failed.map(|it| format!("beside failed: {it}")));
            let cells = [
                row.name.clone(),
                row.set.clone(),
                shown(here.per_s),
                shown(here.p50_ms),
                shown(here.p99_ms),
                figure(here.cpu_us),
                figure(here.keys),
                figure(bytes),
                figure(here.rss_mb),
                figure(here.remembered),
                figure(row.floor.as_ref().map(cost)),
                figure(of_floor),
                figure(beside),
                figure(of_beside),
                figure(of_small),
                figure(keys_of_small),
                said.join("; ").replace('|', "/"),
            ];
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text += "\n| data set | products | import s | products/s | peak MB | file MB | orders |\n";
        text += &format!("|{}\n", " --- |".repeat(7));
        for (name, it) in &self.sets {
            let Made { products, import_s, per_s, peak_mb, file_mb, orders } = it;
            let _ = writeln!(
                text,
                "| {name} | {products} | {import_s:.1} | {per_s:.0} | {peak_mb:.0} | {file_mb:.0} | {orders} |"
            );
        }
        text
    }

    /// Writes the figures to a file.
    pub(crate) fn save(&self, file: &Path) -> anyhow::Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        // A line for each row, and no more digits than were measured, so that two files can be compared.
        let mut report = serde_json::to_value(self)?;
        round(&mut report);
        let rows = report["rows"].take();
        let rows = rows.as_array().into_iter().flatten().map(Value::to_string).collect::<Vec<_>>();
        let head = report.to_string().replace("\"rows\":null", "\"rows\":[\n");
        let (head, tail) = head.split_once("[\n").context("a report has rows")?;
        let json = format!("{head}[\n{}\n]{tail}\n", rows.join(",\n"));
        fs::write(file, json).with_context(|| format!("failed to write `{}`", file.display()))
    }
}

/// Rounds all numbers to three digits behind the point.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            *value = ((number * 1e3).round() / 1e3).into();
        }
        Value::Array(all) => all.iter_mut().for_each(round),
        Value::Object(all) => all.values_mut().for_each(round),
        _ => {}
    }
}

/// The processor, and how many of them.
pub(crate) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let n = std::thread::available_parallelism().map_or(1, |it| it.get());
    format!("{n} × {}", model.map_or("unknown processor", |(_, name)| name))
}
