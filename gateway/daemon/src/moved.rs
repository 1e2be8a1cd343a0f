//! Answers commands that were the daemon's once with the command that replaced them.

use std::ffi::OsString;

use clap::Args;

use crate::exit::Exit;
use crate::output;

/// Any arguments: they do not matter any more.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _ignored: Vec<OsString>,
}

/// Names the new command.
pub(crate) fn run(command: &str) -> Exit {
    output::error_line(format_args!(
        "`{command}` moved to the tool `ckpt`: run `ckpt {command}`"
    ));
    Exit::WrongUsage
}
