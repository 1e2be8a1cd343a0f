//! The daemon's command line and exit codes.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_checkpoint-gateway"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_lists_commands_and_exit_codes() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    for word in ["serve", "check", "openapi", "Exit status", "`ckpt`"] {
        assert!(help.contains(word), "{word}");
    }
    for moved in ["demo ", "archive ", "policy ", "audit "] {
        assert!(!help.contains(&format!("\n  {moved}")), "{moved}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for wrong in [&[][..], &["serv"], &["check"], &["workload"]] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert!(
        text(&run(&["serv"]).stderr).contains("'serve'"),
        "did you mean"
    );
}

#[test]
fn version_is_the_packages() {
    let version = concat!("checkpoint-gateway ", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&run(&["--version"]).stdout).trim(), version);
}

#[test]
fn moved_commands_name_the_tool() {
    for command in ["demo", "policy", "archive", "audit"] {
        for arguments in [&[command][..], &[command, "--once", "x"], &[command, "-h"]] {
            let answer = run(arguments);
            let line = format!("`{command}` moved to the tool `ckpt`: run `ckpt {command}`\n");
            assert_eq!(
                (answer.status.code(), text(&answer.stderr)),
                (Some(2), line)
            );
            assert!(answer.stdout.is_empty());
        }
    }
}
