//! `cargo xtask load` on tiny data sets: every scenario is answered as it expects. Figures are not looked at.

use std::{
    env,
    ffi::OsString,
    fs,
    process::{Command, ExitCode, Output},
};

use atoll_host::Host;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use tempfile::TempDir;

/// Commands of the host that the program runs: with them this binary runs no test, but is a host.
const OF_HOST: [&str; 2] = ["serve", "import"];
/// First argument of the program itself.
const MEASURE: &str = "measure-load";

fn main() -> ExitCode {
    let mut args: Vec<OsString> = env::args_os().collect();
    let is = |what: &str| args.get(1).is_some_and(|it| it == what);
    if OF_HOST.iter().any(|it| is(it)) {
        return Host::new().main();
    }
    if is(atoll_load::FLOOR) {
        return atoll_load::main(args);
    }
    if is(MEASURE) {
        args.remove(1);
        return atoll_load::main(args);
    }
    let tests = vec![
        Trial::test("every_scenario_is_answered_as_it_expects", every_scenario_is_answered_as_it_expects),
        Trial::test(
            "scenarios_are_chosen_by_name_and_run_beside_another_commit",
            scenarios_are_chosen_by_name_and_run_beside_another_commit,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

/// Runs the program on data sets of a few products.
fn measure(args: &[&str]) -> (Output, Value) {
    let (folder, binary) = (TempDir::new().expect("a folder"), env::current_exe().expect("this binary"));
    let json = folder.path().join("figures.json");
    let output = Command::new(&binary)
        .args([MEASURE, "--small", "20", "--large", "40", "--wide", "30", "--wide-channels", "25"])
        .args(["--orders", "20", "--links", "30", "--carts", "40", "--seconds", "0.02", "--attackers", "4"])
        .args(["--clients-max", "4"])
        .arg("--binary")
        .arg(&binary)
        .arg("--folder")
        .arg(folder.path())
        .arg("--save")
        .arg(&json)
        .args(args)
        .output()
        .expect("the program runs");
    let figures = fs::read(json).ok().and_then(|it| serde_json::from_slice(&it).ok()).unwrap_or_default();
    (output, figures)
}

fn every_scenario_is_answered_as_it_expects() -> Result<(), Failed> {
    let (output, figures) = measure(&[]);
    let (table, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{table}\n{log}");
    let (list, _) = measure(&["--list"]);
    let list = String::from_utf8(list.stdout)?;
    for line in list.lines() {
        let name = line.split("  ").next().expect("a name");
        assert!(table.contains(&format!("| {name}")), "{name} is missing:\n{table}");
    }
    let rows = figures["rows"].as_array().expect("rows");
    let row = |name: &str, set: &str| {
        let found = rows.iter().find(|it| it["name"] == name && it["set"] == set);
        found.unwrap_or_else(|| panic!("no row {name} of the {set} set:\n{table}"))
    };
    let page = row("list order=title", "large");
    assert!(page["here"]["keys"].as_f64() > Some(1.0) && page["floor"]["n"].as_u64() > Some(0), "{page}");
    for name in ["cart create", "cart complete", "checkout"] {
        let write = row(name, "written");
        assert!(
            write["here"]["keys"].as_f64() > Some(1.0) && write["floor"]["n"].as_u64() > Some(0),
            "{write}"
        );
    }
    for row in rows {
        let is_empty = row["here"]["n"] == 0 && row["note"].is_null();
        assert!(!is_empty, "nothing was measured: {row}");
    }
    Ok(())
}

fn scenarios_are_chosen_by_name_and_run_beside_another_commit() -> Result<(), Failed> {
    let binary = env::current_exe()?.to_string_lossy().into_owned();
    let other = ["--beside", "another", "--beside-binary", &binary];
    let (output, figures) = measure(&[&["list category", "--large", "0"][..], &other].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = figures["rows"].as_array().expect("rows");
    assert_eq!(rows.iter().map(|it| &it["set"]).collect::<Vec<_>>(), ["small"]);
    assert!(rows[0]["beside"]["n"].as_u64() > Some(0), "{rows:?}");
    let (output, _) = measure(&["nothing has this name"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no scenario has such a name"));
    Ok(())
}
