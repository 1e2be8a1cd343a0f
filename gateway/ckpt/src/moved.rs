//! Answers the daemon's commands with the program that has them.

use std::ffi::OsString;

use clap::Args;

use crate::exit::Exit;
use crate::output;

/// Any arguments: they do not matter here.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _ignored: Vec<OsString>,
}

/// Names the daemon's command.
pub(crate) fn run(command: &str) -> Exit {
    output::print_error(format_args!(
        "`{command}` is a command of the daemon: run `checkpoint-gateway {command}`"
    ));
    Exit::WrongUsage
}
