//! The program: its modules, their settings and their commands.

use std::process::Command;

fn run(args: &[&str], env: &[(&str, &str)]) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-host"));
    command.args(args).current_dir(folder.path()).envs(env.iter().copied()).env("NO_COLOR", "1");
    let done = command.output().expect("the program runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), text)
}

#[test]
fn program_has_its_module_and_lacks_the_one_that_it_leaves_out() {
    let (ok, text) = run(&["check"], &[]);
    assert!(ok && text.contains("module order-notes (optional): Notes on orders"), "{text}");
    assert!(text.contains("module fulfillment (optional): switched off"), "{text}");
    assert!(text.contains("setting order-notes.days: 30"), "{text}");
    assert!(text.contains("relation order.notes: order_note[] by link"), "{text}");
    let (ok, document) = run(&["openapi"], &[]);
    assert!(ok && document.contains("/admin/order-notes"), "{document}");
    assert!(!document.contains("/admin/orders/{id}/fulfillments"));
    let (ok, text) = run(&["check"], &[("ATOLL_MODULES_OFF", "order-notes")]);
    assert!(ok && text.contains("module order-notes (optional): switched off"), "{text}");
    assert!(!text.contains("order-notes.days"), "{text}");
}

#[test]
fn settings_of_the_module_are_shown_with_their_sources_and_refused_with_all_others() {
    let days = [("ATOLL_ORDER_NOTES_DAYS", "7")];
    let (ok, text) = run(&["check", "--config", "--set", "order-notes.first_note=Hello"], &days);
    assert!(ok, "{text}");
    assert!(text.contains("order-notes.days = 7 (ATOLL_ORDER_NOTES_DAYS)"), "{text}");
    assert!(text.contains("order-notes.first_note = Hello (--set)"), "{text}");
    let wrong = [("ATOLL_ORDER_NOTES_DAYS", "0"), ("ATOLL_LISTEN", "nowhere")];
    let (ok, text) = run(&["check", "--config", "--set", "order-notes.day=1"], &wrong);
    assert!(!ok, "{text}");
    for line in [
        "order-notes.day is not a setting of a module (did you mean `order-notes.days`?) (--set)",
        "listen: nowhere: it is not an address and port (ATOLL_LISTEN)",
        "order-notes.days: 0: it must be from 1 to 3650 (ATOLL_ORDER_NOTES_DAYS)",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}
