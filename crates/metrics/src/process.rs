//! The process, by the names that Prometheus has for it: memory, processor time, file descriptors, start;
//! where `/proc` tells them.

use std::{fmt, fs};

use crate::families::Families;

/// The unit of times in `/proc/self/stat` on every Linux: a hundredth of a second.
const TICKS_PER_S: f64 = 100.0;

pub(crate) fn write(to: &mut Families<'_>) -> fmt::Result {
    to.gauges(
        "atoll_build_info",
        "The version that is running",
        [([("version", env!("CARGO_PKG_VERSION"))], 1.0)],
    )?;
    if let Some((cpu_s, started_s)) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(times) {
        to.counter("process_cpu_seconds", "Processor time, of the user and the system", cpu_s)?;
        if let Some(booted_s) = booted_s() {
            let started_s = booted_s + started_s;
            to.gauge("process_start_time_seconds", "When the process has started, since 1970", started_s)?;
        }
    }
    if let Some(bytes) = fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident_bytes) {
        to.gauge("process_resident_memory_bytes", "Memory that is resident", bytes)?;
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is for reading this folder.
        to.gauge("process_open_fds", "Open file descriptors", open.count().saturating_sub(1) as f64)?;
    }
    let max = fs::read_to_string("/proc/self/limits").ok();
    if let Some(max) = max.as_deref().and_then(descriptors_max) {
        to.gauge("process_max_fds", "The most file descriptors that may be open", max)?;
    }
    Ok(())
}

/// Processor time, and the start since the boot, in seconds, from `/proc/self/stat`. The name of the program
/// in it may hold blanks and parentheses.
fn times(stat: &str) -> Option<(f64, f64)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<f64>().ok();
    Some(((field(14)? + field(15)?) / TICKS_PER_S, field(22)? / TICKS_PER_S))
}

/// When the machine has booted, in seconds since 1970.
fn booted_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

fn descriptors_max(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_process_are_read_from_proc() {
        let stat =
            "4711 (a) b (c) S 1 4711 4711 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 4 0 123456 1000 200 1";
        assert_eq!(times(stat), Some((2.0, 1234.56)));
        assert_eq!(times("damaged"), None);
        assert_eq!(resident_bytes("VmHWM:\t    9000 kB\nVmRSS:\t    2000 kB\n"), Some(2_048_000.0));
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(descriptors_max(limits), Some(1024.0));
        assert_eq!(descriptors_max("Max open files            unlimited            unlimited  files"), None);
    }
}
