//! The program `ckpt`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway_ckpt::main()
}
