//! Compiles `cri.proto` with a compiler written in Rust, so that no machine needs `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=cri.proto");
    let files = protox::compile(["cri.proto"], ["."])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
