#!/bin/sh
# Builds wasi.wasm beside this file. $GUEST_TOOLCHAIN names a toolchain that has the target wasm32-wasip2, if the
# repository's toolchain does not have it.
set -eu
cd "$(dirname "$0")"
target=${GUEST_TARGET_DIR:-$PWD/target}
env ${GUEST_TOOLCHAIN:+RUSTUP_TOOLCHAIN="$GUEST_TOOLCHAIN"} \
    RUSTFLAGS="--remap-path-prefix=$PWD=/wasi --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
    cargo build --release --locked --target wasm32-wasip2 --target-dir "$target"
cp "$target/wasm32-wasip2/release/wasi.wasm" wasi.wasm
