//! The binary `checkpoint-gateway`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway_cli::main()
}
